/* class: userdata with methods. */
#ifndef FRONTENDS_LUA_CLASS_H
#define FRONTENDS_LUA_CLASS_H

#include <lua.h>
#include <lauxlib.h>

/* Register the metatable `name`: its `methods`, and what the collector calls.
 * The stack is as before. */
void class_new(lua_State *L, const char *name, const luaL_Reg *methods,
               lua_CFunction gc);
#endif
