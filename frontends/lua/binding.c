/* (1) The node of a port or call is kept alive by the Lua values that hold it:
 *     an `ate` userdata is closed by close() or by the collector.
 * (2) Before anything of C is taken, all arguments have been read, for an
 *     error of Lua jumps over C. */
#include "lua/binding.h"

#include <stdbool.h>
#include <stdio.h>
#include <lauxlib.h>

#include "ate.h"
#include "lua/answers.h"
#include "lua/assets.h"
#include "lua/class.h"
#include "lua/codec.h"
#include "lua/failure.h"
#include "lua/host.h"
#include "lua/value.h"

#define NODE_META "ate.node"

enum { CALL_ID_SIZE = 16 };

struct node_box {
    struct ate *ate; /* NULL when closed */
};

/* ---- nodes ---- */

struct ate *binding_node(lua_State *L, int index)
{
    struct node_box *box = luaL_checkudata(L, index, NODE_META);
    luaL_argcheck(L, box->ate != NULL, index, "the data folder is closed");
    return box->ate;
}

static bool option(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    bool is_set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_set;
}

static uint32_t count_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    lua_Number count = luaL_optnumber(L, -1, 0);
    if (!(count >= 0 && count <= UINT32_MAX))
        luaL_error(L, "%s is a whole number below 2^32", name);
    lua_pop(L, 1);
    return (uint32_t)count;
}

/* node(path, {read_only, create, memory, folder, ["local"], wait_ms})
 * -> node | nil, err */
static int node_open(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    unsigned flags = 0;
    uint32_t wait_ms = 0;
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        flags |= option(L, 2, "read_only") ? ATE_READ_ONLY : 0;
        flags |= option(L, 2, "create") ? ATE_CREATE : 0;
        flags |= option(L, 2, "local") ? ATE_LOCAL : 0;
        flags |= option(L, 2, "memory") ? ATE_MEMORY : 0;
        flags |= option(L, 2, "folder") ? ATE_FOLDER | ATE_READ_ONLY : 0;
        wait_ms = count_field(L, 2, "wait_ms");
    }
    struct node_box *box = lua_newuserdata(L, sizeof(*box));
    box->ate = NULL;
    luaL_getmetatable(L, NODE_META);
    lua_setmetatable(L, -2);
    struct ate_error error = {0};
    if (ate_open_within(&box->ate, path, flags, wait_ms, &error) != 0) {
        box->ate = NULL;
        return failure_results(L, &error);
    }
    return 1;
}

/* open{data, read_only, ...} -> folder | nil, err: lua/client/folder.lua */
static int open_folder(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "ate.client.folder");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    lua_insert(L, 1);
    lua_pop(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int node_close(lua_State *L)
{
    struct node_box *box = luaL_checkudata(L, 1, NODE_META);
    ate_close(box->ate);
    box->ate = NULL;
    return 0;
}

/* node:set_clock(time_ms) -> true | nil, err */
static int node_set_clock(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    return failure_or_true(
        L, ate_set_clock(ate, (int64_t)luaL_checknumber(L, 2), &error), &error);
}

/* node:listen([fd]) -> true | nil, err. The descriptor is taken over. */
static int node_listen(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    int fd = (int)luaL_optinteger(L, 2, -1);
    int rc = fd < 0 ? ate_listen(ate, &error) : ate_listen_at(ate, fd, &error);
    return failure_or_true(L, rc, &error);
}

/* node:callers(most) -> true | nil, err */
static int node_callers(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    lua_Number most = luaL_checknumber(L, 2);
    bool fits = most >= 1 && most <= INT32_MAX;
    return failure_or_true(
        L, ate_callers_max(ate, fits ? (unsigned)most : 0, &error), &error);
}

/* node:is_remote() -> whether another process serves the folder */
static int node_is_remote(lua_State *L)
{
    lua_pushboolean(L, ate_is_remote(binding_node(L, 1)));
    return 1;
}

/* node:watch(port) -> true | nil, err */
static int node_watch(lua_State *L)
{
    struct ate_error error = {0};
    return failure_or_true(
        L, ate_watch(binding_node(L, 1), answers_port(L, 2), &error), &error);
}

/* node:serve(port, name) -> true | nil, err */
static int node_serve(lua_State *L)
{
    struct ate_error error = {0};
    return failure_or_true(L,
                           ate_provide(binding_node(L, 1), answers_port(L, 2),
                                       luaL_checkstring(L, 3), &error),
                           &error);
}

/* The table at `index` as msgpack, on the stack and so alive. */
static const char *http_config(lua_State *L, int index, size_t *len)
{
    luaL_checktype(L, index, LUA_TTABLE);
    if (pack_from(L, index) != 0)
        luaL_error(L, "the configuration: %s", lua_tostring(L, -1));
    return lua_tolstring(L, -1, len);
}

/* http_check(config) -> true | nil, err: whether node:http() takes it */
static int http_check(lua_State *L)
{
    struct ate_error error = {0};
    size_t len = 0;
    const char *config = http_config(L, 1, &len);
    return failure_or_true(L, ate_http_check(config, len, &error), &error);
}

/* node:http(config) -> true | nil, err */
static int node_http(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    size_t len = 0;
    const char *config = http_config(L, 2, &len);
    return failure_or_true(L, ate_http(ate, config, len, &error), &error);
}

/* node:reply(call, answer), node:reply(call, nil, err): err has code and text.
 * -> true | nil, text when the answer is no value */
static int node_reply(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    uint64_t call = (uint64_t)luaL_checknumber(L, 2);
    struct ate_error failure = {0};
    size_t len = 0;
    lua_settop(L, 4);
    if (lua_istable(L, 4)) {
        lua_getfield(L, 4, "code");
        failure.code = failure_code(luaL_optstring(L, -1, "UNAVAILABLE"));
        lua_getfield(L, 4, "text");
        snprintf(failure.text, sizeof(failure.text), "%s",
                 luaL_optstring(L, -1, "failed"));
        if (failure.code == 0)
            failure.code = ATE_UNAVAILABLE;
        ate_reply(ate, call, &failure, NULL, 0);
    } else if (pack_from(L, 3) != 0) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    } else {
        const char *answer = lua_tolstring(L, -1, &len);
        ate_reply(ate, call, NULL, answer, len);
    }
    lua_pushboolean(L, true);
    return 1;
}

