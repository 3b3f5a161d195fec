/* What the pool checks while replay goes on, signatures of batches above all:
 * most of a replay's time is theirs, and nothing but the last word depends on
 * them. When a check fails the chain is replayed again, one check at a time
 * (chain.c). */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"

enum {
    CHECKS_MAX = 512, /* so much is under way: then the log waits */
    CHECKS_LOW = 256, /* until there are as few */
};

struct check {
    struct task task;
    struct chain *chain;
    struct key_record author;
    uint8_t chain_id[CHAIN_ID_SIZE];
    uint8_t signature[SIGN_SIZE];
    bool good;
    size_t count;
    uint8_t ids[][TX_ID_SIZE];
};

static void work(struct task *task)
{
    struct check *k = (struct check *)task;
    k->good = batch_signature_verify(&k->author, k->chain_id,
                                     (const uint8_t(*)[TX_ID_SIZE])k->ids,
                                     k->count, k->signature);
}

static void done(struct task *task)
{
    struct check *k = (struct check *)task;
    struct chain *c = k->chain;
    c->check_failed |= !k->good;
    c->progress.signatures += k->good;
    mem_free(k);
    checks_end(c, 1);
}

void checks_begin(struct chain *c, struct task *task, size_t weight)
{
    c->checking += weight;
    if (c->deps.pool != NULL && !c->careful) {
        c->deps.pool->submit(c->deps.pool->ctx, task);
        return;
    }
    task->work(task);
    task->done(task);
}

void checks_end(struct chain *c, size_t weight)
{
    assert(c->checking >= weight);
    c->checking -= weight;
    if (c->check_paused && c->checking <= CHECKS_LOW) {
        c->check_paused = false;
        log_resume(&c->log, 0, NULL);
    }
    if (c->opened_early && c->checking == 0)
        chain_checked(c);
}

bool checks_are_many(const struct chain *c)
{
    return c->checking >= CHECKS_MAX;
}

static int collect(struct chain *c, struct bytes payload, struct check **out,
                   struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    int rc = batch_open(&r, payload, err);
    if (rc != 0)
        return rc;
    struct check *k = mem_zero(1, sizeof(*k) + r.count * sizeof(k->ids[0]));
    while ((rc = batch_next(&r, &m, err)) == 1) {
        if (m.refused)
            memcpy(k->ids[k->count++], m.refused_id, TX_ID_SIZE);
        else
            batch_member_id(&m, c->core.genesis.suite, c->core.id,
                            k->ids[k->count++]);
    }
    memcpy(k->chain_id, c->core.id, sizeof(k->chain_id));
    memcpy(k->signature, r.signature, sizeof(k->signature));
    *out = k;
    if (rc != 0)
        mem_free(k);
    return rc;
}

int signatures_check(struct chain *c, struct bytes payload,
                     const struct key_record *author, struct err *err)
{
    struct check *k = NULL;
    int rc = collect(c, payload, &k, err);
    if (rc != 0)
        return rc;
    k->author = *author;
    if (c->deps.pool == NULL || c->careful) {
        work(&k->task);
        c->progress.signatures += k->good;
        if (!k->good)
            rc =
                err_set(err, ATE_ECORRUPT, "the batch's signature is not good");
        mem_free(k);
        return rc;
    }
    k->chain = c;
    k->task.work = work;
    k->task.done = done;
    checks_begin(c, &k->task, 1);
    return 0;
}
