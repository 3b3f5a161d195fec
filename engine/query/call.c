/* call: what a method that reads gives; followed, it runs again when what it
 * looked at may be another, and is told when what it gives is.
 *
 * (1) The chain_call is the query's own from chain_call() to its `done`, and
 *     q->waiting meanwhile.
 * (2) `looked` is what the last run looked at, `number` the change up to which
 *     that was the newest. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "query/inside.h"
#include "state/changes.h"

enum { LOOKED_MAX = 4096 /* more is not kept: any change counts then */ };

struct query_call {
    struct chain_call call;
    struct key_pair reader; /* no secrets: what reads signs nothing */
    struct buf method;
    struct buf args;
    struct reads looked;
    bool looked_at_all;
    bool has_run;
    uint64_t number;
    struct buf told; /* the value that was told last */
    bool is_told;
    uint64_t size; /* of the log that the last run saw */
};

void query_call_free(struct query_call *c)
{
    if (c == NULL)
        return;
    reads_deinit(&c->looked);
    buf_deinit(&c->call.result);
    buf_deinit(&c->call.receipt);
    buf_deinit(&c->call.proposal);
    buf_deinit(&c->method);
    buf_deinit(&c->args);
    buf_deinit(&c->told);
    mem_free(c);
}

static int take_method(struct query *q, struct err *err)
{
    struct query_call *c = q->call;
    struct bytes name;
    int rc = query_take_text(q, "method", true, &name, err);
    if (rc != 0)
        return rc;
    buf_clear(&c->method);
    buf_put_bytes(&c->method, name);
    return 0; /* chain_call() says what is wrong with it */
}

static int take_method_args(struct query *q, struct err *err)
{
    struct query_call *c = q->call;
    struct bytes args = mp_map_get(buf_bytes(&q->args), "args");
    struct mp mp = mp_open(args);
    enum mp_kind kind = MP_MAP;
    if (args.data == NULL || mp_take_nil(&mp))
        return 0;
    if (mp_peek(&mp, &kind, err) != 0 || kind != MP_MAP)
        return args_wrong("args", "is a map", err);
    buf_put_bytes(&c->args, args);
    return 0;
}

static int call_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"args", "follow", "from", "method",
                                        NULL};
    static const char *const alone[] = {NULL};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_follow(q, alone, err);
    if (rc != 0)
        return rc;
    q->call = mem_zero(1, sizeof(*q->call));
    memcpy(q->call->reader.id, q->caller, KEY_ID_SIZE);
    rc = take_method(q, err);
    return rc == 0 ? take_method_args(q, err) : rc;
}

static void ran(struct chain_call *call)
{
    struct query *q = call->owner;
    struct query_call *c = q->call;
    c->has_run = true;
    c->size = call->size;
    c->looked_at_all = c->looked.count > LOOKED_MAX;
    if (c->looked_at_all)
        reads_deinit(&c->looked);
    if (call->code != 0 && call->err.at[0] != '\0')
        err_at(&call->err, "args");
    query_resume(q, call->code, &call->err);
}

/* Invariant (1). */
static int run(struct query *q)
{
    struct query_call *c = q->call;
    struct buf result = c->call.result;
    buf_clear(&result);
    c->call = (struct chain_call){
        .method = buf_bytes(&c->method),
        .args = buf_bytes(&c->args),
        .context = buf_bytes(&q->context),
        .author = &c->reader,
        .reads_only = true,
        .reads = q->follow ? &c->looked : NULL,
        .done = ran,
        .owner = q,
        .result = result,
    };
    c->has_run = false;
    c->number = chain_changes(q->chain)->number;
    q->waiting = true;
    chain_call(q->chain, &c->call);
    chain_deliver(q->chain);
    return STEP_WAIT;
}

/* Of one that was resumed: has what it looks at changed since? */
static bool is_news(const struct query *q)
{
    const struct query_call *c = q->call;
    const struct changes *changes = chain_changes(q->chain);
    uint64_t from = q->following.from;
    uint64_t number;
    if (c->is_told)
        return !bytes_equal(buf_bytes(&c->told), buf_bytes(&c->call.result));
    return from == 0 || c->looked_at_all ||
           !changes_at(changes, from, c->size, &number) ||
           reads_touched(&c->looked, changes, number);
}

/* The last run is to be told, or is no news. */
static int tell_run(struct query *q)
{
    static const uint8_t nil = 0xc0;
    struct query_call *c = q->call;
    struct bytes result = buf_bytes(&c->call.result);
    bool news = is_news(q);
    bool is_first = !c->is_told;
    c->has_run = false;
    buf_clear(&c->told);
    buf_put_bytes(&c->told, result);
    c->is_told = true;
    if (!news && !is_first)
        return STEP_MORE;
    if (!news) {
        follow_tell_position(q, c->size);
        return STEP_MORE;
    }
    buf_put_bytes(&q->row, result.len > 0 ? result : bytes_of(&nil, 1));
    follow_tell_value(q, c->size);
    return STEP_MORE;
}

static bool has_to_run(struct query *q)
{
    struct query_call *c = q->call;
    const struct changes *changes = chain_changes(q->chain);
    if (!c->is_told || q->epoch != chain_epoch(q->chain))
        return true;
    if (changes->number == c->number)
        return false;
    return c->looked_at_all || !changes_reach(changes, c->number) ||
           reads_touched(&c->looked, changes, c->number);
}

static int follow_call(struct query *q)
{
    struct query_call *c = q->call;
    if (chain_changes(q->chain)->ahead)
        return STEP_IDLE;
    if (c->has_run)
        return tell_run(q);
    if (!has_to_run(q)) {
        c->number = chain_changes(q->chain)->number;
        return STEP_IDLE;
    }
    q->epoch = chain_epoch(q->chain);
    return run(q);
}

static int call_step(struct query *q, struct err *err)
{
    struct query_call *c = q->call;
    (void)err;
    if (q->follow)
        return follow_call(q);
    if (!c->has_run)
        return run(q);
    buf_put_bytes(&q->result, buf_bytes(&c->call.result));
    return STEP_END;
}

const struct query_kind query_call = {
    .name = "call", .begin = call_begin, .step = call_step};