static const char *text_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name); /* stays on the stack, and so alive */
    return luaL_optstring(L, -1, NULL);
}

/* A value of the table at 3 as msgpack, on the stack and so alive. NULL: there
 * is none, and nil is on the stack, or what is wrong with it. */
static const void *packed_field(lua_State *L, const char *name, size_t *len)
{
    lua_getfield(L, 3, name);
    if (lua_isnil(L, -1) || pack_from(L, -1) != 0)
        return NULL;
    return lua_tolstring(L, -1, len);
}

/* Fill a request from the table at 3; the stack keeps its texts. */
static int read_request(lua_State *L, struct ate_request *request)
{
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    *request = (struct ate_request){0};
    request->chain = text_field(L, 3, "chain");
    request->method = text_field(L, 3, "method");
    request->as = text_field(L, 3, "as");
    request->act_for = text_field(L, 3, "act_for");
    request->with = text_field(L, 3, "with");
    request->roots = text_field(L, 3, "roots");
    lua_getfield(L, 3, "propose");
    request->propose = lua_toboolean(L, -1);
    lua_getfield(L, 3, "call_id");
    size_t len = 0;
    const char *id = luaL_optlstring(L, -1, NULL, &len);
    luaL_argcheck(L, id == NULL || len == CALL_ID_SIZE, 3,
                  "call_id is 16 bytes");
    request->call_id = (const uint8_t *)id;
    request->deadline_ms = count_field(L, 3, "deadline_ms");
    request->credit = count_field(L, 3, "credit");
    request->args = packed_field(L, "args", &request->args_len);
    if (request->args == NULL && !lua_isnil(L, -1))
        return -1;
    request->context = packed_field(L, "context", &request->context_len);
    return request->context == NULL && !lua_isnil(L, -1) ? -1 : 0;
}

typedef uint64_t start_fn(struct ate *ate, struct ate_port *port,
                          const struct ate_request *request);

static int node_start(lua_State *L, start_fn *start)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_port *port = answers_port(L, 2);
    struct ate_request request;
    if (read_request(L, &request) != 0) {
        lua_pushliteral(L, "INVALID");
        lua_insert(L, -2);
        lua_pushcfunction(L, failure_make);
        lua_insert(L, -3);
        lua_call(L, 2, 1);
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushnumber(L, (lua_Number)start(ate, port, &request));
    return 1;
}

/* node:call(port, {chain, method, args, context, as, act_for, with, roots,
 * call_id, deadline_ms, credit}) -> number of the call | nil, err when
 * arguments or context are no values */
