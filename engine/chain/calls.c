/* Calls: from a door's arguments to a placed transaction. How they are answered
 * is in answers.c.
 *
 * A write runs in one go over the head: heartbeat if log time is stale, the
 * author's key if the log lacks it, the method, what concerns the whole.
 * Whatever fails on the way, nothing of it remains, the heartbeat included. A
 * call that needs a body from disk is undone, waits for it, and runs again from
 * the start.
 *
 * (1) Whether a call id is known is asked each time just before the method
 *     runs, never earlier: while a call waited, another with its id may have
 *     taken its place.
 * (2) While too much waits to be written, writes wait, too, in the order in
 *     which they came, and their arguments with them: what these name may be
 *     made by one that stands before. */
#include <assert.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/context.h"
#include "acceptance/engine_methods.h"
#include "acceptance/engine_types.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "chain/inside.h"
#include "crypto/note.h"
#include "event/receipt.h"
#include "state/roots.h"

enum {
    CALL_FETCHES_MAX = 256, /* bodies that one call may ask for */
    /* Sequences left free before a proposal's, for what its author writes until
     * it is submitted. */
    PROPOSAL_GAP = 1 << 20,
};

/* ---- running ---- */

static int run_method(struct chain *c, struct chain_call *call)
{
    struct chain_call_state *st = call->state;
    int rc = 0;
    if (st->method->by_default == DEFAULT_NONE)
        rc = c->core.logic->run(c->core.logic, &st->run, &call->err);
    else if (st->method->type != NULL)
        rc = call_run_default(&st->run, &call->err);
    else
        rc = engine_method_run(&st->run, &call->err);
    call->gas = c->core.logic->gas(c->core.logic);
    if (rc == 0 && st->run.result.len > LIMIT_RESULT)
        rc = err_set(&call->err, ATE_ELIMIT,
                     "%s: a result has at most %d bytes, this one %zu",
                     st->method->name, LIMIT_RESULT, st->run.result.len);
    return rc;
}

static void prepare_run(struct chain *c, struct chain_call *call)
{
    struct chain_call_state *st = call->state;
    struct call *run = &st->run;
    run->core = &c->core;
    run->method = st->method;
    run->args = buf_bytes(&st->args);
    run->context = buf_bytes(&st->context);
    run->caller = calls_caller(call);
    run->where = "server";
    run->writes = st->method->mode == METHOD_WRITE;
    run->proposes = call->proposes;
    run->watches = call->reads != NULL && !run->writes;
    run->author = run->writes ? call->author->id : NULL;
    reads_clear(&run->reads);
    buf_clear(&run->result);
}

static void keep_result(struct chain_call_state *st)
{
    buf_clear(&st->stored);
    buf_put_bytes(&st->stored, buf_bytes(&st->run.result));
}

static int run_read(struct chain *c, struct chain_call *call)
{
    struct call *run = &call->state->run;
    run->version = state_durable(&c->core.state);
    run->time = state_time(run->version);
    call->size = c->durable.size;
    int rc = run_method(c, call);
    if (rc != 0)
        return rc;
    if (run->watches) {
        reads_deinit(call->reads);
        *call->reads = run->reads;
        reads_init(&run->reads);
        reads_pack(call->reads);
    }
    keep_result(call->state);
    calls_answer(c, call, 0);
    return 0;
}

static int add_key_event(struct chain_call *call,
                         const struct key_record *record)
{
    struct buf fields = {0};
    key_fields_put(&fields, record);
    int rc =
        trial_add_own(&call->state->run.trial, TYPE_KEY, buf_bytes(&fields),
                      NULL, bytes_of(NULL, 0), &call->err);
    buf_deinit(&fields);
    return rc;
}

