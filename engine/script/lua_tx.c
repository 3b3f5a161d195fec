/* What a fold does has to be the same when a view is folded anew from the log
 * later: it may ask who, when and where, but not about signatures and rights,
 * nor about other events. */
#include "script/lua_tx.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/work_events.h"
#include "base/near.h"
#include "sandbox/lib.h"
#include "script/box.h"
#include "script/lua_record.h"
#include "script/lua_value.h"

static const char tx_tag[] = "tx";

struct tx {
    const char *tag;
};

static const struct trial *trial_of(lua_State *L, const char *usage)
{
    const struct script_run *run = box_run(L);
    box_self(L, tx_tag, usage);
    if (run->view != NULL)
        sandbox_error(L, "%s: only rules can ask that, not folds", usage);
    return run->trial;
}

/* ---- functions ---- */

/* A look at who holds what costs as one at a row does. A replay has 16 times
 * the gas, for logs, too, that were accepted when looks cost nothing: there
 * each is one step. What two seconds by the clock had room for stays within
 * that. */
static void charge_looks(lua_State *L, const struct trial *trial,
                         uint64_t before)
{
    uint64_t looks = trial->core->looks - before;
    sandbox_charge(L, trial->replays ? looks : looks * BOX_STEP_GAS);
}

static bool speaks_at(lua_State *L, const struct trial *trial,
                      const uint8_t *identity, const struct spot *spot)
{
    uint64_t before = trial->core->looks;
    bool speaks = authority_by(trial, identity, spot);
    charge_looks(L, trial, before);
    return speaks;
}

/* Of a whole transaction, at all objects of it; whoever speaks for somebody on
 * the whole chain does so there. */
static bool speaks_at_all(lua_State *L, const struct trial *trial,
                          const uint8_t *identity)
{
    struct spot all = {0};
    if (speaks_at(L, trial, identity, &all))
        return true;
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_header *h = &trial->events[i]->header;
        struct spot spot = {h->object, h->parent};
        if (trial->events[i]->type != NULL &&
            !speaks_at(L, trial, identity, &spot))
            return false;
    }
    return true;
}

/* At the object that a rule is asked about. */
static bool speaks_for(lua_State *L, const struct trial *trial,
                       const uint8_t *identity)
{
    const struct script_run *run = box_run(L);
    if (run->n == SIZE_MAX)
        return speaks_at_all(L, trial, identity);
    const struct event_header *h = &trial->events[run->n]->header;
    struct spot spot = {h->object, h->parent};
    return speaks_at(L, trial, identity, &spot);
}

static int tx_by(lua_State *L)
{
    size_t len = 0;
    lua_settop(L, 2);
    const struct trial *trial = trial_of(L, "tx:by(identity)");
    const char *identity =
        lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
    if (len != LUA_IDENTITY_SIZE)
        sandbox_error(L, "tx:by: an identity is needed (32 bytes), got %s%s",
                      lua_isnil(L, 2) ? "" : "a ",
                      lua_isnil(L, 2) ? "nil" : luaL_typename(L, 2));
    sandbox_charge(L, BOX_STEP_GAS);
    lua_pushboolean(L, speaks_for(L, trial, (const uint8_t *)identity));
    return 1;
}

/* The ref that argument 3 is, or is the id of. */
static void object_at(lua_State *L, uint8_t id[LUA_ID_SIZE])
{
    size_t len = 0;
    if (shape_of(L, 3) != NULL) {
        lua_pushliteral(L, "id");
        lua_rawget(L, 3);
        lua_replace(L, 3);
    }
    const char *ref =
        lua_type(L, 3) == LUA_TSTRING ? lua_tolstring(L, 3, &len) : NULL;
    if (len != LUA_REF_SIZE || ref[0] != '\0')
        sandbox_error(L, "tx:may: an object or a ref is needed, got %s%s",
                      lua_isnil(L, 3) ? "" : "a ",
                      lua_isnil(L, 3) ? "nil" : luaL_typename(L, 3));
    memcpy(id, ref + 1, LUA_ID_SIZE);
}

static void check_right(lua_State *L, const struct event_type *type,
                        const char *name)
{
    enum { RIGHTS_MAX = 64 };
    const char *names[RIGHTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < type->right_count; i++) {
        if (strcmp(type->rights[i].name, name) == 0)
            return;
        if (count < RIGHTS_MAX)
            names[count++] = type->rights[i].name;
    }
    const char *near = near_name(bytes_of_text(name), names, count);
    if (near == NULL)
        sandbox_error(L, "tx:may: %s declares no right '%s'", type->name, name);
    sandbox_error(L, "tx:may: %s declares no right '%s'; did you mean '%s'?",
                  type->name, name, near);
}

