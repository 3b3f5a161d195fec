/* lua_state: `state`, by which rules and methods read: state.balance:get(key),
 * state.coins.wallet:each(parent, options).
 *
 * Views: get each sum count. Objects and facts: get each count. All take the
 * key forms of lua_key.h; `each` gives an iterator for `for row in ...`, and
 * takes {after =, limit =, order = 'first' or 'last_first'}. */
#ifndef ATE_SCRIPT_LUA_STATE_H
#define ATE_SCRIPT_LUA_STATE_H

#include <lua.h>

struct box;

/* In sandbox_setup: make one `state` for each schema of the bundle; leaves
 * references in box->states. */
void lua_state_setup(lua_State *L, struct box *b);

#endif