/* Key records of those who sign, when the log does not have them yet. */
static int add_key_events(struct chain *c, struct chain_call *call)
{
    struct trial *t = &call->state->run.trial;
    struct author author;
    int rc = 0;
    t->first_sequence = call->proposes ? PROPOSAL_GAP : 0;
    if (state_author(state_head(&c->core.state), t->author, &author))
        t->first_sequence += author.next_sequence;
    else
        rc = add_key_event(call, &call->author->record);
    for (size_t i = 0; i < call->signer_count && rc == 0; i++) {
        const struct key_pair *pair = call->signers[i].pair;
        if (!state_author(state_head(&c->core.state), pair->id, &author))
            rc = add_key_event(call, &pair->record);
    }
    return rc;
}

/* What a finished transaction records of its call. The digests live in `room`.
 */
struct record_room {
    uint8_t bundle[HASH_SIZE]; /* in force before it */
    uint8_t reads[HASH_SIZE];
    uint8_t result[HASH_SIZE];
    struct buf read_set;
};

static int make_record(struct chain *c, struct chain_call *call,
                       struct placing *placing, struct record_room *room)
{
    struct chain_call_state *st = call->state;
    struct call *run = &st->run;
    int rc = reads_put(&run->reads, run->before, &room->read_set, &call->err);
    if (rc != 0)
        return rc;
    memcpy(room->bundle, c->core.bundle_hash, HASH_SIZE);
    reads_digest(buf_bytes(&room->read_set), room->reads);
    placing->read_set = buf_bytes(&room->read_set);
    placing->result = buf_bytes(&run->result);
    placing->call = (struct call_record){
        .id = call->call_id,
        .method = bytes_of_text(st->method->name),
        .bundle = room->bundle,
        .args = st->digest,
        .reads = room->reads,
    };
    if (memcmp(run->caller, call->author->id, KEY_ID_SIZE) != 0)
        placing->call.caller = run->caller;
    if (run->result.len > 0) {
        result_digest(buf_bytes(&run->result), room->result);
        placing->call.result = room->result;
    }
    struct call_entry entry = {
        .index = run->trial.index,
        .args_digest = placing->call.args,
        .result_digest = placing->call.result,
    };
    state_put_call(&c->core.state, call->call_id, &entry, run->trial.time,
                   c->core.call_ms);
    return 0;
}

/* Run the method inside a trial: 1 when it wrote something, 0 when not. */
static int run_in_trial(struct chain *c, struct chain_call *call)
{
    struct call *run = &call->state->run;
    struct trial *t = &run->trial;
    run->before = state_head(&c->core.state);
    trial_begin(t); /* its mark keeps what stood there before */
    int rc = add_key_events(c, call);
    size_t own = t->count;
    run->version = state_head(&c->core.state);
    if (rc == 0)
        rc = run_method(c, call);
    if (rc != 0)
        return rc;
    if (t->count == own)
        return 0;
    rc = trial_finish(t, &call->err);
    if (rc == 0)
        rc = chain_has_bodies(c, t, &call->err);
    return rc != 0 ? rc : 1;
}

static int place_run(struct chain *c, struct chain_call *call, bool beats)
{
    struct call *run = &call->state->run;
    struct record_room room = {.read_set = {0}};
    if (!call->proposes && !call->state->orders && !order_holds(c))
        return order_refuse(c, call->state->method->name, &call->err);
    struct placing placing = {
        .trial = &run->trial,
        .author = call->author,
        .signers = call->signers,
        .signer_count = call->signer_count,
    };
    int rc = make_record(c, call, &placing, &room);
    if (rc == 0 && call->proposes) {
        order_propose(c, &placing, &call->proposal);
        memcpy(call->tx_id, placing.tx_id, TX_ID_SIZE);
    } else if (rc == 0) {
        trial_keep(&run->trial);
        if (beats)
            order_place_heartbeat(c);
        order_place(c, &placing);
        call->wrote = true;
        call->index = run->trial.index;
        memcpy(call->tx_id, placing.tx_id, TX_ID_SIZE);
        keep_result(call->state);
        queue_push(&c->placed, call);
    }
    buf_deinit(&room.read_set);
    return rc;
}

