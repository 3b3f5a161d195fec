#include "chain/chain.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/version.h"
#include "chain/inside.h"
#include "chain/leaves.h"
#include "chain/snapshot.h"
#include "state/roots.h"

struct chain *chain_new(const struct chain_deps *deps)
{
    struct chain *c = mem_zero(1, sizeof(*c));
    c->deps = *deps;
    c->core.names = deps->names;
    merkle_init(&c->tree);
    merkle_init(&c->durable);
    c->submits.last = &c->submits.first;
    queue_init(&c->placed);
    queue_init(&c->flying);
    queue_init(&c->landed);
    queue_init(&c->ready);
    queue_init(&c->blocked);
    ring_init(&c->holds);
    uint8_t seed[MAP_SEED_LEN];
    deps->random(deps->ctx, seed, sizeof(seed));
    changes_init(&c->changes, deps->changes_max, seed);
    return c;
}

void chain_forget(struct chain *c)
{
    holds_end(&c->holds);
    if (c->log_open)
        log_close(&c->log);
    c->log_open = false;
    uploads_deinit(&c->uploads);
    replay_deinit(c);
    order_deinit(c);
    trial_deinit(&c->trial);
    scratch_deinit(&c->decoded);
    history_deinit(&c->history);
    tiles_deinit(&c->tiles);
    mem_free(c->spare);
    c->spare = NULL;
    core_close(&c->core);
    merkle_init(&c->tree);
    merkle_init(&c->durable);
    buf_deinit(&c->checkpoint.text);
    c->next_index = 0;
    touched_drop(c);
    changes_forget(&c->changes, 0);
    c->changes.ahead = false;
    assert(c->rooting.noted == NULL);
    c->rooting = (struct rooting){0};
    c->verified = (struct verified){.end = {.frames = 0}};
    buf_deinit(&c->verified_bytes);
    c->fresh_transactions = 0;
    c->fresh_events = 0;
    snapshot_unmap(c);
    c->progress = (struct chain_progress){0};
    c->rows_unknown = false;
    c->why = (struct err){0};
}

const struct key_pair *chain_node_pair(const struct chain *c)
{
    return c->deps.node_pair != NULL ? c->deps.node_pair(c->deps.ctx) : NULL;
}

/* The trial has put it into the state already. */
static bool is_body_here(const struct chain *c, const struct trial_event *e)
{
    const struct event_header *h = &e->header;
    bool sealed = h->seal.data != NULL;
    struct large large;
    if (e->has_new_large)
        return uploads_wait(&c->uploads, h->body_hash, h->body_length, sealed);
    return state_large(state_head(&c->core.state), h->body_hash, &large) &&
           large.length == h->body_length && large.sealed == sealed;
}

int chain_has_bodies(const struct chain *c, const struct trial *t,
                     struct err *err)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct trial_event *e = t->events[i];
        const struct event_header *h = &e->header;
        if (body_home_of(h) != BODY_LARGE || is_body_here(c, e))
            continue;
        return err_set(err, ATE_ENOT_FOUND,
                       "%.*s: nobody put its body of %llu bytes, or more than "
                       "an hour ago; put it again (ate.put)",
                       (int)h->type.len, (const char *)h->type.data,
                       (unsigned long long)h->body_length);
    }
    return 0;
}

void chain_placed(struct chain *c, const struct trial *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (body_home_of(&t->events[i]->header) == BODY_LARGE)
            uploads_claim(&c->uploads, t->events[i]->header.body_hash,
                          c->next_index);
    touched_note(c);
    c->next_index++;
    c->fresh_transactions++;
    c->fresh_events += t->count;
}

void chain_free(struct chain *c)
{
    if (c == NULL)
        return;
    assert(chain_is_idle(c));
    chain_forget(c);
    changes_deinit(&c->changes);
    buf_deinit(&c->touched);
    buf_deinit(&c->touched_writing);
    mem_free(c);
}

void chain_check_bodies(struct chain *c)
{
    c->check_bodies = true;
}

void chain_skip_rules(struct chain *c)
{
    assert(!c->skips_rules);
    c->skips_rules = true;
    c->no_rules = no_rules_maker(c->deps.logic);
    c->deps.logic = &c->no_rules;
}

void chain_stop(struct chain *c)
{
    c->stopped = true;
}

/* ---- opening ---- */

