/* How calls are answered: those whose group is durable, those that failed, and
 * those whose call id was used before, from the log. Whoever is told is told by
 * chain_deliver(), when the rest of a step is done. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/inside.h"
#include "event/receipt.h"

/* ---- queues ---- */

void queue_init(struct call_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

void queue_push(struct call_queue *q, struct chain_call *call)
{
    call->state->next = NULL;
    *q->last = call;
    q->last = &call->state->next;
}

/* NULL: empty. */
static struct chain_call *queue_take(struct call_queue *q)
{
    struct chain_call *call = q->first;
    if (call == NULL)
        return NULL;
    q->first = call->state->next;
    if (q->first == NULL)
        q->last = &q->first;
    return call;
}

void queue_move(struct call_queue *to, struct call_queue *from)
{
    struct chain_call *call;
    while ((call = queue_take(from)) != NULL)
        queue_push(to, call);
}

/* ---- answers ---- */

static void give_result(struct chain *c, struct chain_call *call)
{
    struct chain_call_state *st = call->state;
    struct door door;
    if (st->stored.len == 0)
        return;
    chain_door(c, &door);
    struct door_scope scope = {&st->method->args, buf_bytes(&st->args)};
    if (st->method->returns != NULL)
        door_give_value(&door, st->method->returns, buf_bytes(&st->stored),
                        &scope, &call->result);
    else
        buf_put_bytes(&call->result, buf_bytes(&st->stored));
}

void calls_answer(struct chain *c, struct chain_call *call, int code)
{
    assert(code == 0 || call->err.code == code);
    if (code == 0)
        give_result(c, call);
    call->code = code;
    queue_push(&c->ready, call);
}

static void give_receipt(struct chain_call *call, struct bytes checkpoint)
{
    struct receipt receipt = {
        .index = call->index,
        .tx_id = call->tx_id,
        .checkpoint = checkpoint,
    };
    receipt_put(&call->receipt, &receipt);
}

void calls_land(struct chain *c)
{
    struct chain_call *call;
    struct bytes checkpoint;
    uint8_t root[HASH_SIZE];
    if (c->landed.first == NULL)
        return;
    int rc = checkpoint_of_durable(c, &checkpoint, root, NULL);
    assert(rc == 0); /* it has just ordered them */
    while ((call = queue_take(&c->landed)) != NULL) {
        memcpy(call->root, root, HASH_SIZE);
        give_receipt(call, checkpoint);
        calls_answer(c, call, 0);
    }
}

void calls_release(struct chain *c)
{
    struct chain_call *call;
    struct call_queue again;
    queue_init(&again);
    queue_move(&again, &c->blocked);
    c->pressed = false;
    while ((call = queue_take(&again)) != NULL)
        calls_begin(c, call);
}

static void fail_all(struct chain *c, struct call_queue *q,
                     const struct err *why)
{
    struct chain_call *call;
    while ((call = queue_take(q)) != NULL) {
        call->err = *why;
        call->wrote = false;
        calls_answer(c, call, why->code);
    }
}

void calls_failed(struct chain *c, const struct err *why)
{
    fail_all(c, &c->flying, why);
    fail_all(c, &c->placed, why);
    fail_all(c, &c->blocked, why);
    c->pressed = false;
}

void chain_deliver(struct chain *c)
{
    struct chain_call *call;
    while ((call = queue_take(&c->ready)) != NULL) {
        struct chain_call_state *st = call->state;
        call->state = NULL;
        call_deinit(&st->run);
        buf_deinit(&st->args);
        buf_deinit(&st->context);
        buf_deinit(&st->stored);
        mem_free(st->sigs);
        mem_free(st);
        call->done(call);
    }
}

/* ---- repeated calls ---- */

const uint8_t *calls_caller(const struct chain_call *call)
{
    return call->caller != NULL ? call->caller : call->author->id;
}

/* The same arguments mean another thing to another method, and from another
 * caller, for whom a node may be the author as for everybody. */
static int check_same_call(const struct chain_call *call,
                           const struct chain_tx *stored, struct err *err)
{
    const char *name = call->state->method->name;
    const struct tx_header *tx = &stored->member->tx;
    const uint8_t *caller =
        tx->call.caller != NULL ? tx->call.caller : tx->author;
    const char *other = NULL;
    if (memcmp(tx->author, call->author->id, KEY_ID_SIZE) != 0)
        other = "by another author";
    else if (memcmp(caller, calls_caller(call), KEY_ID_SIZE) != 0)
        other = "for another caller";
    else if (!bytes_equal(tx->call.method, bytes_of_text(name)))
        other = "for another method";
    if (other == NULL)
        return 0;
    err_set(err, ATE_ECONFLICT,
            "%s: this call id was used %s, by transaction %llu", name, other,
            (unsigned long long)stored->index);
    return err_reason(err, "call_id_used");
}

static int stored_answer(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct chain_call *call = ctx;
    const struct batch_member *m = tx->member;
    if (m == NULL)
        return err_set(err, ATE_ECORRUPT, "genesis has no call id");
    int rc = check_same_call(call, tx, err);
    if (rc == 0 && m->result.len > 0 && mp_check(m->result, err) != 0) {
        err_wrap(err, "%s: the result that transaction %llu stored",
                 call->state->method->name, (unsigned long long)tx->index);
        rc = err->code = ATE_ECORRUPT;
    }
    if (rc != 0)
        return rc;
    struct chain_call_state *st = call->state;
    struct chain *c = st->chain;
    buf_clear(&st->stored);
    buf_put_bytes(&st->stored, m->result);
    batch_member_id(m, c->core.genesis.suite, c->core.id, call->tx_id);
    call->index = tx->index;
    return 0;
}

static void stored_read(void *ctx, int code, const struct err *err)
{
    struct chain_call *call = ctx;
    struct chain *c = call->state->chain;
    struct bytes checkpoint;
    c->fetching--;
    if (code != 0)
        call->err = *err;
    else
        code = checkpoint_of_durable(c, &checkpoint, call->root, &call->err);
    if (code == 0)
        give_receipt(call, checkpoint);
    call->wrote = code == 0;
    calls_answer(c, call, code);
    chain_flush(c);
}

bool calls_is_repeated(struct chain *c, struct chain_call *call)
{
    struct call_entry entry;
    if (call->state->method->mode != METHOD_WRITE || call->proposes ||
        !state_call(state_head(&c->core.state), call->call_id, &entry))
        return false;
    if (entry.args_digest == NULL ||
        memcmp(entry.args_digest, call->state->digest, HASH_SIZE) != 0) {
        err_set(&call->err, ATE_ECONFLICT,
                "%s: this call id was used with other arguments, or another "
                "context, by transaction %llu",
                call->state->method->name, (unsigned long long)entry.index);
        err_reason(&call->err, "call_id_used");
        calls_answer(c, call, ATE_ECONFLICT);
        return true;
    }
    if (entry.index >= c->durable.size) {
        queue_push(&c->blocked, call);
        return true;
    }
    c->fetching++;
    chain_read_transactions(c, entry.index, 1, stored_answer, stored_read,
                            call);
    return true;
}
