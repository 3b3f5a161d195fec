/* Replay: what is read back from a log is judged again, all of it: hashes,
 * signatures, sequences, what authors had read, every rule and fold, the
 * verdict digests and the log's root.
 *
 * A frame whose bodies lie in the body file is replayed when they are needed (a
 * view reads bodies, or they are to be checked) only after they were fetched:
 * the visit pauses meanwhile. */
#include <assert.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/engine_types.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/leaves.h"
#include "chain/member.h"
#include "state/reads.h"

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
    leaves_add(c, leaf);
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
    rc = h.state != NULL ? rooting_check(c, h.state, err) : 0;
    return rc == 0 ? 0 : err_wrap(err, TYPE_HEARTBEAT);
}

/* May it have written rows of views? */
static bool changes_rows(const struct trial *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->events[i]->type != NULL)
            return true;
    return false;
}

static int check_recorded(struct chain *c, const struct batch_member *m,
                          struct err *err)
{
    int rc = 0;
    if (member_is_heartbeat(m))
        rc = check_heartbeat(c, err);
    if (rc != 0 || memcmp(c->trial.verdict, m->verdict, HASH_SIZE) == 0)
        return rc;
    if (!c->skips_rules || !changes_rows(&c->trial))
        return err_set(err, ATE_ECORRUPT,
                       "the verdict differs from the recorded one");
    c->rows_unknown = true;
    return 0;
}

/* Did its author see what stood there? Asked before it is judged, for the trial
 * of what is replayed cannot be undone. The head is what its orderer had: under
 * the bundle in force, which is the new one for an activation, and behind the
 * heartbeat that it may have needed. Where no rule runs neither rows nor what
 * upgrades make of objects are known. */
static int check_reads(struct chain *c, const struct batch_member *m,
                       struct err *err)
{
    uint64_t left = LIMIT_TX_READS;
    if (m->read_set.data == NULL || c->covered || c->skips_rules)
        return 0;
    int rc = reads_check(m->read_set, state_head(&c->core.state), &left, err);
    if (rc != ATE_ESTALE)
        return rc;
    err->code = ATE_ECORRUPT;
    return err_wrap(err, "what it says that it had read did not stand there");
}

static int replay_member(struct chain *c, const struct batch_member *m,
                         const uint8_t *signature, struct member_bodies *bodies,
                         struct err *err)
{
    uint8_t id[TX_ID_SIZE];
    struct member_sigs sigs;
    struct batch_event *events;
    rooting_note(c);
    scratch_reset(&c->decoded);
    batch_member_id(m, c->core.genesis.suite, c->core.id, id);
    int rc = member_decode(&c->core, m, &c->decoded, &events, err);
    if (rc == 0)
        rc = batch_member_check(m, events, err);
    if (rc == 0)
        rc = batch_member_check_whole(m, err);
    if (rc == 0 && !c->covered)
        rc = member_check_sigs(c, m, id, err);
    if (rc == 0)
        rc = check_reads(c, m, err);
    if (rc == 0)
        rc = member_judge(c, &c->trial, c->next_index, m, events, &sigs, bodies,
                          true, err);
    if (rc != 0)
        return rc;
    rc = check_recorded(c, m, err);
    if (rc != 0) {
        trial_undo(&c->trial);
        return rc;
    }
    for (size_t i = 0; i < c->trial.count; i++) {
        const struct trial_event *e = c->trial.events[i];
        c->progress.bodies += e->body.data != NULL;
    }
    c->progress.events += c->trial.count;
    member_keep(&c->core, &c->trial, m);
    order_put_leaf(c, id, signature, &m->sigs, m->verdict);
    chain_placed(c, &c->trial);
    c->progress.transactions++;
    c->progress.verdicts += !c->skips_rules;
    return 0;
}

/* ---- frames ---- */

