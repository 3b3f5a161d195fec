/* inside: what the files of this folder share about a node, and nobody else
 * sees.
 *
 * A request becomes an `asked`. One about a chain waits in the queue of its
 * `hosted` (hosted.c) until that is open, is served (serve.c) by a call or a
 * query, and ends (asked.c). Others are answered by the node itself (own.c,
 * create.c). Nothing is closed or freed from within a callback of a chain: what
 * a callback learns is settled in node_flush(). */
#ifndef ATE_NODE_INSIDE_H
#define ATE_NODE_INSIDE_H

#include "base/map.h"
#include "base/ring.h"
#include "chain/chain.h"
#include "query/query.h"
#include "query/line.h"
#include "event/proposal.h"
#include "node/clock.h"
#include "node/keys.h"
#include "node/names_file.h"
#include "node/node.h"

/* Of ate.put. */
struct asked_put {
    struct put put;
    uint8_t id[UPLOAD_ID_SIZE];
    uint8_t hash[HASH_SIZE];
    struct buf room; /* its data, where that came as text */
};

struct asked {
    struct node *node;
    struct node_request *request;
    struct hosted *hosted; /* whose chain it is about, or NULL */
    bool started;          /* is one of its users */
    struct ring ring;      /* in a queue, or in its hosted's reads */
    struct buf args;       /* canonical map, or empty */
    struct buf context;    /* likewise */
    int64_t asked_us;
    bool canceled;
    int64_t deadline_us;      /* INT64_MAX: none, or it has passed */
    struct ring timed;        /* in node->timed while there is one */
    struct node_request *own; /* what stands for the request after that */
    bool looked_again;        /* the names were read once more for it */
    bool wants_run;           /* its query got credit */
    bool writes;              /* it is a call of a method that does */
    bool is_put_otherwise;    /* its query has other arguments than it */
    struct chain_call call;
    struct chain_submit submit;
    struct proposal proposal; /* of the submit */
    struct asked_put putting;
    struct signer *signers; /* of the call */
    size_t signer_count;
    uint8_t caller[KEY_ID_SIZE]; /* identity that it acts for */
    struct query *query;
    struct working_run *run; /* of workers, for ate.workers */
    struct err *why;         /* what ends its query instead of CANCELED */
    struct verifying *verifying;
};

enum hosted_state {
    HOSTED_QUEUED, /* as many chains as may be are open */
    HOSTED_OPENING,
    HOSTED_OPEN,
};

/* One chain that this node has open, or is about to open. */
struct hosted {
    struct node *node;
    char *name;
    uint8_t id[CHAIN_ID_SIZE];
    enum hosted_state state;
    struct chain *chain; /* NULL while queued */
    bool busy;           /* a mark or a poll is under way: no call is started */
    bool reopen;         /* went bad after it was opened: open it anew */
    bool expired;        /* nobody used it for long: to be closed */
    bool wants_poll;     /* a follower waits for what another process writes */
    bool opened;         /* the opening ended, and is to be settled */
    bool polled;         /* likewise a poll */
    struct err outcome;  /* of that opening */
    int open_code;       /* chain_state() when it was opened */
    uint64_t told_size;  /* that followers were told */
    size_t users;        /* requests that were started */
    size_t follows;      /* of those, tails that follow */

    struct ring waiting; /* requests, in order */
    struct ring served;  /* those that the opening or poll under way serves */
    struct ring reads;   /* started ones with a query */
    struct ring runs;    /* started ones that let workers work */
    struct ring works;   /* items of its workers that are in hand */
    uint64_t pass;       /* how many of `runs` there were */
    int64_t wake_us;     /* when its workers have to look again */
    bool wakes;          /* it is opened for them */
    struct ring touched; /* in node->touched: to be settled */
    struct ring cut;     /* in node->cut: the next flush goes on */
    struct ring used;    /* in node->used; in node->queued while queued */
    struct ring dirty;   /* in node->dirty */
    int64_t used_us;
    int64_t dirty_us;
};

struct node {
    struct node_env env;
    bool read_only;
    struct keys keys;
    struct door_names door_names;
    struct names_file names;
    struct chain_deps deps;
    struct generation generation; /* of what can be read here */
    struct key_pair nobody;       /* who reads without a key; all zeros */
    struct map hosted;            /* by name */
    uint32_t open_count;          /* those that have a chain */
    uint32_t chains_max;
    int64_t idle_us;

    struct ring touched;
    struct ring cut;
    struct ring used;   /* open ones, the least lately used first */
    struct ring dirty;  /* open ones without a mark, in order of commits */
    struct ring queued; /* those that wait for a place */

    struct ring timed;     /* requests with a deadline */
    int64_t timed_us;      /* none of them is due before; INT64_MAX: none */
    struct ring lost;      /* requests that wait for the names to be read; */
    struct ring searching; /* for the read under way */
    struct ring creates;   /* requests */
    struct creating *creating;
    struct ring verifying;
    struct query_line line; /* of queries that take long */

