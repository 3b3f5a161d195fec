/* Notes are kept as key ranges; digests are made at the end, when the
 * transaction's changes tell what stood there before it. A single entry is a
 * range without `to`. */
#include "chain/reads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/msgpack.h"

struct reads_entry {
    uint8_t kind;
    bool is_range;
    struct buf from;
    struct buf to;
};

void reads_init(struct reads *r)
{
    *r = (struct reads){0};
}

void reads_clear(struct reads *r)
{
    for (size_t i = 0; i < r->count; i++) {
        buf_deinit(&r->entries[i].from);
        buf_deinit(&r->entries[i].to);
    }
    r->count = 0;
}

void reads_deinit(struct reads *r)
{
    reads_clear(r);
    mem_free(r->entries);
    *r = (struct reads){0};
}

static struct reads_entry *add(struct reads *r, enum state_kind kind,
                               struct bytes from)
{
    r->entries =
        mem_array_grow(r->entries, r->count, &r->cap, sizeof(*r->entries));
    struct reads_entry *e = &r->entries[r->count++];
    *e = (struct reads_entry){.kind = (uint8_t)kind};
    buf_put_bytes(&e->from, from);
    return e;
}

void reads_note(struct reads *r, enum state_kind kind, struct bytes key)
{
    add(r, kind, key);
}

/* A scan notes step by step: a step that goes on where the last one ended makes
 * that one longer. */
void reads_note_range(struct reads *r, enum state_kind kind, struct bytes from,
                      struct bytes to)
{
    if (r->count > 0) {
        struct reads_entry *last = &r->entries[r->count - 1];
        bool same = last->is_range && last->kind == kind;
        if (same && bytes_equal(buf_bytes(&last->to), from)) {
            buf_clear(&last->to);
            buf_put_bytes(&last->to, to);
            return;
        }
        if (same && bytes_equal(buf_bytes(&last->from), to)) {
            buf_clear(&last->from);
            buf_put_bytes(&last->from, from);
            return;
        }
    }
    struct reads_entry *e = add(r, kind, from);
    e->is_range = true;
    buf_put_bytes(&e->to, to);
}

static int compare(const void *a, const void *b)
{
    const struct reads_entry *x = a;
    const struct reads_entry *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->is_range != y->is_range)
        return x->is_range ? 1 : -1;
    int order = bytes_compare(buf_bytes(&x->from), buf_bytes(&y->from));
    return order != 0 ? order
                      : bytes_compare(buf_bytes(&x->to), buf_bytes(&y->to));
}

static void digest_entry(const struct state *s, const struct reads_entry *e,
                         uint8_t out[HASH_SIZE])
{
    struct bytes value = {NULL, 0};
    if (!state_before(s, e->kind, buf_bytes(&e->from), &value))
        value = bytes_of(NULL, 0);
    hash_of(LABEL_SEEN, value, out);
}

/* The next entry of the range as it was before the transaction: from the head
 * what it did not change, from its changes what they replaced. */
static void digest_range(const struct state *s, const struct reads_entry *e,
                         uint8_t out[HASH_SIZE])
{
    struct buf key = {0};
    buf_put_u8(&key, e->kind);
    buf_put_bytes(&key, buf_bytes(&e->from));
    struct buf end = {0};
    buf_put_u8(&end, e->kind);
    buf_put_bytes(&end, buf_bytes(&e->to));
    struct tree_cursor c;
    bool more = tree_seek(&c, state_head(s), buf_bytes(&key));
    size_t change = 0;
    while (change < s->change_count &&
           bytes_compare(s->changes[change].key, buf_bytes(&key)) < 0)
        change++;

    struct hasher h;
    hash_begin(&h, LABEL_SEEN);
    for (;;) {
        struct bytes now = more ? tree_cursor_key(&c) : bytes_of(NULL, 0);
        bool has_now = more && bytes_compare(now, buf_bytes(&end)) < 0;
        const struct state_change *old =
            change < s->change_count ? &s->changes[change] : NULL;
        bool has_old =
            old != NULL && bytes_compare(old->key, buf_bytes(&end)) < 0;
        if (!has_now && !has_old)
            break;
        int order = !has_now ? 1 : !has_old ? -1 : bytes_compare(now, old->key);
        if (order < 0) { /* untouched */
            hash_part(&h, bytes_of(now.data + 1, now.len - 1));
            hash_part(&h, tree_cursor_value(&c));
        } else if (old->before.data != NULL) {
            hash_part(&h, bytes_of(old->key.data + 1, old->key.len - 1));
            hash_part(&h, old->before);
        }
        if (order <= 0)
            more = tree_next(&c);
        if (order >= 0)
            change++;
    }
    hash_end(&h, out);
    buf_deinit(&key);
    buf_deinit(&end);
}

static void put_entry(struct buf *out, const struct state *s,
                      const struct reads_entry *e)
{
    uint8_t digest[HASH_SIZE];
    mp_put_array(out, 3);
    mp_put_uint(out, e->kind);
    if (e->is_range) {
        mp_put_array(out, 2);
        mp_put_bin(out, buf_bytes(&e->from));
        mp_put_bin(out, buf_bytes(&e->to));
        digest_range(s, e, digest);
    } else {
        mp_put_bin(out, buf_bytes(&e->from));
        digest_entry(s, e, digest);
    }
    mp_put_bin(out, bytes_of(digest, HASH_SIZE));
}

int reads_put(struct reads *r, const struct state *s, struct buf *out,
              struct err *err)
{
    if (r->count > 0)
        qsort(r->entries, r->count, sizeof(*r->entries), compare);
    uint32_t distinct = 0;
    for (size_t i = 0; i < r->count; i++)
        distinct += i == 0 || compare(&r->entries[i - 1], &r->entries[i]) != 0;
    size_t start = out->len;
    mp_put_array(out, distinct);
    for (size_t i = 0; i < r->count; i++)
        if (i == 0 || compare(&r->entries[i - 1], &r->entries[i]) != 0)
            put_entry(out, s, &r->entries[i]);
    if (out->len - start > LIMIT_READ_SET) {
        size_t size = out->len - start;
        out->len = start;
        return err_set(err, ATE_ELIMIT,
                       "the method looked at too much: its read set is %zu "
                       "bytes, %d are allowed; read less, or in ranges",
                       size, LIMIT_READ_SET);
    }
    return 0;
}
