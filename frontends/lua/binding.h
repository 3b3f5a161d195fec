/* binding: the engine's ate.h for trusted Lua, as the module `ate`. */
#ifndef FRONTENDS_LUA_BINDING_H
#define FRONTENDS_LUA_BINDING_H

#include <lua.h>

/* The module `ate`; modules `ate.*` are found among the assets after it.
 * Exported, for it is also what LuaJIT's require() finds in ate.so. */
__attribute__((visibility("default"))) int luaopen_ate(lua_State *L);

struct ate;

/* For modules beside this one: the open node at `index`, or a Lua error. It
 * lives as long as that value, unless Lua closes it. */
struct ate *binding_node(lua_State *L, int index);
#endif