static struct tree_version head_of(void *ctx)
{
    struct chain *c = ctx;
    return state_head(&c->core.state);
}

static void uploads_rest(void *ctx)
{
    chain_rested(ctx);
}

static void uploads_listed(void *ctx, int code, const struct err *err)
{
    struct chain *c = ctx;
    chain_done *done = c->done;
    c->done = NULL;
    if (code != 0)
        c->why = *err;
    done(c->done_ctx, code, code != 0 ? &c->why : err);
}

/* The last step of opening: what was put and not claimed. */
static void begin_uploads(struct chain *c)
{
    uploads_init(&c->uploads, c->deps.disk, c->deps.pool, c->folder, head_of,
                 uploads_rest, c);
    uploads_open(&c->uploads, c->deps.now(c->deps.ctx), uploads_listed);
}

static void finish_opening(struct chain *c, int code, const struct err *err)
{
    chain_done *done = c->done;
    c->done = NULL;
    c->careful = false;
    c->ends_before = 0;
    c->covered = false;
    if (code != 0)
        c->why = *err;
    if (code != 0 && code != ATE_ECANCELED && code != ATE_EUNAVAILABLE &&
        c->next_index > 0 && c->log.state == LOG_REFUSED) {
        /* Whatever a replay trips over, the log is not what it was; unless it
         * was this node that gave up. */
        c->why.code = ATE_ECORRUPT;
        c->why.rule[0] = '\0';
    }
    generation_next_schema(c->deps.generation);
    if (code == 0 || !c->polls) { /* else it shows what it did before */
        c->hidden = false;
        if (c->core.logic != NULL && c->core.state.tree != NULL)
            state_all_is_durable(&c->core.state);
        c->durable = c->tree;
        touched_shown(c);
        tiles_durable(&c->tiles, c->durable.size);
    }
    if (code == 0)
        tiles_opened(&c->tiles);
    if (code == 0)
        code = verified_check(c, &c->why);
    if (code == 0 && c->mode == LOG_READ_WRITE) {
        c->done = done;
        begin_uploads(c);
        return;
    }
    done(c->done_ctx, code != 0 ? c->why.code : 0, code != 0 ? &c->why : err);
}

static void opened(void *ctx, int code, const struct err *err)
{
    struct chain *c = ctx;
    bool began_late = c->resumed.file.len > 0;
    if (code == 0)
        verified_look_end(c);
    if (code == 0)
        rooting_begin(c);
    else
        rooting_drop(c);
    if (!c->careful && ((began_late && code == ATE_ESTALE) ||
                        c->log.end.frames < c->verified.end.frames))
        c->check_failed = true; /* not the log that this node knew */
    c->opened_early = c->checking > 0;
    if (c->ends_before == 0) {
        c->opened_code = code;
        c->opened_err = *err;
    }
    if (!c->opened_early)
        chain_checked(c);
}

void chain_rested(struct chain *c)
{
    if (c->concludes_step && !c->tells_root && chain_is_idle(c)) {
        struct err none = {0};
        c->concludes_step = false;
        c->marked(c->marked_ctx, 0, &none);
    }
    if (c->rested != NULL)
        c->rested(c->rested_ctx);
}

static void tiles_rest(void *ctx)
{
    struct chain *c = ctx;
    if (c->resuming != NULL) {
        snapshot_tiles_rest(c);
        return;
    }
    if (c->concludes) {
        chain_checked(c);
    } else if (c->marks_tiles) {
        struct err none = {0};
        c->marks_tiles = false;
        c->marked(c->marked_ctx, 0, &none);
    }
    chain_rested(c);
}

void chain_begin_tiles(struct chain *c)
{
    bool writes = c->mode == LOG_READ_WRITE && !c->any_id;
    tiles_init(&c->tiles, c->deps.disk, c->folder, c->id, writes, tiles_rest,
               c);
    tiles_open(&c->tiles, false);
}

static void begin_log(struct chain *c, bool from_snapshot)
{
    if (!from_snapshot)
        chain_begin_tiles(c);
    c->log_open = true;
    log_open_from(&c->log, c->deps.disk, c->folder, c->any_id ? NULL : c->id,
                  c->mode, from_snapshot ? &c->resumed.start : NULL,
                  replay_frame, c, opened, c);
}

bool chain_is_verified(const struct chain *c)
{
    return c->covered;
}

