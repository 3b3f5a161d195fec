#include "chain/history.h"

#include <string.h>

#include "base/err.h"
#include "base/memory.h"

struct history_entry {
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

enum { RAW = 8 + HASH_SIZE };

static struct history_entry *push(struct history *h)
{
    if (h->entries == NULL)
        h->entries = mem_zero(HISTORY_MAX, sizeof(*h->entries));
    struct history_entry *e = &h->entries[h->next];
    h->next = (h->next + 1) % HISTORY_MAX;
    if (h->count < HISTORY_MAX)
        h->count++;
    return e;
}

void history_add(struct history *h, const struct merkle *log)
{
    struct history_entry *e = push(h);
    e->size = log->size;
    merkle_root(log, e->root);
}

/* Of the oldest, the second oldest, ... */
static const struct history_entry *entry_at(const struct history *h, size_t i)
{
    return &h->entries[(h->next + HISTORY_MAX - h->count + i) % HISTORY_MAX];
}

void history_put(const struct history *h, uint64_t size, struct buf *out)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct history_entry *e = entry_at(h, i);
        if (e->size > size)
            return;
        buf_put_be64(out, e->size);
        buf_put(out, e->root, HASH_SIZE);
    }
}

bool history_get(struct history *h, struct bytes raw)
{
    if (raw.len % RAW != 0 || raw.len / RAW > HISTORY_MAX)
        return false;
    for (size_t at = 0; at < raw.len; at += RAW) {
        uint64_t size = get_be64(raw.data + at);
        if (h->count > 0 && size < entry_at(h, h->count - 1)->size)
            return false;
        struct history_entry *e = push(h);
        e->size = size;
        memcpy(e->root, raw.data + at + 8, HASH_SIZE);
    }
    return true;
}

void history_deinit(struct history *h)
{
    mem_free(h->entries);
    *h = (struct history){0};
}

/* How many of the entries, the oldest first, are at most of this size. */
static size_t upto(const struct history *h, uint64_t size)
{
    size_t low = 0;
    size_t high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(h, middle)->size <= size)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int history_check(const struct history *h, uint64_t size,
                  const uint8_t *root_or_null, struct err *err)
{
    if (size == 0)
        return 0;
    size_t n = upto(h, size);
    if (n == 0)
        return err_set(
            err, ATE_ESTALE,
            "what the author saw, size %llu, is too old to be checked",
            (unsigned long long)size);
    const struct history_entry *e = entry_at(h, n - 1);
    if (e->size == size && root_or_null != NULL &&
        memcmp(e->root, root_or_null, HASH_SIZE) == 0)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "the author saw another log: its root at size %llu "
                   "is not this chain's",
                   (unsigned long long)size);
}
