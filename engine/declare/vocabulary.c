/* What stands in the registry:
 *
 *     ate.list      the declarations; nil once they were taken
 *     ate.schemas   schema object -> name; nil likewise
 *     ate.type      metatable of types; their tables are their environments
 *     ate.schema    metatable of schema objects
 *     ate.refusal   metatable of refusals
 *
 * (1) A schema object is an empty table that takes no value, so that nobody can
 *     give it another name; what it is called stands in ate.schemas.
 * (2) A place is that of the nearest caller outside trusted Lua: the file of a
 *     schema's author, also when the constructor is called by a function of
 *     another file of theirs. */
#include "declare/vocabulary.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/near.h"
#include "sandbox/lib.h"
#include "sandbox/sandbox.h"
#include "schema/schema.h"

static const char *const declarations[] = {
    "object", "event", "view", "rule", "method", "worker",
};

enum {
    DECLARATIONS = sizeof(declarations) / sizeof(declarations[0]),
    MEMBERS_MAX = 64, /* names that are looked at for a suggestion */
    PLACE_MAX = SANDBOX_FILE_MAX + 32,
    MISTAKE_MAX = 256,
};

static const char LIST[] = "ate.list";
static const char SCHEMAS[] = "ate.schemas";
static const char TYPE[] = "ate.type";
static const char SCHEMA[] = "ate.schema";
static const char REFUSAL[] = "ate.refusal";
static const char DENIED[] = "ate.denied"; /* false, in the image, too */

static void push_place(lua_State *L)
{
    char place[PLACE_MAX];
    sandbox_where(L, 1, place, sizeof(place));
    lua_pushstring(L, place);
}

/* Put the table on top of the stack at the end of the list, popped. */
static void append(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LIST);
    if (!lua_istable(L, -1))
        sandbox_error(L, "a schema is declared while its file is loaded, "
                         "not later");
    lua_insert(L, -2);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 1);
}

/* A mistake that is noticed while the file runs is kept with the declarations,
 * to be told together with the others. */
static void append_mistake(lua_State *L, const char *path, const char *text)
{
    lua_createtable(L, 0, 4);
    lua_pushliteral(L, "mistake");
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, path);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, text);
    lua_setfield(L, -2, "options");
    push_place(L);
    lua_setfield(L, -2, "where");
    append(L);
}

/* ---- types ---- */

struct type {
    const char *tag;
};

/* The constructor of the kind in upvalue 1; upvalue 2 says whether its numbers
 * and refs are exact. */
static int make_type(lua_State *L)
{
    const char *kind = lua_tostring(L, lua_upvalueindex(1));
    lua_settop(L, 3);
    struct type *type = lua_newuserdata(L, sizeof(*type));
    type->tag = TYPE;
    lua_createtable(L, 2, 3);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setfield(L, -2, "kind");
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setfield(L, -2, "exact");
    push_place(L);
    lua_setfield(L, -2, "where");
    lua_setfenv(L, -2);
    lua_replace(L, 1);
    if (!lua_isnil(L, 3))
        append_mistake(L, lua_pushfstring(L, "t.%s", kind),
                       "takes at most two arguments");
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, TYPE);
    lua_setmetatable(L, 1);
    return 1;
}

static int push_constructor(lua_State *L, bool exact)
{
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_pushboolean(L, exact);
    lua_pushcclosure(L, make_type, 2);
    return 1;
}

static int host_type(lua_State *L)
{
    return push_constructor(L, false);
}

static int host_exact_type(lua_State *L)
{
    return push_constructor(L, true);
}

/* ---- declarations ---- */

