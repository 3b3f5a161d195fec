/* assets: the engine's own Lua, kept inside the binary (tools/embed.sh). */
#ifndef ATE_SCRIPT_ASSETS_H
#define ATE_SCRIPT_ASSETS_H

#include <stddef.h>

struct lua_asset {
    const char *module; /* "ate.types" */
    const char *file;   /* "ate/types.lua" */
    const char *source;
    size_t len;
};

/* Sorted by module. */
extern const struct lua_asset lua_assets[];
extern const size_t lua_asset_count;
#endif
