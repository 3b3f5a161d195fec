/* failure: errors as values of trusted Lua: tables with `code`, `exit`, `text`
 * and, where the engine says them, `rule`, `reason` and `at`, a list of
 * pointers. They print as their text. */
#ifndef FRONTENDS_LUA_FAILURE_H
#define FRONTENDS_LUA_FAILURE_H

#include <lua.h>

struct ate_error;

/* Register the metatable; once for each state. */
void failure_setup(lua_State *L);

void failure_push(lua_State *L, const struct ate_error *error);
/* Push nil and the error, two results. */
int failure_results(lua_State *L, const struct ate_error *error);
/* What a function gives that has nothing to say: true, or these two, as `code`
 * is 0 or not. */
int failure_or_true(lua_State *L, int code, const struct ate_error *error);

/* The code of this name; 0: there is none. */
int failure_code(const char *name);

/* A function of Lua: error(code, text, reason?) -> an error such as the
 * engine's own. */
int failure_make(lua_State *L);
#endif
