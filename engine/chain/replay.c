/* Replay: what is read back from a log is judged again, all of it: hashes,
 * signatures, sequences, every rule and fold, the verdict digests and the log's
 * root.
 *
 * A frame whose bodies lie in the body file is replayed when they are needed (a
 * view reads bodies, or they are to be checked) only after they were fetched:
 * the visit pauses meanwhile. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/engine_types.h"
#include "chain/inside.h"
#include "chain/trust_events.h"

/* ---- genesis ---- */

int replay_genesis(struct chain *c, struct bytes payload, struct bytes bundle,
                   struct err *err)
{
    struct genesis_payload g;
    int rc = genesis_payload_get(payload, &g, err);
    if (rc == 0)
        rc = core_open(&c->core, g.genesis, bundle, c->deps.logic,
                       c->deps.materializers, err);
    if (rc == 0)
        rc = genesis_verify(&c->core.genesis, &g.sigs, c->core.id, err);
    if (rc != 0)
        return rc;
    uint8_t leaf[LOG_LEAF_SIZE];
    genesis_leaf(c->core.genesis.suite, c->core.id, &g.sigs, leaf);
    merkle_append_leaf(&c->tree, bytes_of(leaf, sizeof(leaf)));
    history_add(&c->history, &c->tree);
    c->next_index = 1;
    c->progress.transactions = 1;
    c->progress.signatures = g.sigs.count;
    return 0;
}

/* The id covers all of genesis, so it is looked at before anything that genesis
 * says is believed, and before its Lua runs. */
