#include "chain/slice.h"

#include <assert.h>
#include <stddef.h>

#include "chain/chain.h"

void slice_init(struct slice *s, const struct chain_deps *deps,
                void (*go_on)(void *ctx), void *ctx)
{
    *s = (struct slice){
        .deps = deps, .go_on = go_on, .ctx = ctx, .left_us = SLICE_US};
}

static int64_t now_us(const struct slice *s)
{
    const struct chain_deps *deps = s->deps;
    if (deps->steady_us == NULL || deps->pool == NULL)
        return 0;
    return deps->steady_us(deps->ctx);
}

void slice_begin(struct slice *s)
{
    assert(!s->rests);
    s->until_us = now_us(s) + s->left_us;
}

void slice_end(struct slice *s)
{
    int64_t left = s->until_us - now_us(s);
    s->left_us = left > 0 ? left : 0;
}

bool slice_is_over(const struct slice *s)
{
    return now_us(s) >= s->until_us;
}

static void nothing(struct task *task)
{
    (void)task;
}

static void rested(struct task *task)
{
    struct slice *s =
        (struct slice *)((char *)task - offsetof(struct slice, task));
    s->rests = false;
    s->left_us = SLICE_US;
    s->go_on(s->ctx);
}

void slice_rest(struct slice *s)
{
    assert(!s->rests && s->deps->pool != NULL);
    s->rests = true;
    s->task = (struct task){.work = nothing, .done = rested};
    s->deps->pool->submit(s->deps->pool->ctx, &s->task);
}
