/* chain: the heart. Opens a log, replays it, takes calls, orders what they
 * make, writes it in groups, tells when it is durable.
 *
 * Everything runs on the thread that owns the chain. Time and randomness come
 * in with each call. Results come back through callbacks, never before the
 * function that asked has returned. */
#ifndef ATE_CHAIN_CHAIN_H
#define ATE_CHAIN_CHAIN_H

#include "acceptance/call.h"
#include "acceptance/door.h"
#include "acceptance/logic.h"
#include "acceptance/materializer.h"
#include "base/generation.h"
#include "base/task.h"
#include "event/batch.h"
#include "log/log.h"
#include "upload/uploads.h"

struct changes;
struct chain;
struct last_frame;

/* What every chain of a node shares; outlives them. */
struct chain_deps {
    const struct disk *disk;
    const struct logic_maker *logic;
    const struct materializer *const *materializers;
    const struct door_names *names;
    const struct pool *pool;   /* NULL: what it would do is done at once */
    int64_t (*now)(void *ctx); /* ms since 1970, as the driver said last */
    /* By how many ms the clock was set ahead, and is not believed; 0: it is.
     * NULL: it always is. */
    int64_t (*doubt)(void *ctx);
    /* A clock that never jumps, as it is now, in µs: long work is cut by it.
     * NULL: it is not. */
    int64_t (*steady_us)(void *ctx);
    /* The pair of an order key that this node holds, or NULL. */
    const struct key_pair *(*order_pair)(void *ctx, const uint8_t id[32]);
    /* The pair that files of this node's own are known by; NULL: there is none,
     * and chains are opened by replay. */
    const struct key_pair *(*node_pair)(void *ctx);
    void (*random)(void *ctx, void *out, size_t len);
    void *ctx;
    struct generation *generation; /* of what can be read; or NULL */
    /* 0: STATE_ROOT_EVERY, snapshot_transactions(), SNAPSHOT_EVENTS; tests make
     * them small. */
    uint32_t state_root_every;
    uint32_t snapshot_transactions;
    uint32_t snapshot_events;
    uint32_t changes_max; /* 0: CHANGES_MAX (changes.h) */
};

struct chain_progress {
    uint64_t transactions;
    uint64_t signatures;
    uint64_t verdicts;
    uint64_t events;
    uint64_t bodies;
    uint64_t bytes_done;
};

typedef void chain_done(void *ctx, int code, const struct err *err);

/* What a new chain is made of. Borrowed until chain_create() returns. */
struct chain_birth {
    struct bytes name;
    struct bytes bundle;
    const struct bytes *pipeline; /* names; count 0: the default */
    size_t pipeline_count;
    const struct key_record *roots;
    size_t root_count;
    uint64_t threshold;  /* k */
    const uint8_t *next; /* digest of the set that may follow, or NULL */
    const struct key_pair *const *signers; /* k of the roots, at least */
    size_t signer_count;
    const struct key_pair *order; /* this node's */
    uint8_t nonce[GENESIS_NONCE_SIZE];
    int64_t time;           /* ms */
    const int64_t *version; /* that the schema has to have; NULL: any */
};

struct chain *chain_new(const struct chain_deps *deps);
/* Nothing may be under way. NULL is harmless. */
void chain_free(struct chain *c);

/* Make the chain's folder and first frame; it is then open. Errors before
 * anything is written: INVALID, SCRIPT, LIMIT, CONFLICT (another version);
 * after: those of log_create(). */
void chain_create(struct chain *c, const struct chain_birth *birth,
                  chain_done *done, void *ctx);

/* Open a chain's folder and check all of it. `folder` as log_folder() makes it,
 * "" for the data folder itself; `id` may be NULL (then no tiles are written).
 * After CORRUPT the chain stays readable up to the damage (chain_state() says),
 * and after UNAVAILABLE up to where this node gave up: that says nothing of the
 * log. */
void chain_open(struct chain *c, const char *folder, const uint8_t *id,
                enum log_mode mode, chain_done *done, void *ctx);

/* Before chain_open(): check large bodies, too, as a stranger does who trusts
 * nothing. */
void chain_check_bodies(struct chain *c);

/* Before chain_open(): run none of the schema's functions. What they would have
 * said is then not checked: rules, rows of views, converted fields, and digests
 * and state roots that tell of these. */
void chain_skip_rules(struct chain *c);

/* While it opens: give up at the next frame; `done` then gets CANCELED. */
void chain_stop(struct chain *c);

