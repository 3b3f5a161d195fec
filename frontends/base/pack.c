#include "base/pack.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* ---- reading ---- */

static uint64_t take(struct pack_reader *r, size_t size)
{
    uint64_t value = 0;
    if (r->bad || (size_t)(r->end - r->at) < size) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value = value << 8 | *r->at++;
    return value;
}

static void take_bytes(struct pack_reader *r, struct pack *item,
                       enum pack_kind kind, size_t len)
{
    if (r->bad || (size_t)(r->end - r->at) < len) {
        r->bad = true;
        return;
    }
    item->kind = kind;
    item->data = r->at;
    item->len = len;
    r->at += len;
}

static void take_many(struct pack_reader *r, struct pack *item,
                      enum pack_kind kind, size_t count)
{
    /* Every item has a byte at least. */
    size_t most = (size_t)(r->end - r->at) / (kind == PACK_MAP ? 2 : 1);
    if (most < count)
        r->bad = true;
    item->kind = kind;
    item->data = r->at;
    item->count = count;
}

static void set_integer(struct pack *item, int64_t value)
{
    item->kind = PACK_INTEGER;
    item->integer = value;
}

static void take_real(struct pack_reader *r, struct pack *item, size_t size)
{
    uint64_t bits = take(r, size);
    item->kind = PACK_REAL;
    if (size == 8) {
        memcpy(&item->real, &bits, sizeof(item->real));
        return;
    }
    uint32_t half = (uint32_t)bits;
    float value;
    memcpy(&value, &half, sizeof(value));
    item->real = (double)value;
}

static void take_unsigned(struct pack_reader *r, struct pack *item, size_t size)
{
    uint64_t value = take(r, size);
    if (value <= INT64_MAX) {
        set_integer(item, (int64_t)value);
        return;
    }
    item->kind = PACK_UNSIGNED;
    item->number = value;
}

static void take_signed(struct pack_reader *r, struct pack *item, size_t size)
{
    unsigned shift = (unsigned)(64 - 8 * size);
    set_integer(item, (int64_t)(take(r, size) << shift) >> shift);
}

static void take_long(struct pack_reader *r, struct pack *item, uint8_t tag)
{
    switch (tag) {
    case 0xc4:
    case 0xc5:
    case 0xc6:
        take_bytes(r, item, PACK_BYTES, take(r, (size_t)1 << (tag - 0xc4)));
        break;
    case 0xca:
    case 0xcb:
        take_real(r, item, tag == 0xca ? 4 : 8);
        break;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        take_unsigned(r, item, (size_t)1 << (tag - 0xcc));
        break;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        take_signed(r, item, (size_t)1 << (tag - 0xd0));
        break;
    case 0xd9:
    case 0xda:
    case 0xdb:
        take_bytes(r, item, PACK_TEXT, take(r, (size_t)1 << (tag - 0xd9)));
        break;
    case 0xdc:
    case 0xdd:
        take_many(r, item, PACK_LIST, take(r, tag == 0xdc ? 2 : 4));
        break;
    case 0xde:
    case 0xdf:
        take_many(r, item, PACK_MAP, take(r, tag == 0xde ? 2 : 4));
        break;
    default: /* extensions: the engine has none */
        r->bad = true;
        break;
    }
}

struct pack pack_read(struct pack_reader *r)
{
    struct pack item = {.end = r->end};
    uint8_t tag = (uint8_t)take(r, 1);
    if (tag < 0x80 || tag >= 0xe0)
        set_integer(&item, (int8_t)tag);
    else if (tag < 0x90)
        take_many(r, &item, PACK_MAP, tag & 15);
    else if (tag < 0xa0)
        take_many(r, &item, PACK_LIST, tag & 15);
    else if (tag < 0xc0)
        take_bytes(r, &item, PACK_TEXT, tag & 31);
    else if (tag == 0xc0)
        item.kind = PACK_NIL;
    else if (tag == 0xc2 || tag == 0xc3) {
        item.kind = PACK_BOOLEAN;
        item.boolean = tag == 0xc3;
    } else
        take_long(r, &item, tag);
    if (r->bad)
        item = (struct pack){.kind = PACK_NONE};
    return item;
}

/* Items are counted, not nested, so that depth costs nothing. */
void pack_skip(struct pack_reader *r)
{
    for (uint64_t left = 1; left > 0 && !r->bad; left--) {
        struct pack item = pack_read(r);
        if (item.kind == PACK_LIST)
            left += item.count;
        else if (item.kind == PACK_MAP)
            left += 2 * (uint64_t)item.count;
    }
}

