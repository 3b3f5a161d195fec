/* The texts of identities and refusals. */
#include <string.h>

#include "acceptance/door.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/msgpack.h"
#include "schema/schema.h"

/* ---- identities ---- */

void door_put_identity(const struct door *d, const uint8_t id[32],
                       struct buf *text)
{
    if (d->names != NULL && d->names->name(d->names->ctx, id, text))
        return;
    buf_put_text(text, "key:");
    hex_put(text, bytes_of(id, KEY_ID_SIZE));
}

int door_get_identity(const struct door *d, struct bytes text, uint8_t id[32],
                      struct err *err)
{
    if (text.len == 4 + 2 * KEY_ID_SIZE && memcmp(text.data, "key:", 4) == 0 &&
        hex_get((const char *)text.data + 4, text.len - 4, id))
        return 0;
    if (d->names != NULL && d->names->find(d->names->ctx, text, id))
        return 0;
    struct buf list = {0};
    if (d->names != NULL)
        d->names->list(d->names->ctx, &list);
    err_set(err, ATE_ENOT_FOUND, "no key '%.*s'; there are: %s",
            (int)(text.len > 80 ? 80 : text.len), (const char *)text.data,
            buf_text(&list));
    buf_deinit(&list);
    return err_reason(err, "no_key");
}

/* ---- refusals ---- */

/* What the rule gave and the event's fields, in the order in which a name is
 * looked for: its value and its type, each by itself. */
struct said {
    struct door_scope scopes[2];
    size_t count;
};

static bool gives(struct bytes map, const char *name, struct bytes *value)
{
    *value = map.len > 0 ? mp_map_get(map, name) : bytes_of(NULL, 0);
    return value->data != NULL;
}

/* The fields that have a type for `name`; NULL: none. */
static const struct fields *find_typed(const struct said *said,
                                       const char *name)
{
    for (size_t i = 0; i < said->count; i++) {
        const struct fields *fields = said->scopes[i].fields;
        if (fields != NULL && fields_find(fields, bytes_of_text(name)) != NULL)
            return fields;
    }
    return NULL;
}

/* Where an amount finds what it is of: that is looked for as all names of a
 * text are, for the event may have it where the rule gave the amount. */
static struct door_scope scope_of(const struct said *said,
                                  const struct value_type *type)
{
    struct door_scope scope = {NULL, {NULL, 0}};
    struct bytes value;
    if (type->kind != VALUE_AMOUNT || type->scale >= 0)
        return scope;
    for (size_t i = 0; i < said->count && scope.map.data == NULL; i++) {
        if (gives(said->scopes[i].map, type->of, &value))
            scope.map = said->scopes[i].map;
    }
    scope.fields = find_typed(said, type->of);
    return scope;
}

static void put_said(const struct door *d, const struct said *said,
                     const char *name, struct bytes value, struct buf *out)
{
    const struct fields *typed = find_typed(said, name);
    struct buf given = {0};
    struct bytes text;
    int64_t number = 0;
    bool truth = false;
    if (typed != NULL) {
        const struct field *field = fields_find(typed, bytes_of_text(name));
        struct door_scope scope = scope_of(said, &field->type);
        door_give_value(d, &field->type, value, &scope, &given);
        value = buf_bytes(&given);
    }
    struct mp mp = mp_open(value);
    enum mp_kind kind = MP_NIL;
    mp_peek(&mp, &kind, NULL);
    if (kind == MP_STR && mp_get_str(&mp, &text, NULL) == 0)
        buf_put_bytes(out, text);
    else if (kind == MP_INT && mp_get_int(&mp, &number, NULL) == 0)
        buf_printf(out, "%lld", (long long)number);
    else if (kind == MP_BOOL && mp_get_bool(&mp, &truth, NULL) == 0)
        buf_put_text(out, truth ? "true" : "false");
    else
        buf_put_text(out, kind == MP_NIL ? "nothing" : "...");
    buf_deinit(&given);
}

void door_refusal(const struct door *d, const char *text,
                  const struct fields *event_fields, struct bytes event,
                  const struct fields *says, struct bytes values,
                  struct buf *out)
{
    const struct said given = {{{says, values}, {event_fields, event}}, 2};
    const struct said own = {{{event_fields, event}}, 1};
    while (*text != '\0') {
        const char *close = *text == '{' ? strchr(text, '}') : NULL;
        if (close == NULL) {
            buf_put_u8(out, (uint8_t)*text++);
            continue;
        }
        struct bytes value;
        char name[LIMIT_KIND_NAME + 1];
        size_t len = (size_t)(close - text - 1);
        if (len > LIMIT_KIND_NAME)
            len = LIMIT_KIND_NAME;
        memcpy(name, text + 1, len);
        name[len] = '\0';
        if (gives(values, name, &value))
            put_said(d, &given, name, value, out);
        else if (event_fields != NULL && gives(event, name, &value))
            put_said(d, &own, name, value, out);
        else
            buf_put_u8(out, '?');
        text = close + 1;
    }
}
