/* Two environments, one table each. Neither can be written to by a chunk
 * (scan.c refuses that), neither can be reached as a value, and a name that is
 * not in them is an error twice over: when a chunk is loaded, and, should one
 * slip through, when it is read.
 *
 * A module runs once, with its name as its argument; what it returns (true for
 * nothing) stands in the table of modules under its name. While it runs, the
 * table itself stands there: a module that comes back to itself is an error.
 *
 * Library tables are plain tables, so that using them costs nothing, and their
 * only metatable answers for members that are not there. They are frozen
 * (host.h) while loading; a change in a run ends with the run. */
#include "sandbox/environment.h"

#include <assert.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/compile.h"
#include "sandbox/hints.h"
#include "sandbox/host.h"
#include "sandbox/lib.h"
#include "sandbox/operations.h"
#include "sandbox/sandbox.h"

enum { MODULE_NAME_MAX = 128, SENTENCE_MAX = 512 };

static void push_ref(lua_State *L, int ref)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
}

static struct sandbox_refs *refs_of(lua_State *L)
{
    return &sandbox_of(L)->refs;
}

/* What is not there. */

static int missing_global(lua_State *L)
{
    char text[SENTENCE_MAX];

    return sandbox_error(
        L, "%s", hint_sentence(text, sizeof(text), lib_name(L, 2), NULL));
}

/* As modules; the last one holds those with `ate.` in front. */
static const struct library *const libraries[] = {
    &lib_string, &lib_table, &lib_math, &lib_bit,  &lib_int,
    &lib_date,   &lib_time,  &lib_hash, &lib_text, &lib_ate,
};
enum { LIBRARIES = sizeof(libraries) / sizeof(libraries[0]) };

/* Which library is the table at index 1? Texts have the members of `string`. */
static const char *library_name(lua_State *L)
{
    push_ref(L, refs_of(L)->modules);
    for (int i = 0; i < LIBRARIES; i++) {
        lua_getfield(L, -1, libraries[i]->name);
        if (lua_rawequal(L, 1, -1))
            return libraries[i]->name;
        lua_pop(L, 1);
    }
    return "string";
}

/* The key of the function that is right below the top of the stack, in the
 * table on top of it; NULL: it is not there. Borrowed of the table. */
static const char *member_name(lua_State *L)
{
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1))
        if (lua_rawequal(L, -1, table - 1)) {
            const char *name = lua_tostring(L, -2);
            lua_settop(L, table);
            return name;
        }
    return NULL;
}

void sandbox_push_name(lua_State *L)
{
    struct sandbox_refs *refs = refs_of(L);
    int function = lua_gettop(L);
    const char *name = NULL;
    push_ref(L, refs->public);
    name = member_name(L);
    for (int i = 0; name == NULL && i <= LIBRARIES; i++) {
        const char *library = i < LIBRARIES ? libraries[i]->name : "ate";
        lua_settop(L, function);
        push_ref(L, refs->modules);
        lua_getfield(L, -1, library);
        lua_remove(L, -2);
        if (lua_istable(L, -1))
            name = member_name(L);
        if (name != NULL)
            name = lua_pushfstring(L, "%s.%s", library, name);
    }
    if (name == NULL)
        lua_pushnil(L);
    else
        lua_pushstring(L, name);
    lua_replace(L, function + 1);
    lua_settop(L, function + 1);
}

static int missing_member(lua_State *L)
{
    char text[SENTENCE_MAX];
    const char *library = library_name(L);

    if (lua_type(L, 2) != LUA_TSTRING)
        return sandbox_error(L, "%s has no member that is a %s", library,
                             luaL_typename(L, 2));
    return sandbox_error(
        L, "%s", hint_sentence(text, sizeof(text), library, lib_name(L, 2)));
}

void environment_seal(lua_State *L)
{
    host_seal(L);
}

/* Modules. */

static int check_global(const struct scan_global *global, const char *file,
                        bool trusted, struct err *err)
{
    char text[SENTENCE_MAX];

    if (lib_has(global->name, global->member) ||
        (trusted && strcmp(global->name, "host") == 0))
        return 0;
    const char *member = lib_has(global->name, "") ? global->member : "";
    if (hint_find(global->name) != NULL)
        member = global->member;
    return err_set(err, ATE_ESCRIPT, "%s:%d: %s", file, global->line,
                   hint_sentence(text, sizeof(text), global->name, member));
}

