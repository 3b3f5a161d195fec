#include "rest/module.h"

#include <lauxlib.h>

#include "ate.h"
#include "lua/binding.h"
#include "lua/class.h"
#include "lua/failure.h"
#include "rest/bearer.h"
#include "rest/rest.h"

#define DOOR_META "ate.rest"

struct door_box {
    struct rest *rest; /* NULL when stopped */
};

static const char *option(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name); /* stays on the stack, and so alive */
    return luaL_optstring(L, -1, NULL);
}

static int descriptor(lua_State *L, const char *name)
{
    lua_getfield(L, 2, name);
    int fd = (int)luaL_optinteger(L, -1, -1);
    lua_pop(L, 1);
    return fd;
}

static uint32_t number(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    lua_Number n = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

/* The field limits of the options; what is not in it is as limits.h has it. */
static struct rest_limits take_limits(lua_State *L)
{
    struct rest_limits limits = {0};
    lua_getfield(L, 2, "limits");
    if (lua_istable(L, -1))
        limits = (struct rest_limits){
            .connections = number(L, "connections"),
            .streams = number(L, "streams"),
            .body = number(L, "body"),
            .request_ms = number(L, "request_ms"),
            .idle_ms = number(L, "idle_ms"),
            .call_ms = number(L, "call_ms"),
        };
    lua_pop(L, 1);
    return limits;
}

/* The options at 2; the stack keeps their texts. */
static struct rest_options take_options(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    struct rest_options options = {
        .folder = option(L, "folder"),
        .address = option(L, "address"),
        .metrics = option(L, "metrics"),
        .fd = descriptor(L, "fd"),
        .metrics_fd = descriptor(L, "metrics_fd"),
        .cert = option(L, "cert"),
        .key = option(L, "key"),
        .origins = option(L, "origins"),
        .limits = take_limits(L),
    };
    lua_getfield(L, 2, "plain");
    options.may_be_plain = lua_toboolean(L, -1);
    return options;
}

/* check(nil, as of start()) -> true | nil, err: what shows without starting */
static int check(lua_State *L)
{
    struct ate_error error = {0};
    struct rest_options options = take_options(L);
    return failure_or_true(L, rest_check(&options, &error), &error);
}

/* start(node, {folder, address, fd, metrics, metrics_fd, cert, key, origins,
 * plain, limits}) -> door | nil, err; limits: those of struct rest_limits */
static int start(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    struct rest_options options = take_options(L);
    luaL_argcheck(L, options.folder != NULL, 2, "no folder");
    struct door_box *box = lua_newuserdata(L, sizeof(*box));
    box->rest = NULL;
    luaL_getmetatable(L, DOOR_META);
    lua_setmetatable(L, -2);
    if (rest_start(&box->rest, ate, &options, &error) != 0)
        return failure_results(L, &error);
    return 1;
}

static struct door_box *check_door(lua_State *L)
{
    struct door_box *box = luaL_checkudata(L, 1, DOOR_META);
    luaL_argcheck(L, box->rest != NULL, 1, "the door is closed");
    return box;
}

/* door:where() -> URL or "" of REST, of the metrics */
static int where(lua_State *L)
{
    struct door_box *box = check_door(L);
    lua_pushstring(L, rest_where(box->rest));
    lua_pushstring(L, rest_metrics_where(box->rest));
    return 2;
}

/* door:renew(cert, key) -> true | nil, err */
static int renew(lua_State *L)
{
    struct door_box *box = check_door(L);
    const char *cert = luaL_checkstring(L, 2);
    const char *key = luaL_optstring(L, 3, NULL);
    struct ate_error error = {0};
    return failure_or_true(L, rest_renew(box->rest, cert, key, &error), &error);
}

/* door:stop(); twice is harmless. */
static int stop(lua_State *L)
{
    struct door_box *box = luaL_checkudata(L, 1, DOOR_META);
    rest_stop(box->rest);
    box->rest = NULL;
    return 0;
}

/* bearer(folder, anew) -> key, path | nil, err */
static int bearer(lua_State *L)
{
    const char *folder = luaL_checkstring(L, 1);
    struct ate_error error = {0};
    struct bearer b;
    if (bearer_open(&b, folder, lua_toboolean(L, 2), &error) != 0)
        return failure_results(L, &error);
    lua_pushstring(L, b.key);
    lua_pushstring(L, b.path);
    bearer_close(&b);
    return 2;
}

int luaopen_ate_rest(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"where", where}, {"renew", renew}, {"stop", stop}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"start", start}, {"check", check}, {"bearer", bearer}, {NULL, NULL}};
    class_new(L, DOOR_META, methods, stop);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
