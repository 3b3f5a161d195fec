/* inside: the chain's own struct, shared by the files of this folder that make
 * it up, and by nobody else. */
#ifndef ATE_CHAIN_INSIDE_H
#define ATE_CHAIN_INSIDE_H

#include <assert.h>

#include "acceptance/core_open.h"
#include "acceptance/no_rules.h"
#include "chain/chain.h"
#include "chain/history.h"
#include "chain/hold.h"
#include "chain/rooting.h"
#include "chain/verified.h"
#include "event/body.h"
#include "log/tiles.h"
#include "state/changes.h"
#include "state/roots.h"

struct signing;

enum { SPARE_TILES = 16 }; /* kept that were made anew for a proof */
enum {
    HEARTBEAT_MS = 1000,      /* log time is never older than this */
    CLOCKS_DIFFER_MS = 60000, /* of two machines: nothing to tell */
};

/* How much may wait to be durable. What an author has seen has to be in the
 * history when his transaction is read back, so frames are far below its reach;
 * bytes of the next group with one more transaction fit a group. */
enum {
    WAITING_FRAMES_MAX = HISTORY_MAX / 2,
    WAITING_BYTES_MAX = 64 << 20,
};
static_assert(WAITING_FRAMES_MAX <= LOG_GROUP_FRAMES_MAX / 2, "fit a group");
static_assert(WAITING_BYTES_MAX + LIMIT_TX_BODIES <= LOG_GROUP_BODIES_MAX / 2,
              "fit a group");

/* What the leaf of a transaction needs that waits for its batch to be signed.
 */
struct batch_leaf {
    uint8_t tx_id[TX_ID_SIZE];
    uint8_t verdict[HASH_SIZE];
    struct buf sigs; /* by others, encoded */
    size_t sig_count;
};

/* Transactions of one author that follow each other. */
struct batch {
    const struct key_pair *author;
    struct batch_leaf *leaves;
    size_t leaf_count;
    size_t leaf_cap;
    struct buf members; /* encoded */
    struct buf inlined;
    uint64_t body_len;       /* in group_bodies */
    struct signing *signing; /* NULL: it is open */
};

/* A frame that is signed and waits to be written. */
struct sealed {
    uint32_t count;
    struct buf payload;
    struct buf inlined;
    uint64_t body_len;
};

/* A list of calls, in order. */
struct call_queue {
    struct chain_call *first;
    struct chain_call **last;
};

/* Batches handed in, from arrival until they are told. */
struct submit_queue {
    struct submit_state *first;
    struct submit_state **last;
};

struct chain_call_state {
    struct chain *chain;
    struct chain_call *next;
    const struct method *method;
    struct buf args;           /* stored form */
    struct buf context;        /* likewise; empty: none was given */
    uint8_t digest[HASH_SIZE]; /* of both, as they were given */
    struct call run;
    struct further_sig *sigs; /* as the trial sees them: not signed yet */
    struct buf stored;        /* the result in stored form */
    bool orders;              /* this node did when it started */
    uint64_t epoch;           /* of the chain, when it was looked at */
    uint32_t fetches;         /* bodies fetched so far */
};

/* What the chain goes on from when it was opened by a snapshot. */
struct resumed {
    struct bytes file; /* mapped; len 0: it was not */
    struct log_start start;
};

/* What receipts show; text.len 0: nothing is signed yet. */
struct signed_checkpoint {
    struct buf text;
    uint64_t size;
    uint8_t root[HASH_SIZE];
    uint8_t signer[KEY_ID_SIZE];
};

struct chain {
    struct chain_deps deps;
    struct core core;
    struct log log;
    bool log_open;
    bool check_bodies; /* when replaying, large ones too */
    bool stopped;      /* opening is to end at the next frame */

    bool skips_rules;  /* chain_skip_rules() */
    bool rows_unknown; /* then: some function would have changed some */
    struct logic_maker no_rules; /* then: what deps.logic is */

