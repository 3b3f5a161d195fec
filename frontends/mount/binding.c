#include "mount/binding.h"

#include <lauxlib.h>

#include "ate.h"
#include "lua/binding.h"
#include "lua/class.h"
#include "lua/failure.h"
#include "mount/mount.h"
#include "mount/place.h"

#define MOUNT_META "ate.mount"

struct mount_box {
    struct mount *mount; /* NULL when stopped */
};

static int mount_gc(lua_State *L)
{
    struct mount_box *box = luaL_checkudata(L, 1, MOUNT_META);
    mount_stop(box->mount);
    box->mount = NULL;
    return 0;
}

/* mount:fd() -> readable when somebody unmounted it */
static int fd_of(lua_State *L)
{
    struct mount_box *box = luaL_checkudata(L, 1, MOUNT_META);
    luaL_argcheck(L, box->mount != NULL, 1, "the mount has been stopped");
    lua_pushinteger(L, mount_fd(box->mount));
    return 1;
}

/* start(node, dir, {as, deadline_ms}) -> mount | nil, err. To be stopped before
 * the node is closed. */
static int start(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    const char *dir = luaL_checkstring(L, 2);
    struct mount_options options = {0};
    struct ate_error error = {0};
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_getfield(L, 3, "as");
    options.as = luaL_optstring(L, -1, NULL);
    lua_getfield(L, 3, "deadline_ms");
    options.deadline_ms = (uint32_t)luaL_optnumber(L, -1, 0);
    struct mount_box *box = lua_newuserdata(L, sizeof(*box));
    box->mount = NULL;
    luaL_getmetatable(L, MOUNT_META);
    lua_setmetatable(L, -2);
    if (mount_start(&box->mount, ate, dir, &options, &error) != 0)
        return failure_results(L, &error);
    return 1;
}

/* check(dir) -> true | nil, err: whether start() would take the folder */
static int check(lua_State *L)
{
    struct ate_error error = {0};
    if (place_check(luaL_checkstring(L, 1), &error) != 0)
        return failure_results(L, &error);
    lua_pushboolean(L, true);
    return 1;
}

/* is_mounted(dir) */
static int is_mounted(lua_State *L)
{
    lua_pushboolean(L, place_is_mounted(luaL_checkstring(L, 1)));
    return 1;
}

int luaopen_ate_mount(lua_State *L)
{
    static const luaL_Reg functions[] = {{"start", start},
                                         {"check", check},
                                         {"is_mounted", is_mounted},
                                         {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"fd", fd_of}, {"stop", mount_gc}, {NULL, NULL}};
    class_new(L, MOUNT_META, methods, mount_gc);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
