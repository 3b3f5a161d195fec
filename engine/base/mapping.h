/* mapping: a canonical map whose entries come in any order. */
#ifndef ATE_BASE_MAPPING_H
#define ATE_BASE_MAPPING_H

#include "base/bytes.h"

/* All zeros is an empty one. Keys are literals: they are kept as pointers. */
struct mapping {
    struct mapping_entry *entries;
    size_t count;
    size_t cap;
    struct buf values;
};

/* Begin an entry: what is then written to the returned buffer, one value, is
 * its. */
struct buf *mapping_key(struct mapping *m, const char *key);
void mapping_text(struct mapping *m, const char *key, const char *text);
/* The same, but no entry when there is none. */
void mapping_text_or_not(struct mapping *m, const char *key,
                         const char *text_or_null);
void mapping_str(struct mapping *m, const char *key, struct bytes text);
void mapping_hex(struct mapping *m, const char *key, struct bytes bytes);
void mapping_base64(struct mapping *m, const char *key, struct bytes bytes);
void mapping_uint(struct mapping *m, const char *key, uint64_t value);
void mapping_int(struct mapping *m, const char *key, int64_t value);
void mapping_bool(struct mapping *m, const char *key, bool value);

/* Append the map and empty `m`. */
void mapping_put(struct mapping *m, struct buf *out);
#endif