/* A check of the pool failed: replay again without it, so that opening ends at
 * that very frame and says so. A frame failed: again, up to that, for some of
 * it is in the state. What is in use cannot be replayed; who asked next opens
 * it anew. True: it was begun. */
static bool opens_again(struct chain *c)
{
    bool failed = c->check_failed;
    c->check_failed = false;
    if (failed && c->polls)
        c->opened_code =
            err_set(&c->opened_err, ATE_ECORRUPT,
                    "what another process wrote is not good; it will be "
                    "opened again to see where");
    if (c->polls || c->stopped)
        return false;
    if (failed) {
        c->careful = true;
        c->ends_before = 0;
    } else if (c->opened_code != 0 && c->tripped > 0 && c->ends_before == 0 &&
               !c->check_bodies) { /* who verifies looks at no state */
        c->ends_before = c->tripped;
    } else {
        return false;
    }
    c->tripped = 0;
    chain_forget(c);
    snapshot_open(c, begin_log);
    return true;
}

/* Whoever is told finds the chain idle. */
void chain_checked(struct chain *c)
{
    c->opened_early = false;
    if (c->check_failed || c->opened_code != 0)
        tiles_stop(&c->tiles);
    c->concludes = !tiles_at_rest(&c->tiles);
    if (c->concludes)
        return;
    if (!opens_again(c))
        finish_opening(c, c->opened_code, &c->opened_err);
}

void chain_open(struct chain *c, const char *folder, const uint8_t *id,
                enum log_mode mode, chain_done *done, void *ctx)
{
    assert(!c->log_open && c->resuming == NULL);
    c->done = done;
    c->done_ctx = ctx;
    snprintf(c->folder, sizeof(c->folder), "%s", folder);
    c->mode = mode;
    c->any_id = id == NULL;
    c->polls = false;
    c->tripped = 0;
    c->ends_before = 0;
    c->made = (struct watermark){.frames = 0};
    c->is_other = false;
    if (id != NULL)
        memcpy(c->id, id, CHAIN_ID_SIZE);
    snapshot_open(c, begin_log);
}

void chain_expect(struct chain *c, const struct chain *other)
{
    c->made = other->log.end;
}

void chain_poll(struct chain *c, chain_done *done, void *ctx)
{
    assert(c->done == NULL);
    c->done = done;
    c->done_ctx = ctx;
    c->polls = true;
    log_poll(&c->log, replay_frame, c, opened, c);
}

/* ---- creating ---- */

static int put_genesis(const struct chain_birth *birth, struct buf *out,
                       struct err *err)
{
    uint8_t hash[HASH_SIZE];
    struct buf limits = {0};
    body_hash(birth->bundle, hash);
    core_default_limits(&limits);
    struct genesis g = {
        .format = GENESIS_FORMAT,
        .suite = birth->roots[0].suite,
        .nonce = birth->nonce,
        .log_time = (uint64_t)birth->time,
        .name = birth->name,
        .root_count = birth->root_count,
        .threshold = birth->threshold,
        .next = birth->next,
        .order = birth->order->record,
        .limits = buf_bytes(&limits),
        .engine = bytes_of_text(ENGINE_VERSION),
        .bundle_hash = hash,
        .bundle_length = birth->bundle.len,
    };
    for (size_t i = 0; i < birth->root_count; i++)
        g.roots[i] = birth->roots[i];
    /* Chains with one first segment belong together. */
    const uint8_t *slash = memchr(birth->name.data, '/', birth->name.len);
    g.partition = birth->name;
    if (slash != NULL)
        g.partition.len = (size_t)(slash - birth->name.data);
    g.pipeline_count = birth->pipeline_count;
    for (size_t i = 0; i < birth->pipeline_count; i++)
        g.pipeline[i] = birth->pipeline[i];
    if (birth->pipeline_count == 0)
        g.pipeline_count = core_default_pipeline(g.pipeline);
    int rc = genesis_put(out, &g, err);
    buf_deinit(&limits);
    return rc;
}

