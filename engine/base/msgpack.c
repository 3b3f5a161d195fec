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

void mp_put_str_head(struct buf *b, size_t len)
{
    assert(len <= UINT32_MAX);
    if (len < 32)
        buf_put_u8(b, (uint8_t)(0xa0 | len));
    else if (len <= UINT8_MAX)
        put_head8(b, 0xd9, (uint8_t)len);
    else if (len <= UINT16_MAX)
        put_head16(b, 0xda, (uint16_t)len);
    else
        put_head32(b, 0xdb, (uint32_t)len);
}

void mp_put_str(struct buf *b, struct bytes text)
{
#ifdef __SANITIZE_ADDRESS__ /* texts may be long */
    assert(utf8_valid(text));
#endif
    mp_put_str_head(b, text.len);
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

/* What a tag announces: a number in its own bits, those of `mask`; or, wide,
 * one of `size` bytes behind it, which has to be at least `min` or a shorter
 * form would do. A wide one of size 0 is outside the subset. */
struct shape {
    enum mp_kind kind;
    uint8_t mask;
    bool is_wide;
    uint8_t size;
    bool is_signed; /* then the number has to be below -min */
    uint64_t min;
};

static const struct shape shapes[256] = {
    [0x00 ... 0x7f] = {MP_INT, 0xff},
    [0x80 ... 0x8f] = {MP_MAP, 0x0f},
    [0x90 ... 0x9f] = {MP_ARRAY, 0x0f},
    [0xa0 ... 0xbf] = {MP_STR, 0x1f},
    [0xc0] = {MP_NIL, 0},
    [0xc1] = {MP_NIL, 0, true, 0},
    [0xc2 ... 0xc3] = {MP_BOOL, 0x01},
    [0xc4] = {MP_BIN, 0, true, 1, false, 0},
    [0xc5] = {MP_BIN, 0, true, 2, false, 1 << 8},
    [0xc6] = {MP_BIN, 0, true, 4, false, 1 << 16},
    [0xc7 ... 0xcb] = {MP_NIL, 0, true, 0},
    [0xcc] = {MP_INT, 0, true, 1, false, 1 << 7},
    [0xcd] = {MP_INT, 0, true, 2, false, 1 << 8},
    [0xce] = {MP_INT, 0, true, 4, false, 1 << 16},
    [0xcf] = {MP_INT, 0, true, 8, false, 1ULL << 32},
    [0xd0] = {MP_INT, 0, true, 1, true, 1 << 5},
    [0xd1] = {MP_INT, 0, true, 2, true, 1 << 7},
    [0xd2] = {MP_INT, 0, true, 4, true, 1 << 15},
    [0xd3] = {MP_INT, 0, true, 8, true, 1ULL << 31},
    [0xd4 ... 0xd8] = {MP_NIL, 0, true, 0},
    [0xd9] = {MP_STR, 0, true, 1, false, 1 << 5},
    [0xda] = {MP_STR, 0, true, 2, false, 1 << 8},
    [0xdb] = {MP_STR, 0, true, 4, false, 1 << 16},
    [0xdc] = {MP_ARRAY, 0, true, 2, false, 1 << 4},
    [0xdd] = {MP_ARRAY, 0, true, 4, false, 1 << 16},
    [0xde] = {MP_MAP, 0, true, 2, false, 1 << 4},
    [0xdf] = {MP_MAP, 0, true, 4, false, 1 << 16},
    [0xe0 ... 0xff] = {MP_INT, 0xff},
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

static __attribute__((noinline, cold)) int fail(struct mp *mp, struct err *err,
                                                const char *why)
{
    mp->failed = ATE_EINVALID;
    return err_set(err, mp->failed, "msgpack at byte %zu: %s", place_of(mp),
                   why);
}

static uint64_t number_behind(const uint8_t *p, unsigned size)
{
    switch (size) {
    case 1:
        return p[0];
    case 2:
        return (uint64_t)(p[0] << 8 | p[1]);
    case 4:
        return get_be32(p);
    default:
        return get_be64(p);
    }
}

static int wide_head(struct mp *mp, const struct shape *shape,
                     struct head *head, struct err *err)
{
    unsigned size = shape->size;
    if (mp->at[0] == 0xc1)
        return fail(mp, err, "byte c1 means nothing");
    if (size == 0)
        return fail(mp, err, "floats and extensions are not allowed");
    if (left_of(mp) < 1 + size)
        return fail(mp, err, "cut short");
    uint64_t number = number_behind(mp->at + 1, size);
    bool shortest = number >= shape->min;
    if (shape->is_signed) {
        unsigned unused_bits = 64 - 8 * size;
        int64_t value = (int64_t)(number << unused_bits) >> unused_bits;
        shortest = value < -(int64_t)shape->min;
        number = (uint64_t)value;
    }
    if (!shortest)
        return fail(mp, err, "not in its shortest form");
    if (shape->kind == MP_INT && !shape->is_signed && number > INT64_MAX)
        head->kind = MP_UINT;
    head->size = (uint8_t)(1 + size);
    head->number = number;
    return 0;
}

/* Lengths and counts against what is left (2) (3). */
static bool fits(const struct head *head, size_t left)
{
    left -= head->size;
    return head->kind < MP_STR ||
           head->number <= (head->kind == MP_MAP ? left / 2 : left);
}

static struct head head_of_shape(const struct shape *shape, uint8_t tag)
{
    return (struct head){
        .kind = shape->kind,
        .size = 1,
        .number = (uint64_t)(int64_t)(int8_t)(tag & shape->mask),
    };
}

/* Any head, and what is none. */
static int any_head(struct mp *mp, struct head *head, struct err *err)
{
    if (mp->failed != 0)
        return mp->failed;
    size_t left = left_of(mp);
    if (left == 0)
        return fail(mp, err, "cut short");
    const struct shape *shape = &shapes[mp->at[0]];
    *head = head_of_shape(shape, mp->at[0]);
    int rc = shape->is_wide ? wide_head(mp, shape, head, err) : 0;
    if (rc == 0 && !fits(head, left))
        rc = fail(mp, err, "longer than what is left");
    return rc;
}

/* Look at what stands here without passing it. Most are one byte or two. */
static int head_here(struct mp *mp, struct head *head, struct err *err)
{
    size_t left = left_of(mp);
    if (mp->failed != 0 || left < 2)
        return any_head(mp, head, err);
    const struct shape *shape = &shapes[mp->at[0]];
    *head = head_of_shape(shape, mp->at[0]);
    if (shape->is_wide) {
        head->size = 2;
        head->number = mp->at[1];
        if (shape->size != 1 || shape->is_signed || head->number < shape->min)
            return any_head(mp, head, err);
    }
    return fits(head, left) ? 0 : any_head(mp, head, err);
}

static __attribute__((noinline, cold)) int
want(struct mp *mp, const struct head *head, enum mp_kind kind, struct err *err)
{
    mp->failed = ATE_EINVALID;
    return err_set(err, mp->failed, "msgpack at byte %zu: %s, want %s",
                   place_of(mp), kind_names[head->kind], kind_names[kind]);
}

/* Look at a head that has to be of this kind. */
static int head_of(struct mp *mp, enum mp_kind kind, struct head *head,
                   struct err *err)
{
    int rc = head_here(mp, head, err);
    return rc != 0 || head->kind == kind ? rc : want(mp, head, kind, err);
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
    if (head.kind != MP_UINT && head.kind != MP_INT)
        return want(mp, &head, MP_INT, err);
    if (head.kind == MP_INT && (int64_t)head.number < 0)
        return fail(mp, err, "a negative integer, want one from 0 up");
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

void mp_walk_next(struct mp_walk *walk)
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
    mp_walk_next(&walk);
    return walk;
}

struct bytes mp_walk_get(struct mp_walk *walk, const char *key)
{
    struct bytes wanted = bytes_of_text(key);
    while (walk->name.data != NULL && bytes_compare(walk->name, wanted) < 0)
        mp_walk_next(walk);
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
