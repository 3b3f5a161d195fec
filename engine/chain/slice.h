/* slice: long work that is cut, so that others get their turn between.
 *
 * Between slice_begin() and slice_end() whoever works asks after each step, of
 * an event or so, whether its slice is over. It then rests, and goes on in a
 * later turn, called by way of the pool. What is worked in several parts, as
 * reads come in, adds up: a turn has many of them. Without a clock or a pool
 * nothing is cut. */
#ifndef ATE_CHAIN_SLICE_H
#define ATE_CHAIN_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/task.h"

struct chain_deps;

enum { SLICE_US = 1000 };

struct slice {
    const struct chain_deps *deps;
    void (*go_on)(void *ctx);
    void *ctx;
    int64_t left_us; /* when it began */
    int64_t until_us;
    bool rests; /* go_on is to come: the struct stays where it is */
    struct task task;
};

void slice_init(struct slice *s, const struct chain_deps *deps,
                void (*go_on)(void *ctx), void *ctx);
void slice_begin(struct slice *s);
bool slice_is_over(const struct slice *s);
void slice_end(struct slice *s);
void slice_rest(struct slice *s);
#endif