static void push_schema_name(lua_State *L, int index)
{
    lua_getfield(L, LUA_REGISTRYINDEX, SCHEMAS);
    if (!lua_istable(L, -1))
        sandbox_error(L, "a schema is declared while its file is loaded, "
                         "not later");
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

bool vocabulary_push_name(lua_State *L, int index)
{
    if (!vocabulary_is_schema(L, index))
        return false;
    push_schema_name(L, index);
    return true;
}

/* A name with a zero byte in it becomes one that is refused, before C takes a
 * part of it for the whole. */
static void make_name(lua_State *L, int index)
{
    lua_pushstring(L, lib_name(L, index));
    lua_replace(L, index);
}

/* Append {kind, schema, name, where, options}; the stack holds schema's name,
 * name and options from `first` on. */
static void append_declaration(lua_State *L, int kind, int first)
{
    lua_createtable(L, 0, 5);
    lua_pushvalue(L, kind);
    lua_setfield(L, -2, "kind");
    lua_pushvalue(L, first);
    lua_setfield(L, -2, "schema");
    lua_pushvalue(L, first + 1);
    lua_setfield(L, -2, "name");
    lua_pushvalue(L, first + 2);
    lua_setfield(L, -2, "options");
    push_place(L);
    lua_setfield(L, -2, "where");
    append(L);
}

/* schema:kind(name, options), kind in upvalue 1. */
static int declare(lua_State *L)
{
    char text[MISTAKE_MAX];
    lua_settop(L, 3);
    const char *kind = lua_tostring(L, lua_upvalueindex(1));
    if (!vocabulary_is_schema(L, 1))
        return sandbox_error(L, "write schema:%s(name, {...}), with a colon",
                             kind);
    push_schema_name(L, 1);
    lua_replace(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING && lua_istable(L, 3)) {
        make_name(L, 2);
        append_declaration(L, lua_upvalueindex(1), 1);
        return 0;
    }
    snprintf(text, sizeof(text), "%s wants a name and a table, got %s and %s",
             kind, luaL_typename(L, 2), luaL_typename(L, 3));
    append_mistake(L, lua_tostring(L, 1), text);
    return 0;
}

/* ate.schema(name, options) */
static int declare_schema(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_type(L, 1) != LUA_TSTRING || !lua_istable(L, 2))
        return sandbox_error(L,
                             "ate.schema wants a name and a table, got %s "
                             "and %s",
                             luaL_typename(L, 1), luaL_typename(L, 2));
    make_name(L, 1);
    lua_pushliteral(L, "schema");
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    append_declaration(L, 3, 4);
    lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, SCHEMA);
    lua_setmetatable(L, -2);
    lua_getfield(L, LUA_REGISTRYINDEX, SCHEMAS);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return 1;
}

static int host_declare(lua_State *L)
{
    const char *kind = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (strcmp(kind, "schema") == 0)
        lua_pushcfunction(L, declare_schema);
    else
        lua_pushcclosure(L, declare, 1);
    return 1;
}

/* ---- refusals ---- */

static int deny(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1))
        return sandbox_error(L, "ate.deny wants a table of values, got %s",
                             luaL_typename(L, 1));
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "values");
    lua_getfield(L, LUA_REGISTRYINDEX, REFUSAL);
    lua_setmetatable(L, -2);
    return 1;
}

/* A refusal is true to Lua, so `a() and b()` is b() when a() refuses: that
 * there was one is noted. Bundles from before have `deny`, and the verdicts
 * that it gave. */
static int deny_for_good(lua_State *L)
{
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, DENIED);
    return deny(L);
}

bool vocabulary_denied(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, DENIED);
    bool denied = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return denied;
}

static bool has_metatable(lua_State *L, int index, const char *name)
{
    if ((!lua_istable(L, index) && !lua_isuserdata(L, index)) ||
        !lua_getmetatable(L, index))
        return false;
    lua_getfield(L, LUA_REGISTRYINDEX, name);
    bool same = lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 2);
    return same;
}

bool vocabulary_refusal(lua_State *L, int index)
{
    if (!has_metatable(L, index, REFUSAL))
        return false;
    lua_getfield(L, index, "values");
    return true;
}

bool vocabulary_is_type(lua_State *L, int index)
{
    return has_metatable(L, index, TYPE);
}

void vocabulary_push_type(lua_State *L, int index)
{
    lua_getfenv(L, index);
}

bool vocabulary_is_schema(lua_State *L, int index)
{
    return has_metatable(L, index, SCHEMA);
}

/* ---- names that are not there ---- */

