#include "lua/scratch.h"

#include <lauxlib.h>

#define SCRATCH "ate.scratch"

void scratch_release(struct scratch *scratch)
{
    if (scratch->resource != NULL)
        scratch->release(scratch->resource);
    scratch->resource = NULL;
}

static int scratch_gc(lua_State *L)
{
    scratch_release(luaL_checkudata(L, 1, SCRATCH));
    return 0;
}

struct scratch *scratch_push(lua_State *L, void (*release)(void *resource))
{
    struct scratch *scratch = lua_newuserdata(L, sizeof(*scratch));
    *scratch = (struct scratch){.release = release};
    if (luaL_newmetatable(L, SCRATCH)) {
        lua_pushcfunction(L, scratch_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return scratch;
}
