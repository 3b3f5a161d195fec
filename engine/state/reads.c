/* Notes are kept as key ranges; digests are made at the end, over the version
 * of the state that the call began with. A single entry is a range without
 * `to`. */
#include "state/reads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "state/changes.h"

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

/* What stands behind an entry of an index: a row's columns, an object's newest
 * event. Who walks an index looks at these. */
static struct bytes behind(struct tree_version v, uint8_t kind,
                           struct bytes value)
{
    struct bytes found = {NULL, 0};
    struct object o;
    if (kind == STATE_ROW_ORDER && state_get(v, STATE_ROW, value, &found))
        return found;
    if (kind == STATE_CHILD && state_object(v, value.data, &o) == OBJECT_LIVE)
        return o.raw;
    return value;
}

/* Looking for something costs as much as one entry that is found, and long
 * values cost more. False: more than there is left. */
static bool pay(uint64_t *left, size_t len)
{
    uint64_t price = 1 + len / READS_STEP;
    bool enough = price <= *left;
    *left = enough ? *left - price : 0;
    return enough;
}

static bool digest_entry(struct tree_version v, uint8_t kind, struct bytes key,
                         uint64_t *left, uint8_t out[HASH_SIZE])
{
    struct bytes value = {NULL, 0};
    if (!state_get(v, kind, key, &value))
        value = bytes_of(NULL, 0);
    if (!pay(left, value.len))
        return false;
    hash_of(LABEL_SEEN, value, out);
    return true;
}

static void put_whole_key(struct buf *out, uint8_t kind, struct bytes key)
{
    buf_put_u8(out, kind);
    buf_put_bytes(out, key);
}

static bool digest_range(struct tree_version v, uint8_t kind, struct bytes from,
                         struct bytes to, uint64_t *left,
                         uint8_t out[HASH_SIZE])
{
    struct buf first = {0};
    struct buf end = {0};
    struct tree_cursor c;
    struct hasher h;
    put_whole_key(&first, kind, from);
    put_whole_key(&end, kind, to);
    hash_begin(&h, LABEL_SEEN);
    bool enough = pay(left, 0);
    bool more = enough && tree_seek(&c, v, buf_bytes(&first));
    while (more && bytes_compare(tree_cursor_key(&c), buf_bytes(&end)) < 0) {
        struct bytes key = tree_cursor_key(&c);
        struct bytes value = behind(v, kind, tree_cursor_value(&c));
        enough = pay(left, value.len);
        if (!enough)
            break;
        hash_part(&h, bytes_of(key.data + 1, key.len - 1));
        hash_part(&h, value);
        more = tree_next(&c);
    }
    hash_end(&h, out);
    buf_deinit(&first);
    buf_deinit(&end);
    return enough;
}

static bool put_entry(struct buf *out, struct tree_version v,
                      const struct reads_entry *e, uint64_t *left)
{
    uint8_t digest[HASH_SIZE];
    bool enough;
    mp_put_array(out, 3);
    mp_put_uint(out, e->kind);
    if (e->is_range) {
        mp_put_array(out, 2);
        mp_put_bin(out, buf_bytes(&e->from));
        mp_put_bin(out, buf_bytes(&e->to));
        enough = digest_range(v, e->kind, buf_bytes(&e->from),
                              buf_bytes(&e->to), left, digest);
    } else {
        mp_put_bin(out, buf_bytes(&e->from));
        enough = digest_entry(v, e->kind, buf_bytes(&e->from), left, digest);
    }
    mp_put_bin(out, bytes_of(digest, HASH_SIZE));
    return enough;
}

void reads_pack(struct reads *r)
{
    size_t kept = 0;
    if (r->count > 0)
        qsort(r->entries, r->count, sizeof(*r->entries), compare);
    for (size_t i = 0; i < r->count; i++) {
        struct reads_entry *e = &r->entries[i];
        if (kept == 0 || compare(&r->entries[kept - 1], e) != 0) {
            r->entries[kept++] = *e;
            continue;
        }
        buf_deinit(&e->from);
        buf_deinit(&e->to);
    }
    r->count = kept;
}

/* Did an entry of the range change behind `number`? */
static bool range_touched(const struct changes *c, struct bytes first,
                          struct bytes end, uint64_t number)
{
    const struct changed *change;
    while ((change = changes_after(c, number)) != NULL) {
        struct bytes key = change_key(change);
        if (bytes_compare(key, first) >= 0 && bytes_compare(key, end) < 0)
            return true;
        number = change->number;
    }
    return false;
}

static bool entry_touched(const struct reads_entry *e, const struct changes *c,
                          uint64_t number)
{
    struct buf first = {0};
    struct buf end = {0};
    struct buf owner = {0};
    put_whole_key(&first, e->kind, buf_bytes(&e->from));
    put_whole_key(&end, e->kind, buf_bytes(&e->to));
    bool touched = false;
    if (!e->is_range)
        touched = changes_last(c, buf_bytes(&first)) > number;
    else if (!changes_owner_key(&owner, buf_bytes(&first)))
        touched = true;
    else
        touched = changes_last(c, buf_bytes(&owner)) > number;
    if (touched && e->is_range &&
        (e->kind == STATE_ROW || e->kind == STATE_PRIVATE_ROW))
        touched = range_touched(c, buf_bytes(&first), buf_bytes(&end), number);
    buf_deinit(&first);
    buf_deinit(&end);
    buf_deinit(&owner);
    return touched;
}

bool reads_touched(const struct reads *r, const struct changes *c,
                   uint64_t number)
{
    bool touched = false;
    for (size_t i = 0; i < r->count && !touched; i++)
        touched = entry_touched(&r->entries[i], c, number);
    return touched;
}