    struct merkle tree;              /* all leaves that are sealed */
    struct merkle durable;           /* those that are durable */
    uint8_t durable_root[HASH_SIZE]; /* of chain_durable_root() */
    uint64_t durable_root_size;
    struct signed_checkpoint checkpoint; /* the last one that was signed */
    struct tiles tiles;                  /* their hashes */
    struct spare_tiles *spare;           /* of proving.c; NULL: none yet */
    struct history history;
    uint64_t next_index; /* of the next transaction */
    struct rooting rooting;
    struct trial trial;     /* of heartbeats and of what is replayed */
    struct scratch decoded; /* events of what is replayed */
    struct chain_progress progress;

    struct uploads uploads; /* of a chain that is open for writing */

    /* Those that are not sealed; the last is open. */
    struct batch *batches;
    size_t batch_count;
    size_t batch_cap;
    struct buf tx_header; /* of the transaction that is being placed */
    uint8_t heartbeat_call[CALL_ID_SIZE];
    uint8_t heartbeat_key[KEY_ID_SIZE];
    const struct key_pair *ordered_by; /* the last order key that was held */
    struct term term; /* that was in force when order_term() was asked last, */
    uint64_t term_stamp; /* with this stamp of the head; 0: never */

    /* The next group. */
    struct sealed *sealed;
    size_t sealed_count;
    size_t sealed_cap;
    struct buf group_bodies; /* of it and of unsealed batches */
    size_t waiting_bytes;    /* the same */

    /* The group under way. */
    bool writing;
    size_t writing_frames;
    struct buf writing_bodies;
    struct merkle writing_tree;

    struct submit_queue submits; /* in order of arrival */

    struct call_queue placed;  /* in a batch or the next group */
    struct call_queue flying;  /* in the group under way */
    struct call_queue landed;  /* durable, to be answered */
    struct call_queue ready;   /* answered; not yet told */
    struct call_queue blocked; /* until what is being written is durable */
    bool pressed;              /* some of `blocked` wait for room */
    size_t looking;            /* reads under way, whoever asked */
    size_t fetching;           /* calls that wait for a body */

    struct switching *switching; /* to another bundle; NULL: none */
    uint64_t epoch;              /* how often the core was exchanged */
    size_t surveys;              /* under way (survey.h) */
    struct ring holds;           /* what is held of its durable versions */
    bool hidden;                 /* nobody reads just now (switch.c) */

    struct changes changes;
    struct buf touched;         /* keys that placed transactions touched: a */
    struct buf touched_writing; /* length and as many bytes each; and those of
                                   the group under way */

    struct err why; /* code not 0: damaged or failed */
    chain_done *done;
    void *done_ctx;
    struct replay_wait *wait; /* a frame that waits for its bodies */

    /* What the pool is checking while replay goes on: signatures of batches,
     * state roots. */
    size_t checking;   /* in signatures */
    bool check_paused; /* the log waits until there are fewer */
    bool check_failed; /* one was not good: replay again, one by one */
    bool opened_early; /* the log is open, checks are still under way */
    int opened_code;
    struct err opened_err;
    uint64_t tripped; /* the frame that replay could not take; 0: none */
    uint64_t
        ends_before; /* opened again, it ends before that; 0: it does not */
    bool polls;      /* what is replayed is new; the rest is in use */
    bool concludes;  /* all are, but tiles are being written */
    bool careful;    /* nothing is taken for verified, nothing checked later */
    char folder[LOG_PATH_MAX]; /* as chain_open() was asked to */
    bool any_id;               /* likewise */
    uint8_t id[CHAIN_ID_SIZE]; /* else this one */
    enum log_mode mode;

    chain_done *marked; /* of a mark under way */
    void *marked_ctx;
    bool marks_tiles;    /* it waits for these alone */
    bool concludes_step; /* `marked` is for a step of chain_conclude() */
    bool tells_root;     /* that step is a heartbeat */
    void (*rested)(void *ctx);
    void *rested_ctx;

    /* Snapshots (snapshot.h), and what counts for the next one. */
    struct resuming *resuming;
    struct resumed resumed;
    struct snapshotting *snapshotting;
    uint64_t fresh_transactions;
    uint64_t fresh_events;

    struct verified verified; /* the mark, as it was read or written last */
    struct watermark made; /* what this node says it has made durable; frames 0:
                              it says nothing */
    bool is_other;         /* the log is not that one any more */
    bool covered;          /* by it: the frame that is replayed */
    bool verifying;        /* the mark is being written: */
    struct watermark verified_next; /* what was written last, or tried */
    struct job verified_job;
    struct buf verified_bytes;
    char verified_path[LOG_PATH_MAX];
};