static void set_trial(struct chain *c, struct chain_call *call, bool beats)
{
    struct call *run = &call->state->run;
    struct trial *t = &run->trial;
    t->core = &c->core;
    t->index = c->next_index + beats;
    t->time = state_head_time(&c->core.state);
    t->author = call->author->id;
    t->caller = calls_caller(call);
    t->call_id = call->call_id;
    t->sigs = call->state->sigs;
    t->sig_count = call->signer_count;
    run->time = t->time;
}

/* Log time has to move on first, be it a little. */
static bool is_early(struct chain *c, int64_t not_before, int64_t now)
{
    return not_before > 0 && not_before <= now &&
           state_head_time(&c->core.state) < not_before;
}

static int run_write(struct chain *c, struct chain_call *call)
{
    struct tree *tree = c->core.state.tree;
    int64_t now = c->deps.now(c->deps.ctx);
    bool beats =
        !call->proposes && call->state->orders && !switch_is_made(c) &&
        (order_needs_heartbeat(c, now) || is_early(c, call->not_before, now));
    struct tree_mark mark;
    int rc = order_open_place(c, now, &beats, &mark, &call->err);
    if (rc != 0)
        return rc;
    set_trial(c, call, beats);
    rc = run_in_trial(c, call);
    bool wrote = rc == 1;
    if (wrote)
        rc = place_run(c, call, beats);
    if (wrote && rc == 0 && !call->proposes) {
        tree_keep(tree, mark);
        return 0;
    }
    trial_undo(&call->state->run.trial);
    tree_undo(tree, mark);
    if (rc != 0)
        return rc;
    keep_result(call->state);
    calls_answer(c, call, 0);
    return 0;
}

/* ---- bodies that have to be fetched ---- */

static void body_fetched(void *ctx, struct bytes body, int code,
                         const struct err *err)
{
    struct chain_call *call = ctx;
    struct chain_call_state *st = call->state;
    struct chain *c = st->chain;
    c->fetching--;
    if (code != 0) {
        call->err = *err;
        err_wrap(&call->err, "%s", st->method->name);
        calls_answer(c, call, call->err.code);
    } else {
        call_give_body(&st->run, st->run.need_index, st->run.need_n, body);
        calls_begin(c, call);
    }
    chain_flush(c);
}

static void fetch(struct chain *c, struct chain_call *call)
{
    struct chain_call_state *st = call->state;
    if (++st->fetches > CALL_FETCHES_MAX) {
        err_set(&call->err, ATE_ELIMIT,
                "%s: needs more than %d bodies in one call", st->method->name,
                CALL_FETCHES_MAX);
        calls_answer(c, call, ATE_ELIMIT);
        return;
    }
    if (st->run.need_index >= c->durable.size) {
        queue_push(&c->blocked, call); /* it is being written just now */
        return;
    }
    c->fetching++;
    chain_read_body(c, st->run.need_index, st->run.need_n, body_fetched, call);
}

/* ---- the door's side ---- */

static int no_method(const struct schema *s, struct bytes name, struct err *err)
{
    const char **names = mem_alloc((s->method_count + 1) * sizeof(*names));
    for (size_t i = 0; i < s->method_count; i++)
        names[i] = schema_short(s, s->methods[i].name);
    int rc = err_set(err, ATE_ENOT_FOUND, "no method '%.*s'", (int)name.len,
                     (const char *)name.data);
    near_tell(err, name, names, s->method_count, "");
    mem_free(names);
    return rc;
}

static int find_method(struct chain *c, struct chain_call *call)
{
    const struct schema *s = c->core.schema;
    call->state->method = schema_method(s, call->method);
    if (call->state->method == NULL)
        call->state->method = engine_method(call->method);
    return call->state->method != NULL ? 0
                                       : no_method(s, call->method, &call->err);
}

