/* Reading canonical msgpack, and writing it.
 *
 * (1) A read either passes one whole value (or one array or map header) or
 *     leaves the reader where it stands, with `failed` set.
 * (2) at <= end at all times; a length is compared with end - at before it is
 *     added to anything.
 * (3) Every value is at least one byte long, so that a count above what is left
 *     is refused at the header: whoever allocates by it stays in proportion to
 *     the bytes that arrived.
 * (4) What mp_skip passes is canonical as a whole. Reading piece by piece
 *     checks everything but the order of a map's keys. */
#include "base/msgpack.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

/* ---- writing ---- */

static void put_head16(struct buf *b, uint8_t tag, uint16_t value)
{
    uint8_t *p = buf_grow(b, 3);
    p[0] = tag;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)value;
}

static void put_head32(struct buf *b, uint8_t tag, uint32_t value)
{
    uint8_t *p = buf_grow(b, 5);
    p[0] = tag;
    put_be32(p + 1, value);
}

static void put_head64(struct buf *b, uint8_t tag, uint64_t value)
{
    uint8_t *p = buf_grow(b, 9);
    p[0] = tag;
    put_be64(p + 1, value);
}

static void put_head8(struct buf *b, uint8_t tag, uint8_t value)
{
    uint8_t *p = buf_grow(b, 2);
    p[0] = tag;
    p[1] = value;
}

void mp_put_nil(struct buf *b)
{
    buf_put_u8(b, 0xc0);
}

void mp_put_bool(struct buf *b, bool value)
{
    buf_put_u8(b, value ? 0xc3 : 0xc2);
}

void mp_put_uint(struct buf *b, uint64_t value)
{
    if (value < 0x80)
        buf_put_u8(b, (uint8_t)value);
    else if (value <= UINT8_MAX)
        put_head8(b, 0xcc, (uint8_t)value);
    else if (value <= UINT16_MAX)
        put_head16(b, 0xcd, (uint16_t)value);
    else if (value <= UINT32_MAX)
        put_head32(b, 0xce, (uint32_t)value);
    else
        put_head64(b, 0xcf, value);
}

void mp_put_int(struct buf *b, int64_t value)
{
    if (value >= 0)
        mp_put_uint(b, (uint64_t)value);
    else if (value >= -32)
        buf_put_u8(b, (uint8_t)value);
    else if (value >= INT8_MIN)
        put_head8(b, 0xd0, (uint8_t)value);
    else if (value >= INT16_MIN)
        put_head16(b, 0xd1, (uint16_t)value);
    else if (value >= INT32_MIN)
        put_head32(b, 0xd2, (uint32_t)value);
    else
        put_head64(b, 0xd3, (uint64_t)value);
}

void mp_put_str(struct buf *b, struct bytes text)
{
    assert(text.len <= UINT32_MAX);
#ifdef __SANITIZE_ADDRESS__ /* texts may be long */
    assert(utf8_valid(text));
#endif
    if (text.len < 32)
        buf_put_u8(b, (uint8_t)(0xa0 | text.len));
    else if (text.len <= UINT8_MAX)
        put_head8(b, 0xd9, (uint8_t)text.len);
    else if (text.len <= UINT16_MAX)
        put_head16(b, 0xda, (uint16_t)text.len);
    else
        put_head32(b, 0xdb, (uint32_t)text.len);
    buf_put_bytes(b, text);
}

void mp_put_text(struct buf *b, const char *text)
{
    mp_put_str(b, bytes_of_text(text));
}

void mp_put_bin(struct buf *b, struct bytes bytes)
{
    assert(bytes.len <= UINT32_MAX);
    if (bytes.len <= UINT8_MAX)
        put_head8(b, 0xc4, (uint8_t)bytes.len);
    else if (bytes.len <= UINT16_MAX)
        put_head16(b, 0xc5, (uint16_t)bytes.len);
    else
        put_head32(b, 0xc6, (uint32_t)bytes.len);
    buf_put_bytes(b, bytes);
}

void mp_put_bin_or_nil(struct buf *b, struct bytes bytes)
{
    if (bytes.len == 0)
        mp_put_nil(b);
    else
        mp_put_bin(b, bytes);
}

void mp_put_id(struct buf *b, const uint8_t *id, size_t len)
{
    mp_put_bin_or_nil(b, bytes_of(id, id == NULL ? 0 : len));
}