static int tx_may(lua_State *L)
{
    uint8_t id[LUA_ID_SIZE];
    struct object o;
    lua_settop(L, 3);
    const struct trial *trial = trial_of(L, "tx:may(right, object)");
    if (lua_type(L, 2) != LUA_TSTRING)
        sandbox_error(L, "tx:may: the name of a right comes first");
    object_at(L, id);
    sandbox_charge(L, 2 * BOX_STEP_GAS);
    if (state_object(box_version(box_run(L)), id, &o) != OBJECT_LIVE) {
        lua_pushboolean(L, 0);
        return 1;
    }
    const struct event_type *type =
        schema_type(box_of(L)->schema, o.header.type);
    assert(type != NULL);
    const char *right = lib_name(L, 2);
    check_right(L, type, right);
    struct spot spot = {id, o.header.parent};
    uint64_t before = trial->core->looks;
    bool may = authority_may(trial, right, &spot);
    charge_looks(L, trial, before);
    lua_pushboolean(L, may);
    return 1;
}

/* Upvalues: the type, the event to look at next. */
static int step_events(lua_State *L)
{
    const struct script_run *run = box_run(L);
    const struct event_type *type = lua_touserdata(L, lua_upvalueindex(1));
    size_t i = (size_t)lua_tonumber(L, lua_upvalueindex(2));
    size_t end = run->n == SIZE_MAX ? run->trial->count : run->n + 1;
    while (i < end && run->trial->events[i]->type != type) {
        sandbox_charge(L, 1);
        i++;
    }
    lua_pushnumber(L, (lua_Number)(i + 1));
    lua_replace(L, lua_upvalueindex(2));
    if (i < end)
        lua_record_push_event(L, run->trial, i, false);
    else
        lua_pushnil(L);
    return 1;
}

static int tx_each(lua_State *L)
{
    lua_settop(L, 2);
    trial_of(L, "tx:each(type)");
    const struct event_type *type = box_type(L, 2, "tx:each");
    lua_pushlightuserdata(L, (void *)type);
    lua_pushnumber(L, 0);
    lua_pushcclosure(L, step_events, 2);
    return 1;
}

/* ---- fields ---- */

static int no_field(lua_State *L, const char *name)
{
    static const char *const names[] = {"author", "caller", "time", "index",
                                        "by",     "may",    "each", "worker"};
    const char *near =
        near_name(bytes_of_text(name), names, sizeof(names) / sizeof(names[0]));
    if (near == NULL)
        return sandbox_error(L,
                             "tx has no '%s': it has author, caller, time, "
                             "index, worker, by, may and each",
                             name);
    return sandbox_error(L, "tx has no '%s'; did you mean '%s'?", name, near);
}

/* Short where it is of the schema at hand. */
static void push_worker(lua_State *L, const struct trial *trial)
{
    struct bytes name;
    const char *part = box_run(L)->part;
    size_t len = strlen(part);
    if (!work_made_by(trial, &name)) {
        lua_pushnil(L);
        return;
    }
    if (name.len > len && memcmp(name.data, part, len) == 0 &&
        name.data[len] == '.')
        name = bytes_of(name.data + len + 1, name.len - len - 1);
    lua_pushlstring(L, (const char *)name.data, name.len);
}

/* Upvalue 1: the functions. */
static int tx_index(lua_State *L)
{
    const struct trial *trial = box_run(L)->trial;
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isnil(L, -1))
        return 1;
    const char *name = lib_name(L, 2);
    sandbox_charge(L, 1);
    if (strcmp(name, "author") == 0)
        lua_pushlstring(L, (const char *)trial->author, LUA_IDENTITY_SIZE);
    else if (strcmp(name, "caller") == 0)
        lua_pushlstring(L,
                        (const char *)(trial->caller != NULL ? trial->caller
                                                             : trial->author),
                        LUA_IDENTITY_SIZE);
    else if (strcmp(name, "time") == 0)
        lib_push_integer(L, trial->time, "tx.time");
    else if (strcmp(name, "index") == 0)
        lib_push_integer(L, (int64_t)trial->index, "tx.index");
    else if (strcmp(name, "worker") == 0)
        push_worker(L, trial);
    else
        no_field(L, name);
    return 1;
}

void lua_tx_setup(lua_State *L, struct box *b)
{
    struct tx *tx = lua_newuserdata(L, sizeof(*tx));
    tx->tag = tx_tag;
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, tx_by);
    lua_setfield(L, -2, "by");
    lua_pushcfunction(L, tx_may);
    lua_setfield(L, -2, "may");
    lua_pushcfunction(L, tx_each);
    lua_setfield(L, -2, "each");
    lua_pushcclosure(L, tx_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "tx");
    lua_pushcclosure(L, box_takes_no_values, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    b->tx = luaL_ref(L, LUA_REGISTRYINDEX);
}
