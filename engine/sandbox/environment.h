/* environment: what chunks in a sandbox see, and how modules get there.
 *
 * Part of the sandbox: only sandbox.c calls this, inside a protected call. */
#ifndef ATE_SANDBOX_ENVIRONMENT_H
#define ATE_SANDBOX_ENVIRONMENT_H

#include <lua.h>

#include "sandbox/operations.h"

/* Make both environments, `host` and the library modules. */
void environment_open(lua_State *L);

/* Raise an error if a frozen table was changed; forget what only loading
 * needs. */
void environment_seal(lua_State *L);

/* From now on, in this run, what has the name calls the function. */
void environment_charge(lua_State *L, enum operation name,
                        lua_CFunction function);
#endif
