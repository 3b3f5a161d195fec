/* answers: ports as values of trusted Lua, and what comes out of them. Nothing
 * waits but port:next(), and that waits in poll() beside the descriptor of
 * interrupts. */
#ifndef FRONTENDS_LUA_ANSWERS_H
#define FRONTENDS_LUA_ANSWERS_H

#include <lua.h>

struct ate_bytes;
struct ate_port;

/* Register the metatables; once for each state, before all else here. */
void answers_setup(lua_State *L);

/* A function of Lua: port() -> port. */
int answers_port_new(lua_State *L);
/* The port at `index`, which lives as long as that value; or a Lua error. */
struct ate_port *answers_port(lua_State *L, int index);

/* Push a holder for bytes of the engine, which the collector frees if an error
 * comes first; who has used them frees them with ate_free(). */
struct ate_bytes *answers_bytes(lua_State *L);
#endif
