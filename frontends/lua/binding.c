/* A call's answers are values, so nothing here waits except port:next(), and
 * that waits in poll() beside the descriptor of interrupts.
 *
 * (1) The node of a port or call is kept alive by the Lua values that hold it:
 *     an `ate` userdata is closed by close() or by the collector.
 * (2) Before anything of C is taken, all arguments have been read, for an
 *     error of Lua jumps over C. */
#include "lua/binding.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "ate.h"
#include "lua/codec.h"
#include "lua/host.h"
#include "lua/value.h"

#define NODE_META "ate.node"
#define PORT_META "ate.port"
#define BYTES_META "ate.bytes"
#define ERROR_META "ate.error"

enum { CALL_ID_SIZE = 16 };

struct node_box {
    struct ate *ate; /* NULL when closed */
};

struct port_box {
    struct ate_port *port; /* NULL when freed */
};

/* ---- errors ---- */

static void push_error(lua_State *L, const struct ate_error *error)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, ate_code_name(error->code));
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, ate_code_exit(error->code));
    lua_setfield(L, -2, "exit");
    lua_pushstring(L, error->text);
    lua_setfield(L, -2, "text");
    if (error->rule[0] != '\0') {
        lua_pushstring(L, error->rule);
        lua_setfield(L, -2, "rule");
    }
    luaL_getmetatable(L, ERROR_META);
    lua_setmetatable(L, -2);
}

int binding_fail(lua_State *L, const struct ate_error *error)
{
    lua_pushnil(L);
    push_error(L, error);
    return 2;
}

static int error_text(lua_State *L)
{
    lua_getfield(L, 1, "text");
    return 1;
}

/* error(code, text[, rule]) -> an error such as the engine's own. */
static int make_error(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *text = luaL_checkstring(L, 2);
    struct ate_error error = {0};
    for (int code = ATE_IO; code >= ATE_CANCELED; code--) {
        if (strcmp(ate_code_name(code), name) == 0)
            error.code = code;
    }
    luaL_argcheck(L, error.code != 0, 1, "no such code");
    push_error(L, &error);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "text");
    return 1;
}

/* ---- ports ---- */

static int port_new(lua_State *L)
{
    struct port_box *box = lua_newuserdata(L, sizeof(*box));
    box->port = NULL;
    luaL_getmetatable(L, PORT_META);
    lua_setmetatable(L, -2);
    box->port = ate_port_new();
    if (box->port == NULL)
        return luaL_error(L, "no port: too many open files");
    return 1;
}

static struct ate_port *check_port(lua_State *L, int index)
{
    struct port_box *box = luaL_checkudata(L, index, PORT_META);
    luaL_argcheck(L, box->port != NULL, index, "the port has been freed");
    return box->port;
}

static int port_gc(lua_State *L)
{
    struct port_box *box = luaL_checkudata(L, 1, PORT_META);
    if (box->port != NULL)
        ate_port_free(box->port);
    box->port = NULL;
    return 0;
}

static int port_fd(lua_State *L)
{
    lua_pushinteger(L, ate_port_fd(check_port(L, 1)));
    return 1;
}

static int bytes_gc(lua_State *L)
{
    ate_free(luaL_checkudata(L, 1, BYTES_META));
    return 0;
}

/* Push a holder for bytes of the engine, which the collector frees if an
 * error comes first. */
static struct ate_bytes *bytes_push(lua_State *L)
{
    struct ate_bytes *bytes = lua_newuserdata(L, sizeof(*bytes));
    *bytes = (struct ate_bytes){0};
    luaL_getmetatable(L, BYTES_META);
    lua_setmetatable(L, -2);
    return bytes;
}

/* Push {call, final, asked, event, error, value}. */
static void push_answer(lua_State *L, const struct ate_answer *answer)
{
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, (lua_Number)answer->call);
    lua_setfield(L, -2, "call");
    lua_pushboolean(L, answer->kind == ATE_ANSWER_FINAL);
    lua_setfield(L, -2, "final");
    lua_pushboolean(L, answer->kind == ATE_ANSWER_ASKED);
    lua_setfield(L, -2, "asked");
    lua_pushboolean(L, answer->kind == ATE_ANSWER_EVENT);
    lua_setfield(L, -2, "event");
    if (answer->error.code != 0) {
        push_error(L, &answer->error);
        lua_setfield(L, -2, "error");
        return;
    }
    if (pack_push(L, answer->value.data, answer->value.len) != 0)
        luaL_error(L, "an answer of the engine: %s", lua_tostring(L, -1));
    lua_setfield(L, -2, "value");
}

static bool wait_for(int fd, int timeout_ms)
{
    struct pollfd fds[2] = {
        {.fd = fd, .events = POLLIN},
        {.fd = host_interrupt_fd(), .events = POLLIN},
    };
    return poll(fds, 2, timeout_ms) > 0 && fds[0].revents != 0;
}

/* port:next(timeout_ms) -> answer | nil. It ends early when the user asks to
 * stop: see host.interrupted(). */