static int visit_global(void *ctx, const struct scan_global *global,
                        struct err *err)
{
    const struct sandbox_module *module = ctx;
    return check_global(global, module->file, module->trusted, err);
}

/* Compile and push the chunk, or fill `err`. */
static int push_chunk(lua_State *L, const struct sandbox_module *module,
                      struct err *err)
{
    char chunk[SANDBOX_FILE_MAX + 2];
    struct buf dump = {0};
    struct text_lengths lengths = {0};

    snprintf(chunk, sizeof(chunk), "%c%s", module->trusted ? '=' : '@',
             module->file);
    int rc = compile_source(&dump, module->source, chunk, visit_global,
                            (void *)module, &lengths, err);
    if (rc == 0 &&
        luaL_loadbufferx(L, (const char *)dump.data, dump.len, chunk, "b") != 0)
        rc = err_set(err, ATE_ESCRIPT, "%s can't be loaded: %s", module->file,
                     lua_tostring(L, -1));
    buf_deinit(&dump);
    if (rc == 0)
        lua_text_note(L, &lengths);
    return rc;
}

/* Run a module, put what it returns under its name and push it. */
static void load_module(lua_State *L, const char *name,
                        const struct sandbox_module *module)
{
    struct sandbox_refs *refs = refs_of(L);
    struct err err;

    push_ref(L, refs->modules);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, name);
    if (push_chunk(L, module, &err) != 0)
        sandbox_raise(L, &err);
    push_ref(L, module->trusted ? refs->trusted : refs->public);
    lua_setfenv(L, -2);
    lua_pushstring(L, name);
    sandbox_nest(L);
    lua_call(L, 1, 1);
    sandbox_unnest(L);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, true);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    lua_remove(L, -2);
    sandbox_collect(L);
}

static void missing_module(lua_State *L, const char *name)
{
    char text[SENTENCE_MAX];

    if (hint_find(name) != NULL)
        sandbox_error(L, "%s", hint_sentence(text, sizeof(text), name, NULL));
    sandbox_error(L, "there is no module '%s' in the bundle", name);
}

/* Push the module that the loader finds under `name`. */
static void find_module(lua_State *L, const char *name)
{
    struct sandbox *s = sandbox_of(L);
    struct sandbox_module module = {0};
    struct err err;
    char place[sizeof(s->place)];

    if (s->sealed)
        sandbox_error(L,
                      "require('%s') works only while the bundle is loaded: "
                      "put it at the top of the file",
                      name);
    int rc = s->find == NULL ? ATE_ENOT_FOUND
                             : s->find(s->find_ctx, name, &module, &err);
    if (rc == ATE_ENOT_FOUND && strcmp(name, "ate") == 0) {
        push_ref(L, s->refs.modules);
        lua_getfield(L, -1, "ate.lib");
        lua_remove(L, -2);
        return;
    }
    if (rc == ATE_ENOT_FOUND)
        missing_module(L, name);
    if (rc != 0 && sandbox_where(L, 1, place, sizeof(place)))
        err_wrap(&err, "%s", place);
    if (rc != 0)
        sandbox_raise(L, &err);
    load_module(L, name, &module);
}

/* Push what `require` gives for the text at index 1. */
static int require(lua_State *L)
{
    size_t len;
    const char *name = lib_arg_text(L, 1, "require", &len);

    if (len == 0 || len > MODULE_NAME_MAX || strlen(name) != len)
        sandbox_error(L, "require: a module's name has 1 to %d characters",
                      MODULE_NAME_MAX);
    lua_settop(L, 1);
    push_ref(L, refs_of(L)->modules);
    lua_pushvalue(L, 1);
    lua_rawget(L, 2);
    if (lua_rawequal(L, -1, 2))
        sandbox_error(L, "module '%s' requires itself in the end", name);
    if (lua_isnil(L, -1))
        find_module(L, name);
    return 1;
}

struct load {
    const char *name;
    const struct sandbox_module *module; /* NULL: ask the loader */
    int ref;
};

