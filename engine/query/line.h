/* line: queries that take long share the thread with all else: each is cut
 * when the slice of its turn is over, stands in a line, and goes on in a later
 * turn.
 *
 * One slice is for all that begin in a turn, or get what they waited for; one
 * for those in the line, in its order. Who is not done by then goes to its end.
 * Each takes LINE_STEPS steps before the clock is looked at, so short reads are
 * never cut, and pay nothing. */
#ifndef ATE_QUERY_LINE_H
#define ATE_QUERY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"

enum { LINE_SLICE_US = 1000, LINE_STEPS = 32 };

struct query_line {
    /* A clock that never jumps, as it is now; NULL: nothing is cut. */
    int64_t (*steady_us)(void *ctx);
    void *ctx;
    int64_t until_us;    /* the slice ends; 0: it has not begun */
    struct ring waiting; /* queries that were cut */
};

void query_line_init(struct query_line *line, int64_t (*steady_us)(void *ctx),
                     void *ctx);
/* A turn begins. */
void query_line_turn(struct query_line *line);
/* Is the slice over? The first who asks begins it. */
bool query_line_is_over(struct query_line *line);
/* Let those that wait go on, for one slice; each once at most. Once a turn. */
void query_line_run(struct query_line *line);
#endif