static int port_next(lua_State *L)
{
    struct ate_port *port = check_port(L, 1);
    int timeout_ms = (int)luaL_optinteger(L, 2, -1);
    struct ate_answer answer;
    struct ate_bytes *value = bytes_push(L);
    if (ate_port_next(port, &answer, 0) != 1) {
        if (timeout_ms == 0)
            return 0;
        if (!wait_for(ate_port_fd(port), timeout_ms) ||
            ate_port_next(port, &answer, 0) != 1) {
            host_told(L);
            return 0;
        }
    }
    *value = answer.value;
    push_answer(L, &answer);
    ate_free(value);
    return 1;
}

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
        return binding_fail(L, &error);
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
    if (ate_set_clock(ate, (int64_t)luaL_checknumber(L, 2), &error) != 0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
}

/* node:listen([fd]) -> true | nil, err. The descriptor is taken over. */
static int node_listen(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    int fd = (int)luaL_optinteger(L, 2, -1);
    if ((fd < 0 ? ate_listen(ate, &error) : ate_listen_at(ate, fd, &error)) !=
        0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
}

/* node:callers(most) -> true | nil, err */
static int node_callers(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    lua_Number most = luaL_checknumber(L, 2);
    bool fits = most >= 1 && most <= INT32_MAX;
    if (ate_callers(ate, fits ? (unsigned)most : 0, &error) != 0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
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
    if (ate_watch(binding_node(L, 1), check_port(L, 2), &error) != 0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
}

/* node:serve(port, name) -> true | nil, err */
static int node_serve(lua_State *L)
{
    struct ate_error error = {0};
    if (ate_serve(binding_node(L, 1), check_port(L, 2), luaL_checkstring(L, 3),
                  &error) != 0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
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
    if (ate_http_check(config, len, &error) != 0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
}

/* node:http(config) -> true | nil, err */
static int node_http(lua_State *L)
{
    struct ate *ate = binding_node(L, 1);
    struct ate_error error = {0};
    size_t len = 0;
    const char *config = http_config(L, 2, &len);
    if (ate_http(ate, config, len, &error) != 0)
        return binding_fail(L, &error);
    lua_pushboolean(L, true);
    return 1;
}

static int code_of(const char *name)
{
    for (int code = ATE_IO; code >= ATE_CANCELED; code--)
        if (strcmp(ate_code_name(code), name) == 0)
            return code;
    return 0;
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
        failure.code = code_of(luaL_optstring(L, -1, "UNAVAILABLE"));
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
    struct ate_port *port = check_port(L, 2);
    struct ate_request request;
    if (read_request(L, &request) != 0) {
        lua_pushliteral(L, "INVALID");
        lua_insert(L, -2);
        lua_pushcfunction(L, make_error);
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
    struct ate_bytes *bytes = bytes_push(L);
    struct ate_bytes *report = bytes_push(L);
    struct ate_error error = {0};
    if (ate_bundle(path, bytes, report, &error) != 0)
        return binding_fail(L, &error);
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
    struct ate_bytes *report = bytes_push(L);
    struct ate_error error = {0};
    if (ate_proof(text, len, vkey, report, &error) != 0)
        return binding_fail(L, &error);
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
        return binding_fail(L, &error);
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    lua_pushstring(L, text);
    lua_pushnumber(L, (lua_Number)length);
    return 2;
}

/* ---- the module ---- */

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction gc)
{
    luaL_newmetatable(L, name);
    lua_newtable(L);
    luaL_register(L, NULL, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

static const struct frontend_asset *find_asset(const char *name)
{
    for (const struct frontend_asset *a = frontend_assets; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

/* asset(path) -> the text of a file of lua/ | nil */
static int asset(lua_State *L)
{
    const struct frontend_asset *found = find_asset(luaL_checkstring(L, 1));
    if (found == NULL)
        return 0;
    lua_pushlstring(L, found->data, found->len);
    return 1;
}

/* assets(prefix) -> sorted list of paths */
static int assets(lua_State *L)
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

/* A searcher of require(): `ate.cli.main` is cli/main.lua, `ate.test` is
 * test/init.lua. */
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

static void add_searcher(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders");
    lua_pushcfunction(L, search_assets);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 2);
}

static void set_classes(lua_State *L)
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
    static const luaL_Reg port_methods[] = {
        {"next", port_next},
        {"fd", port_fd},
        {NULL, NULL},
    };
    new_class(L, NODE_META, node_methods, node_close);
    new_class(L, PORT_META, port_methods, port_gc);
    luaL_newmetatable(L, BYTES_META);
    lua_pushcfunction(L, bytes_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newmetatable(L, ERROR_META);
    lua_pushcfunction(L, error_text);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 2);
}

int luaopen_ate(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", open_folder},      {"node", node_open},
        {"port", port_new},         {"bundle", bundle},
        {"proof", proof},           {"error", make_error},
        {"asset", asset},           {"assets", assets},
        {"bin", value_bin},         {"body_hash", body_hash},
        {"list", value_list},       {"is_list", value_is_list},
        {"pack", pack_encode},      {"unpack", pack_decode},
        {"http_check", http_check}, {NULL, NULL},
    };
    value_setup(L);
    set_classes(L);
    add_searcher(L);
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
