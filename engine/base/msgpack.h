/* msgpack: the canonical subset that everything hashed and stored is made of.
 *
 * Canonical: nil, booleans, integers of int64 or uint64 in their shortest form,
 * text (valid UTF-8) as str, bytes as bin, arrays, maps whose keys are text,
 * sorted by their bytes and unique; shortest length forms throughout; no
 * floats, no ext; nesting at most MP_DEPTH_MAX; nothing behind the value.
 *
 * The writer trusts its caller (asserts); the reader trusts nobody: each length
 * is checked against what is left before it is used, and nothing is
 * allocated. */
#ifndef ATE_BASE_MSGPACK_H
#define ATE_BASE_MSGPACK_H

#include "bytes.h"

struct err;

enum { MP_DEPTH_MAX = 16 };

/* In this order: those from MP_STR on have a content. */
enum mp_kind {
    MP_NIL,
    MP_BOOL,
    MP_INT,  /* fits int64 */
    MP_UINT, /* above int64 only */
    MP_STR,
    MP_BIN,
    MP_ARRAY,
    MP_MAP,
};

void mp_put_nil(struct buf *b);
void mp_put_bool(struct buf *b, bool value);
void mp_put_int(struct buf *b, int64_t value);
void mp_put_uint(struct buf *b, uint64_t value);
void mp_put_str(struct buf *b, struct bytes text);
void mp_put_text(struct buf *b, const char *text);
/* The head of a text of `len` bytes, which the caller writes next. */
void mp_put_str_head(struct buf *b, size_t len);
void mp_put_bin(struct buf *b, struct bytes bytes);
void mp_put_bin_or_nil(struct buf *b, struct bytes bytes); /* nil for len 0 */
/* A hash or an id as a bin of `len` bytes; NULL is nil. */
void mp_put_id(struct buf *b, const uint8_t *id, size_t len);
void mp_put_array(struct buf *b, uint32_t count);
void mp_put_map(struct buf *b, uint32_t count); /* caller writes sorted keys */

/* A reader over borrowed bytes. The first failure sticks: later reads return
 * the same code, so a decoder may read everything and look once at the end. */
struct mp {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start;
    int failed; /* 0 or the code of the first failure, filled in by reads */
    int above;  /* levels that these bytes stand in; mp_skip() counts them */
    bool known; /* to be canonical: see mp_open_known() */
};

struct mp mp_open(struct bytes bytes);
/* Of bytes that were checked before, such as what this process stored: texts
 * and the order of keys are not looked at again. Lengths are. */
struct mp mp_open_known(struct bytes bytes);

/* What stands here; INVALID when there is nothing or nothing canonical. */
int mp_peek(struct mp *mp, enum mp_kind *kind, struct err *err);
int mp_get_nil(struct mp *mp, struct err *err);
bool mp_take_nil(struct mp *mp); /* true and passed when a nil stands here */
int mp_get_bool(struct mp *mp, bool *value, struct err *err);
int mp_get_int(struct mp *mp, int64_t *value, struct err *err);
int mp_get_uint(struct mp *mp, uint64_t *value, struct err *err);
int mp_get_str(struct mp *mp, struct bytes *text, struct err *err);
int mp_get_bin(struct mp *mp, struct bytes *bytes, struct err *err);
/* A bin of exactly `len` bytes; and one that nil stands for (then len 0). */
int mp_get_bin_of(struct mp *mp, size_t len, const uint8_t **bytes,
                  struct err *err);
int mp_get_bin_or_nil(struct mp *mp, size_t len, const uint8_t **bytes_or_null,
                      struct err *err);
int mp_get_array(struct mp *mp, uint32_t *count, struct err *err);
int mp_get_array_of(struct mp *mp, uint32_t count, struct err *err);
/* Reading a map piece by piece does not look at the order of its keys: pass it
 * by mp_skip or mp_check first. */
int mp_get_map(struct mp *mp, uint32_t *count, struct err *err);
/* Pass one value; `raw`, unless NULL, gets its bytes. Checks that it is
 * canonical, at any depth, unless that is known. */
int mp_skip(struct mp *mp, struct bytes *raw, struct err *err);
int mp_done(struct mp *mp, struct err *err); /* INVALID if something is left */

/* One whole canonical value and nothing behind it. */
int mp_check(struct bytes bytes, struct err *err);

/* The raw value of a text key in a map known to be canonical; data NULL when
 * absent. */
struct bytes mp_map_get(struct bytes map, const char *key);

/* The same for keys that are asked for in ascending order: all of them together
 * take one walk through the map. */
struct mp_walk {
    struct mp mp;
    uint32_t left;
    struct bytes name, value; /* where it stands; data NULL: behind the last */
};
struct mp_walk mp_walk_open(struct bytes map);
struct bytes mp_walk_get(struct mp_walk *walk, const char *key);
void mp_walk_next(struct mp_walk *walk); /* to the next entry, or behind all */

/* Any msgpack that a client may send, made canonical and appended to `out`:
 * maps are sorted (a key twice is INVALID), lengths shortened; floats that hold
 * an integer become it, others are INVALID. Uses msgpack-c behind hard limits:
 * `len` at most MP_LOOSE_MAX, depth at most MP_DEPTH_MAX, at most
 * MP_LOOSE_VALUES_MAX values. After a failure `out` is as before.
 * Errors: INVALID, LIMIT. */
enum { MP_LOOSE_MAX = 16 << 20, MP_LOOSE_VALUES_MAX = 1 << 20 };
int mp_canonical(struct buf *out, struct bytes loose, struct err *err);
#endif
