#include "chain/survey.h"

#include <assert.h>

#include "chain/inside.h"

/* Entries of a kind; an object's spent id is none. */
static uint64_t count_kind(struct tree_version v, enum state_kind kind)
{
    const uint8_t first = (uint8_t)kind;
    struct tree_cursor c;
    uint64_t count = 0;
    bool more = tree_seek(&c, v, bytes_of(&first, 1));
    while (more && tree_cursor_key(&c).data[0] == kind) {
        bool spent = kind == STATE_OBJECT && /* an array of 6 or 7 */
                     tree_cursor_value(&c).data[0] >= 0x96;
        count += !spent;
        more = tree_next(&c);
    }
    return count;
}

/* On any thread: it touches nothing but the pinned version. */
static void work(struct task *task)
{
    struct survey *s =
        (struct survey *)(void *)((char *)task - offsetof(struct survey, task));
    state_root(s->version, s->root);
    s->objects = count_kind(s->version, STATE_OBJECT);
    s->rows = count_kind(s->version, STATE_ROW);
}

static void end(struct survey *s)
{
    struct chain *c = s->chain;
    tree_unpin(s->tree, s->pin);
    assert(c->surveys > 0);
    c->surveys--;
    c->looking--;
}

static void done(struct task *task)
{
    struct survey *s =
        (struct survey *)(void *)((char *)task - offsetof(struct survey, task));
    struct chain *c = s->chain;
    end(s);
    rooting_rest(c);
    if (c->done == NULL) /* nothing is being read in */
        chain_flush(c);  /* perhaps a switch waited for it */
    chain_rested(c);
    s->done(s->ctx);
}

bool survey_may_begin(const struct chain *c)
{
    return !switch_holds(c) && c->rooting.then == NULL;
}

void survey_begin(struct survey *s, struct chain *c, void (*told)(void *ctx),
                  void *ctx)
{
    *s = (struct survey){
        .task = {.work = work, .done = done},
        .chain = c,
        .tree = c->core.state.tree,
        .pin = state_pin_durable(&c->core.state),
        .version = state_durable(&c->core.state),
        .done = told,
        .ctx = ctx,
    };
    c->surveys++;
    c->looking++;
    if (c->deps.pool != NULL) {
        c->deps.pool->submit(c->deps.pool->ctx, &s->task);
        return;
    }
    work(&s->task);
    end(s);
    told(ctx);
}
