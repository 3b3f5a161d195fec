/* Calls for data, and those of ops. An answer belongs to a fetch, to an op, or
 * to nobody any more. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"

enum { GRANT_STEP = 128 };

int errno_of(int code)
{
    switch (code) {
    case ATE_CORRUPT:
    case ATE_SCRIPT:
        return EIO;
    case ATE_CANCELED:
        return ETIMEDOUT;
    default:
        return ate_code_errno(code);
    }
}

uint64_t call_start(struct door *d, bool is_call, struct chain *chain,
                    const char *method, const struct buffer *args,
                    uint32_t deadline_ms, bool proposes)
{
    struct ate_request request = {
        .chain = chain != NULL ? chain->name : NULL,
        .method = method,
        .args = args != NULL ? args->data : NULL,
        .args_len = args != NULL ? args->len : 0,
        .as = d->as,
        .propose = proposes,
        .deadline_ms = deadline_ms,
    };
    return (is_call ? d->world.call : d->world.read)(d->world.ctx, &request);
}

struct fetch *fetch_start(struct door *d, bool is_call, struct chain *chain,
                          const char *method, const struct buffer *args,
                          uint32_t deadline_ms)
{
    struct fetch *fetch = memory_new(sizeof(*fetch));
    fetch->chain = chain;
    fetch->next = d->fetches;
    d->fetches = fetch;
    fetch->call =
        call_start(d, is_call, chain, method, args, deadline_ms, false);
    return fetch;
}

static void fetch_remove(struct door *d, struct fetch *fetch)
{
    struct fetch **at = &d->fetches;
    while (*at != fetch)
        at = &(*at)->next;
    *at = fetch->next;
}

static void fetch_free(struct door *d, struct fetch *fetch)
{
    buffer_free(&fetch->rows);
    inode_unref(d, fetch->node);
    free(fetch);
}

void fetch_cancel(struct door *d, struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    d->world.cancel(d->world.ctx, fetch->call);
    fetch_remove(d, fetch);
    fetch_free(d, fetch);
}

void fetches_free(struct door *d)
{
    while (d->fetches != NULL)
        fetch_cancel(d, d->fetches);
}

static struct fetch *fetch_of(const struct door *d, uint64_t call)
{
    struct fetch *at = d->fetches;
    while (at != NULL && at->call != call)
        at = at->next;
    return at;
}

static void take_row(struct door *d, struct fetch *fetch,
                     const struct ate_answer *answer)
{
    uint64_t call = answer->call;
    bool grants = ++fetch->taken == GRANT_STEP;
    if (grants)
        fetch->taken = 0;
    struct pack row = pack_open(answer->value.data, answer->value.len);
    if (fetch->row != NULL && !fetch->is_over)
        fetch->row(d, fetch, &row);
    if (grants)
        d->world.grant(d->world.ctx, call, GRANT_STEP);
}

static void take_end(struct door *d, struct fetch *fetch,
                     const struct ate_answer *answer)
{
    struct pack value = pack_open(answer->value.data, answer->value.len);
    fetch_remove(d, fetch);
    int code =
        fetch->done(d, fetch, answer->error.code, answer->error.text, &value);
    op_wake(d, fetch, code);
    fetch_free(d, fetch);
}

static void take_answer(struct door *d, const struct ate_answer *answer)
{
    struct fetch *fetch = fetch_of(d, answer->call);
    struct op *op = d->ops;
    if (fetch != NULL) {
        (answer->kind == ATE_ANSWER_DATA ? take_row : take_end)(d, fetch,
                                                                answer);
        return;
    }
    while (op != NULL && op->call != answer->call)
        op = op->next;
    if (op != NULL)
        command_answer(d, op, answer);
}

void door_answer(struct door *d, const struct ate_answer *answer)
{
    take_answer(d, answer);
    held_wake(d);
}
