/* pack: msgpack, as values cross ate.h.
 *
 * Reading never copies and allocates nothing: an item points into the bytes it
 * was read from, and a length is compared with the bytes that are left before
 * it is used (msgpack-c believes five bytes and reserves 8 GiB). Writing is
 * msgpack-c's. */
#ifndef FRONTENDS_BASE_PACK_H
#define FRONTENDS_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum { PACK_DEPTH_MAX = 64 };

enum pack_kind {
    PACK_NONE, /* nothing there, or no msgpack */
    PACK_NIL,
    PACK_BOOLEAN,
    PACK_INTEGER,
    PACK_UNSIGNED, /* beyond INT64_MAX */
    PACK_REAL,
    PACK_TEXT,
    PACK_BYTES,
    PACK_LIST,
    PACK_MAP,
};

struct pack {
    enum pack_kind kind;
    bool boolean;
    int64_t integer;
    uint64_t number; /* of UNSIGNED */
    double real;
    const uint8_t *data; /* of TEXT, BYTES; of LIST and MAP: the first item */
    size_t len;          /* of TEXT and BYTES, bytes */
    size_t count;        /* items of LIST, pairs of MAP */
    const uint8_t *start;
    const uint8_t *end; /* of all bytes that this was read from */
};

/* ---- in order ---- */

struct pack_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* cut off, or no msgpack of ate's: NONE from there on */
};

/* The item at the reader, which then is behind it; behind the head of a list
 * or map, whose items come next. */
struct pack pack_read(struct pack_reader *r);
/* Behind the item at the reader, whatever it holds. */
void pack_skip(struct pack_reader *r);

/* ---- by name ---- */

/* The value at the front of `data`; kind NONE when it is cut off. */
struct pack pack_open(const void *data, size_t len);

/* The first item of a list, or key of a map, and what stands behind an item:
 * `next` of the key is its value. Asked for more than there is: kind NONE. */
struct pack pack_first(const struct pack *list);
struct pack pack_next(const struct pack *item);

/* The value of a key; kind NONE when it is not there. */
struct pack pack_find(const struct pack *map, const char *key);

/* Texts, numbers and truths of a map, or what to take when there is none. */
const char *pack_find_text(const struct pack *map, const char *key,
                           size_t *len);
char *pack_copy_text(const struct pack *map, const char *key); /* or NULL */
int64_t pack_find_integer(const struct pack *map, const char *key,
                          int64_t other);
bool pack_find_true(const struct pack *map, const char *key);
bool pack_is(const struct pack *item, const char *text);

/* How many bytes from `start` on an item is; 0 when it is damaged. */
size_t pack_size(const struct pack *item);

/* ---- writing ---- */

void pack_put_nil(struct buffer *out);
void pack_put_boolean(struct buffer *out, bool value);
void pack_put_integer(struct buffer *out, int64_t value);
void pack_put_unsigned(struct buffer *out, uint64_t value);
void pack_put_real(struct buffer *out, double value);
void pack_put_text(struct buffer *out, const char *data, size_t len);
void pack_put_string(struct buffer *out, const char *string);
void pack_put_bytes(struct buffer *out, const void *data, size_t len);
void pack_put_list(struct buffer *out, size_t count);
void pack_put_map(struct buffer *out, size_t count);
#endif
