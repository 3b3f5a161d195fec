/* binding: mounts as a module of trusted Lua, `ate.mount`. */
#ifndef FRONTENDS_MOUNT_BINDING_H
#define FRONTENDS_MOUNT_BINDING_H

#include <lua.h>

int luaopen_ate_mount(lua_State *L);
#endif
