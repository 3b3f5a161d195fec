#include "lua/assets.h"

#include <string.h>
#include <lauxlib.h>

static const struct frontend_asset *find_asset(const char *name)
{
    for (const struct frontend_asset *a = frontend_assets; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

int assets_get(lua_State *L)
{
    const struct frontend_asset *found = find_asset(luaL_checkstring(L, 1));
    if (found == NULL)
        return 0;
    lua_pushlstring(L, found->data, found->len);
    return 1;
}

int assets_list(lua_State *L)
{
    const char *prefix = luaL_checkstring(L, 1);
    int n = 0;
    lua_newtable(L);
    for (const struct frontend_asset *a = frontend_assets; a->name; a++) {
        if (strncmp(a->name, prefix, strlen(prefix)) != 0)
            continue;
        lua_pushstring(L, a->name);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int search_assets(lua_State *L)
{
    const char *module = luaL_checkstring(L, 1);
    if (strncmp(module, "ate.", 4) != 0)
        return 0;
    const char *path = luaL_gsub(L, module + 4, ".", "/");
    const char *file = lua_pushfstring(L, "%s.lua", path);
    const struct frontend_asset *found = find_asset(file);
    if (found == NULL) {
        file = lua_pushfstring(L, "%s/init.lua", path);
        found = find_asset(file);
    }
    if (found == NULL) {
        lua_pushfstring(L, "\n\tno lua/%s.lua in ate", path);
        return 1;
    }
    const char *chunk = lua_pushfstring(L, "@lua/%s", file);
    if (luaL_loadbuffer(L, found->data, found->len, chunk) != 0)
        return luaL_error(L, "%s", lua_tostring(L, -1));
    return 1;
}

void assets_add_searcher(lua_State *L)
{
    enum { AFTER_PRELOAD = 2 };
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders");
    for (int i = (int)lua_objlen(L, -1); i >= AFTER_PRELOAD; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search_assets);
    lua_rawseti(L, -2, AFTER_PRELOAD);
    lua_pop(L, 2);
}
