#include "mount/pack.h"

#include <stdlib.h>
#include <string.h>

#include "mount/text.h"

/* ---- reading ---- */

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static uint64_t take(struct cursor *c, size_t size)
{
    uint64_t value = 0;
    if (c->bad || (size_t)(c->end - c->at) < size) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value = value << 8 | *c->at++;
    return value;
}

static void take_bytes(struct cursor *c, struct pack *item, enum pack_kind kind,
                       size_t len)
{
    if (c->bad || (size_t)(c->end - c->at) < len) {
        c->bad = true;
        return;
    }
    item->kind = kind;
    item->data = c->at;
    item->len = len;
    c->at += len;
}

static void take_many(struct cursor *c, struct pack *item, enum pack_kind kind,
                      size_t count)
{
    /* Every item has a byte at least. */
    if (c->bad || (size_t)(c->end - c->at) < count)
        c->bad = true;
    item->kind = kind;
    item->data = c->at;
    item->count = count;
}

static void set_integer(struct pack *item, int64_t value)
{
    item->kind = PACK_INTEGER;
    item->integer = value;
}

static void take_real(struct cursor *c, struct pack *item, size_t size)
{
    uint64_t bits = take(c, size);
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

static void take_unsigned(struct cursor *c, struct pack *item, size_t size)
{
    uint64_t value = take(c, size);
    if (value <= INT64_MAX) {
        set_integer(item, (int64_t)value);
        return;
    }
    item->kind = PACK_UNSIGNED;
    item->number = value;
}

static void take_signed(struct cursor *c, struct pack *item, size_t size)
{
    unsigned shift = (unsigned)(64 - 8 * size);
    set_integer(item, (int64_t)(take(c, size) << shift) >> shift);
}

static void take_long(struct cursor *c, struct pack *item, uint8_t tag)
{
    switch (tag) {
    case 0xc4:
    case 0xc5:
    case 0xc6:
        take_bytes(c, item, PACK_BYTES, take(c, (size_t)1 << (tag - 0xc4)));
        break;
    case 0xca:
    case 0xcb:
        take_real(c, item, tag == 0xca ? 4 : 8);
        break;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        take_unsigned(c, item, (size_t)1 << (tag - 0xcc));
        break;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        take_signed(c, item, (size_t)1 << (tag - 0xd0));
        break;
    case 0xd9:
    case 0xda:
    case 0xdb:
        take_bytes(c, item, PACK_TEXT, take(c, (size_t)1 << (tag - 0xd9)));
        break;
    case 0xdc:
    case 0xdd:
        take_many(c, item, PACK_LIST, take(c, tag == 0xdc ? 2 : 4));
        break;
    case 0xde:
    case 0xdf:
        take_many(c, item, PACK_MAP, take(c, tag == 0xde ? 2 : 4));
        break;
    default: /* extensions: the engine has none */
        c->bad = true;
        break;
    }
}

static struct pack take_item(struct cursor *c)
{
    struct pack item = {.end = c->end};
    uint8_t tag = (uint8_t)take(c, 1);
    if (tag < 0x80 || tag >= 0xe0)
        set_integer(&item, (int8_t)tag);
    else if (tag < 0x90)
        take_many(c, &item, PACK_MAP, tag & 15);
    else if (tag < 0xa0)
        take_many(c, &item, PACK_LIST, tag & 15);
    else if (tag < 0xc0)
        take_bytes(c, &item, PACK_TEXT, tag & 31);
    else if (tag == 0xc0)
        item.kind = PACK_NIL;
    else if (tag == 0xc2 || tag == 0xc3) {
        item.kind = PACK_BOOLEAN;
        item.boolean = tag == 0xc3;
    } else
        take_long(c, &item, tag);
    if (c->bad)
        item = (struct pack){.kind = PACK_NONE};
    return item;
}

/* Behind the item at `c`, whatever it holds; items are counted, not nested, so
 * that depth costs nothing. */
static void skip(struct cursor *c)
{
    for (uint64_t left = 1; left > 0 && !c->bad; left--) {
        struct pack item = take_item(c);
        if (item.kind == PACK_LIST)
            left += item.count;
        else if (item.kind == PACK_MAP)
            left += 2 * (uint64_t)item.count;
    }
}

static struct pack open_at(const uint8_t *at, const uint8_t *end)
{
    struct cursor c = {.at = at, .end = end};
    return at < end ? take_item(&c) : (struct pack){.kind = PACK_NONE};
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
    struct cursor c = {.at = item->start, .end = item->end};
    if (item->kind == PACK_NONE)
        return 0;
    skip(&c);
    return c.bad ? 0 : (size_t)(c.at - item->start);
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
    struct text copy = {0};
    size_t len;
    const char *found = pack_find_text(map, key, &len);
    if (found == NULL)
        return NULL;
    text_put(&copy, found, len);
    return copy.data;
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

static void put_number(struct text *out, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0;)
        text_putc(out, (char)(value >> (8 * i)));
}

/* The tag for the smallest of the sizes that `value` fits, and the value. */
static void put_tagged(struct text *out, const uint8_t tags[4], uint64_t value)
{
    unsigned step = value <= UINT8_MAX    ? 0
                    : value <= UINT16_MAX ? 1
                    : value <= UINT32_MAX ? 2
                                          : 3;
    while (tags[step] == 0)
        step++;
    text_putc(out, (char)tags[step]);
    put_number(out, value, (size_t)1 << step);
}

void pack_put_nil(struct text *out)
{
    text_putc(out, (char)0xc0);
}

void pack_put_boolean(struct text *out, bool value)
{
    text_putc(out, (char)(value ? 0xc3 : 0xc2));
}

void pack_put_unsigned(struct text *out, uint64_t value)
{
    static const uint8_t tags[4] = {0xcc, 0xcd, 0xce, 0xcf};
    if (value < 0x80)
        text_putc(out, (char)value);
    else
        put_tagged(out, tags, value);
}

void pack_put_integer(struct text *out, int64_t value)
{
    if (value >= 0) {
        pack_put_unsigned(out, (uint64_t)value);
    } else if (value >= -32) {
        text_putc(out, (char)value);
    } else {
        size_t step = value >= INT8_MIN    ? 0
                      : value >= INT16_MIN ? 1
                      : value >= INT32_MIN ? 2
                                           : 3;
        text_putc(out, (char)(0xd0 + step));
        put_number(out, (uint64_t)value, (size_t)1 << step);
    }
}

void pack_put_real(struct text *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    text_putc(out, (char)0xcb);
    put_number(out, bits, sizeof(bits));
}

void pack_put_text(struct text *out, const char *data, size_t len)
{
    static const uint8_t tags[4] = {0xd9, 0xda, 0xdb, 0};
    if (len < 32)
        text_putc(out, (char)(0xa0 | len));
    else
        put_tagged(out, tags, len);
    text_put(out, data, len);
}

void pack_put_string(struct text *out, const char *string)
{
    pack_put_text(out, string, strlen(string));
}

void pack_put_bytes(struct text *out, const void *data, size_t len)
{
    static const uint8_t tags[4] = {0xc4, 0xc5, 0xc6, 0};
    put_tagged(out, tags, len);
    text_put(out, data, len);
}

void pack_put_list(struct text *out, size_t count)
{
    static const uint8_t tags[4] = {0, 0xdc, 0xdd, 0};
    if (count < 16)
        text_putc(out, (char)(0x90 | count));
    else
        put_tagged(out, tags, count);
}

void pack_put_map(struct text *out, size_t count)
{
    static const uint8_t tags[4] = {0, 0xde, 0xdf, 0};
    if (count < 16)
        text_putc(out, (char)(0x80 | count));
    else
        put_tagged(out, tags, count);
}