/* NULL: no file is known to be this node's own. */
const struct key_pair *chain_node_pair(const struct chain *c);
/* Something ended that kept it from being idle. */
void chain_rested(struct chain *c);
/* A transaction of the trial took the next place. */
void chain_placed(struct chain *c, const struct trial *t);
/* Are the large bodies here that a transaction to be accepted names? Errors:
 * NOT_FOUND. */
int chain_has_bodies(const struct chain *c, const struct trial *t,
                     struct err *err);

void queue_init(struct call_queue *q);
void queue_push(struct call_queue *q, struct chain_call *call);
void queue_move(struct call_queue *to, struct call_queue *from);

/* The root of the durable tree, made once for each size; 32 bytes, of `c`. */
const uint8_t *chain_durable_root(struct chain *c);

/* sealing.c */

/* Sign the batches that are not sealed, and make each a frame of the next
 * group. */
void order_seal(struct chain *c);
/* Enter a transaction whose trial was finished and kept. `record` holds its
 * digests. */
struct placing {
    const struct trial *trial;
    const struct key_pair *author;
    struct call_record call;
    struct bytes read_set; /* len 0: none */
    struct bytes result;   /* len 0: none */
    const struct signer *signers;
    size_t signer_count;
    uint8_t tx_id[TX_ID_SIZE]; /* set */
};
void order_place(struct chain *c, struct placing *placing);
/* The leaf of the next transaction of the log's tree. */
void order_put_leaf(struct chain *c, const uint8_t tx_id[TX_ID_SIZE],
                    const uint8_t signature[SIGN_SIZE],
                    const struct sigs *further, const uint8_t *verdict);
/* The next group was taken over; or all falls that is not being written. */
void order_drop_sealed(struct chain *c);
void order_drop_unwritten(struct chain *c);
void sealing_deinit(struct chain *c);

/* order.c */

/* The term that the head has, until the next ask. */
const struct term *order_term(struct chain *c);
/* Does this node hold its order key? And the error when it does not. */
bool order_holds(struct chain *c);
int order_refuse(const struct chain *c, const char *what, struct err *err);
/* Must a heartbeat come before a transaction at `now`? */
bool order_needs_heartbeat(struct chain *c, int64_t now);
/* Before the next transaction is judged, at `now`: what is done to the state
 * from here on can be undone to *mark. `beats`: a heartbeat comes first. It is
 * written at once where a state root is near (*beats is false then); else it is
 * judged behind the mark and left in c->trial, for order_place_heartbeat() when
 * the transaction has its place. After an error nothing was done. */
int order_open_place(struct chain *c, int64_t now, bool *beats,
                     struct tree_mark *mark, struct err *err);
void order_place_heartbeat(struct chain *c);
/* Place a heartbeat alone. */
int order_beat(struct chain *c, int64_t now, struct err *err);
/* So much waits to be durable that writes had better wait, too. */
bool order_is_full(const struct chain *c);
void order_deinit(struct chain *c);
bool order_is_empty(const struct chain *c);
/* A batch that its author signed, of transactions whose leaves are in the tree
 * already. */
void order_add_signed(struct chain *c, const struct signed_parts *parts,
                      uint32_t count);
/* What order_place() would make of a transaction, as a batch of its own. */
void order_propose(struct chain *c, struct placing *placing, struct buf *out);

/* switch.c */

/* Try the log under the bundle that came last; `ready` is called when its core
 * is in place and nothing else is under way, or with an error. In between,
 * switch_step() moves it on. After that, switch_end(): was the activation
 * placed? `places`: it may be; else it is only proposed. There is a bundle
 * (activation_allowed()), and it need not wait. Errors: CONFLICT (another is
 * being activated), those of upgrade_run(); the chain's own when it fails
 * meanwhile. */