    struct clock clock;
    int64_t steady_us;
    int64_t poll_us; /* when followers look again */
    size_t follows;
    size_t asked_count;
    size_t making_keys;  /* requests that wait for a key */
    bool works;          /* workers work by themselves */
    int64_t work_us;     /* the first wake_us of all; INT64_MAX: none */
    struct map sleeping; /* chains that were closed: when to wake them, us */
    struct sweep *sweep; /* through all chains, for work; NULL: none */
    bool stopping;
    node_done *done; /* of start or stop */
    void *done_ctx;
};

/* ---- asked.c ---- */

/* Takes in arguments and context. NULL: they are no maps, and the request was
 * ended. */
struct asked *asked_new(struct node *node, struct node_request *request);
/* Where no method of a schema is asked. Errors: INVALID, when one was given. */
int asked_takes_no_context(const struct asked *a, struct err *err);
/* Tell the requester, unless a deadline already did; the asked is gone then. */
void asked_end(struct asked *a, int code, const struct err *err,
               struct bytes result);
void asked_fail(struct asked *a, const struct err *err);
/* Put the chain's name, or its folder where it has none, in front of a text. */
void asked_name_chain(const struct asked *a, struct err *err);
void asked_cancel(struct asked *a); /* ends it with CANCELED */
bool asked_is_canceled(const struct asked *a);
bool asked_is_read_only(const struct asked *a);
void asked_expire(struct node *node); /* those whose deadline has passed */
struct bytes asked_key(const struct asked *a); /* name of the key it signs by */

/* ---- hosted.c ---- */

/* The chain of a name, if it is in use. */
struct hosted *hosted_find(struct node *node, struct bytes name);
/* Open it. `id` NULL: whichever stands in the data folder itself. */
struct hosted *hosted_open(struct node *node, struct bytes name,
                           const uint8_t *id);
/* A chain that was just created is open. */
void hosted_adopt(struct node *node, struct bytes name, struct chain *chain);
/* Serve it from a flush on in which the chain is open and not busy. */
void hosted_ask(struct hosted *h, struct asked *a);
void hosted_touch(struct hosted *h); /* settle it at the next flush */
/* Do what is to be done about it; it may be gone afterwards. */
void hosted_settle(struct hosted *h);
void hosted_committed(struct hosted *h); /* a write is durable */
void hosted_tick(struct node *node);     /* marks, closings, polls */
int64_t hosted_deadline(const struct node *node);

/* ---- serve.c ---- */

/* Start a request on its open chain. */
void serve(struct asked *a);
/* Go on with the queries of an open chain. */
void serve_reads(struct hosted *h, bool grew);

/* ---- proposals.c ---- */

/* ate.submit on its open chain; proposal.sign. */
void serve_submit(struct asked *a);
void proposal_sign_ask(struct asked *a);

/* ---- puts.c ---- */

/* ate.put on its open chain. */
void serve_put(struct asked *a);

/* ---- working.c ---- */

/* ate.workers on its open chain; what is in hand there. */
void working_ask(struct asked *a);
void working_list(struct asked *a);
void working_run_free(struct working_run *run); /* NULL is harmless */
/* Go on: when the chain is open and not busy. */
void working_settle(struct hosted *h);
/* Something waits here to be tried again. */
bool working_holds(const struct hosted *h);
/* The chain is being closed, and nothing of it is used. */
void working_leave(struct hosted *h);
void working_tick(struct node *node);
void working_end(struct node *node);
int64_t working_deadline(const struct node *node);

/* ---- default_reads.c ---- */

/* The query that a default method (TYPE.get, TYPE.list, TYPE.history) stands
 * for, and its arguments. Errors: INVALID. */
int default_read(const struct core *core, const struct method *method,
                 struct bytes args, const char **query, struct buf *out,
                 struct err *err);

/* ---- verify.c ---- */

void verify_start(struct asked *a, const uint8_t *id);
void verify_grant(struct verifying *v, uint32_t chunks);
void verify_settle_all(struct node *node);

/* ---- own.c ---- */

/* A method of the node's own; NOT_FOUND where there is none of that name. */
void own_ask(struct asked *a);

/* ---- listing.c ---- */

/* chain.ls */
void listing_ask(struct asked *a);

/* ---- create.c ---- */

/* chain.create; one is made at a time. */
void create_ask(struct asked *a);
void create_settle(struct node *node);
/* One waits, and none is under way. */
bool create_can_settle(const struct node *node);

/* ---- node.c ---- */

/* The key `me` is made for whoever begins: one that was lost is not made up for
 * by another. Errors: NOT_FOUND, with what is missing. */
int node_may_make_me(const struct node *node, struct err *err);

/* Read the names once more, then route it again. */
void node_search(struct asked *a);

#endif
