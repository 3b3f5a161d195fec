/* A text key is what doors show: the parent's text key, then the key fields,
 * joined by '/'; a key field that is the parent is not written twice. The text
 * is cut at each '/' and the type says what the pieces are; where a parent is
 * optional, those that are too many are its. */
#include "script/lua_key.h"

#include <assert.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "sandbox/lib.h"
#include "script/box.h"
#include "script/lua_value.h"

enum {
    PIECES_MAX = 32,
    KEY_FIELDS_MAX = 16,
    PARENTS_MAX = 16, /* types inside each other that a text or table names */
    NUMBER_LEN = 24,  /* digits of an int64, sign, zero */
};

/* ---- objects by their text key ---- */

struct pieces {
    const char *path;
    struct bytes items[PIECES_MAX];
    size_t count;
    size_t next;
};

static int not_a_key(lua_State *L, const struct event_type *type,
                     const char *path)
{
    return sandbox_error(L,
                         "%s: no key of a %s: give its parent's names and "
                         "its key fields joined by '/', a table of them, or "
                         "its ref",
                         path, type->name);
}

static int only_by_ref(lua_State *L, const struct event_type *type,
                       const char *path)
{
    return sandbox_error(L, "%s: a %s has no key: name it by its ref", path,
                         type->name);
}

static void put_number(lua_State *L, struct bytes text, struct buf *out,
                       const struct event_type *type, const char *path)
{
    char digits[NUMBER_LEN];
    char *end = digits;
    if (text.len == 0 || text.len >= sizeof(digits))
        not_a_key(L, type, path);
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    errno = 0;
    long long number = strtoll(digits, &end, 10);
    if (errno != 0 || *end != '\0' || end == digits)
        not_a_key(L, type, path);
    mp_put_int(out, number);
}

static void put_identity(lua_State *L, struct bytes text, struct buf *out,
                         const struct event_type *type, const char *path)
{
    static const char prefix[] = "key:";
    uint8_t id[LUA_IDENTITY_SIZE];
    size_t skip = strlen(prefix);
    if (text.len != skip + 2 * sizeof(id) ||
        memcmp(text.data, prefix, skip) != 0 ||
        !hex_get((const char *)text.data + skip, 2 * sizeof(id), id))
        not_a_key(L, type, path);
    mp_put_bin(out, bytes_of(id, sizeof(id)));
}

/* One piece as the stored value of a key field that is no ref. */
static void put_piece(lua_State *L, const struct event_type *type,
                      const struct field *field, struct bytes text,
                      struct buf *out, const char *path)
{
    switch (field->type.kind) {
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        put_number(L, text, out, type, path);
        break;
    case VALUE_IDENTITY:
        put_identity(L, text, out, type, path);
        break;
    default:
        mp_put_str(out, text);
        break;
    }
}

static const struct event_type *target_of(lua_State *L,
                                          const struct field *field)
{
    const struct event_type *target =
        schema_type(box_of(L)->schema, bytes_of_text(field->type.target));
    assert(target != NULL);
    return target;
}

/* What stands in one field of the key. */
struct key_value {
    bool is_ref;
    uint8_t id[LUA_ID_SIZE];
    struct bytes text;
};

static int key_place(const struct event_type *type, size_t field)
{
    for (size_t i = 0; i < type->key_count; i++)
        if (type->key[i] == field)
            return (int)i;
    return -1;
}

/* The id of what run->value holds from `start` on: a map of parent and key
 * fields. It is cut off. */
static void finish(lua_State *L, const struct event_type *type, size_t start,
                   uint8_t id[16], const char *path)
{
    struct err err;
    struct script_run *run = box_run(L);
    struct bytes map =
        bytes_of(run->value.data + start, run->value.len - start);
    sandbox_charge_bytes(L, map.len);
    sandbox_charge(L, BOX_STEP_GAS);
    int rc = call_key_id(run->core, type, map, id, &err);
    run->value.len = start;
    if (rc != 0)
        sandbox_error(L, "%s: %s", path, err.text);
}

