/* module: the REST door for trusted Lua, as the module `ate.rest`. */
#ifndef FRONTENDS_REST_MODULE_H
#define FRONTENDS_REST_MODULE_H

#include <lua.h>

int luaopen_ate_rest(lua_State *L);
#endif
