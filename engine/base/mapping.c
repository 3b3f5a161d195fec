#include "base/mapping.h"

#include <assert.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"

struct mapping_entry {
    struct bytes key;
    size_t from; /* its value begins here, and ends at `to` */
    size_t to;
};

struct buf *mapping_key(struct mapping *m, const char *key)
{
    if (m->count > 0)
        m->entries[m->count - 1].to = m->values.len;
    m->entries =
        mem_array_grow(m->entries, m->count, &m->cap, sizeof(*m->entries));
    m->entries[m->count++] = (struct mapping_entry){.key = bytes_of_text(key),
                                                    .from = m->values.len};
    return &m->values;
}

void mapping_text(struct mapping *m, const char *key, const char *text)
{
    mp_put_text(mapping_key(m, key), text);
}

void mapping_text_or_not(struct mapping *m, const char *key,
                         const char *text_or_null)
{
    if (text_or_null != NULL)
        mapping_text(m, key, text_or_null);
}

void mapping_str(struct mapping *m, const char *key, struct bytes text)
{
    mp_put_str(mapping_key(m, key), text);
}

void mapping_hex(struct mapping *m, const char *key, struct bytes bytes)
{
    struct buf *value = mapping_key(m, key);
    mp_put_str_head(value, 2 * bytes.len);
    hex_put(value, bytes);
}

void mapping_base64(struct mapping *m, const char *key, struct bytes bytes)
{
    struct buf *value = mapping_key(m, key);
    mp_put_str_head(value, base64_size(bytes.len));
    base64_put(value, bytes);
}

void mapping_uint(struct mapping *m, const char *key, uint64_t value)
{
    mp_put_uint(mapping_key(m, key), value);
}

void mapping_int(struct mapping *m, const char *key, int64_t value)
{
    mp_put_int(mapping_key(m, key), value);
}

void mapping_bool(struct mapping *m, const char *key, bool value)
{
    mp_put_bool(mapping_key(m, key), value);
}

/* They are few, and most come in order. */
static void sort(struct mapping_entry *entries, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct mapping_entry e = entries[i];
        size_t at = i;
        for (; at > 0 && bytes_compare(entries[at - 1].key, e.key) > 0; at--)
            entries[at] = entries[at - 1];
        entries[at] = e;
    }
}

void mapping_put(struct mapping *m, struct buf *out)
{
    if (m->count > 0) {
        m->entries[m->count - 1].to = m->values.len;
        sort(m->entries, m->count);
    }
    mp_put_map(out, (uint32_t)m->count);
    buf_reserve(out, m->values.len);
    for (size_t i = 0; i < m->count; i++) {
        const struct mapping_entry *e = &m->entries[i];
        assert(e->to > e->from);
        mp_put_str(out, e->key);
        buf_put(out, m->values.data + e->from, e->to - e->from);
    }
    mem_free(m->entries);
    buf_deinit(&m->values);
    *m = (struct mapping){0};
}
