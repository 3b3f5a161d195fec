/* Where the body of a record comes from stands in its metatable, at SOURCE, so
 * that a record whose body may be seen has a metatable of its own: 0 when the
 * body's fields have been set, k when they are those of run->objects[k - 1];
 * the metatable that records of a type share has nothing there. */
#include "script/lua_record.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "event/body.h"
#include "sandbox/lib.h"
#include "schema/handle.h"
#include "script/box.h"
#include "script/lua_value.h"

enum { STACK_OF_A_RECORD = 8, SOURCE = 2 };

static const struct shape *shape_of_type(lua_State *L,
                                         const struct event_type *type)
{
    const struct shape *shape =
        shape_of_fields(&box_of(L)->shapes, &type->header);
    assert(shape != NULL);
    return shape;
}

static void push_record(lua_State *L, const struct event_type *type,
                        const struct event_header *header)
{
    const struct shape *shape = shape_of_type(L, type);
    luaL_checkstack(L, STACK_OF_A_RECORD, "records nest too deep");
    sandbox_charge(L, BOX_STEP_GAS);
    lua_createtable(L, 0, (int)type->header.count + 2);
    lua_value_set_fields(L, &type->header, header->fields, shape->name);
    lua_value_push_ref(L, header->object);
    lua_setfield(L, -2, "id");
    if (!shape->has_type) {
        lua_pushstring(L, type->name);
        lua_setfield(L, -2, "type");
    }
    shape_set(L, shape);
}

/* Of the record on top of the stack. */
static void set_source(lua_State *L, size_t source)
{
    lua_createtable(L, SOURCE, 1);
    if (!lua_getmetatable(L, -2))
        assert(!"records have a metatable");
    lua_rawgeti(L, -1, 1);
    lua_rawseti(L, -3, 1);
    lua_getfield(L, -1, "__index");
    lua_setfield(L, -3, "__index");
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)source);
    lua_rawseti(L, -2, SOURCE);
    lua_setmetatable(L, -2);
}

/* False: no body is to be seen. */
static bool get_source(lua_State *L, int index, size_t *source)
{
    if (!lua_getmetatable(L, index))
        return false;
    lua_rawgeti(L, -1, SOURCE);
    bool known = lua_type(L, -1) == LUA_TNUMBER;
    *source = known ? (size_t)lua_tointeger(L, -1) : 0;
    lua_pop(L, 2);
    return known;
}

/* ---- events ---- */

static const char *change_word(enum change change)
{
    switch (change) {
    case CHANGE_EDIT:
        return "edit";
    case CHANGE_DELETE:
        return "delete";
    default:
        return "new";
    }
}

/* Push a field of a stored body, or nil. */
static void push_field_of_body(lua_State *L, const struct shape *shape,
                               struct bytes body, const char *name)
{
    char room[PATH_ROOM];
    const struct event_type *type = shape->type;
    const char *path = lua_path_field(room, shape->name, name);
    if (type->raw_body != NULL) {
        struct buf *value = &box_run(L)->value;
        size_t start = value->len;
        if (body.len > LIB_TEXT_MAX) {
            struct err err;
            err_set(&err, ATE_ELIMIT,
                    "%s: %zu bytes; Lua takes at most %d at a time", path,
                    body.len, LIB_TEXT_MAX);
            sandbox_raise(L, &err);
        }
        mp_put_bin(value, body);
        struct value_type bytes = {.kind = VALUE_BLOB};
        lua_value_push(L, &bytes,
                       bytes_of(value->data + start, value->len - start), path);
        value->len = start;
        return;
    }
    const struct field *field = fields_find(&type->body, bytes_of_text(name));
    struct bytes value = {NULL, 0};
    assert(field != NULL);
    if (body.len > 0)
        value = mp_map_get(body, name);
    if (value.data == NULL)
        lua_pushnil(L);
    else
        lua_value_push(L, &field->type, value, path);
}

static void set_body(lua_State *L, const struct trial_event *event)
{
    const struct event_type *type = event->type;
    const struct shape *shape = shape_of_type(L, type);
    for (size_t i = 0; i < type->body.count; i++) {
        push_field_of_body(L, shape, event->body, type->body.items[i].name);
        lua_setfield(L, -2, type->body.items[i].name);
    }
    if (type->raw_body != NULL) {
        push_field_of_body(L, shape, event->body, "body");
        lua_setfield(L, -2, "body");
    }
    set_source(L, 0);
}

