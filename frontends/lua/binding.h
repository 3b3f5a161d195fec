/* binding: the engine's ate.h for trusted Lua, as the module `ate`. */
#ifndef FRONTENDS_LUA_BINDING_H
#define FRONTENDS_LUA_BINDING_H

#include <lua.h>
#include <stddef.h>

/* A file of lua/ that stands in this program; `name` is its path there. */
struct frontend_asset {
    const char *name;
    const char *data;
    size_t len;
};
extern const struct frontend_asset
    frontend_assets[]; /* ends with a NULL name */

/* The module `ate`; modules `ate.*` are found among the assets after it.
 * Exported, for it is also what LuaJIT's require() finds in ate.so. */
__attribute__((visibility("default"))) int luaopen_ate(lua_State *L);

struct ate;
struct ate_error;

/* For modules beside this one: the open node at `index`, or a Lua error; and
 * push nil and the error, two results. */
struct ate *binding_node(lua_State *L, int index);
int binding_fail(lua_State *L, const struct ate_error *error);
#endif