/* `path`: of the file that the bodies come from, if they do. */
static int replay_batch(struct chain *c, const struct log_frame *frame,
                        struct bytes file_bodies, const char *path,
                        struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    struct key_record record;
    struct member_bodies bodies = {
        .inlined = frame->inlined,
        .file = file_bodies,
        .path = path,
        .offset = frame->body_offset,
    };
    struct merkle before = c->tree; /* a frame counts as a whole */
    if (frame->index != c->next_index)
        return err_set(err, ATE_ECORRUPT, "its first index is %llu, not %llu",
                       (unsigned long long)frame->index,
                       (unsigned long long)c->next_index);
    int rc = batch_open(&r, frame->payload, err);
    if (rc == 0)
        rc = member_author(c, frame->payload, r.author, &record, err);
    if (rc == 0)
        rc = c->covered ? 0 : signatures_check(c, frame->payload, &record, err);
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1) {
        rc = 0;
        if (m.refused)
            continue;
        rc = replay_member(c, &m, r.signature, &bodies, err);
        if (rc != 0) {
            err_at_none(err);
            err_wrap(err, "transaction %llu",
                     (unsigned long long)c->next_index);
            if (err != NULL && strcmp(err->reason, "replay_limit") == 0)
                err_add(err, "; a replay may use many times as much as the "
                             "chain allows: an alarm of this node, and no "
                             "verdict");
        }
    }
    if (rc == 0 && c->next_index != frame->index + frame->count)
        rc = err_set(
            err, ATE_ECORRUPT, "it holds %llu transactions and says %u",
            (unsigned long long)(c->next_index - frame->index), frame->count);
    if (rc == 0 && (bodies.walk.inline_at != frame->inlined.len ||
                    bodies.walk.file_at != frame->body_len))
        rc = err_set(err, ATE_ECORRUPT,
                     "its bodies fill more or less than it says");
    if (rc != 0) {
        c->tree = before;
        c->next_index = frame->index;
        c->tripped = frame->sequence;
        return rc;
    }
    if (c->done != NULL) /* what is opened or polled is in the log */
        tiles_durable(&c->tiles, c->tree.size);
    history_add(&c->history, &c->tree);
    touched_read(c);
    verified_look(c, frame);
    c->check_failed |= !verified_passed(c, frame);
    return checks_are_many(c) ? LOG_PAUSE : 0;
}

/* Its activation is alone in its batch: what stands beside it would be judged
 * under the wrong bundle. One that was refused stands there, too. */
int replay_activation(struct chain *c, const struct log_frame *frame,
                      struct err *err)
{
    struct batch_reader batch;
    int rc = batch_open(&batch, frame->payload, err);
    if (rc == 0 && batch.count != 1)
        rc =
            err_set(err, ATE_ECORRUPT, TYPE_ACTIVATE ": is alone in its batch");
    return rc == 0 ? replay_batch(c, frame, bytes_of(NULL, 0), NULL, err) : rc;
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

/* The first body of a member that its hash does not vouch for. */
static int check_member_bodies(const struct replay_wait *w, uint64_t index,
                               const struct batch_member *m,
                               struct bytes region, struct body_walk *walk,
                               struct err *err)
{
    struct batch_events events = batch_events(m);
    struct bytes raw;
    for (uint64_t n = 0; batch_events_next(&events, &raw); n++) {
        struct event_header h;
        if (event_header_get(raw, &h, err) != 0)
            return err->code;
        if (h.body_length == 0)
            continue;
        struct body_place place = body_walk_next(walk, &h);
        if (place.home != BODY_FILE || place.offset > region.len ||
            h.body_length > region.len - place.offset)
            continue;
        struct bytes body = bytes_of(region.data + place.offset, h.body_length);
        if (body_check(body, h.body_length, h.body_hash, err) != 0)
            return err_wrap(
                err, "transaction %llu: event %llu: body in %s at offset %llu",
                (unsigned long long)index, (unsigned long long)n, w->read.path,
                (unsigned long long)(w->frame.body_offset + place.offset));
    }
    return 0;
}

/* The frame's checksum of its bodies covers what no hash does: padding. */
static int check_region(const struct replay_wait *w, struct bytes region,
                        struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    struct body_walk walk = {0};
    uint64_t index = w->frame.index;
    if (crc32c(0, region.data, region.len) == w->frame.body_crc)
        return 0;
    int rc = batch_open(&r, w->frame.payload, err);
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1) {
        rc = 0;
        if (!m.refused)
            rc = check_member_bodies(w, index++, &m, region, &walk, err);
    }
    return rc != 0 ? rc
                   : err_set(err, ATE_ECORRUPT,
                             "%s: the checksum of its bodies from offset %llu "
                             "on does not match",
                             w->read.path,
                             (unsigned long long)w->frame.body_offset);
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
        code = check_region(w, buf_bytes(&read->bytes), &err);
    if (code == 0)
        code = replay_batch(c, &w->frame, buf_bytes(&read->bytes), read->path,
                            &err);
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
    if (c->ends_before > 0 && frame->sequence >= c->ends_before)
        return err_set(err, ATE_ECORRUPT, "it was tried before");
    c->progress.bytes_done = frame->offset;
    c->covered = verified_covers(c, frame->sequence);
    if (frame->sequence == 0) {
        if (frame->type != LOG_GENESIS)
            return err_set(err, ATE_ECORRUPT, "the first frame is no genesis");
        return visit_genesis(c, frame, err);
    }
    if (frame->type != LOG_BATCH)
        return err_set(err, ATE_ECORRUPT, "a genesis that is not the first");
    if (frame_activates(frame))
        return switch_replay(c, frame, err);
    if (frame->body_len > 0 && needs_bodies(c))
        return fetch_bodies(c, frame);
    int rc = replay_batch(c, frame, bytes_of(NULL, 0), NULL, err);
    c->check_paused = rc == LOG_PAUSE;
    return rc;
}
