#include "repl/edit.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <lauxlib.h>
#include <histedit.h>
#include "lua/class.h"
#include "lua/host.h"

#define EDIT_META "ate.edit"

enum {
    HISTORY_MAX = 2000,
    CANDIDATES_SHOWN = 100,
    COLUMNS = 80,
    PROMPT_MAX = 512,
    INVISIBLE = '\1', /* around what has no width in a prompt */
};

struct edit {
    EditLine *line; /* NULL when closed */
    History *history;
    lua_State *L; /* that is in read() just now, for completion */
    int complete; /* reference to the function of Lua */
    char prompt[PROMPT_MAX];
    bool interrupted; /* Ctrl-C or its signal ended the line */
};

static struct edit *edit_of(EditLine *line)
{
    struct edit *e;
    el_get(line, EL_CLIENTDATA, &e);
    return e;
}

static char *show_prompt(EditLine *line)
{
    return edit_of(line)->prompt;
}

/* Call complete(line, cursor); push {start, candidate...} as two values, the
 * list and the byte where the word starts. False when there are none. */
static bool ask(struct edit *e, const LineInfo *info)
{
    lua_State *L = e->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, e->complete);
    lua_pushlstring(L, info->buffer, (size_t)(info->lastchar - info->buffer));
    lua_pushinteger(L, info->cursor - info->buffer);
    if (lua_pcall(L, 2, 2, 0) != 0) {
        lua_pop(L, 1); /* a completion that fails offers nothing */
        return false;
    }
    if (lua_istable(L, -2) && lua_objlen(L, -2) > 0 && lua_isnumber(L, -1))
        return true;
    lua_pop(L, 2);
    return false;
}

static const char *candidate(lua_State *L, int list, int n, size_t *len)
{
    lua_rawgeti(L, list, n);
    const char *text = lua_tolstring(L, -1, len); /* the list keeps it */
    lua_pop(L, 1);
    if (text == NULL)
        *len = 0;
    return text == NULL ? "" : text;
}

static size_t common_prefix(lua_State *L, int list, int count)
{
    size_t len;
    const char *first = candidate(L, list, 1, &len);
    for (int i = 2; i <= count; i++) {
        size_t other_len, same = 0;
        const char *other = candidate(L, list, i, &other_len);
        while (same < len && same < other_len && first[same] == other[same])
            same++;
        len = same;
    }
    return len;
}

static void show_candidates(lua_State *L, int list, int count)
{
    size_t widest = 1;
    int shown = count < CANDIDATES_SHOWN ? count : CANDIDATES_SHOWN;
    for (int i = 1; i <= shown; i++) {
        size_t len;
        candidate(L, list, i, &len);
        widest = len > widest ? len : widest;
    }
    int per_line = COLUMNS / (int)(widest + 2);
    per_line = per_line < 1 ? 1 : per_line;
    putchar('\n');
    for (int i = 1; i <= shown; i++) {
        size_t len;
        const char *text = candidate(L, list, i, &len);
        bool last = i % per_line == 0 || i == shown;
        printf("%-*s%s", last ? 0 : (int)widest + 2, text, last ? "\n" : "");
    }
    if (shown < count)
        printf("... and %d more\n", count - shown);
    fflush(stdout);
}

static unsigned char complete_word(EditLine *line, int key)
{
    struct edit *e = edit_of(line);
    const LineInfo *info = el_line(line);
    (void)key;
    if (e->L == NULL || !ask(e, info))
        return CC_REFRESH_BEEP;
    lua_State *L = e->L;
    int start = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    int list = lua_gettop(L), count = (int)lua_objlen(L, list);
    size_t typed = (size_t)(info->cursor - info->buffer - start);
    size_t len = common_prefix(L, list, count);
    unsigned char rc = CC_REFRESH;
    if (len > typed) {
        size_t all;
        lua_pushlstring(L, candidate(L, list, 1, &all) + typed, len - typed);
        el_insertstr(line, lua_tostring(L, -1));
        lua_pop(L, 1);
    } else if (count > 1) {
        show_candidates(L, list, count);
        rc = CC_REDISPLAY;
    }
    lua_pop(L, 1);
    return rc;
}

/* Ctrl-C is a key here: a signal would leave libedit in the middle of its
 * read, which starts again. */
static unsigned char interrupt_line(EditLine *line, int key)
{
    (void)key;
    edit_of(line)->interrupted = true;
    return CC_NEWLINE;
}