void mp_put_array(struct buf *b, uint32_t count)
{
    if (count < 16)
        buf_put_u8(b, (uint8_t)(0x90 | count));
    else if (count <= UINT16_MAX)
        put_head16(b, 0xdc, (uint16_t)count);
    else
        put_head32(b, 0xdd, count);
}

void mp_put_map(struct buf *b, uint32_t count)
{
    if (count < 16)
        buf_put_u8(b, (uint8_t)(0x80 | count));
    else if (count <= UINT16_MAX)
        put_head16(b, 0xde, (uint16_t)count);
    else
        put_head32(b, 0xdf, count);
}

/* ---- reading ---- */

/* The head of one value: its kind, and its number, length or count. */
struct head {
    enum mp_kind kind;
    uint8_t size;    /* bytes of the head itself */
    uint64_t number; /* two's complement when negative */
};

/* What tags 0xc4 to 0xdf announce: a number of `size` bytes, which has to be at
 * least `min` or a shorter form would do. Size 0 is outside the subset. */
struct shape {
    enum mp_kind kind;
    uint8_t size;
    bool is_signed; /* then the number has to be below -min */
    uint64_t min;
};

enum { SHAPE_FIRST = 0xc4, SHAPE_LAST = 0xdf };

static const struct shape shapes[SHAPE_LAST - SHAPE_FIRST + 1] = {
    [0xc4 - SHAPE_FIRST] = {MP_BIN, 1, false, 0},
    [0xc5 - SHAPE_FIRST] = {MP_BIN, 2, false, 1 << 8},
    [0xc6 - SHAPE_FIRST] = {MP_BIN, 4, false, 1 << 16},
    [0xcc - SHAPE_FIRST] = {MP_INT, 1, false, 1 << 7},
    [0xcd - SHAPE_FIRST] = {MP_INT, 2, false, 1 << 8},
    [0xce - SHAPE_FIRST] = {MP_INT, 4, false, 1 << 16},
    [0xcf - SHAPE_FIRST] = {MP_INT, 8, false, 1ULL << 32},
    [0xd0 - SHAPE_FIRST] = {MP_INT, 1, true, 1 << 5},
    [0xd1 - SHAPE_FIRST] = {MP_INT, 2, true, 1 << 7},
    [0xd2 - SHAPE_FIRST] = {MP_INT, 4, true, 1 << 15},
    [0xd3 - SHAPE_FIRST] = {MP_INT, 8, true, 1ULL << 31},
    [0xd9 - SHAPE_FIRST] = {MP_STR, 1, false, 1 << 5},
    [0xda - SHAPE_FIRST] = {MP_STR, 2, false, 1 << 8},
    [0xdb - SHAPE_FIRST] = {MP_STR, 4, false, 1 << 16},
    [0xdc - SHAPE_FIRST] = {MP_ARRAY, 2, false, 1 << 4},
    [0xdd - SHAPE_FIRST] = {MP_ARRAY, 4, false, 1 << 16},
    [0xde - SHAPE_FIRST] = {MP_MAP, 2, false, 1 << 4},
    [0xdf - SHAPE_FIRST] = {MP_MAP, 4, false, 1 << 16},
};

static const char *const kind_names[] = {
    [MP_NIL] = "nil",        [MP_BOOL] = "a boolean",
    [MP_INT] = "an integer", [MP_UINT] = "an integer above int64",
    [MP_STR] = "text",       [MP_BIN] = "bytes",
    [MP_ARRAY] = "an array", [MP_MAP] = "a map",
};

struct mp mp_open(struct bytes bytes)
{
    const uint8_t *end = bytes.len > 0 ? bytes.data + bytes.len : bytes.data;
    return (struct mp){.at = bytes.data, .end = end, .start = bytes.data};
}

struct mp mp_open_known(struct bytes bytes)
{
    struct mp mp = mp_open(bytes);
    mp.known = true;
    return mp;
}

static size_t left_of(const struct mp *mp)
{
    assert(mp->at <= mp->end);
    return (size_t)(mp->end - mp->at);
}

static size_t place_of(const struct mp *mp)
{
    return (size_t)(mp->at - mp->start);
}

static int fail(struct mp *mp, struct err *err, const char *why)
{
    mp->failed = ATE_EINVALID;
    return err_set(err, mp->failed, "msgpack at byte %zu: %s", place_of(mp),
                   why);
}

