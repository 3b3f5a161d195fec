#include "lua/answers.h"

#include <poll.h>
#include <stdbool.h>
#include <lauxlib.h>

#include "ate.h"
#include "lua/class.h"
#include "lua/codec.h"
#include "lua/failure.h"
#include "lua/host.h"

#define PORT_META "ate.port"
#define BYTES_META "ate.bytes"

struct port_box {
    struct ate_port *port; /* NULL when freed */
};

int answers_port_new(lua_State *L)
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

struct ate_port *answers_port(lua_State *L, int index)
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
    lua_pushinteger(L, ate_port_fd(answers_port(L, 1)));
    return 1;
}

static int bytes_gc(lua_State *L)
{
    ate_free(luaL_checkudata(L, 1, BYTES_META));
    return 0;
}

struct ate_bytes *answers_bytes(lua_State *L)
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
    lua_pushboolean(L, answer->kind == ATE_ANSWER_NOTICE);
    lua_setfield(L, -2, "event");
    if (answer->error.code != 0) {
        failure_push(L, &answer->error);
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
    struct ate_port *port = answers_port(L, 1);
    int timeout_ms = (int)luaL_optinteger(L, 2, -1);
    struct ate_answer answer;
    struct ate_bytes *value = answers_bytes(L);
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

void answers_setup(lua_State *L)
{
    static const luaL_Reg port_methods[] = {
        {"next", port_next},
        {"fd", port_fd},
        {NULL, NULL},
    };
    class_new(L, PORT_META, port_methods, port_gc);
    luaL_newmetatable(L, BYTES_META);
    lua_pushcfunction(L, bytes_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
