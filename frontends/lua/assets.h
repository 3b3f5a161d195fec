/* assets: the files of lua/ that stand in this program. */
#ifndef FRONTENDS_LUA_ASSETS_H
#define FRONTENDS_LUA_ASSETS_H

#include <lua.h>
#include <stddef.h>

/* `name` is its path below lua/. */
struct frontend_asset {
    const char *name;
    const char *data;
    size_t len;
};
extern const struct frontend_asset
    frontend_assets[]; /* ends with a NULL name */

/* Functions of Lua: asset(path) -> the text of a file | nil; assets(prefix) ->
 * sorted list of paths. */
int assets_get(lua_State *L);
int assets_list(lua_State *L);

/* From now on require() finds modules `ate.*` among them, before it looks for
 * files: Lua of the folder in which somebody stands shall not run with their
 * keys. `ate.cli.main` is cli/main.lua, `ate.test` is test/init.lua. */
void assets_add_searcher(lua_State *L);
#endif