static int visit_genesis(struct chain *c, const struct log_frame *frame,
                         struct err *err)
{
    struct genesis_payload g;
    uint8_t id[CHAIN_ID_SIZE];
    if (genesis_payload_get(frame->payload, &g, err) != 0) {
        err->code = ATE_ECORRUPT;
        return ATE_ECORRUPT;
    }
    chain_id(g.genesis, id);
    if (memcmp(c->log.end.chain, id, CHAIN_ID_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       "the genesis is another chain's than the file says");
    return replay_genesis(c, frame->payload, frame->inlined, err);
}

/* ---- keys ---- */

/* A key that a transaction brings along: by an ate.key event at its head, or as
 * one of new root keys. */
static bool brings_key(const struct batch_member *m, const uint8_t *id,
                       struct key_record *record)
{
    struct batch_events events = batch_events(m);
    struct bytes raw;
    struct event_header header;
    struct roots_fields roots;
    uint8_t found[KEY_ID_SIZE];
    while (batch_events_next(&events, &raw)) {
        if (event_header_get(raw, &header, NULL) != 0)
            return false;
        if (bytes_equal(header.type, bytes_of_text(TYPE_ROOTS)) &&
            roots_fields_get(header.fields, &roots, NULL) == 0)
            for (size_t i = 0; i < roots.count; i++) {
                *record = roots.records[i];
                key_id(record, found);
                if (memcmp(found, id, KEY_ID_SIZE) == 0)
                    return true;
            }
        if (!bytes_equal(header.type, bytes_of_text(TYPE_KEY)) ||
            key_fields_get(header.fields, record, NULL) != 0)
            continue;
        key_id(record, found);
        if (memcmp(found, id, KEY_ID_SIZE) == 0)
            return true;
    }
    return false;
}

static bool knows_key(struct chain *c, const uint8_t *id,
                      struct key_record *record)
{
    struct author author;
    return state_author(state_head(&c->core.state), id, &author) &&
           key_record_decode(author.record, record, NULL) == 0;
}

/* The key of a batch: known, or brought along by its first transaction. */
static int find_author(struct chain *c, struct bytes payload, const uint8_t *id,
                       struct key_record *record, struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    if (knows_key(c, id, record))
        return 0;
    if (batch_open(&r, payload, err) == 0 && batch_next(&r, &m, err) == 1 &&
        !m.refused && brings_key(&m, id, record))
        return 0;
    return err_set(err, ATE_EDENIED,
                   "the author's key is not in the log; its first transaction "
                   "begins with an " TYPE_KEY " event");
}

/* ---- members ---- */

/* Every further signature has to be good, and for something that means
 * something. */
static int check_sigs(struct chain *c, const struct batch_member *m,
                      const uint8_t *tx, struct further_sig *list,
                      size_t *count, struct err *err)
{
    *count = sigs_list(&m->sigs, list);
    for (size_t i = 0; i < *count; i++) {
        struct key_record record;
        if (!bytes_equal(list[i].purpose, bytes_of_text(PURPOSE_CO_AUTHOR)) &&
            !bytes_equal(list[i].purpose, bytes_of_text(PURPOSE_ROOT)))
            return err_set(err, ATE_EINVALID,
                           "a further signature is for '%.*s', which means "
                           "nothing; there are " PURPOSE_CO_AUTHOR
                           " and " PURPOSE_ROOT,
                           (int)list[i].purpose.len,
                           (const char *)list[i].purpose.data);
        if (!knows_key(c, list[i].key_id, &record) &&
            !brings_key(m, list[i].key_id, &record))
            return err_set(err, ATE_EDENIED,
                           "a further signature is by a key that is not in "
                           "the log");
        if (!further_sig_verify(&list[i], &record, c->core.id, tx))
            return err_set(err, ATE_ECORRUPT,
                           "the further signature for '%.*s' is not good",
                           (int)list[i].purpose.len,
                           (const char *)list[i].purpose.data);
    }
    c->progress.signatures += *count;
    return 0;
}

static bool is_heartbeat(const struct batch_member *m)
{
    return bytes_equal(m->tx.call.method, bytes_of_text(TYPE_HEARTBEAT));
}

/* A heartbeat is nobody's call. */
static int check_beat(struct chain *c, const struct batch_member *m,
                      struct err *err)
{
    const struct call_record *call = &m->tx.call;
    if (call->bundle != NULL || call->args != NULL || call->reads != NULL ||
        call->result != NULL || call->caller != NULL || m->sigs.count > 0)
        return err_set(err, ATE_EINVALID,
                       TYPE_HEARTBEAT ": says more of its call than an id");
    return history_check(&c->history, m->tx.seen_size, m->tx.seen_root, err);
}

static int check_call(struct chain *c, const struct batch_member *m,
                      struct err *err)
{
    const struct call_record *call = &m->tx.call;
    struct call_entry entry;
    if (call->token != NULL)
        return err_set(err, ATE_EUNAVAILABLE,
                       "it was made with a token, which this version does not "
                       "know");
    if (is_heartbeat(m))
        return check_beat(c, m, err);
    if (call->bundle == NULL ||
        memcmp(call->bundle, c->core.bundle_hash, HASH_SIZE) != 0)
        return err_set(err, ATE_ESTALE,
                       "the call was made with another bundle than the one "
                       "in force");
    if (state_call(state_head(&c->core.state), call->id, &entry))
        return err_set(err, ATE_ECONFLICT,
                       "its call id was used by transaction %llu",
                       (unsigned long long)entry.index);
    return history_check(&c->history, m->tx.seen_size, m->tx.seen_root, err);
}

static int check_heartbeat(struct chain *c, struct err *err)
{
    struct heartbeat h;
    uint8_t root[HASH_SIZE];
    int rc = heartbeat_get(c->trial.events[0]->header.fields, &h, err);
    if (rc != 0)
        return rc;
    merkle_root(&c->tree, root);
    if (h.size != c->tree.size || memcmp(h.root, root, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       TYPE_HEARTBEAT ": size or root differ from the log's");
    look_note_time(c, c->next_index, h.time);
    if (h.state == NULL)
        return 0;
    state_root(c->root_before, root);
    if (memcmp(h.state, root, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       TYPE_HEARTBEAT ": the state root differs");
    c->state_rooted = h.size;
    return 0;
}

/* Where a frame's bodies are while it is replayed. */
struct bodies {
    struct bytes inlined;
    struct bytes file; /* data NULL: not fetched */
    struct body_walk walk;
};

static int next_body(struct bodies *b, uint64_t length, struct bytes *body,
                     struct err *err)
{
    struct body_place place = body_walk_next(&b->walk, length);
    struct bytes from = place.inlined ? b->inlined : b->file;
    *body = bytes_of(NULL, 0);
    if (!place.inlined && from.data == NULL)
        return 0;
    if (place.offset > from.len || length > from.len - place.offset)
        return err_set(err, ATE_ECORRUPT, "a body lies outside its frame");
    *body = bytes_of(from.data + place.offset, length);
    return 0;
}

static int add_events(struct chain *c, const struct batch_member *m,
                      struct bodies *bodies, struct err *err)
{
    struct batch_events events = batch_events(m);
    struct bytes raw;
    for (uint32_t n = 0; batch_events_next(&events, &raw); n++) {
        struct event_header header;
        struct bytes body = {NULL, 0};
        int rc = event_header_get(raw, &header, err);
        if (rc == 0 && header.body_length > 0)
            rc = next_body(bodies, header.body_length, &body, err);
        if (rc == 0)
            rc = trial_add(&c->trial, raw, body, err);
        if (rc != 0)
            return err_wrap(err, "event %u", n);
        c->progress.events++;
        c->progress.bodies += body.data != NULL;
    }
    return 0;
}

static void note_call(struct chain *c, const struct batch_member *m)
{
    struct call_entry entry = {
        .index = c->next_index,
        .args_digest = m->tx.call.args,
        .result_digest = m->tx.call.result,
    };
    if (!is_heartbeat(m))
        state_put_call(&c->core.state, m->tx.call.id, &entry, c->trial.time,
                       c->core.call_ms);
}

static int judge_member(struct chain *c, const struct batch_member *m,
                        struct bodies *bodies, struct err *err)
{
    int rc = add_events(c, m, bodies, err);
    if (rc == 0)
        rc = trial_finish(&c->trial, err);
    if (rc == 0 && is_heartbeat(m) != engine_type_alone(&c->trial))
        rc = err_set(err, ATE_EINVALID,
                     "its method and its events are not of one kind");
    if (rc == 0 && is_heartbeat(m))
        rc = check_heartbeat(c, err);
    if (rc == 0 && memcmp(c->trial.verdict, m->verdict, HASH_SIZE) != 0)
        rc = err_set(err, ATE_ECORRUPT,
                     "the verdict differs from the recorded one");
    if (rc != 0)
        return rc;
    note_call(c, m);
    trial_keep(&c->trial);
    return 0;
}

static int replay_member(struct chain *c, const struct batch_member *m,
                         const uint8_t *signature, struct bodies *bodies,
                         struct err *err)
{
    uint8_t id[TX_ID_SIZE];
    uint8_t sigs[HASH_SIZE];
    uint8_t leaf[LOG_LEAF_SIZE];
    struct further_sig list[LIMIT_TX_SIGNATURES];
    size_t count = 0;
    batch_member_id(m, c->core.genesis.suite, c->core.id, id);
    int rc = batch_member_check(m, c->core.genesis.suite, c->core.id, err);
    if (rc == 0)
        rc = check_sigs(c, m, id, list, &count, err);
    if (rc == 0)
        rc = check_call(c, m, err);
    if (rc != 0)
        return rc;
    c->root_before = state_head(&c->core.state);
    c->trial.core = &c->core;
    c->trial.index = c->next_index;
    c->trial.time = state_time(c->root_before);
    c->trial.author = m->tx.author;
    c->trial.caller =
        m->tx.call.caller != NULL ? m->tx.call.caller : m->tx.author;
    c->trial.call_id = m->tx.call.id;
    c->trial.first_sequence = m->tx.first_sequence;
    c->trial.sigs = list;
    c->trial.sig_count = count;
    c->trial.replays = true;
    trial_begin(&c->trial);
    rc = judge_member(c, m, bodies, err);
    trial_undo(&c->trial); /* does nothing once kept */
    if (rc != 0)
        return rc;
    sigs_hash(signature, &m->sigs, sigs);
    log_leaf(c->core.genesis.suite, c->next_index, id, sigs, m->verdict, leaf);
    merkle_append_leaf(&c->tree, bytes_of(leaf, sizeof(leaf)));
    c->next_index++;
    c->progress.transactions++;
    c->progress.verdicts++;
    return 0;
}

/* ---- frames ---- */

static int replay_batch(struct chain *c, const struct log_frame *frame,
                        struct bytes file_bodies, struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    struct key_record record;
    struct bodies bodies = {.inlined = frame->inlined, .file = file_bodies};
    if (frame->index != c->next_index)
        return err_set(err, ATE_ECORRUPT, "its first index is %llu, not %llu",
                       (unsigned long long)frame->index,
                       (unsigned long long)c->next_index);
    int rc = batch_open(&r, frame->payload, err);
    if (rc == 0)
        rc = find_author(c, frame->payload, r.author, &record, err);
    if (rc == 0)
        rc = signatures_check(c, frame->payload, &record, err);
    int pause = rc == LOG_PAUSE ? LOG_PAUSE : 0;
    if (rc == LOG_PAUSE)
        rc = 0;
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1) {
        rc = 0;
        if (m.refused)
            continue;
        rc = replay_member(c, &m, r.signature, &bodies, err);
        if (rc != 0)
            err_wrap(err, "transaction %llu",
                     (unsigned long long)c->next_index);
    }
    if (rc == 0 && c->next_index != frame->index + frame->count)
        rc = err_set(
            err, ATE_ECORRUPT, "it holds %llu transactions and says %u",
            (unsigned long long)(c->next_index - frame->index), frame->count);
    if (rc == 0 && (bodies.walk.inline_at != frame->inlined.len ||
                    bodies.walk.file_at != frame->body_len))
        rc = err_set(err, ATE_ECORRUPT,
                     "its bodies fill more or less than it says");
    if (rc == 0)
        history_add(&c->history, &c->tree);
    return rc == 0 ? pause : rc;
}

/* A frame whose visit paused until its bodies are there. */
struct replay_wait {
    struct chain *chain;
    struct log_frame frame;
    struct buf payload;
    struct buf inlined;
    struct log_read read;
};

void replay_deinit(struct chain *c)
{
    struct replay_wait *w = c->wait;
    c->wait = NULL;
    if (w == NULL)
        return;
    buf_deinit(&w->payload);
    buf_deinit(&w->inlined);
    buf_deinit(&w->read.bytes);
    mem_free(w);
}

static void bodies_fetched(struct log_read *read, int code,
                           const struct err *why)
{
    struct replay_wait *w = read->owner;
    struct chain *c = w->chain;
    struct err err = {0};
    if (code != 0)
        err = *why;
    else
        code = replay_batch(c, &w->frame, buf_bytes(&read->bytes), &err);
    replay_deinit(c);
    if (code == LOG_PAUSE)
        c->check_paused = true; /* goes on when enough are checked */
    else
        log_resume(&c->log, code, &err);
}

static int fetch_bodies(struct chain *c, const struct log_frame *frame)
{
    struct replay_wait *w = mem_zero(1, sizeof(*w));
    w->chain = c;
    buf_put_bytes(&w->payload, frame->payload);
    buf_put_bytes(&w->inlined, frame->inlined);
    w->frame = *frame;
    w->frame.payload = buf_bytes(&w->payload);
    w->frame.inlined = buf_bytes(&w->inlined);
    w->read = (struct log_read){
        .frame = frame->sequence,
        .part = LOG_BODIES,
        .length = UINT64_MAX,
        .done = bodies_fetched,
        .owner = w,
    };
    c->wait = w;
    log_read(&c->log, &w->read);
    return LOG_PAUSE;
}

static bool needs_bodies(const struct chain *c)
{
    if (c->check_bodies)
        return true;
    for (size_t i = 0; i < c->core.schema->view_count; i++)
        if (c->core.schema->views[i].reads_bodies)
            return true;
    return false;
}

int replay_frame(void *chain, const struct log_frame *frame, struct err *err)
{
    struct chain *c = chain;
    if (c->stopped)
        return err_set(err, ATE_ECANCELED, "opening was canceled");
    c->progress.bytes_done = frame->offset;
    if (frame->sequence == 0) {
        if (frame->type != LOG_GENESIS)
            return err_set(err, ATE_ECORRUPT, "the first frame is no genesis");
        return visit_genesis(c, frame, err);
    }
    if (frame->type != LOG_BATCH)
        return err_set(err, ATE_ECORRUPT, "a genesis that is not the first");
    if (frame->body_len > 0 && needs_bodies(c))
        return fetch_bodies(c, frame);
    int rc = replay_batch(c, frame, bytes_of(NULL, 0), err);
    c->check_paused = rc == LOG_PAUSE;
    return rc;
}
