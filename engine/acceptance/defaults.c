/* The default methods that write. Those that read are queries (query/query.h).
 */
#include <assert.h>
#include <string.h>

#include "acceptance/call.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "schema/fields.h"

/* The object that the arguments name: by `id`, or by parent and key fields. */
static int named_id(struct call *c, const struct event_type *type,
                    uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    struct bytes value = mp_map_get(c->args, "id");
    if (value.data == NULL && type->key_count > 0)
        return call_key_id(c->core, type, c->args, id, err);
    if (value.data == NULL) {
        err_set(err, ATE_EINVALID, "%s: 'id' is missing", c->method->name);
        return err_at(err, "id");
    }
    struct mp mp = mp_open(value);
    const uint8_t *bytes = NULL;
    int rc = mp_get_bin_of(&mp, OBJECT_ID_SIZE, &bytes, err);
    if (rc == 0)
        memcpy(id, bytes, OBJECT_ID_SIZE);
    return rc;
}

/* The arguments that are fields: without what names or bases the write. No
 * field is called `before`; one called `id` is left where it is. */
static void put_fields(struct call *c, const struct event_type *type,
                       struct buf *out)
{
    struct buf nothing = {0};
    bool has_id = fields_find(&type->header, bytes_of_text("id")) != NULL;
    mp_put_map(&nothing, has_id ? 1 : 2);
    mp_put_text(&nothing, "before");
    mp_put_nil(&nothing);
    if (!has_id) {
        mp_put_text(&nothing, "id");
        mp_put_nil(&nothing);
    }
    fields_merge(out, c->args, buf_bytes(&nothing));
    buf_deinit(&nothing);
}

/* Is it one of a list with commas? */
static bool is_among(struct bytes list, struct bytes place)
{
    while (list.len > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.data) : list.len;
        if (bytes_equal(bytes_of(list.data, len), place))
            return true;
        len += comma != NULL ? 1 : 0;
        list = bytes_of(list.data + len, list.len - len);
    }
    return false;
}

/* `before` is the place of the version that the asker has seen, one of several
 * with commas between, or "*", any: another one means that others were faster.
 */
static int check_before(struct call *c, const uint8_t id[OBJECT_ID_SIZE],
                        struct err *err)
{
    struct bytes value = mp_map_get(c->args, "before");
    struct mp mp = mp_open(value);
    struct bytes before;
    struct object o;
    struct buf newest = {0};
    if (value.data == NULL || mp_get_str(&mp, &before, NULL) != 0)
        return 0;
    bool live = call_object(c, id, &o);
    if (live)
        buf_printf(&newest, "%llu.%llu", (unsigned long long)o.index,
                   (unsigned long long)o.n);
    bool good = live && (bytes_equal(before, bytes_of_text("*")) ||
                         is_among(before, buf_bytes(&newest)));
    int rc =
        good ? 0
             : err_set(err, ATE_ESTALE, "%s: based on version %.*s, but %s%s",
                       c->method->name, (int)before.len,
                       (const char *)before.data,
                       live ? "the newest is " : "there is none",
                       live ? buf_text(&newest) : "");
    buf_deinit(&newest);
    return rc;
}

static int put(struct call *c, const struct event_type *type,
               uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    struct buf fields = {0};
    int rc = 0;
    put_fields(c, type, &fields);
    if (mp_map_get(c->args, "before").data != NULL) {
        rc = call_key_id(c->core, type, c->args, id, err);
        if (rc == 0)
            rc = check_before(c, id, err);
    }
    if (rc == 0)
        rc = call_put(c, type, buf_bytes(&fields), id, err);
    buf_deinit(&fields);
    return rc;
}

static int patch(struct call *c, const struct event_type *type,
                 uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    struct buf fields = {0};
    int rc = named_id(c, type, id, err);
    if (rc == 0)
        rc = check_before(c, id, err);
    if (rc != 0)
        return rc;
    put_fields(c, type, &fields);
    rc = call_patch(c, id, buf_bytes(&fields), err);
    buf_deinit(&fields);
    return rc;
}

int call_run_default(struct call *c, struct err *err)
{
    const struct event_type *type = c->method->type;
    uint8_t id[OBJECT_ID_SIZE];
    int rc = 0;
    switch (c->method->by_default) {
    case DEFAULT_CREATE:
        rc = call_create(c, type, c->args, id, err);
        break;
    case DEFAULT_PUT:
        rc = put(c, type, id, err);
        break;
    case DEFAULT_APPEND:
        rc = call_emit(c, type, c->args, id, err);
        break;
    case DEFAULT_PATCH:
        rc = patch(c, type, id, err);
        break;
    case DEFAULT_DELETE:
        rc = named_id(c, type, id, err);
        if (rc == 0)
            rc = check_before(c, id, err);
        if (rc == 0)
            rc = call_delete(c, id, err);
        break;
    default:
        assert(!"a default method that writes");
        break;
    }
    if (rc == 0 && c->method->by_default != DEFAULT_DELETE)
        mp_put_bin(&c->result, bytes_of(id, OBJECT_ID_SIZE));
    return rc;
}