static int load_entry(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);

    if (load->module != NULL) {
        load_module(L, load->name, load->module);
    } else {
        lua_pushcfunction(L, require);
        lua_pushstring(L, load->name);
        lua_call(L, 1, 1);
    }
    load->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int load(struct sandbox *s, struct load *load, int *ref, struct err *err)
{
    assert(!s->sealed);
    int rc = sandbox_run(s, load_entry, load, err);
    if (rc == 0 && ref != NULL)
        *ref = load->ref;
    return rc;
}

int sandbox_load(struct sandbox *s, const char *name, int *ref, struct err *err)
{
    struct load what = {.name = name};
    return load(s, &what, ref, err);
}

int sandbox_load_source(struct sandbox *s, const char *name,
                        const struct sandbox_module *module, int *ref,
                        struct err *err)
{
    struct load what = {.name = name, .module = module};
    return load(s, &what, ref, err);
}

/* Making the environments. */

/* The three functions of Lua's own that are wanted, without the rest. */
static void push_base(lua_State *L)
{
    static const char *const wanted[] = {"ipairs", "select", "type"};

    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 0);
    lib_push(L, &lib_base);
    for (int i = 0; i < 3; i++) {
        lua_getglobal(L, wanted[i]);
        lua_setfield(L, -2, wanted[i]);
    }
    lua_newtable(L);
    lua_replace(L, LUA_GLOBALSINDEX);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "_LOADED");
}

/* Put the table on top among the modules, with the metatable at `meta`. */
static void add_library(lua_State *L, int meta, const char *name)
{
    lua_pushvalue(L, meta);
    lua_setmetatable(L, -2);
    host_freeze(L, name);
    push_ref(L, refs_of(L)->modules);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void open_libraries(lua_State *L, int public, int meta)
{
    lib_push(L, &lib_ate);
    int lib = lua_gettop(L);
    for (size_t i = 0; i < LIBRARIES - 1; i++) {
        lib_push(L, libraries[i]);
        add_library(L, meta, libraries[i]->name);
        const char *dot = strchr(libraries[i]->name, '.');
        lua_setfield(L, dot != NULL ? lib : public,
                     dot != NULL ? dot + 1 : libraries[i]->name);
    }
    add_library(L, meta, lib_ate.name);
    lua_pop(L, 1);
}

/* Methods of texts are the functions of `string`. */
static void open_text_methods(lua_State *L, int public)
{
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 1);
    lua_getfield(L, public, "string");
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

static void push_meta(lua_State *L, lua_CFunction index)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, index);
    lua_setfield(L, -2, "__index");
}

/* The trusted environment: a copy of the public one, and `host`. */
static void open_trusted(lua_State *L, int public)
{
    struct sandbox_refs *refs = refs_of(L);

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, public) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    sandbox_push_host(L);
    lua_setfield(L, -2, "host");
    push_meta(L, missing_global);
    lua_setmetatable(L, -2);
    refs->trusted = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void add_operations(lua_State *L, int public)
{
    for (const luaL_Reg *f = lib_operations.functions; f->name != NULL; f++) {
        if (f->func == operation_compare || f->func == operation_arithmetic)
            lua_pushboolean(L, false);
        else
            lua_pushcfunction(L, f->func);
        lua_setfield(L, public, f->name);
    }
}

static void set_operation(lua_State *L, int environment, enum operation name,
                          lua_CFunction function)
{
    push_ref(L, environment);
    lua_pushstring(L, operation_names[name]);
    lua_pushcfunction(L, function);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void environment_charge(lua_State *L, enum operation name,
                        lua_CFunction function)
{
    luaL_checkstack(L, 3, "operations");
    set_operation(L, refs_of(L)->public, name, function);
    set_operation(L, refs_of(L)->trusted, name, function);
}

void environment_open(lua_State *L)
{
    struct sandbox_refs *refs = refs_of(L);

    lua_newtable(L);
    refs->modules = luaL_ref(L, LUA_REGISTRYINDEX);
    host_open(L);
    push_base(L);
    int public = lua_gettop(L);
    lua_pushcfunction(L, require);
    lua_setfield(L, public, "require");
    add_operations(L, public);
    push_meta(L, missing_member);
    open_libraries(L, public, lua_gettop(L));
    open_text_methods(L, public);
    open_trusted(L, public);
    lua_settop(L, public);
    push_meta(L, missing_global);
    lua_setmetatable(L, public);
    refs->public = luaL_ref(L, LUA_REGISTRYINDEX);
}
