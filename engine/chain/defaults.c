/* The default methods that write. Those that read are queries (chain/query.h).
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "chain/call.h"
#include "chain/fields.h"

/* The object that the arguments name: by `id`, or by parent and key fields. */
static int named_id(struct call *c, const struct event_type *type,
                    uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    struct bytes value = mp_map_get(c->args, "id");
    if (value.data == NULL && type->key_count > 0)
        return call_key_id(c->core, type, c->args, id, err);
    if (value.data == NULL)
        return err_set(err, ATE_EINVALID, "%s: 'id' is missing",
                       c->method->name);
    struct mp mp = mp_open(value);
    const uint8_t *bytes = NULL;
    int rc = mp_get_bin_of(&mp, OBJECT_ID_SIZE, &bytes, err);
    if (rc == 0)
        memcpy(id, bytes, OBJECT_ID_SIZE);
    return rc;
}

static int patch(struct call *c, const struct event_type *type,
                 uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    int rc = named_id(c, type, id, err);
    if (rc != 0)
        return rc;
    struct buf without_id = {0};
    struct buf nothing = {0};
    mp_put_map(&nothing, 1);
    mp_put_text(&nothing, "id");
    mp_put_nil(&nothing);
    if (fields_find(&type->header, bytes_of_text("id")) == NULL)
        fields_merge(&without_id, c->args, buf_bytes(&nothing));
    else
        buf_put_bytes(&without_id, c->args);
    rc = call_patch(c, id, buf_bytes(&without_id), err);
    buf_deinit(&without_id);
    buf_deinit(&nothing);
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
        rc = call_put(c, type, c->args, id, err);
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