static void put_signed_genesis(const struct chain_birth *birth,
                               struct bytes genesis, struct buf *payload)
{
    uint8_t id[CHAIN_ID_SIZE];
    uint8_t signatures[LIMIT_ROOT_KEYS][SIGN_SIZE];
    struct further_sig sigs[LIMIT_ROOT_KEYS];
    assert(birth->signer_count <= LIMIT_ROOT_KEYS);
    chain_id(genesis, id);
    for (size_t i = 0; i < birth->signer_count; i++) {
        further_sig_make(birth->signers[i], id, bytes_of_text(PURPOSE_ROOT), id,
                         signatures[i]);
        sigs[i] = (struct further_sig){
            .key_id = birth->signers[i]->id,
            .purpose = bytes_of_text(PURPOSE_ROOT),
            .signature = signatures[i],
        };
    }
    bool distinct = sigs_sort(sigs, birth->signer_count);
    assert(distinct);
    genesis_payload_put(payload, genesis, sigs, birth->signer_count);
}

static int put_first_payload(const struct chain_birth *birth,
                             struct buf *payload, struct err *err)
{
    if (birth->pipeline_count > GENESIS_PIPELINE_MAX)
        return err_set(err, ATE_ELIMIT, "a pipeline has at most %d stages",
                       GENESIS_PIPELINE_MAX);
    struct buf genesis = {0};
    int rc =
        roots_check(birth->roots, birth->root_count, birth->threshold, err);
    if (rc == 0)
        rc = put_genesis(birth, &genesis, err);
    if (rc == 0)
        put_signed_genesis(birth, buf_bytes(&genesis), payload);
    buf_deinit(&genesis);
    return rc;
}

static int check_version(const struct chain *c, const int64_t *wanted,
                         struct err *err)
{
    const struct schema *s = c->core.schema;
    int64_t version = schema_part(s, s->main)->version;
    if (wanted == NULL || *wanted == version)
        return 0;
    return err_set(err, ATE_ECONFLICT,
                   "the schema %s has version %lld, not %lld", s->main,
                   (long long)version, (long long)*wanted);
}

void chain_create(struct chain *c, const struct chain_birth *birth,
                  chain_done *done, void *ctx)
{
    struct err err;
    struct buf payload = {0};
    int rc = put_first_payload(birth, &payload, &err);
    if (rc == 0)
        rc = replay_genesis(c, buf_bytes(&payload), birth->bundle, &err);
    if (rc == 0)
        rc = check_version(c, birth->version, &err);
    if (rc != 0) {
        done(ctx, rc, &err);
        buf_deinit(&payload);
        return;
    }
    char folder[LOG_PATH_MAX];
    struct log_entry entry = {
        .type = LOG_GENESIS,
        .count = 1,
        .payload = buf_bytes(&payload),
        .inlined = birth->bundle,
    };
    struct log_group first = {.entries = &entry, .count = 1};
    log_folder(folder, c->core.id);
    tiles_deinit(&c->tiles);
    tiles_init(&c->tiles, c->deps.disk, folder, c->core.id, true, tiles_rest,
               c);
    tiles_open(&c->tiles, true);
    tiles_add(&c->tiles, c->tree.peaks[0]); /* the leaf of genesis */
    c->log_open = true;
    c->done = done;
    c->done_ctx = ctx;
    snprintf(c->folder, sizeof(c->folder), "%s", folder);
    memcpy(c->id, c->core.id, CHAIN_ID_SIZE);
    c->mode = LOG_READ_WRITE;
    log_create(&c->log, c->deps.disk, folder, c->core.id, &first, opened, c);
    buf_deinit(&payload);
}

void chain_put(struct chain *c, struct put *put)
{
    if (c->mode == LOG_READ_WRITE && c->why.code == 0) {
        uploads_put(&c->uploads, put, c->deps.now(c->deps.ctx));
        return;
    }
    put->code = err_set(&put->err, ATE_EUNAVAILABLE,
                        "the chain is open for reading only");
    put->done(put);
}

bool chain_keeps_puts(struct chain *c)
{
    return uploads_expire(&c->uploads, c->deps.now(c->deps.ctx));
}

/* ---- at rest ---- */

bool chain_is_writing(const struct chain *c)
{
    return c->writing;
}

bool chain_is_idle(const struct chain *c)
{
    return !c->writing && order_is_empty(c) && c->done == NULL &&
           c->submits.first == NULL && c->switching == NULL &&
           c->fetching == 0 && c->looking == 0 && c->checking == 0 &&
           tiles_at_rest(&c->tiles) && c->snapshotting == NULL &&
           !c->verifying && uploads_at_rest(&c->uploads) &&
           c->placed.first == NULL && c->flying.first == NULL &&
           c->blocked.first == NULL && c->ready.first == NULL &&
           (!c->log_open || log_is_idle(&c->log));
}