void switch_prepare(struct chain *c, bool places, chain_done *ready, void *ctx);
/* The bundle is being written just now. */
bool switch_must_wait(const struct chain *c);
void switch_step(struct chain *c);
void switch_end(struct chain *c, bool placed);
void switch_durable(struct chain *c);     /* the group under way is */
void switch_failed(struct chain *c);      /* it will never be */
bool switch_holds(const struct chain *c); /* writes have to wait */
/* Its core is in place, and the activation is all that may be placed. */
bool switch_is_made(const struct chain *c);
/* The core that was in force before: what is durable is its. NULL: none was
 * left just now. */
const struct core *switch_left(const struct chain *c);

/* Does a frame activate a bundle? Then, while a log is read: LOG_PAUSE, and the
 * frame is replayed under the new core; or a code. */
bool frame_activates(const struct log_frame *frame);
int switch_replay(struct chain *c, const struct log_frame *frame,
                  struct err *err);

/* submit.c */
void submit_advance(struct chain *c);
void submit_durable(struct chain *c);
void submit_failed(struct chain *c, const struct err *why);
void submit_deliver(struct chain *c);

/* replay.c */
int replay_genesis(struct chain *c, struct bytes payload, struct bytes bundle,
                   struct err *err);
int replay_frame(void *chain, const struct log_frame *frame, struct err *err);
void replay_deinit(struct chain *c);
/* A frame that activates the bundle whose core is in place. */
int replay_activation(struct chain *c, const struct log_frame *frame,
                      struct err *err);

/* touched.c */

/* A transaction was placed: keep what it touched until it is durable. */
void touched_note(struct chain *c);
/* All that is placed is being written; and: became durable, or fell. */
void touched_seal(struct chain *c);
void touched_durable(struct chain *c);
void touched_drop(struct chain *c);
/* While a log is read: what was placed holds, but is not to be seen yet; and
 * now it is. */
void touched_read(struct chain *c);
void touched_shown(struct chain *c);
/* The state is another one: nothing is known of what changed before. */
void touched_forget(struct chain *c);

/* checks.c */

/* Check a batch's signature: at once, or by the pool. 0: it is good, or not
 * known yet. Errors: CORRUPT. */
int signatures_check(struct chain *c, struct bytes payload,
                     const struct key_record *author, struct err *err);

/* A check, as heavy as so many signatures: by the pool, or done here and now.
 * Its done() says checks_end() at last. */
void checks_begin(struct chain *c, struct task *task, size_t weight);
void checks_end(struct chain *c, size_t weight);
bool checks_are_many(const struct chain *c);

/* chain.c */
void chain_forget(struct chain *c); /* back to one that was never opened */
void chain_begin_tiles(struct chain *c);
/* All that was to be checked is. */
void chain_checked(struct chain *c);
/* What is replayed was verified before, by this node: nothing is checked that
 * says of the log no more than that. */
bool chain_is_verified(const struct chain *c);

/* calls.c */
/* Run it, when it does not have to wait; from its beginning if it waited. */
void calls_begin(struct chain *c, struct chain_call *call);

/* answers.c */
void calls_land(struct chain *c); /* answer those that are durable */
void calls_failed(struct chain *c, const struct err *why);
void calls_release(struct chain *c); /* those that were blocked try again */
/* With what it stored as its result, or with `code`, which is call->err's. */
void calls_answer(struct chain *c, struct chain_call *call, int code);
/* True: its call id was used before, and the call is being answered. */
bool calls_is_repeated(struct chain *c, struct chain_call *call);
const uint8_t *calls_caller(const struct chain_call *call); /* a key id */

/* signed_checkpoint.c */
/* The checkpoint of what is durable, signed by the order key: once for all who
 * want it. `text` is the chain's, until the next group is written. Errors:
 * UNAVAILABLE (this node does not hold it). */
int checkpoint_of_durable(struct chain *c, struct bytes *text,
                          uint8_t root[HASH_SIZE], struct err *err);
/* Sign the one of the group under way, which nobody gets before it is
 * durable. */
void checkpoint_ahead(struct chain *c);

/* The bodies of a frame, in event order: where each lies. */
struct body_place {
    enum body_home home;
    uint64_t offset; /* in the inline section, or in the frame's body region */
};
/* Goes on to the next body, which is this header's; start with all zeros. */
struct body_walk {
    uint64_t inline_at;
    uint64_t file_at;
};
struct body_place body_walk_next(struct body_walk *w,
                                 const struct event_header *header);
#endif
