#include "chain/mapping.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"

struct mapping_entry {
    const char *key;
    size_t
        from; /* its value begins here and ends where the next one's begins */
    size_t to;
};

struct buf *mapping_key(struct mapping *m, const char *key)
{
    if (m->count > 0)
        m->entries[m->count - 1].to = m->values.len;
    m->entries =
        mem_array_grow(m->entries, m->count, &m->cap, sizeof(*m->entries));
    m->entries[m->count++] =
        (struct mapping_entry){.key = key, .from = m->values.len};
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
    struct buf hex = {0};
    hex_put(&hex, bytes);
    mapping_str(m, key, buf_bytes(&hex));
    buf_deinit(&hex);
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

static int by_key(const void *a, const void *b)
{
    return bytes_compare(bytes_of_text(((const struct mapping_entry *)a)->key),
                         bytes_of_text(((const struct mapping_entry *)b)->key));
}

void mapping_put(struct mapping *m, struct buf *out)
{
    if (m->count > 0) {
        m->entries[m->count - 1].to = m->values.len;
        qsort(m->entries, m->count, sizeof(*m->entries), by_key);
    }
    mp_put_map(out, (uint32_t)m->count);
    for (size_t i = 0; i < m->count; i++) {
        const struct mapping_entry *e = &m->entries[i];
        assert(e->to > e->from);
        mp_put_text(out, e->key);
        buf_put(out, m->values.data + e->from, e->to - e->from);
    }
    mem_free(m->entries);
    buf_deinit(&m->values);
    *m = (struct mapping){0};
}
