/* lua_function: what a function of a schema is, to tell whether it changed: its
 * lines in the source, and the constants that it sees. */
#ifndef ATE_SCRIPT_LUA_FUNCTION_H
#define ATE_SCRIPT_LUA_FUNCTION_H

#include <lua.h>
#include <stdint.h>

#include "base/bytes.h"

/* The digest of the function on top of the stack, which stays there. `bundle`
 * is the one it was loaded from. Upvalues count by what they hold: functions
 * again by what they are, those of the library by their names, tables by their
 * entries. What is beyond some thousand values, or a hundred deep, or has a key
 * that is neither text nor number, counts as the whole bundle: it is said to
 * have changed rather than not. Inside a sandbox; raises errors when memory is
 * out. */
void lua_function_digest(lua_State *L, struct bytes bundle, uint8_t digest[32]);
#endif
