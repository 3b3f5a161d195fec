#include "query/line.h"

#include "query/inside.h"

void query_line_init(struct query_line *line, int64_t (*steady_us)(void *ctx),
                     void *ctx)
{
    *line = (struct query_line){.steady_us = steady_us, .ctx = ctx};
    ring_init(&line->waiting);
}

void query_line_turn(struct query_line *line)
{
    line->until_us = 0;
}

bool query_line_is_over(struct query_line *line)
{
    if (line->steady_us == NULL)
        return false;
    int64_t now = line->steady_us(line->ctx);
    if (line->until_us == 0)
        line->until_us = now + LINE_SLICE_US;
    return now >= line->until_us;
}

void query_line_run(struct query_line *line)
{
    struct ring first; /* those whose turn it is: who is cut now is behind */
    ring_init(&first);
    ring_move(&first, &line->waiting);
    line->until_us = 0;
    while (!ring_is_empty(&first) && !query_line_is_over(line))
        query_run(ring_entry(ring_take(&first), struct query, in_line));
    ring_move(&first, &line->waiting);
    ring_move(&line->waiting, &first);
    line->until_us = 0;
}