static const char *near_of(const char *name, const char *const *names,
                           size_t count)
{
    return near_name(bytes_of_text(name), names, count);
}

/* schema.key for a key that is none of its functions; they are upvalue 1. */
static int schema_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isnil(L, -1))
        return 1;
    const char *key = lib_name(L, 2);
    const char *near = near_of(key, declarations, DECLARATIONS);
    if (near != NULL)
        return sandbox_error(
            L, "a schema has no function '%s'; did you mean '%s'?", key, near);
    return sandbox_error(L,
                         "a schema has no function '%s': it has object, event, "
                         "view, rule, method and worker",
                         key);
}

static int refuse_write(lua_State *L)
{
    return sandbox_error(L, "%s takes no values of yours",
                         lua_tostring(L, lua_upvalueindex(1)));
}

/* t.txt: what is wrong is told where the type is used. */
static int types_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushfstring(L, "unknown %s", lib_name(L, 2));
    lua_pushcclosure(L, make_type, 1);
    return 1;
}

/* A member of `ate` that is not there; the table itself is upvalue 1. Going
 * through it in any order is good enough for a suggestion: near_name takes the
 * nearest, and equally near ones are told apart by their bytes. */
static int module_index(lua_State *L)
{
    const char *names[MEMBERS_MAX];
    size_t count = 0;
    lua_settop(L, 2);
    const char *key = lib_name(L, 2);
    lua_pushnil(L);
    while (count < MEMBERS_MAX && lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            continue;
        const char *name = lua_tostring(L, -1);
        size_t at = count++;
        for (; at > 0 && strcmp(names[at - 1], name) > 0; at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
    const char *near = near_of(key, names, count);
    const char *module = lua_tostring(L, lua_upvalueindex(1));
    if (near != NULL)
        return sandbox_error(L, "%s.%s: no such function; did you mean '%s'?",
                             module, key, near);
    return sandbox_error(L, "%s.%s: no such function", module, key);
}

/* host.strict(module, name) -> module: reading what is not there is an error.
 */
static int host_strict(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *name = luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    if (strcmp(name, "ate.types") == 0) {
        lua_pushcfunction(L, types_index);
    } else {
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, module_index, 1);
    }
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

/* ---- setting up ---- */

/* t.text().max: what was said of a type is not for Lua. */
static int type_index(lua_State *L)
{
    return sandbox_error(L,
                         "a type has no '%s': it is only good for "
                         "declaring fields",
                         lib_name(L, 2));
}

static void make_type_metatable(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, type_index);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "a type");
    lua_pushcclosure(L, refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setfield(L, LUA_REGISTRYINDEX, TYPE);
}

static void make_schema_metatable(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, DECLARATIONS);
    for (int i = 0; i < DECLARATIONS; i++) {
        lua_pushstring(L, declarations[i]);
        lua_pushcclosure(L, declare, 1);
        lua_setfield(L, -2, declarations[i]);
    }
    lua_pushcclosure(L, schema_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "a schema");
    lua_pushcclosure(L, refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setfield(L, LUA_REGISTRYINDEX, SCHEMA);
}

static int setup(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"type", host_type},       {"exact_type", host_exact_type},
        {"declare", host_declare}, {"deny", deny},
        {"strict", host_strict},   {"deny_for_good", deny_for_good},
    };
    static const char *const tables[] = {LIST, SCHEMAS, REFUSAL};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        lua_newtable(L);
        lua_setfield(L, LUA_REGISTRYINDEX, tables[i]);
    }
    make_type_metatable(L);
    make_schema_metatable(L);
    sandbox_push_host(L);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        lua_pushcfunction(L, functions[i].func);
        lua_setfield(L, -2, functions[i].name);
    }
    return 0;
}

int vocabulary_setup(struct sandbox *s, struct err *err)
{
    return sandbox_setup(s, setup, NULL, err);
}

void vocabulary_push_list(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LIST);
}

void vocabulary_close(lua_State *L)
{
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LIST);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, SCHEMAS);
    lua_pushboolean(L, 0); /* whatever was made while loading */
    lua_setfield(L, LUA_REGISTRYINDEX, DENIED);
}