int reads_put(struct reads *r, struct tree_version v, struct buf *out,
              struct err *err)
{
    if (r->count > 0)
        qsort(r->entries, r->count, sizeof(*r->entries), compare);
    uint32_t distinct = 0;
    for (size_t i = 0; i < r->count; i++)
        distinct += i == 0 || compare(&r->entries[i - 1], &r->entries[i]) != 0;
    size_t start = out->len;
    uint64_t left = LIMIT_TX_READS;
    bool enough = true;
    mp_put_array(out, distinct);
    for (size_t i = 0; i < r->count && enough; i++)
        if (i == 0 || compare(&r->entries[i - 1], &r->entries[i]) != 0)
            enough = put_entry(out, v, &r->entries[i], &left);
    if (!enough) {
        out->len = start;
        return err_set(err, ATE_ELIMIT,
                       "the method looked at too much: its read set stands for "
                       "more than %d entries; read less, or split the call",
                       LIMIT_TX_READS);
    }
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

/* ---- and back ---- */

static bool kind_may_be_read(uint64_t kind, bool is_range)
{
    switch (kind) {
    case STATE_OBJECT:
        return !is_range;
    case STATE_ROW:
        return true;
    case STATE_CHILD:
    case STATE_ROW_ORDER:
        return is_range;
    default:
        return false;
    }
}

/* One entry as it is encoded. */
struct seen {
    uint64_t kind;
    bool is_range;
    struct bytes from;
    struct bytes to;
    const uint8_t *digest;
};

static int get_seen(struct mp *mp, struct seen *s, struct err *err)
{
    enum mp_kind form = MP_NIL;
    *s = (struct seen){.kind = 0};
    int rc = mp_get_array_of(mp, 3, err);
    if (rc == 0)
        rc = mp_get_uint(mp, &s->kind, err);
    if (rc == 0)
        rc = mp_peek(mp, &form, err);
    s->is_range = form == MP_ARRAY;
    if (rc == 0 && s->is_range)
        rc = mp_get_array_of(mp, 2, err);
    if (rc == 0)
        rc = mp_get_bin(mp, &s->from, err);
    if (rc == 0 && s->is_range)
        rc = mp_get_bin(mp, &s->to, err);
    if (rc == 0)
        rc = mp_get_bin_of(mp, HASH_SIZE, &s->digest, err);
    if (rc == 0 && !kind_may_be_read(s->kind, s->is_range))
        rc = err_set(err, ATE_EINVALID, "nothing of kind %llu is read so",
                     (unsigned long long)s->kind);
    return rc;
}

/* As reads_put() sorts them. */
static int compare_seen(const struct seen *x, const struct seen *y)
{
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->is_range != y->is_range)
        return x->is_range ? 1 : -1;
    int order = bytes_compare(x->from, y->from);
    return order != 0 ? order : bytes_compare(x->to, y->to);
}

int reads_check_form(struct bytes read_set, struct err *err)
{
    struct mp mp = mp_open(read_set);
    struct seen last = {.kind = 0};
    struct seen s;
    uint32_t count = 0;
    int rc = mp_get_array(&mp, &count, err);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        rc = get_seen(&mp, &s, err);
        if (rc == 0 && i > 0 && compare_seen(&last, &s) >= 0)
            rc = err_set(err, ATE_EINVALID,
                         "entry %u is not sorted, or is there twice",
                         (unsigned)i);
        last = s;
    }
    if (rc == 0)
        rc = mp_done(&mp, err);
    return rc == 0 ? 0 : err_wrap(err, "read set");
}

/* The view or type that such a key begins with, if it is the name of one. */
static struct bytes name_in(struct bytes key)
{
    size_t len = 0;
    while (len < key.len && len < LIMIT_TYPE_NAME && key.data[len] > ' ' &&
           key.data[len] < 0x7f)
        len++;
    return bytes_of(key.data, len);
}

static void put_what(struct buf *out, struct tree_version v,
                     const struct seen *s)
{
    struct object o;
    bool has_id = s->kind == STATE_OBJECT && s->from.len == OBJECT_ID_SIZE;
    struct bytes name = {NULL, 0};
    if (s->kind != STATE_OBJECT)
        name = name_in(s->from);
    else if (has_id && state_object(v, s->from.data, &o) != OBJECT_ABSENT)
        name = o.header.type;
    if (name.len == 0)
        name = bytes_of_text(s->is_range ? "a range" : "an object");
    buf_put_bytes(out, name);
    if (has_id) {
        buf_put_text(out, " ");
        hex_put(out, s->from);
    }
}

static int stale(struct tree_version v, const struct seen *s, uint32_t i,
                 struct err *err)
{
    struct buf what = {0};
    put_what(&what, v, s);
    int rc = err_set(err, ATE_ESTALE, "%s (entry %u of its read set)",
                     buf_text(&what), (unsigned)i);
    buf_deinit(&what);
    return rc;
}

int reads_check(struct bytes read_set, struct tree_version v, uint64_t *left,
                struct err *err)
{
    struct mp mp = mp_open(read_set);
    struct seen s;
    uint32_t count = 0;
    int rc = reads_check_form(read_set, err);
    if (rc != 0)
        return rc;
    mp_get_array(&mp, &count, NULL);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t now[HASH_SIZE];
        bool enough;
        rc = get_seen(&mp, &s, err);
        assert(rc == 0);
        if (s.is_range)
            enough = digest_range(v, (uint8_t)s.kind, s.from, s.to, left, now);
        else
            enough = digest_entry(v, (uint8_t)s.kind, s.from, left, now);
        if (!enough)
            return err_set(err, ATE_ELIMIT,
                           "its read set stands for too many entries");
        if (memcmp(now, s.digest, HASH_SIZE) != 0)
            return stale(v, &s, i, err);
    }
    return 0;
}
