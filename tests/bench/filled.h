/* filled: a million objects of 200 bytes, in ate, Redis and Tarantool, made by
 * the first group that wants them. */
#ifndef ATE_BENCH_FILLED_H
#define ATE_BENCH_FILLED_H

#include "ours.h"
#include "peers.h"

struct filled {
    bool done;
    struct ours ours;
    struct peer *redis, *tarantool; /* NULL: not installed */
    /* Memory that each object took. */
    double ours_bytes, redis_bytes, tarantool_bytes;
};

extern struct filled filled;

void fill_all(void);
size_t keys_count(void); /* BENCH_KEYS: another number, for trying out */

#endif