static int wide_head(struct mp *mp, struct head *head, struct err *err)
{
    const struct shape *shape = &shapes[mp->at[0] - SHAPE_FIRST];
    unsigned size = shape->size;
    if (size == 0)
        return fail(mp, err, "floats and extensions are not allowed");
    if (left_of(mp) < 1 + size)
        return fail(mp, err, "cut short");
    uint64_t number = 0;
    for (unsigned i = 1; i <= size; i++)
        number = number << 8 | mp->at[i];
    bool shortest = number >= shape->min;
    if (shape->is_signed) {
        unsigned unused_bits = 64 - 8 * size;
        int64_t value = (int64_t)(number << unused_bits) >> unused_bits;
        shortest = value < -(int64_t)shape->min;
        number = (uint64_t)value;
    }
    if (!shortest)
        return fail(mp, err, "not in its shortest form");
    head->kind = shape->kind;
    if (shape->kind == MP_INT && !shape->is_signed && number > INT64_MAX)
        head->kind = MP_UINT;
    head->size = (uint8_t)(1 + size);
    head->number = number;
    return 0;
}

static struct head short_head(uint8_t tag)
{
    struct head head = {.size = 1};
    if (tag < 0x80 || tag >= 0xe0) {
        head.kind = MP_INT;
        head.number = (uint64_t)(int64_t)(int8_t)tag;
    } else if (tag < 0x90) {
        head.kind = MP_MAP;
        head.number = tag & 0x0f;
    } else if (tag < 0xa0) {
        head.kind = MP_ARRAY;
        head.number = tag & 0x0f;
    } else if (tag < 0xc0) {
        head.kind = MP_STR;
        head.number = tag & 0x1f;
    } else if (tag == 0xc0) {
        head.kind = MP_NIL;
    } else {
        assert(tag == 0xc2 || tag == 0xc3);
        head.kind = MP_BOOL;
        head.number = tag & 1;
    }
    return head;
}

/* Lengths and counts against what is left (2) (3). */
static bool fits(const struct head *head, size_t left)
{
    left -= head->size;
    switch (head->kind) {
    case MP_STR:
    case MP_BIN:
    case MP_ARRAY:
        return head->number <= left;
    case MP_MAP:
        return head->number <= left / 2;
    default:
        return true;
    }
}

/* Look at what stands here without passing it. */
static int head_here(struct mp *mp, struct head *head, struct err *err)
{
    if (mp->failed != 0)
        return mp->failed;
    if (left_of(mp) == 0)
        return fail(mp, err, "cut short");
    uint8_t tag = mp->at[0];
    if (tag == 0xc1)
        return fail(mp, err, "byte c1 means nothing");
    if (tag >= SHAPE_FIRST && tag <= SHAPE_LAST) {
        int rc = wide_head(mp, head, err);
        if (rc != 0)
            return rc;
    } else {
        *head = short_head(tag);
    }
    if (!fits(head, left_of(mp)))
        return fail(mp, err, "longer than what is left");
    return 0;
}

/* Look at a head that has to be of this kind. */
static int head_of(struct mp *mp, enum mp_kind kind, struct head *head,
                   struct err *err)
{
    int rc = head_here(mp, head, err);
    if (rc != 0 || head->kind == kind)
        return rc;
    mp->failed = ATE_EINVALID;
    return err_set(err, mp->failed, "msgpack at byte %zu: %s, want %s",
                   place_of(mp), kind_names[head->kind], kind_names[kind]);
}

/* Pass a head and, behind a str or bin, what it announces. */
static int pass(struct mp *mp, const struct head *head, struct bytes *content,
                struct err *err)
{
    size_t len =
        head->kind == MP_STR || head->kind == MP_BIN ? head->number : 0;
    *content = bytes_of(mp->at + head->size, len);
    if (head->kind == MP_STR && !mp->known && !utf8_valid(*content))
        return fail(mp, err, "text that is not UTF-8");
    mp->at += head->size + len;
    assert(mp->at <= mp->end);
    return 0;
}

int mp_peek(struct mp *mp, enum mp_kind *kind, struct err *err)
{
    struct head head = {0};
    int rc = head_here(mp, &head, err);
    if (rc == 0)
        *kind = head.kind;
    return rc;
}

int mp_get_nil(struct mp *mp, struct err *err)
{
    struct head head = {0};
    int rc = head_of(mp, MP_NIL, &head, err);
    if (rc == 0)
        mp->at += head.size;
    return rc;
}

bool mp_take_nil(struct mp *mp)
{
    if (mp->failed != 0 || left_of(mp) == 0 || mp->at[0] != 0xc0)
        return false;
    mp->at++;
    return true;
}