void chain_when_rested(struct chain *c, void (*rested)(void *ctx), void *ctx)
{
    c->rested = rested;
    c->rested_ctx = ctx;
}

static void log_marked(void *ctx, int code, const struct err *err)
{
    struct chain *c = ctx;
    if (code == 0) {
        tiles_sync(&c->tiles);
        verified_write(c, VERIFIED_WORTH);
    }
    c->marked(c->marked_ctx, code, err);
}

int chain_mark(struct chain *c, chain_done *done, void *ctx, struct err *err)
{
    if (c->log.mode == LOG_READ_ONLY || c->log.state != LOG_READY ||
        c->why.code != 0)
        return 1;
    c->marked = done;
    c->marked_ctx = ctx;
    int rc = log_mark(&c->log, log_marked, c, err);
    c->marks_tiles = rc == 1 && tiles_sync(&c->tiles);
    return c->marks_tiles ? 0 : rc;
}

/* A state root that no heartbeat has told yet. */
static bool tell_root(struct chain *c)
{
    struct err err;
    if (rooting_news(c) == NULL || !order_holds(c) ||
        order_beat(c, c->deps.now(c->deps.ctx), &err) != 0)
        return false;
    c->tells_root = true;
    chain_flush(c);
    return true;
}

int chain_conclude(struct chain *c, chain_done *done, void *ctx,
                   struct err *err)
{
    int rc = chain_mark(c, done, ctx, err);
    if (rc != 1 || c->log.mode == LOG_READ_ONLY || c->log.state != LOG_READY ||
        c->why.code != 0)
        return rc;
    c->concludes_step = true;
    c->marked = done;
    c->marked_ctx = ctx;
    if (tell_root(c) || snapshot_at_rest(c) || verified_write(c, 1))
        return 0;
    c->concludes_step = false;
    return log_give_room_back(&c->log, done, ctx);
}

/* ---- looking ---- */

const struct core *chain_core(const struct chain *c)
{
    return &c->core;
}

const struct log *chain_log(const struct chain *c)
{
    return &c->log;
}

const char *chain_folder(const struct chain *c)
{
    return c->folder;
}

struct tree_version chain_version(const struct chain *c)
{
    const struct core *left = switch_left(c);
    return state_durable(left != NULL ? &left->state : &c->core.state);
}

void chain_door(const struct chain *c, struct door *door)
{
    *door = (struct door){
        .core = &c->core,
        .version = chain_version(c),
        .names = c->deps.names,
    };
}

int64_t chain_time_ahead(const struct chain *c)
{
    int64_t ahead_ms = state_time(chain_version(c)) - c->deps.now(c->deps.ctx);
    return ahead_ms > CLOCKS_DIFFER_MS ? ahead_ms : 0;
}

uint64_t chain_size(const struct chain *c)
{
    return c->durable.size;
}

const uint8_t *chain_durable_root(struct chain *c)
{
    if (c->durable_root_size != c->durable.size || c->durable.size == 0) {
        merkle_root(&c->durable, c->durable_root);
        c->durable_root_size = c->durable.size;
    }
    return c->durable_root;
}

void chain_root(const struct chain *c, uint8_t root[HASH_SIZE])
{
    merkle_root(&c->durable, root);
}

const struct changes *chain_changes(const struct chain *c)
{
    return &c->changes;
}

const struct chain_progress *chain_progress(const struct chain *c)
{
    return &c->progress;
}

int chain_state(const struct chain *c, const struct err **why)
{
    *why = &c->why;
    return c->why.code;
}

const char *chain_word_of(int code)
{
    if (code == 0)
        return "open";
    if (code == ATE_ECORRUPT)
        return "damaged";
    return code == ATE_EUNAVAILABLE ? "unchecked" : "failed";
}

const char *chain_state_word(const struct chain *c)
{
    bool wrote = c->why.code == ATE_EUNAVAILABLE && c->log.state == LOG_READY;
    return wrote ? "failed" : chain_word_of(c->why.code);
}

uint64_t chain_epoch(const struct chain *c)
{
    return c->epoch;
}

bool chain_is_hidden(const struct chain *c)
{
    return c->hidden;
}
