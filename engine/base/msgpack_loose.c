/* What clients send, made canonical.
 *
 * msgpack-c reserves memory by the counts that a message announces: five bytes
 * make it ask for 8 GiB. So nothing reaches it before a scan of our own has
 * walked the bytes without allocating:
 *
 * (1) `loose` is one whole value of at most MP_LOOSE_MAX bytes, nested at most
 *     MP_DEPTH_MAX deep, with at most MP_LOOSE_VALUES_MAX values in it.
 * (2) Every length is covered by bytes that are there.
 *
 * Together they bound what msgpack-c takes (24 bytes a value) and the depth of
 * the recursion that writes. */
#include "base/msgpack.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/utf8.h"

/* ---- the scan ---- */

/* One head of any msgpack: what follows it, in bytes and in values. */
struct extent {
    size_t head;
    uint64_t bytes;
    uint64_t values;
    bool is_container;
};

/* Bytes of the number behind tags 0xc4 to 0xdf, and what it counts. */
static const struct {
    uint8_t size;
    char counts; /* 'b'ytes, 'v'alues, 'p'airs, 0: it is the value itself */
} wide[] = {
    {1, 'b'}, {2, 'b'}, {4, 'b'},                     /* c4 bin */
    {0, 'x'}, {0, 'x'}, {0, 'x'},                     /* c7 ext */
    {4, 0},   {8, 0},                                 /* ca float */
    {1, 0},   {2, 0},   {4, 0},   {8, 0},             /* cc uint */
    {1, 0},   {2, 0},   {4, 0},   {8, 0},             /* d0 int */
    {0, 'x'}, {0, 'x'}, {0, 'x'}, {0, 'x'}, {0, 'x'}, /* d4 fixext */
    {1, 'b'}, {2, 'b'}, {4, 'b'},                     /* d9 str */
    {2, 'v'}, {4, 'v'},                               /* dc array */
    {2, 'p'}, {4, 'p'},                               /* de map */
};
static_assert(sizeof(wide) / sizeof(wide[0]) == 0xdf - 0xc4 + 1, "each tag");

static int bad(struct err *err, size_t at, const char *why)
{
    return err_set(err, ATE_EINVALID, "msgpack at byte %zu: %s", at, why);
}

static int wide_extent(struct bytes in, size_t at, struct extent *extent,
                       struct err *err)
{
    unsigned tag = in.data[at] - 0xc4u;
    if (wide[tag].counts == 'x')
        return bad(err, at, "extensions are not allowed");
    extent->head = 1u + wide[tag].size;
    if (in.len - at < extent->head)
        return bad(err, at, "cut short");
    uint64_t number = 0;
    for (size_t i = 1; i < extent->head; i++)
        number = number << 8 | in.data[at + i];
    if (wide[tag].counts == 'b')
        extent->bytes = number;
    if (wide[tag].counts == 'v')
        extent->values = number;
    if (wide[tag].counts == 'p')
        extent->values = number * 2;
    extent->is_container = wide[tag].counts == 'v' || wide[tag].counts == 'p';
    return 0;
}

static int extent_at(struct bytes in, size_t at, struct extent *extent,
                     struct err *err)
{
    *extent = (struct extent){.head = 1};
    if (at >= in.len)
        return bad(err, at, "cut short");
    uint8_t tag = in.data[at];
    int rc = 0;
    if (tag >= 0x80 && tag < 0xa0) {
        extent->is_container = true;
        extent->values = tag < 0x90 ? (tag & 0x0fu) * 2 : tag & 0x0fu;
    } else if (tag >= 0xa0 && tag < 0xc0) {
        extent->bytes = tag & 0x1f;
    } else if (tag == 0xc1) {
        rc = bad(err, at, "byte c1 means nothing");
    } else if (tag >= 0xc4 && tag <= 0xdf) {
        rc = wide_extent(in, at, extent, err);
    }
    if (rc != 0)
        return rc;
    size_t left = in.len - at - extent->head;
    if (extent->bytes > left || extent->values > left)
        return bad(err, at, "longer than what is left");
    return 0;
}

/* (1) and (2), or an error. */
static int scan(struct bytes in, struct err *err)
{
    uint64_t left[MP_DEPTH_MAX];
    int depth = 0;
    size_t at = 0;
    size_t values = 0;
    do {
        struct extent extent;
        int rc = extent_at(in, at, &extent, err);
        if (rc != 0)
            return rc;
        if (++values > MP_LOOSE_VALUES_MAX)
            return err_set(err, ATE_ELIMIT, "msgpack: more than %d values",
                           MP_LOOSE_VALUES_MAX);
        if (depth > 0)
            left[depth - 1]--;
        if (extent.is_container && depth == MP_DEPTH_MAX)
            return err_set(err, ATE_ELIMIT,
                           "msgpack at byte %zu: nested deeper than %d", at,
                           MP_DEPTH_MAX);
        if (extent.is_container)
            left[depth++] = extent.values;
        at += extent.head + extent.bytes;
        while (depth > 0 && left[depth - 1] == 0)
            depth--;
    } while (depth > 0);
    if (at != in.len)
        return bad(err, at, "more behind the value");
    return 0;
}

/* ---- the rewriting ---- */

static int write_value(struct buf *out, const msgpack_object *value,
                       struct err *err);

