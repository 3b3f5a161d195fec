/* map: a hash map from short byte keys to numbers or pointers.
 *
 * For control structures, never for what is hashed or shown: the order of its
 * entries depends on the seed and means nothing. The keyed hash keeps whoever
 * chooses the keys from choosing the collisions; the seed has to be random and
 * comes from the caller, for nothing down here knows randomness. */
#ifndef ATE_BASE_MAP_H
#define ATE_BASE_MAP_H

#include "bytes.h"

enum { MAP_SEED_LEN = 16, MAP_KEY_MAX = 65535 };

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t cap; /* 0 or a power of two */
    size_t count;
    uint64_t seed[2];
};

/* Allocates nothing yet. */
void map_init(struct map *m, const uint8_t seed[MAP_SEED_LEN]);
void map_deinit(struct map *m); /* safe twice; values are the caller's */
void map_clear(struct map *m);

/* The key is copied. True: it was new; else the value was replaced. */
bool map_put(struct map *m, struct bytes key, uint64_t value);
bool map_get(const struct map *m, struct bytes key, uint64_t *value);
/* True: it was there; `value`, unless NULL, gets what it had. */
bool map_delete(struct map *m, struct bytes key, uint64_t *value);

/* The same for pointers, which are not owned; NULL: not there. */
bool map_put_pointer(struct map *m, struct bytes key, void *pointer);
void *map_get_pointer(const struct map *m, struct bytes key);
void *map_delete_pointer(struct map *m, struct bytes key);

/* Visit all, for freeing or counting: start with *position 0; false at the end.
 * Nothing may be put or deleted in between. The key lives as its entry does. */
bool map_each(const struct map *m, size_t *position, struct bytes *key,
              uint64_t *value);

/* SipHash-1-3 of `bytes` under a key of two words. */
uint64_t siphash13(const uint64_t key[2], struct bytes bytes);
#endif