int mp_get_bool(struct mp *mp, bool *value, struct err *err)
{
    struct head head = {0};
    int rc = head_of(mp, MP_BOOL, &head, err);
    if (rc != 0)
        return rc;
    *value = head.number != 0;
    mp->at += head.size;
    return 0;
}

int mp_get_int(struct mp *mp, int64_t *value, struct err *err)
{
    struct head head = {0};
    int rc = head_of(mp, MP_INT, &head, err);
    if (rc != 0)
        return rc;
    *value = (int64_t)head.number;
    mp->at += head.size;
    return 0;
}

int mp_get_uint(struct mp *mp, uint64_t *value, struct err *err)
{
    struct head head = {0};
    int rc = head_here(mp, &head, err);
    if (rc != 0)
        return rc;
    bool negative = head.kind == MP_INT && (int64_t)head.number < 0;
    if (negative)
        return fail(mp, err, "a negative integer, want one from 0 up");
    if (head.kind != MP_UINT)
        rc = head_of(mp, MP_INT, &head, err);
    if (rc != 0)
        return rc;
    *value = head.number;
    mp->at += head.size;
    return 0;
}

static int get_content(struct mp *mp, enum mp_kind kind, struct bytes *content,
                       struct err *err)
{
    struct head head = {0};
    struct bytes found;
    int rc = head_of(mp, kind, &head, err);
    if (rc == 0)
        rc = pass(mp, &head, &found, err);
    if (rc == 0)
        *content = found;
    return rc;
}

int mp_get_str(struct mp *mp, struct bytes *text, struct err *err)
{
    return get_content(mp, MP_STR, text, err);
}

int mp_get_bin(struct mp *mp, struct bytes *bytes, struct err *err)
{
    return get_content(mp, MP_BIN, bytes, err);
}

int mp_get_bin_of(struct mp *mp, size_t len, const uint8_t **bytes,
                  struct err *err)
{
    struct head head = {0};
    int rc = head_of(mp, MP_BIN, &head, err);
    if (rc != 0)
        return rc;
    if (head.number != len) {
        mp->failed = ATE_EINVALID;
        return err_set(err, mp->failed,
                       "msgpack at byte %zu: %zu bytes, want %zu", place_of(mp),
                       (size_t)head.number, len);
    }
    *bytes = mp->at + head.size;
    mp->at += head.size + len;
    return 0;
}

int mp_get_bin_or_nil(struct mp *mp, size_t len, const uint8_t **bytes_or_null,
                      struct err *err)
{
    if (!mp_take_nil(mp))
        return mp_get_bin_of(mp, len, bytes_or_null, err);
    *bytes_or_null = NULL;
    return 0;
}

static int get_count(struct mp *mp, enum mp_kind kind, uint32_t *count,
                     struct err *err)
{
    struct head head = {0};
    int rc = head_of(mp, kind, &head, err);
    if (rc != 0)
        return rc;
    *count = (uint32_t)head.number;
    mp->at += head.size;
    return 0;
}

int mp_get_array(struct mp *mp, uint32_t *count, struct err *err)
{
    return get_count(mp, MP_ARRAY, count, err);
}

int mp_get_array_of(struct mp *mp, uint32_t count, struct err *err)
{
    struct head head = {0};
    int rc = head_of(mp, MP_ARRAY, &head, err);
    if (rc != 0)
        return rc;
    if (head.number != count) {
        mp->failed = ATE_EINVALID;
        return err_set(err, mp->failed,
                       "msgpack at byte %zu: an array of %u, want %u",
                       place_of(mp), (unsigned)head.number, (unsigned)count);
    }
    mp->at += head.size;
    return 0;
}

int mp_get_map(struct mp *mp, uint32_t *count, struct err *err)
{
    return get_count(mp, MP_MAP, count, err);
}

/* ---- whole values ---- */

/* An array or map that is being walked. */
struct level {
    uint64_t left; /* values to come; a map's keys count too */
    bool is_map;
    bool has_key;
    struct bytes key; /* of a map, the last one */
};

/* A key has to be text and above the one before it. */
static int check_key(struct mp *mp, struct level *level,
                     const struct head *head, struct bytes content,
                     struct err *err)
{
    if (head->kind != MP_STR)
        return fail(mp, err, "a map key that is not text");
    if (level->has_key && bytes_compare(level->key, content) >= 0)
        return fail(mp, err, "map keys not sorted, or one twice");
    level->key = content;
    level->has_key = true;
    return 0;
}