static int node_call(lua_State *L)
{
    return node_start(L, ate_call);
}

static int node_read(lua_State *L)
{
    return node_start(L, ate_read);
}

static int node_grant(lua_State *L)
{
    ate_grant(binding_node(L, 1), (uint64_t)luaL_checknumber(L, 2),
              (uint32_t)luaL_checkinteger(L, 3));
    return 0;
}

static int node_cancel(lua_State *L)
{
    ate_cancel(binding_node(L, 1), (uint64_t)luaL_checknumber(L, 2));
    return 0;
}

/* bundle(path) -> bytes as a text, report | nil, err */
static int bundle(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct ate_bytes *bytes = answers_bytes(L);
    struct ate_bytes *report = answers_bytes(L);
    struct ate_error error = {0};
    if (ate_bundle(path, bytes, report, &error) != 0)
        return failure_results(L, &error);
    lua_pushlstring(L, (const char *)bytes->data, bytes->len);
    if (pack_push(L, report->data, report->len) != 0)
        return luaL_error(L, "a report of the engine: %s", lua_tostring(L, -1));
    ate_free(report);
    ate_free(bytes);
    return 2;
}

/* proof(text[, vkey]) -> report | nil, err */
static int proof(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *vkey = luaL_optstring(L, 2, NULL);
    struct ate_bytes *report = answers_bytes(L);
    struct ate_error error = {0};
    if (ate_proof(text, len, vkey, report, &error) != 0)
        return failure_results(L, &error);
    if (pack_push(L, report->data, report->len) != 0)
        return luaL_error(L, "a report of the engine: %s", lua_tostring(L, -1));
    ate_free(report);
    return 1;
}

/* body_hash(fd) -> hash in hexadecimal, length | nil, error. */
static int body_hash(lua_State *L)
{
    uint8_t hash[32];
    char text[2 * sizeof(hash) + 1];
    uint64_t length = 0;
    struct ate_error error = {0};
    int fd = (int)luaL_checkinteger(L, 1);
    if (ate_body_hash(fd, 0, hash, &length, &error) != 0)
        return failure_results(L, &error);
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    lua_pushstring(L, text);
    lua_pushnumber(L, (lua_Number)length);
    return 2;
}

/* near(name, {candidates}) -> the one that was probably meant | nil */
static int near_name(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = lua_objlen(L, 2);
    const char **names = lua_newuserdata(L, (count + 1) * sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (int)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "a list of texts");
        names[i] = lua_tostring(L, -1); /* the list keeps it */
        lua_pop(L, 1);
    }
    lua_pushstring(L, ate_near(name, names, count)); /* NULL: nil */
    return 1;
}

/* ---- the module ---- */

static void set_class(lua_State *L)
{
    static const luaL_Reg node_methods[] = {
        {"close", node_close},         {"set_clock", node_set_clock},
        {"listen", node_listen},       {"callers", node_callers},
        {"is_remote", node_is_remote}, {"watch", node_watch},
        {"serve", node_serve},         {"http", node_http},
        {"reply", node_reply},         {"call", node_call},
        {"read", node_read},           {"grant", node_grant},
        {"cancel", node_cancel},       {NULL, NULL},
    };
    class_new(L, NODE_META, node_methods, node_close);
}

int luaopen_ate(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", open_folder},
        {"node", node_open},
        {"port", answers_port_new},
        {"bundle", bundle},
        {"proof", proof},
        {"error", failure_make},
        {"asset", assets_get},
        {"assets", assets_list},
        {"bin", value_bin},
        {"body_hash", body_hash},
        {"list", value_list},
        {"is_list", value_is_list},
        {"pack", pack_encode},
        {"unpack", pack_decode},
        {"http_check", http_check},
        {"near", near_name},
        {NULL, NULL},
    };
    value_setup(L);
    set_class(L);
    failure_setup(L);
    answers_setup(L);
    assets_add_searcher(L);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    lua_newtable(L);
    lua_pushcfunction(L, json_encode);
    lua_setfield(L, -2, "encode");
    lua_pushcfunction(L, json_decode);
    lua_setfield(L, -2, "decode");
    lua_setfield(L, -2, "json");
    host_push(L);
    lua_setfield(L, -2, "host");
    text_push(L);
    lua_setfield(L, -2, "text");
    value_push_null(L);
    lua_setfield(L, -2, "null");
    lua_pushliteral(L, ATE_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
