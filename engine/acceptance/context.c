#include "acceptance/context.h"

#include <assert.h>

#include "base/err.h"
#include "base/msgpack.h"

static bool is_empty(struct bytes map)
{
    struct mp mp = mp_open(map);
    uint32_t count = 0;
    return map.len == 0 || (mp_get_map(&mp, &count, NULL) == 0 && count == 0);
}

const struct field *context_lacks(const struct fields *context,
                                  struct bytes map)
{
    for (size_t i = 0; i < context->count; i++) {
        const struct field *f = &context->items[i];
        bool there = map.len > 0 && mp_map_get(map, f->name).data != NULL;
        if (!there && !f->type.optional && f->type.default_value.len == 0)
            return f;
    }
    return NULL;
}

static int none_given(const struct method *method,
                      const struct schema_part *part, struct err *err)
{
    const struct field *lacking = NULL;
    if (part != NULL && method->by_default == DEFAULT_NONE)
        lacking = context_lacks(&part->context, bytes_of(NULL, 0));
    if (lacking == NULL)
        return 0;
    return err_set(err, ATE_EINVALID, "context: %s: is missing", lacking->name);
}

int context_take(const struct door *d, const struct method *method,
                 struct bytes given, enum door_taking taking, struct buf *out,
                 struct err *err)
{
    const struct schema_part *part =
        schema_part(d->core->schema, method->schema);
    bool is_default = method->by_default != DEFAULT_NONE;
    struct buf checked = {0};
    if (is_empty(given))
        return none_given(method, part, err);
    if (part == NULL)
        return err_set(err, ATE_EINVALID, "context: %s takes none",
                       method->name);
    if (part->context.count == 0)
        return err_set(err, ATE_EINVALID,
                       "context: schema %s declares none; its `context` says "
                       "what callers may give",
                       part->name);
    int rc =
        door_take(d, &part->context, given, is_default ? TAKE_PART : taking,
                  "context", is_default ? &checked : out, err);
    buf_deinit(&checked);
    if (rc != 0)
        err_at_none(err); /* it stands beside the arguments */
    return rc;
}