static int walk_value(struct mp *mp, struct err *err)
{
    struct level levels[MP_DEPTH_MAX];
    int depth = 0;
    do {
        struct head head = {0};
        struct bytes content;
        int rc = head_here(mp, &head, err);
        struct level *level = depth > 0 ? &levels[depth - 1] : NULL;
        if (rc == 0)
            rc = pass(mp, &head, &content, err);
        if (rc == 0 && level != NULL && level->is_map && level->left % 2 == 0)
            rc = check_key(mp, level, &head, content, err);
        if (rc != 0)
            return rc;
        if (level != NULL)
            level->left--;
        if (head.kind == MP_ARRAY || head.kind == MP_MAP) {
            bool is_map = head.kind == MP_MAP;
            if (depth + mp->above >= MP_DEPTH_MAX)
                return fail(mp, err, "nested too deep");
            levels[depth++] = (struct level){
                .left = is_map ? head.number * 2 : head.number,
                .is_map = is_map,
            };
        }
        while (depth > 0 && levels[depth - 1].left == 0)
            depth--;
    } while (depth > 0);
    return 0;
}

/* The same of what is known: its end is all there is to find. */
static int walk_known(struct mp *mp, struct err *err)
{
    for (uint64_t left = 1; left > 0; left--) {
        struct head head = {0};
        struct bytes content;
        int rc = head_here(mp, &head, err);
        if (rc == 0)
            rc = pass(mp, &head, &content, err);
        if (rc != 0)
            return rc;
        if (head.kind == MP_ARRAY || head.kind == MP_MAP)
            left += head.kind == MP_MAP ? head.number * 2 : head.number;
    }
    return 0;
}

int mp_skip(struct mp *mp, struct bytes *raw, struct err *err)
{
    struct mp walk = *mp; /* so that a failure leaves `at` alone (1) */
    int rc = mp->known ? walk_known(&walk, err) : walk_value(&walk, err);
    if (rc != 0) {
        mp->failed = rc;
        return rc;
    }
    if (raw != NULL)
        *raw = bytes_of(mp->at, (size_t)(walk.at - mp->at));
    mp->at = walk.at;
    return 0;
}

int mp_done(struct mp *mp, struct err *err)
{
    if (mp->failed != 0)
        return mp->failed;
    if (left_of(mp) > 0)
        return fail(mp, err, "more behind the value");
    return 0;
}

int mp_check(struct bytes bytes, struct err *err)
{
    struct mp mp = mp_open(bytes);
    int rc = mp_skip(&mp, NULL, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    return rc;
}

static void walk_on(struct mp_walk *walk)
{
    walk->name = walk->value = (struct bytes){0};
    if (walk->left == 0)
        return;
    walk->left--;
    mp_get_str(&walk->mp, &walk->name, NULL);
    mp_skip(&walk->mp, &walk->value, NULL);
    if (walk->mp.failed != 0) {
        walk->left = 0;
        walk->name = walk->value = (struct bytes){0};
    }
}

struct mp_walk mp_walk_open(struct bytes map)
{
    struct mp_walk walk = {.mp = mp_open_known(map)};
    if (mp_get_map(&walk.mp, &walk.left, NULL) != 0)
        walk.left = 0;
    walk_on(&walk);
    return walk;
}

struct bytes mp_walk_get(struct mp_walk *walk, const char *key)
{
    struct bytes wanted = bytes_of_text(key);
    while (walk->name.data != NULL && bytes_compare(walk->name, wanted) < 0)
        walk_on(walk);
    bool found = walk->name.data != NULL && bytes_equal(walk->name, wanted);
    return found ? walk->value : (struct bytes){0};
}

struct bytes mp_map_get(struct bytes map, const char *key)
{
    struct mp mp = mp_open_known(map);
    struct bytes wanted = bytes_of_text(key);
    uint32_t count;
    if (mp_get_map(&mp, &count, NULL) != 0)
        return (struct bytes){0};
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name = {0};
        struct bytes value = {0};
        mp_get_str(&mp, &name, NULL);
        mp_skip(&mp, &value, NULL);
        if (mp.failed != 0)
            break;
        int order = bytes_compare(name, wanted);
        if (order == 0)
            return value;
        if (order > 0)
            break; /* sorted: it will not come any more */
    }
    return (struct bytes){0};
}