void lua_record_push_event(lua_State *L, const struct trial *trial, size_t n,
                           bool bodies)
{
    assert(n < trial->count);
    const struct trial_event *event = trial->events[n];
    bool deleted = event->change == CHANGE_DELETE;
    push_record(L, event->type,
                deleted ? &event->before_header : &event->header);
    if (event->change == CHANGE_FACT) {
        lua_pushnil(L);
    } else {
        lua_pushstring(L, change_word(event->change));
        lua_setfield(L, -2, "change");
        if (event->change == CHANGE_NEW)
            lua_pushnil(L);
        else
            push_record(L, event->type, &event->before_header);
    }
    lua_setfield(L, -2, "before");
    if (bodies && !deleted &&
        (event->body.data != NULL || event->header.body_length == 0))
        set_body(L, event);
}

/* ---- objects ---- */

/* A copy that lives until the run ends; its number, from 1. */
static size_t keep_object(struct script_run *run, const struct object *o)
{
    run->objects = mem_array_grow(run->objects, run->object_count,
                                  &run->object_cap, sizeof(*run->objects));
    struct object *copy = &run->objects[run->object_count++];
    *copy = *o;
    copy->raw = scratch_copy(&run->heap, o->raw);
    event_header_known(copy->raw, &copy->header);
    return run->object_count;
}

void lua_record_push_object(lua_State *L, const struct event_type *type,
                            const uint8_t id[16], const struct object *o)
{
    struct script_run *run = box_run(L);
    assert(memcmp(id, o->header.object, LUA_ID_SIZE) == 0);
    (void)id;
    size_t source = 0;
    bool has_body = type->body.count > 0 || type->raw_body != NULL;
    if (run->call != NULL && has_body)
        source = keep_object(run, o);
    push_record(L, type, &o->header);
    if (source > 0)
        set_source(L, source);
}

void lua_record_push_past(lua_State *L, const struct event_type *type,
                          const struct object *o)
{
    const struct event_header *h = &o->header;
    enum change change = CHANGE_NEW;
    lua_record_push_object(L, type, h->object, o);
    if (!type->is_object)
        return;
    if (h->previous != NULL)
        change = (h->flags & EVENT_DELETES) != 0 ? CHANGE_DELETE : CHANGE_EDIT;
    lua_pushstring(L, change_word(change));
    lua_setfield(L, -2, "change");
}

/* ---- bodies ---- */

static int not_seen(lua_State *L, const struct shape *shape, const char *name)
{
    const struct script_run *run = box_run(L);
    if (run->view != NULL && run->view->reads_bodies)
        return sandbox_error(L,
                             "%s.%s stands in the body, which is not at "
                             "hand here",
                             shape->name, name);
    if (run->view != NULL)
        return sandbox_error(L,
                             "%s.%s stands in the body, which folds do not "
                             "see unless the view says reads = 'bodies'",
                             shape->name, name);
    return sandbox_error(L,
                         "%s.%s stands in the body, which rules do not see; "
                         "move the field to the header",
                         shape->name, name);
}

void lua_record_push_body_field(lua_State *L, int index,
                                const struct shape *shape, const char *name)
{
    struct script_run *run = box_run(L);
    struct err err;
    struct bytes body = {NULL, 0};
    size_t source = 0;
    if (!get_source(L, index, &source))
        not_seen(L, shape, name);
    if (source == 0) {
        lua_pushnil(L); /* set once, so what is not there is absent */
        return;
    }
    assert(source <= run->object_count && run->call != NULL);
    const struct object *o = &run->objects[source - 1];
    sandbox_charge(L, BOX_STEP_GAS);
    if (body_home_of(&o->header) == BODY_LARGE) {
        struct handle handle = handle_of(&o->header);
        lua_value_push_handle(L, &handle);
    } else {
        if (o->header.body_length > 0 &&
            call_body_of(run->call, o, &body, &err) != 0)
            sandbox_raise(L, &err);
        push_field_of_body(L, shape, body, name);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, index, name);
}