/* While `c` is being opened: its log has to have what that of `other`, the same
 * chain in use, has made durable. */
void chain_expect(struct chain *c, const struct chain *other);

/* Read-only: take in what a writer appended meanwhile. */
void chain_poll(struct chain *c, chain_done *done, void *ctx);

/* A key that signs a transaction beside its author. */
struct signer {
    const struct key_pair *pair;
    struct bytes purpose; /* PURPOSE_CO_AUTHOR (trial.h), PURPOSE_ROOT */
    /* Of a proposal: its secrets are elsewhere, and it signs later. */
    bool is_absent;
};

/* One call from a door. The caller owns the struct and keeps it until `done`;
 * all that it points to is kept, too. */
struct chain_call {
    struct bytes method;  /* name, short or qualified */
    struct bytes args;    /* canonical map in door form; len 0: none */
    struct bytes context; /* likewise */
    const struct key_pair *author;
    uint8_t call_id[CALL_ID_SIZE];
    const uint8_t *caller; /* identity acted for; NULL: the author */
    /* Others who sign the transaction; tx:by() is true for co-authors. */
    const struct signer *signers;
    size_t signer_count;
    /* Do not place it: `proposal` gets the batch, signed by the author and by
     * signers, for others to sign and somebody to submit. */
    bool proposes;
    /* Only a method that reads is run: the author may have no secrets. */
    bool reads_only;
    /* Of a read: gets what it looked at, in place of what is there; or NULL. */
    struct reads *reads;
    /* Log time has to be this, at least: of work whose time has come. */
    int64_t not_before;
    /* Of ate.work: gets what the worker asks outside, with code NEED; NULL: it
     * may not ask. The caller frees its texts. */
    struct work_asking *asking;
    void (*done)(struct chain_call *call);
    void *owner;

    /* Set when done. */
    int code;
    struct err err;
    struct buf result; /* door form; empty: nil */
    bool wrote;        /* the fields below are set */
    uint64_t index;    /* durable */
    uint8_t tx_id[TX_ID_SIZE];
    uint8_t root[HASH_SIZE]; /* of the log up to the group's end */
    struct buf receipt;      /* encoded; shared text of the checkpoint inside */
    struct buf proposal;     /* encoded [payload, inlined, bodies] */
    uint64_t gas;
    uint64_t size; /* of a read: of the log that it saw */

    struct chain_call_state *state; /* the chain's */
};

/* The author of a write signs at once, but the call is done only when its
 * transaction is durable. A call id that is known gets the
 * stored answer, or CONFLICT when its arguments or context differ. */
void chain_call(struct chain *c, struct chain_call *call);
/* Tell those that are answered; the chain's steps end with it. */
void chain_deliver(struct chain *c);

/* ---- transactions that were signed elsewhere ---- */

/* A batch in the parts of its frame (docs/format.md section 5): payload, whose
 * verdict digests mean nothing, inline section, and body file region. */
struct signed_parts {
    struct bytes payload;
    struct bytes inlined;
    struct bytes bodies;
};

struct submit_result {
    int code;        /* 0: accepted */
    struct err *err; /* why not, or NULL */
    bool known;      /* its call id was in the log already; */
    bool compared;   /* that was looked at: is it this transaction's? */
    uint64_t index;
    uint8_t tx_id[TX_ID_SIZE];
    struct buf receipt; /* encoded; empty when refused */
};

/* A stored transaction, borrowed while it is looked at. */
struct chain_tx {
    uint64_t index;
    uint64_t first;       /* index of the first of its batch */
    struct bytes payload; /* of its frame */
    const struct batch_reader *batch;
    const struct batch_member *member; /* both NULL for genesis */
};

/* A batch handed in. The caller owns the struct, and keeps it and what it
 * points to until `done`. */
struct chain_submit {
    struct signed_parts parts;
    void (*done)(struct chain_submit *submit);
    void *owner;

    /* Set when done: a code for all of it, or a result for each member. */
    int code;
    struct err err;
    struct submit_result *results;
    size_t count;
    uint8_t root[HASH_SIZE];

    struct submit_state *state; /* the chain's */
};

/* Filtered at once (shape, known key, sequence, delegations), its signatures
 * checked by the pool, then placed, where all that depends on position is
 * judged again; done when it is durable. A transaction that is in the log
 * already gets its first receipt. Errors: INVALID, LIMIT, DENIED, CORRUPT (a
 * signature), CONFLICT, STALE, UNAVAILABLE. */
