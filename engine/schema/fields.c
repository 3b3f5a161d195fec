#include "schema/fields.h"

#include <assert.h>

#include "base/msgpack.h"

/* One of the two maps, at its next entry. */
struct side {
    struct mp mp;
    uint32_t left; /* entries, the one held included */
    struct bytes name;
    struct bytes value;
};

static void side_load(struct side *s)
{
    if (s->left == 0)
        return;
    int rc = mp_get_str(&s->mp, &s->name, NULL);
    if (rc == 0)
        rc = mp_skip(&s->mp, &s->value, NULL);
    assert(rc == 0);
}

static void side_open(struct side *s, struct bytes map)
{
    *s = (struct side){.mp = mp_open(map)};
    if (map.data == NULL)
        return;
    int rc = mp_get_map(&s->mp, &s->left, NULL);
    assert(rc == 0);
    side_load(s);
}

static void side_next(struct side *s)
{
    s->left--;
    side_load(s);
}

static bool is_nil(struct bytes value)
{
    return value.len == 1 && value.data[0] == 0xc0;
}

void fields_merge(struct buf *out, struct bytes below, struct bytes above)
{
    struct side a;
    struct side b;
    side_open(&a, below);
    side_open(&b, above);
    struct buf entries = {0};
    uint32_t count = 0;
    while (a.left > 0 || b.left > 0) {
        int order = a.left == 0   ? 1
                    : b.left == 0 ? -1
                                  : bytes_compare(a.name, b.name);
        const struct side *from = order < 0 ? &a : &b;
        if (order < 0 || !is_nil(from->value)) {
            mp_put_str(&entries, from->name);
            buf_put_bytes(&entries, from->value);
            count++;
        }
        if (order <= 0)
            side_next(&a);
        if (order >= 0)
            side_next(&b);
    }
    mp_put_map(out, count);
    buf_put_bytes(out, buf_bytes(&entries));
    buf_deinit(&entries);
}
