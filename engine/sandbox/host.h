/* host: what the engine's own Lua may do beyond the library, and freezing.
 *
 * Part of the sandbox: only environment.c calls this, inside a protected call.
 * sandbox_push_host() in sandbox.h is the way in for others. */
#ifndef ATE_SANDBOX_HOST_H
#define ATE_SANDBOX_HOST_H

#include <lua.h>

void host_open(lua_State *L);

/* Freeze the table on top: nobody may have changed it at the seal. */
void host_freeze(lua_State *L, const char *name);

/* Raise an error if a frozen table was changed; forget the copies. */
void host_seal(lua_State *L);
#endif