void chain_submit(struct chain *c, struct chain_submit *submit);
void chain_submit_deinit(struct chain_submit *submit); /* results; safe twice */

/* A piece of a large body, or its end. Errors: those of uploads_put(),
 * UNAVAILABLE (open for reading only). */
void chain_put(struct chain *c, struct put *put);
/* Is something put and waits? Then the chain should stay open: what is put in
 * two openings is read twice. What waited too long is dropped first. */
bool chain_keeps_puts(struct chain *c);

/* Write what calls have left, as one group, unless one is under way. To be
 * called when the input at hand is worked off. */
void chain_flush(struct chain *c);

/* Is the disk at work for a group? */
bool chain_is_writing(const struct chain *c);

/* Is something under way, or waiting to be written? */
bool chain_is_idle(const struct chain *c);
/* What goes on beside calls, writing tiles, has ended: the chain may be idle.
 */
void chain_when_rested(struct chain *c, void (*rested)(void *ctx), void *ctx);
/* Write the idle mark if needed, then what tiles lack. Returns as log_mark();
 * `done` does not wait for the tiles, unless nothing else is to be done. */
int chain_mark(struct chain *c, chain_done *done, void *ctx, struct err *err);
/* The chain is idle and will be closed: one step of leaving it so that it opens
 * fast. 1: nothing is left to be done; 0: `done` is called, then ask again; or
 * UNAVAILABLE, as log_mark(). */
int chain_conclude(struct chain *c, chain_done *done, void *ctx,
                   struct err *err);

/* ---- looking at an open chain ---- */

const struct core *chain_core(const struct chain *c);
const struct log *chain_log(const struct chain *c);
const char *chain_folder(const struct chain *c); /* LOG_PATH_MAX bytes */
struct tree_version chain_version(const struct chain *c);  /* durable */
void chain_door(const struct chain *c, struct door *door); /* over it */
/* By how many ms the log's time is ahead of this node's clock, and stands
 * still; 0: it is not, but for what clocks differ. */
int64_t chain_time_ahead(const struct chain *c);
/* The log that is durable: size and root. */
uint64_t chain_size(const struct chain *c);
void chain_root(const struct chain *c, uint8_t root[HASH_SIZE]);
/* Log time at a transaction, ms. */
int64_t chain_time_at(const struct chain *c, uint64_t index);
/* What of it changed lately; durable, unless `ahead`. */
const struct changes *chain_changes(const struct chain *c);
const struct chain_progress *chain_progress(const struct chain *c);
/* How often the schema was exchanged while it was open; and: it is just now,
 * and what is durable cannot be read. */
uint64_t chain_epoch(const struct chain *c);
bool chain_is_hidden(const struct chain *c);
/* 0, or why it is damaged or failed. */
int chain_state(const struct chain *c, const struct err **why);
/* The same as a word: `open`; `damaged`, the log is not what was written;
 * `unchecked`, this node gave up on a transaction, which says nothing of the
 * log; `failed`, its files could not be read or written. */
const char *chain_state_word(const struct chain *c);
/* For a chain that ended with this code while it was read. */
const char *chain_word_of(int code);

/* Run a job over files of the folder; until it ends the chain stays open. */
void chain_job_begin(struct chain *c, struct job *job);
void chain_job_end(struct chain *c);

/* Read durable transactions, in order: `visit` is called with each, then
 * `done`. A visit that fails ends it. Errors: CORRUPT, IO, what a visit says.
 */
typedef int chain_visit(void *ctx, const struct chain_tx *tx, struct err *err);
void chain_read_transactions(struct chain *c, uint64_t from, uint64_t count,
                             chain_visit *visit, chain_done *done, void *ctx);

/* The body of event n of transaction index, checked against its hash; of 0.0:
 * the first bundle. */
typedef void chain_body(void *ctx, struct bytes body, int code,
                        const struct err *err);
void chain_read_body(struct chain *c, uint64_t index, uint64_t n,
                     chain_body *got, void *ctx);
/* Event n of transaction index: its encoded header, and its body where it has
 * one that is read whole, else data NULL; both borrowed for the call. The frame
 * is left in `kept`, which stays where it is until then; where it is there
 * already `got` may be called at once. */
typedef void chain_event(void *ctx, struct bytes header, struct bytes body,
                         int code, const struct err *err);
void chain_read_event(struct chain *c, struct last_frame *kept, uint64_t index,
                      uint64_t n, chain_event *got, void *ctx);
#endif
