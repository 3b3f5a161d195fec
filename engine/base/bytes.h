/* bytes: a borrowed run of bytes, and a growing one that owns its memory. */
#ifndef ATE_BASE_BYTES_H
#define ATE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed: whoever hands it out says until when it lives. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){.data = data, .len = len};
}

static inline struct bytes bytes_of_text(const char *text)
{
    return bytes_of(text, strlen(text)); /* without the final zero */
}
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || a.data == b.data ||
                              memcmp(a.data, b.data, a.len) == 0);
}
/* As memcmp; what is shorter comes first. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* How many zeros stand at its beginning. */
size_t bytes_zeros(struct bytes bytes);
static inline bool bytes_are_zero(struct bytes bytes)
{
    return bytes_zeros(bytes) == bytes.len;
}

/* Grows as it is written to. All zeros is an empty one. */
struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
};

void buf_deinit(struct buf *b);               /* safe twice */
void buf_clear(struct buf *b);                /* keeps the memory */
void buf_reserve(struct buf *b, size_t more); /* room for `more` behind len */
/* n bytes, not set, now in len */
static inline uint8_t *buf_grow(struct buf *b, size_t n)
{
    if (n > b->cap - b->len)
        buf_reserve(b, n);
    uint8_t *at = b->data + b->len;
    b->len += n;
    return at;
}
static inline void buf_put(struct buf *b, const void *data, size_t len)
{
    if (len > 0)
        memcpy(buf_grow(b, len), data, len);
}
static inline void buf_put_bytes(struct buf *b, struct bytes bytes)
{
    buf_put(b, bytes.data, bytes.len);
}
void buf_put_text(struct buf *b, const char *text);
static inline void buf_put_u8(struct buf *b, uint8_t value)
{
    *buf_grow(b, 1) = value;
}
void buf_put_be64(struct buf *b, uint64_t value);
void buf_put_decimal(struct buf *b, uint64_t number);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_pad(struct buf *b, size_t alignment); /* zeros to a multiple */
/* Make `b` the smallest bytes that are greater than all that begin with it;
 * false, and `b` empty: there are none (it held only 0xff). */
bool buf_next_prefix(struct buf *b);
struct bytes buf_bytes(const struct buf *b); /* until the next write */
/* A zero behind the end, not counted in len. Until the next write. */
const char *buf_text(struct buf *b);

/* Append to a text of `len` bytes in a room of `size`; what does not fit is cut
 * off. It ends in a zero. Returns its new length. */
size_t text_append(char *room, size_t size, size_t len, struct bytes more);

/* The place of a field in an error: "path.name", or "name". */
const char *text_place(char *room, size_t size, const char *path,
                       struct bytes name);

static inline uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}
static inline uint64_t get_le64(const uint8_t *p)
{
    return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}
static inline uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 |
           (uint32_t)p[0] << 24;
}
static inline uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p + 4) | (uint64_t)get_be32(p) << 32;
}
static inline void put_le16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}
static inline void put_le32(uint8_t *p, uint32_t value)
{
    put_le16(p, (uint16_t)value);
    put_le16(p + 2, (uint16_t)(value >> 16));
}
static inline void put_le64(uint8_t *p, uint64_t value)
{
    put_le32(p, (uint32_t)value);
    put_le32(p + 4, (uint32_t)(value >> 32));
}
static inline void put_be32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}
static inline void put_be64(uint8_t *p, uint64_t value)
{
    put_be32(p, (uint32_t)(value >> 32));
    put_be32(p + 4, (uint32_t)value);
}
#endif