/* 1: a byte was typed; 0: the input ends, or a signal ends it. */
static int read_byte(struct edit *e, char *byte)
{
    struct pollfd fds[2] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = host_interrupt_fd(), .events = POLLIN},
    };
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return -1;
        if (fds[1].revents != 0) {
            e->interrupted = !host_ending();
            return 0;
        }
        if (fds[0].revents == 0)
            continue;
        ssize_t n = read(STDIN_FILENO, byte, 1);
        if (n >= 0 || errno != EINTR)
            return (int)n;
    }
}

/* libedit's own read starts again after a signal, and so would not see that
 * the program is to end. Bytes that are no character are left out. */
static int read_character(EditLine *line, wchar_t *out)
{
    mbstate_t state = {0};
    for (;;) {
        char byte;
        int n = read_byte(edit_of(line), &byte);
        if (n != 1)
            return n;
        size_t len = mbrtowc(out, &byte, 1, &state);
        if (len == 0 || len == 1)
            return 1;
        if (len == (size_t)-1)
            state = (mbstate_t){0};
    }
}

static void start_history(struct edit *e)
{
    HistEvent event;
    e->history = history_init();
    history(e->history, &event, H_SETSIZE, HISTORY_MAX);
    history(e->history, &event, H_SETUNIQUE, 1);
    el_set(e->line, EL_HIST, history, e->history);
}

/* open(complete) -> editor */
static int edit_open(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    setlocale(LC_CTYPE, ""); /* libedit counts the columns of characters */
    struct edit *e = lua_newuserdata(L, sizeof(*e));
    *e = (struct edit){.complete = LUA_NOREF};
    luaL_getmetatable(L, EDIT_META);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, 1);
    e->complete = luaL_ref(L, LUA_REGISTRYINDEX);
    e->line = el_init("ate", stdin, stdout, stderr);
    if (e->line == NULL)
        return luaL_error(L, "no line editing on this terminal");
    el_set(e->line, EL_CLIENTDATA, e);
    el_set(e->line, EL_GETCFN, read_character);
    el_set(e->line, EL_PROMPT_ESC, show_prompt, INVISIBLE);
    el_set(e->line, EL_EDITOR, "emacs");
    el_set(e->line, EL_SIGNAL, 0);
    start_history(e);
    el_set(e->line, EL_ADDFN, "ate-complete", "Complete a word", complete_word);
    el_set(e->line, EL_BIND, "^I", "ate-complete", NULL);
    el_set(e->line, EL_ADDFN, "ate-interrupt", "Drop the line", interrupt_line);
    el_set(e->line, EL_SETTY, "-d", "-isig", NULL);
    el_set(e->line, EL_BIND, "^C", "ate-interrupt", NULL);
    el_set(e->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(e->line, NULL);
    return 1;
}

static struct edit *check_edit(lua_State *L)
{
    struct edit *e = luaL_checkudata(L, 1, EDIT_META);
    luaL_argcheck(L, e->line != NULL, 1, "the editor is closed");
    return e;
}

/* editor:read(prompt) -> line | nil at the end | false when interrupted. Of the
 * prompt what stands between two bytes \1, such as a colour, takes no columns.
 * A signal that came before is one, too: see host.interrupted(). */
static int edit_read(lua_State *L)
{
    struct edit *e = check_edit(L);
    const char *prompt = luaL_checkstring(L, 2);
    snprintf(e->prompt, sizeof(e->prompt), "%s", prompt);
    int count = 0;
    e->L = L;
    e->interrupted = false;
    const char *text = el_gets(e->line, &count);
    e->L = NULL;
    if (e->interrupted) {
        lua_pushboolean(L, false);
        return 1;
    }
    if (text == NULL || count == 0)
        return 0;
    lua_pushlstring(L, text, strcspn(text, "\n"));
    return 1;
}

/* editor:remember(line) */
static int edit_remember(lua_State *L)
{
    struct edit *e = check_edit(L);
    HistEvent event;
    history(e->history, &event, H_ENTER, luaL_checkstring(L, 2));
    return 0;
}

/* editor:forget() */
static int edit_forget(lua_State *L)
{
    HistEvent event;
    history(check_edit(L)->history, &event, H_CLEAR);
    return 0;
}

static int edit_close(lua_State *L)
{
    struct edit *e = luaL_checkudata(L, 1, EDIT_META);
    if (e->line != NULL) {
        el_end(e->line);
        history_end(e->history);
    }
    e->line = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, e->complete);
    e->complete = LUA_NOREF;
    return 0;
}

int luaopen_ate_edit(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"read", edit_read},
        {"remember", edit_remember},
        {"forget", edit_forget},
        {"close", edit_close},
        {NULL, NULL},
    };
    class_new(L, EDIT_META, methods, edit_close);
    lua_newtable(L);
    lua_pushcfunction(L, edit_open);
    lua_setfield(L, -2, "open");
    return 1;
}
