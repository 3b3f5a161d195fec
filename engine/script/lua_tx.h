/* lua_tx: `tx`, the transaction that a rule or fold stands in: author, caller,
 * time, index; in rules also tx:by(identity), tx:may(right, object) and
 * tx:each(type).
 *
 * tx:each() walks the events of a type in the order of the transaction: those
 * before this one and this one itself; in a rule with per = 'transaction' all.
 * Whoever asks about one event that another one guards has to emit the guard
 * first. */
#ifndef ATE_SCRIPT_LUA_TX_H
#define ATE_SCRIPT_LUA_TX_H

#include <lua.h>

struct box;

/* In sandbox_setup: leaves a reference in box->tx. */
void lua_tx_setup(lua_State *L, struct box *b);

#endif