static void resolve(lua_State *L, const struct event_type *type,
                    struct pieces *pieces, int depth, size_t count,
                    uint8_t id[16]);

/* The pieces of one part; what the whole has too many goes to one that varies.
 */
static size_t share(struct key_pieces part, size_t *surplus)
{
    size_t count = part.least;
    if (part.vary) {
        count += *surplus;
        *surplus = 0;
    }
    return count;
}

/* Give `count` pieces to the parent and the key fields, in this order. */
static void take_pieces(lua_State *L, const struct event_type *type,
                        struct pieces *pieces, int depth, size_t count,
                        struct key_value *parent, struct key_value *values)
{
    const struct schema *s = box_of(L)->schema;
    struct key_pieces need = schema_key_pieces(s, type);
    if (count < need.least || (count > need.least && !need.vary))
        not_a_key(L, type, pieces->path);
    size_t surplus = count - need.least;
    size_t part = share(schema_parent_pieces(s, type), &surplus);
    parent->is_ref = part > 0;
    if (part > 0)
        resolve(L, target_of(L, &type->header.items[type->parent]), pieces,
                depth + 1, part, parent->id);
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        values[i] = (struct key_value){.is_ref = field->type.kind == VALUE_REF};
        if (!event_type_writes(type, i))
            values[i] = *parent;
        else if (values[i].is_ref)
            resolve(L, target_of(L, field), pieces, depth + 1,
                    share(schema_field_pieces(s, field), &surplus),
                    values[i].id);
        else
            values[i].text = pieces->items[pieces->next++];
    }
}

static void resolve(lua_State *L, const struct event_type *type,
                    struct pieces *pieces, int depth, size_t count,
                    uint8_t id[16])
{
    struct key_value parent = {0};
    struct key_value values[KEY_FIELDS_MAX];
    if (type->key_count == 0 || type->key_count > KEY_FIELDS_MAX ||
        depth == PARENTS_MAX)
        only_by_ref(L, type, pieces->path);
    take_pieces(L, type, pieces, depth, count, &parent, values);

    struct buf *map = &box_run(L)->value;
    size_t start = map->len;
    bool apart = parent.is_ref && key_place(type, type->parent) < 0;
    mp_put_map(map, (uint32_t)type->key_count + (apart ? 1 : 0));
    for (size_t i = 0; i < type->header.count; i++) {
        const struct field *field = &type->header.items[i];
        int place = key_place(type, i);
        if (place < 0 && !(apart && (int)i == type->parent))
            continue;
        const struct key_value *value = place < 0 ? &parent : &values[place];
        mp_put_text(map, field->name);
        if (value->is_ref)
            mp_put_bin(map, bytes_of(value->id, LUA_ID_SIZE));
        else
            put_piece(L, type, field, value->text, map, pieces->path);
    }
    finish(L, type, start, id, pieces->path);
}

static void from_text(lua_State *L, struct bytes text,
                      const struct event_type *type, uint8_t id[16],
                      const char *path)
{
    struct pieces pieces = {.path = path};
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    sandbox_charge_bytes(L, text.len);
    if (!utf8_valid(text))
        not_a_key(L, type, path);
    for (;;) {
        const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
        const uint8_t *stop = slash == NULL ? end : slash;
        if (pieces.count == PIECES_MAX)
            not_a_key(L, type, path);
        pieces.items[pieces.count++] = bytes_of(at, (size_t)(stop - at));
        if (slash == NULL)
            break;
        at = slash + 1;
    }
    resolve(L, type, &pieces, 0, pieces.count, id);
    assert(pieces.next == pieces.count);
}

/* ---- objects by a table ---- */

static void from_record(lua_State *L, int index, const struct shape *shape,
                        const struct event_type *type, uint8_t id[16],
                        const char *path)
{
    if (strcmp(shape->type->name, type->name) != 0)
        sandbox_error(L, "%s: a %s is needed, got a %s", path, type->name,
                      shape->type->name);
    lua_pushliteral(L, "id");
    lua_rawget(L, index);
    size_t len = 0;
    const char *ref =
        lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (len != LUA_REF_SIZE || ref[0] != '\0')
        sandbox_error(L, "%s: its id is no ref any more", path);
    memcpy(id, ref + 1, LUA_ID_SIZE);
    lua_pop(L, 1);
}