static struct pack open_at(const uint8_t *at, const uint8_t *end)
{
    struct pack_reader r = {.at = at, .end = end};
    return at < end ? pack_read(&r) : (struct pack){.kind = PACK_NONE};
}

struct pack pack_open(const void *data, size_t len)
{
    struct pack item = {.kind = PACK_NONE};
    if (data != NULL && len > 0)
        item = open_at(data, (const uint8_t *)data + len);
    item.start = data;
    return item;
}

struct pack pack_first(const struct pack *list)
{
    bool some =
        (list->kind == PACK_LIST || list->kind == PACK_MAP) && list->count > 0;
    if (!some)
        return (struct pack){.kind = PACK_NONE};
    struct pack item = open_at(list->data, list->end);
    item.start = list->data;
    return item;
}

struct pack pack_next(const struct pack *item)
{
    size_t size = pack_size(item);
    if (size == 0)
        return (struct pack){.kind = PACK_NONE};
    struct pack next = open_at(item->start + size, item->end);
    next.start = item->start + size;
    return next;
}

size_t pack_size(const struct pack *item)
{
    struct pack_reader r = {.at = item->start, .end = item->end};
    if (item->kind == PACK_NONE)
        return 0;
    pack_skip(&r);
    return r.bad ? 0 : (size_t)(r.at - item->start);
}

bool pack_is(const struct pack *item, const char *text)
{
    size_t len = strlen(text);
    return item->kind == PACK_TEXT && item->len == len &&
           memcmp(item->data, text, len) == 0;
}

struct pack pack_find(const struct pack *map, const char *key)
{
    if (map->kind != PACK_MAP)
        return (struct pack){.kind = PACK_NONE};
    struct pack at = pack_first(map);
    for (size_t i = 0; i < map->count; i++) {
        struct pack value = pack_next(&at);
        if (pack_is(&at, key))
            return value;
        at = pack_next(&value);
    }
    return (struct pack){.kind = PACK_NONE};
}

const char *pack_find_text(const struct pack *map, const char *key, size_t *len)
{
    struct pack found = pack_find(map, key);
    *len = found.kind == PACK_TEXT ? found.len : 0;
    return found.kind == PACK_TEXT ? (const char *)found.data : NULL;
}

char *pack_copy_text(const struct pack *map, const char *key)
{
    size_t len;
    const char *found = pack_find_text(map, key, &len);
    return found != NULL ? memory_text(found, len) : NULL;
}

int64_t pack_find_integer(const struct pack *map, const char *key,
                          int64_t other)
{
    struct pack found = pack_find(map, key);
    return found.kind == PACK_INTEGER ? found.integer : other;
}

bool pack_find_true(const struct pack *map, const char *key)
{
    struct pack found = pack_find(map, key);
    return found.kind == PACK_BOOLEAN && found.boolean;
}

/* ---- writing ---- */

static int append(void *out, const char *data, size_t len)
{
    buffer_put(out, data, len);
    return 0;
}

static msgpack_packer to(struct buffer *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, append);
    return packer;
}

void pack_put_nil(struct buffer *out)
{
    msgpack_packer packer = to(out);
    msgpack_pack_nil(&packer);
}

void pack_put_boolean(struct buffer *out, bool value)
{
    msgpack_packer packer = to(out);
    value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer);
}

void pack_put_unsigned(struct buffer *out, uint64_t value)
{
    msgpack_packer packer = to(out);
    msgpack_pack_uint64(&packer, value);
}

void pack_put_integer(struct buffer *out, int64_t value)
{
    msgpack_packer packer = to(out);
    msgpack_pack_int64(&packer, value);
}

void pack_put_real(struct buffer *out, double value)
{
    msgpack_packer packer = to(out);
    msgpack_pack_double(&packer, value);
}

void pack_put_text(struct buffer *out, const char *data, size_t len)
{
    msgpack_packer packer = to(out);
    msgpack_pack_str_with_body(&packer, data, len);
}

void pack_put_string(struct buffer *out, const char *string)
{
    pack_put_text(out, string, strlen(string));
}

void pack_put_bytes(struct buffer *out, const void *data, size_t len)
{
    msgpack_packer packer = to(out);
    msgpack_pack_bin_with_body(&packer, data, len);
}

void pack_put_list(struct buffer *out, size_t count)
{
    msgpack_packer packer = to(out);
    msgpack_pack_array(&packer, count);
}

void pack_put_map(struct buffer *out, size_t count)
{
    msgpack_packer packer = to(out);
    msgpack_pack_map(&packer, count);
}