static int check_may_run(struct chain *c, struct chain_call *call)
{
    const struct method *m = call->state->method;
    if (m->mode == METHOD_READ && m->by_default != DEFAULT_NONE)
        return err_set(&call->err, ATE_EINVALID,
                       "%s: is a read; ask for it with get, list or history",
                       m->name);
    if (m->mode == METHOD_READ)
        return 0;
    if (call->reads_only)
        return err_set(&call->err, ATE_EINVALID,
                       "%s: writes; it is called, not read", m->name);
    if (c->why.code != 0) {
        call->err = c->why;
        return c->why.code;
    }
    if (c->log.mode == LOG_READ_ONLY || c->log.state != LOG_READY)
        return err_set(&call->err, ATE_EUNAVAILABLE,
                       "%s: the chain is open for reading only", m->name);
    call->state->orders = order_holds(c);
    /* A method may make this node the one that orders. */
    if (call->state->orders || call->proposes || m->by_default == DEFAULT_ORDER)
        return 0;
    return order_refuse(c, m->name, &call->err);
}

/* All that sign are different keys. */
static int take_signers(struct chain_call *call)
{
    struct chain_call_state *st = call->state;
    size_t count = call->signer_count;
    if (count > LIMIT_TX_SIGNATURES)
        return err_set(&call->err, ATE_ELIMIT, "at most %d keys sign with it",
                       LIMIT_TX_SIGNATURES);
    if (count > 0 && st->sigs == NULL)
        st->sigs = mem_zero(count, sizeof(*st->sigs));
    for (size_t i = 0; i < count; i++) {
        const uint8_t *id = call->signers[i].pair->id;
        bool twice = memcmp(id, call->author->id, KEY_ID_SIZE) == 0;
        for (size_t k = 0; k < i; k++)
            twice |= memcmp(id, st->sigs[k].key_id, KEY_ID_SIZE) == 0;
        if (twice)
            return err_set(&call->err, ATE_EINVALID,
                           "a key signs once: as author or with the others");
        st->sigs[i] = (struct further_sig){
            .key_id = id,
            .purpose = call->signers[i].purpose,
        };
    }
    return 0;
}

static int take(const struct door *door, struct chain_call *call,
                struct bytes args, enum door_taking taking, struct buf *out,
                struct buf *context)
{
    const struct method *m = call->state->method;
    bool is_patch = m->by_default == DEFAULT_PATCH;
    int rc = door_take(door, &m->args, args, is_patch ? TAKE_PART : taking,
                       NULL, out, &call->err);
    if (rc == 0)
        rc = context_take(door, m, call->context, taking, context, &call->err);
    return rc;
}

static bool have_defaults(const struct fields *fields)
{
    size_t i = 0;
    while (i < fields->count && fields->items[i].type.default_value.len == 0)
        i++;
    return i < fields->count;
}

/* Of what was given alone: the same call is the same under a later bundle, too,
 * whose defaults may be others. */
static int digest_given(const struct door *door, struct chain_call *call,
                        struct bytes args)
{
    struct chain_call_state *st = call->state;
    struct buf given = {0};
    struct buf context = {0};
    int rc = 0;
    if (have_defaults(&st->method->args) || st->context.len > 0) {
        rc = take(door, call, args, TAKE_GIVEN, &given, &context);
        args_digest(buf_bytes(&given), buf_bytes(&context), st->digest);
    } else {
        args_digest(buf_bytes(&st->args), bytes_of(NULL, 0), st->digest);
    }
    buf_deinit(&given);
    buf_deinit(&context);
    return rc;
}

static int take_args(struct chain *c, struct chain_call *call)
{
    static const uint8_t empty_map = 0x80;
    const struct method *m = call->state->method;
    struct bytes args = call->args;
    struct door door;
    if (call->state->args.len > 0)
        return 0; /* it was here before */
    if (args.len == 0)
        args = bytes_of(&empty_map, 1);
    chain_door(c, &door);
    if (m->mode == METHOD_WRITE) /* calls in one stream see each other */
        door.version = state_head(&c->core.state);
    /* What is below a parent that was deleted can still be changed. */
    door.takes_spent =
        m->by_default == DEFAULT_PATCH || m->by_default == DEFAULT_DELETE;
    int rc = take(&door, call, args, TAKE_WHOLE, &call->state->args,
                  &call->state->context);
    if (rc == 0 && m->mode == METHOD_WRITE)
        rc = digest_given(&door, call, args);
    return rc;
}

