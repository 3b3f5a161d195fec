/* lua_ctx: `ctx`, all that a method has: emit create put patch delete get call,
 * state, caller, author, time, data, claims, where, none.
 *
 * emit gives the new fact's ref; create, put and patch the object as it is now.
 * A refusal, or any other error of these, ends the method with exactly that
 * error. `ctx.none` in a patch takes an optional field away. */
#ifndef ATE_SCRIPT_LUA_CTX_H
#define ATE_SCRIPT_LUA_CTX_H

#include <lua.h>

struct box;
struct buf;
struct method;

/* In sandbox_setup: leaves a reference in box->ctx. */
void lua_ctx_setup(lua_State *L, struct box *b);

/* Run a declared method with the arguments (a table) on top of the stack, which
 * are replaced by its result. */
void lua_ctx_run(lua_State *L, const struct method *method);

/* Append the stored form of the result at `index`; nothing for nil. */
void lua_ctx_take_result(lua_State *L, int index, const struct method *method,
                         struct buf *out);

#endif