/* The shortest text that is this number and no other. */
static void put_shortest(char out[32], double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* 2^63 and 2^64 are exact as doubles, the largest integers below them are not:
 * hence the strict comparisons. Within them the casts are defined. */
static int refuse_float(double value, struct err *err)
{
    char text[32];
    put_shortest(text, value);
    if (!(value >= -9223372036854775808.0 && value < 18446744073709551616.0))
        return err_set(err, ATE_EINVALID, "the number %s is too large", text);
    return err_set(err, ATE_EINVALID,
                   "the number %s is not whole; an amount with decimals is "
                   "written as text, \"%s\"",
                   text, text);
}

static int write_float(struct buf *out, double value, struct err *err)
{
    bool fits =
        value >= -9223372036854775808.0 && value < 18446744073709551616.0;
    if (fits && value < 0 && value == (double)(int64_t)value)
        mp_put_int(out, (int64_t)value);
    else if (fits && value >= 0 && value == (double)(uint64_t)value)
        mp_put_uint(out, (uint64_t)value);
    else
        return refuse_float(value, err);
    return 0;
}

static struct bytes text_of(const msgpack_object *value)
{
    return bytes_of(value->via.str.ptr, value->via.str.size);
}

static int write_text(struct buf *out, struct bytes text, struct err *err)
{
    if (!utf8_valid(text))
        return err_set(err, ATE_EINVALID, "msgpack: text that is not UTF-8");
    mp_put_str(out, text);
    return 0;
}

static int pair_order(const void *a, const void *b)
{
    const msgpack_object_kv *const *x = a;
    const msgpack_object_kv *const *y = b;
    return bytes_compare(text_of(&(*x)->key), text_of(&(*y)->key));
}

static int write_pairs(struct buf *out, const msgpack_object_kv *const *pairs,
                       uint32_t count, struct err *err)
{
    mp_put_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes key = text_of(&pairs[i]->key);
        if (i > 0 && bytes_equal(key, text_of(&pairs[i - 1]->key)))
            return err_set(
                err, ATE_EINVALID, "msgpack: the map key %.*s is there twice",
                (int)(key.len < 64 ? key.len : 64), (const char *)key.data);
        int rc = write_text(out, key, err);
        if (rc == 0)
            rc = write_value(out, &pairs[i]->val, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int write_map(struct buf *out, const msgpack_object_map *map,
                     struct err *err)
{
    for (uint32_t i = 0; i < map->size; i++)
        if (map->ptr[i].key.type != MSGPACK_OBJECT_STR)
            return err_set(err, ATE_EINVALID,
                           "msgpack: a map key that is not text");
    const msgpack_object_kv **pairs = mem_alloc(map->size * sizeof(*pairs));
    for (uint32_t i = 0; i < map->size; i++)
        pairs[i] = &map->ptr[i];
    if (map->size > 1)
        qsort(pairs, map->size, sizeof(*pairs), pair_order);
    int rc = write_pairs(out, pairs, map->size, err);
    mem_free(pairs);
    return rc;
}

static int write_array(struct buf *out, const msgpack_object_array *array,
                       struct err *err)
{
    mp_put_array(out, array->size);
    int rc = 0;
    for (uint32_t i = 0; i < array->size && rc == 0; i++)
        rc = write_value(out, &array->ptr[i], err);
    return rc;
}

/* Recursion is as deep as the scan allowed. */
static int write_value(struct buf *out, const msgpack_object *value,
                       struct err *err)
{
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        mp_put_nil(out);
        return 0;
    case MSGPACK_OBJECT_BOOLEAN:
        mp_put_bool(out, value->via.boolean);
        return 0;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        mp_put_uint(out, value->via.u64);
        return 0;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        mp_put_int(out, value->via.i64);
        return 0;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return write_float(out, value->via.f64, err);
    case MSGPACK_OBJECT_STR:
        return write_text(out, text_of(value), err);
    case MSGPACK_OBJECT_BIN:
        mp_put_bin(out, bytes_of(value->via.bin.ptr, value->via.bin.size));
        return 0;
    case MSGPACK_OBJECT_ARRAY:
        return write_array(out, &value->via.array, err);
    case MSGPACK_OBJECT_MAP:
        return write_map(out, &value->via.map, err);
    default:
        return err_set(err, ATE_EINVALID, "msgpack: a value of unknown type");
    }
}

int mp_canonical(struct buf *out, struct bytes loose, struct err *err)
{
    if (loose.len > MP_LOOSE_MAX)
        return err_set(err, ATE_ELIMIT, "msgpack: %zu bytes, at most %d",
                       loose.len, MP_LOOSE_MAX);
    int rc = scan(loose, err);
    if (rc != 0)
        return rc;
    if (mp_check(loose, NULL) == 0) { /* most clients send nothing else */
        buf_put_bytes(out, loose);
        return 0;
    }
    msgpack_unpacked whole;
    msgpack_unpacked_init(&whole);
    size_t len_before = out->len;
    size_t at = 0;
    msgpack_unpack_return got =
        msgpack_unpack_next(&whole, (const char *)loose.data, loose.len, &at);
    if (got != MSGPACK_UNPACK_SUCCESS || at != loose.len)
        rc = err_set(err, ATE_EINVALID, "msgpack: not readable");
    else
        rc = write_value(out, &whole.data, err);
    msgpack_unpacked_destroy(&whole);
    if (rc != 0)
        out->len = len_before;
    return rc;
}