/* Invariant (2). */
static bool has_to_wait(struct chain *c, struct chain_call *call)
{
    bool writes = call->state->method->mode == METHOD_WRITE;
    if (c->hidden || (writes && switch_holds(c))) {
        queue_push(&c->blocked, call); /* until the switch is made */
        return true;
    }
    if (!writes || (!c->pressed && !order_is_full(c)))
        return false;
    c->pressed = true;
    queue_push(&c->blocked, call);
    return true;
}

/* What its place will ask, before the log is tried for it. */
static int check_activation(struct chain *c, struct chain_call *call)
{
    uint8_t room[HASH_SIZE];
    const uint8_t *bundle;
    set_trial(c, call, false);
    prepare_run(c, call);
    const struct call *run = &call->state->run;
    int rc = engine_arg_bundle(run, room, &bundle, &call->err);
    return rc == 0 ? activation_allowed(&run->trial, bundle, &call->err) : rc;
}

/* Its core is in place, and the call is all that goes on. */
static void activation_ready(void *ctx, int code, const struct err *err)
{
    struct chain_call *call = ctx;
    struct chain *c = call->state->chain;
    if (code == 0) {
        prepare_run(c, call);
        code = run_write(c, call);
        switch_end(c, code == 0 && !call->proposes);
    } else {
        call->err = *err;
    }
    if (code != 0)
        calls_answer(c, call, call->err.code);
    if (code != 0 || call->proposes)
        calls_release(c); /* those that were held back */
    chain_flush(c);
}

/* Another bundle may be in force than when it came. */
static int look_again(struct chain *c, struct chain_call *call)
{
    struct chain_call_state *st = call->state;
    if (st->epoch == c->epoch)
        return 0;
    st->epoch = c->epoch;
    buf_clear(&st->args);
    buf_clear(&st->context);
    return find_method(c, call);
}

/* A worker asks outside: whoever let it work sees to that. */
static void give_asking(struct chain *c, struct chain_call *call)
{
    struct work_asking *asking = &call->state->run.asking;
    if (call->asking == NULL) {
        err_set(&call->err, ATE_EUNAVAILABLE,
                "%s: it asks a service, which ate worker run lets it",
                call->state->method->name);
        calls_answer(c, call, ATE_EUNAVAILABLE);
        return;
    }
    *call->asking = *asking;
    *asking = (struct work_asking){0};
    calls_answer(c, call, ATE_ENEED);
}

void calls_begin(struct chain *c, struct chain_call *call)
{
    int rc = look_again(c, call);
    if (rc == 0)
        rc = check_may_run(c, call);
    if (rc == 0 && has_to_wait(c, call))
        return;
    if (rc == 0)
        rc = take_signers(call);
    if (rc == 0)
        rc = take_args(c, call);
    if (rc == 0 && calls_is_repeated(c, call))
        return; /* invariant (1) */
    bool activates = call->state->method->by_default == DEFAULT_ACTIVATE;
    if (rc == 0 && activates)
        rc = check_activation(c, call);
    if (rc == 0 && activates && switch_must_wait(c)) {
        queue_push(&c->blocked, call);
        return;
    }
    if (rc == 0 && activates) {
        switch_prepare(c, !call->proposes, activation_ready, call);
        return;
    }
    if (rc == 0) {
        prepare_run(c, call);
        rc = call->state->run.writes ? run_write(c, call) : run_read(c, call);
    }
    if (rc == ATE_ENEED && call->state->run.asking.is_asking)
        give_asking(c, call);
    else if (rc == ATE_ENEED)
        fetch(c, call);
    else if (rc != 0)
        calls_answer(c, call, rc);
}

void chain_call(struct chain *c, struct chain_call *call)
{
    struct chain_call_state *st = mem_zero(1, sizeof(*st));
    call->state = st;
    st->chain = c;
    st->epoch = c->epoch;
    call_init(&st->run);
    call->wrote = false;
    call->gas = 0;
    call->err = (struct err){0};
    int rc = find_method(c, call);
    if (rc != 0)
        calls_answer(c, call, rc);
    else
        calls_begin(c, call);
}