/* Keys other than those of parent and key fields are refused. */
static void check_key_names(lua_State *L, int index,
                            const struct event_type *type, const char *path)
{
    struct field items[KEY_FIELDS_MAX + 1];
    struct fields fields = {.items = items};
    for (size_t i = 0; i < type->header.count && fields.count <= KEY_FIELDS_MAX;
         i++)
        if ((int)i == type->parent || key_place(type, i) >= 0)
            items[fields.count++] = type->header.items[i];
    const char *smallest = NULL;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            not_a_key(L, type, path);
        const char *name = lib_name(L, -1);
        if (fields_find(&fields, bytes_of_text(name)) == NULL &&
            (smallest == NULL || strcmp(name, smallest) < 0))
            smallest = name;
    }
    if (smallest != NULL)
        shape_unknown(L, path, "key field", &fields, NULL, smallest);
}

static void from_fields(lua_State *L, int index, const struct event_type *type,
                        uint8_t id[16], const char *path)
{
    char room[PATH_ROOM];
    struct script_run *run = box_run(L);
    struct buf *map = &run->value;
    size_t start = map->len;
    uint32_t count = 0;
    if (type->key_count == 0)
        only_by_ref(L, type, path);
    if (run->keys++ == PARENTS_MAX) /* a table may hold itself */
        sandbox_error(L, "%s: keys nest at most %d deep", path, PARENTS_MAX);
    luaL_checkstack(L, 4, "keys nest too deep");
    check_key_names(L, index, type, path);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            mp_put_map(map, count);
        for (size_t i = 0; i < type->header.count; i++) {
            const struct field *field = &type->header.items[i];
            if ((int)i != type->parent && key_place(type, i) < 0)
                continue;
            lua_pushstring(L, field->name);
            lua_rawget(L, index);
            if (!lua_isnil(L, -1) && pass == 0) {
                count++;
            } else if (!lua_isnil(L, -1)) {
                mp_put_text(map, field->name);
                lua_value_take(L, -1, &field->type, map,
                               lua_path_field(room, path, field->name));
            }
            lua_pop(L, 1);
        }
    }
    run->keys--;
    finish(L, type, start, id, path);
}

/* A key that is one integer may be said as a number. */
static void from_number(lua_State *L, int index, const struct event_type *type,
                        uint8_t id[16], const char *path)
{
    struct buf *map = &box_run(L)->value;
    size_t start = map->len;
    if (type->key_count != 1 || type->parent >= 0)
        not_a_key(L, type, path);
    const struct field *field = &type->header.items[type->key[0]];
    mp_put_map(map, 1);
    mp_put_text(map, field->name);
    lua_value_take(L, index, &field->type, map, path);
    finish(L, type, start, id, path);
}

void lua_key_object(lua_State *L, int index, const struct event_type *type,
                    uint8_t id[16], const char *path)
{
    size_t len = 0;
    const char *text;
    index = index > 0 ? index : lua_gettop(L) + index + 1;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        if (len == LUA_REF_SIZE && text[0] == '\0')
            memcpy(id, text + 1, LUA_ID_SIZE);
        else
            from_text(L, bytes_of(text, len), type, id, path);
        return;
    case LUA_TNUMBER:
        from_number(L, index, type, id, path);
        return;
    case LUA_TTABLE: {
        const struct shape *shape = shape_of(L, index);
        if (shape != NULL && shape->kind == SHAPE_RECORD)
            from_record(L, index, shape, type, id, path);
        else
            from_fields(L, index, type, id, path);
        return;
    }
    default:
        sandbox_error(L, "%s: a %s is needed, got %s%s", path, type->name,
                      lua_isnil(L, index) ? "" : "a ",
                      lua_isnil(L, index) ? "nil" : luaL_typename(L, index));
    }
}
