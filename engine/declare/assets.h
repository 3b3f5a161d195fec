/* assets: Lua that is kept inside the binary (tools/embed.sh): the engine's
 * own, and the standard schemas. */
#ifndef ATE_DECLARE_ASSETS_H
#define ATE_DECLARE_ASSETS_H

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

/* The standard schemas, sorted by module: "ate:ledger" is schemas/ledger.lua.
 * They see what every schema sees. */
extern const struct lua_asset schema_assets[];
extern const size_t schema_asset_count;

/* A line of lua/ate.released: a source that a module had in a released version,
 * so that it is in bundles. Chains with these stay valid for ever. */
struct lua_release {
    const char *module;
    const char *version; /* the first that had it */
    const char *hash;    /* SHA-256 of the source, 64 hex digits */
};

extern const struct lua_release lua_releases[];
extern const size_t lua_release_count;
#endif
