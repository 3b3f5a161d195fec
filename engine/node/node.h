/* node: one data folder and its chains: who is asked by which name.
 *
 * It opens chains when they are asked for, closes those that nobody uses, and
 * hands requests down to them. It does no input or output of its own: jobs go
 * to a disk, time comes in with node_tick(), randomness through a callback. The
 * owner does, for each thing that happens: node_tick(); node_ask() and its
 * sisters, or the disk's completions; node_flush(). Calls that come in
 * before one flush are written together, as far as a turn reaches. */
#ifndef ATE_NODE_NODE_H
#define ATE_NODE_NODE_H

#include "base/bytes.h"
#include "base/err.h"

struct disk;
struct logic_maker;
struct materializer;
struct node;
struct pool;
struct services;

/* What the driver offers. The struct is copied; what it points to outlives the
 * node. */
struct node_env {
    const struct disk *disk;
    const struct logic_maker *logic;
    const struct materializer *const *materializers;
    const struct pool *pool; /* NULL: what it would do is done at once */
    const struct services *services; /* NULL: there are none */
    /* A logic maker that shares nothing with the one above, for checking; and
     * giving it back. */
    int (*logic_new)(void *ctx, struct logic_maker *out, struct err *err);
    void (*logic_free)(void *ctx, struct logic_maker *maker);
    void (*random)(void *ctx, void *out, size_t len);
    /* What node_tick() would be told now: long work is cut by it. NULL: it is
     * not. */
    int64_t (*steady_us)(void *ctx);
    /* Something happened that people want to know: a msgpack map, as
     * ate_watch() of engine/ate.h has it, borrowed for the call. NULL: nobody
     * does. */
    void (*happened)(void *ctx, struct bytes event);
    void *ctx;

    bool read_only;        /* writes nothing; perhaps beside a writer */
    bool folder;           /* the disk's folder is one chain's; its name is "";
                              implies read_only */
    bool clock_by_hand;    /* the time of day is set by who tests */
    const char *path;      /* of the data folder, for answers; NULL: none */
    uint32_t chains_max;   /* open at a time; 0: LIMIT_CHAINS_OPEN */
    int64_t chain_idle_ms; /* unused so long: closed; 0: NODE_CHAIN_IDLE_MS */
};

enum {
    NODE_CHAIN_IDLE_MS = 60000,
    NODE_MARK_MS = 100, /* after the last commit the watermark is written */
    NODE_POLL_MS = 200, /* followers beside a writer look this often */
    NODE_CREDIT = 256,  /* chunks, unless a request says otherwise */
    NODE_CALL_ID = 16,
};

struct node *node_new(const struct node_env *env);
void node_free(struct node *node); /* stopped, or never started; NULL is fine */

typedef void node_done(void *ctx, int code, const struct err *err);

/* Read what the data folder says: its chains' names and its keys. Errors:
 * CORRUPT, DENIED, IO, LIMIT; then only node_free() may follow. */
void node_start(struct node *node, node_done *done, void *ctx);

/* End: cancel reads, wait for calls, write watermarks, close all chains. Then
 * `done`. */
void node_stop(struct node *node, node_done *done, void *ctx);

/* From now on workers of all chains work by themselves; before, they do when
 * ate.workers is called. */
void node_work(struct node *node);

/* Set the clocks, and do what is due: `wall_ms` since 1970, which chains write
 * down; `steady_us` since some start, which never jumps and which deadlines
 * and durations count in. */
void node_tick(struct node *node, int64_t wall_ms, int64_t steady_us);

/* When node_tick() is wanted again, in steady time; INT64_MAX: never. */
int64_t node_next_deadline(const struct node *node);

/* Do what was asked; write it. True: there is more, which waits for another
 * flush; let what has happened meanwhile come in before. */
bool node_flush(struct node *node);

/* From any thread, while the node lives: grows whenever get, list, history,
 * view, sum or a method that reads might be answered otherwise than before. */
uint64_t node_generation(const struct node *node);
/* The same of what schemas declare. */
uint64_t node_schema_generation(const struct node *node);

/* ---- requests ---- */

enum request_kind { REQUEST_CALL, REQUEST_READ };

/* The caller owns the struct, and keeps it and all it points to until `final`.
 * What they mean is in engine/ate.h. All of it travels through sockets: a new
 * field needs a place in net/frame.c, too. */
struct node_request {
    enum request_kind kind;
    bool of_node;       /* asks the node itself: `chain` means nothing */
    struct bytes chain; /* its name */
    struct bytes method;
    struct bytes args;    /* any msgpack map; len 0: none */
    struct bytes context; /* likewise */
    struct bytes as;      /* name of the key; len 0: `me` */
    struct bytes act_for; /* an identity; len 0: whoever signs */
    struct bytes with;    /* names of keys that sign as co-authors, and */
    struct bytes roots;   /* as root keys, separated by commas */
    bool propose; /* of a write: give a proposal (event/proposal.h) instead */
    uint8_t call_id[NODE_CALL_ID];
    uint32_t credit;      /* 0: NODE_CREDIT */
    uint32_t deadline_ms; /* from node_ask() on; 0: none. What is not answered
                             then ends with CANCELED; a write that had begun
                             goes on, and the text says so */
    bool read_only;       /* writes nothing, though the node might */
    /* A chunk of output; and the end: with a code and its text, or with the
     * result (len 0: nil). Values are canonical msgpack, borrowed for the call.
     * Both may be called from within any function of the node, and may call
     * node_ask(), node_cancel() and node_grant(). */
    void (*chunk)(struct node_request *request, struct bytes value);
    void (*final)(struct node_request *request, int code, const struct err *err,
                  struct bytes result);
    void *owner;

    struct asked *asked; /* the node's, until final */
};

/* Never fails at once: what goes wrong is the final answer. Not before
 * node_start() is done, nor after node_stop(). */
void node_ask(struct node *node, struct node_request *request);

/* Take effect at the next flush. A call that runs already is not stopped. */
void node_cancel(struct node *node, struct node_request *request);
void node_grant(struct node *node, struct node_request *request,
                uint32_t chunks);

#endif
