/* inside: what the files of this folder share about a query, and nobody else
 * sees. */
#ifndef ATE_QUERY_INSIDE_H
#define ATE_QUERY_INSIDE_H

#include "base/mapping.h"
#include "chain/hold.h"
#include "chain/last_frame.h"
#include "query/args.h"
#include "query/line.h"
#include "query/query.h"
#include "state/rows.h"

struct survey;
struct upgrade;

/* What a step came to; negative: an error code. IDLE: all is told, and it
 * follows: go on when the log has grown. */
enum step { STEP_MORE, STEP_WAIT, STEP_IDLE, STEP_END };

/* One kind of query. `begin` reads the arguments; `step` emits at most one
 * chunk, or starts a read (STEP_WAIT; its completion calls query_resume()). A
 * step that looks at many entries asks query_has_worked() after each. */
struct query_kind {
    const char *name;
    int (*begin)(struct query *q, struct err *err);
    int (*step)(struct query *q, struct err *err);
    bool of_damaged; /* of a chain that was not read to its end, too */
    bool of_schema;  /* it stands at a place that another schema has not */
};

/* What one kind of stream needs to be followed. */
struct followed {
    /* The next of the whole content: followed_put() it. MORE, WAIT, END. */
    int (*next)(struct query *q, struct err *err);
    /* Put or take away what the entry with this key, kind byte first, is to
     * this query, if anything. MORE, WAIT. */
    int (*changed)(struct query *q, struct bytes key, struct err *err);
    /* The key of what all its entries belong to (changes.h). */
    void (*owner)(const struct query *q, struct buf *key);
    /* Begin to read what changed from the log; NULL: the log does not say. As
     * `next`. */
    int (*catch_up)(struct query *q, struct err *err);
};

enum follow_phase { FOLLOW_BEGIN, FOLLOW_ALL, FOLLOW_LOG, FOLLOW_CHANGES };

/* Following (follow.c). */
struct follow {
    uint64_t from; /* the position asked for; 0: none */
    enum follow_phase phase;
    uint64_t number;    /* of the change up to which all is told */
    uint64_t told;      /* the number at the last position that was told */
    bool is_told;       /* a position was told since the whole content began */
    bool has_changes;   /* `changes` or `reset` waits to be told */
    struct buf changes; /* [{put} or {gone}, ...] without the array's head */
    uint32_t count;
    struct buf reset; /* why what was told before counts no more; or empty */
};

struct query {
    struct chain *chain;
    const struct query_kind *kind;
    struct buf args;
    struct buf context; /* of a method */
    struct door door;
    query_chunk *chunk;
    query_done *done;
    void *ctx;
    uint64_t credit;
    bool begun;
    bool stalled;   /* until reading is possible again */
    uint64_t epoch; /* of the chain when it began */
    bool running;   /* inside query_run() */
    bool waiting;   /* for a read */
    bool canceled;
    struct query_line *line; /* NULL: it is never cut */
    struct ring in_line;     /* it was cut */
    uint32_t left;           /* steps and entries until it may be cut */
    int failed;              /* a read's code; err has the text */
    struct err err;
    struct buf result;
    struct buf row; /* the chunk being made */

    uint64_t limit; /* chunks that may still come */
    bool backward;
    bool follow;
    struct follow following;
    bool all;
    bool has_identity;
    uint8_t identity[KEY_ID_SIZE];
    struct buf at; /* the entry that a scan stands on */
    struct upgrade *upgrade;
    bool carried; /* what workers have to do came along in it */
    const struct event_type *type;
    const struct view *view;
    uint8_t id[OBJECT_ID_SIZE];
    bool has_object; /* `id` was found and waits to be told */
    enum { PARENT_ANY, PARENT_NONE, PARENT_GIVEN } parent; /* of a list */
    uint8_t parent_id[OBJECT_ID_SIZE];
    struct buf found; /* ids of objects that wait to be told, */
    size_t found_at;  /* from here on */
    bool switched;    /* a schema came into force in what was read */
    struct object_scan objects;
    struct row_scan rows;
    struct hold *hold; /* of the version that a sum is over, when it was cut */
    int64_t sum;       /* of the rows so far */
    struct buf where;  /* canonical map of columns that rows have to have */
    uint64_t index;    /* of the log, or of a version */
    uint64_t n;
    struct last_frame *kept;   /* while bodies are read one by one; or NULL */
    struct query_proof *proof; /* of those about proofs */
    struct large_read *large;  /* of a body; NULL: it is not a large one */
    bool large_ended;
    uint64_t range_offset; /* of a body */
    uint64_t range_length;
    struct query_files *files;   /* of `files` and `file` */
    struct query_call *call;     /* of `call` */
    struct survey *survey;       /* of `info` */
    struct query_source *source; /* of `source` */
    uint64_t counted[2];         /* of a worker's items: waiting, parked */
    int64_t due;                 /* the first of those that wait for a time */
    uint8_t caller[KEY_ID_SIZE];
};

extern const struct query_kind query_get;
extern const struct query_kind query_list;
extern const struct query_kind query_history;
extern const struct query_kind query_view;
extern const struct query_kind query_sum;
extern const struct query_kind query_info;
extern const struct query_kind query_schema;
extern const struct query_kind query_source;
extern const struct query_kind query_tail;
extern const struct query_kind query_grants;
extern const struct query_kind query_checkpoint;
extern const struct query_kind query_proof;
extern const struct query_kind query_consistency;
extern const struct query_kind query_tile;
extern const struct query_kind query_check;
extern const struct query_kind query_body;
extern const struct query_kind query_proposal;
extern const struct query_kind query_plan;
extern const struct query_kind query_workers;
extern const struct query_kind query_work;
extern const struct query_kind query_call;
extern const struct query_kind query_files;
extern const struct query_kind query_file;

/* What one kind keeps beside: of proof.c, files.c, call.c, source.c. NULL is
 * harmless. */
void query_proof_free(struct query_proof *p);
void query_proof_stop(struct query_proof *p); /* end what takes long */
void query_files_free(struct query_files *f);
void query_call_free(struct query_call *c);
void query_source_free(struct query_source *s);

/* Emit q->row as a chunk and clear it. */
void query_emit(struct query *q);
/* One more entry was looked at. True: it is time for the step to return
 * STEP_MORE, so that others may get their turn. */
bool query_has_worked(struct query *q);
/* For chain_read_event(): what it leaves there is dropped when the query rests.
 */
struct last_frame *query_kept(struct query *q);
/* A read came back. */
void query_resume(struct query *q, int code, const struct err *err);

/* Arguments, by name, also as texts that say them. A text is borrowed of
 * q->args, its data NULL when it is absent; a number or a flag that is absent
 * stays as it was. Errors: INVALID. */
int query_take_text(struct query *q, const char *name, bool needed,
                    struct bytes *text, struct err *err);
int query_take_uint(struct query *q, const char *name, uint64_t *value,
                    struct err *err);
int query_take_flag(struct query *q, const char *name, bool *flag,
                    struct err *err);
int query_take_page(struct query *q, struct err *err); /* limit, order */
/* type, into q->type. Errors: INVALID, NOT_FOUND. */
int query_take_type(struct query *q, struct err *err);
/* type and key: what lives there, in the version that is read. Errors: INVALID,
 * NOT_FOUND. */
int query_take_object(struct query *q, struct object *o, struct err *err);
/* follow and from, into q->follow and q->following. Errors: INVALID; also where
 * one of `alone` (NULL ends the list) is given beside. */
int query_take_follow(struct query *q, const char *const *alone,
                      struct err *err);
/* No other arguments than these (NULL ends the list). Errors: INVALID. */
int query_check_args(struct query *q, const char *const *names,
                     struct err *err);

/* ---- follow.c ---- */

/* A step of a query that follows rows. */
int follow_step(struct query *q, const struct followed *kind, struct err *err);
/* A row, as it is now: `row` has it and is cleared; and: a row of this key is
 * no more. Both become changes of the next chunk. */
void followed_put(struct query *q);
void followed_gone(struct query *q);
/* Tell what waits, if anything, and that with it all is told up to `size`. */
void follow_tell_position(struct query *q, uint64_t size);
/* Likewise of those that follow one value: q->row has it; empty: it is gone. */
void follow_tell_value(struct query *q, uint64_t size);
/* What was told counts no more; the query begins anew. Takes its arguments
 * again. */
int follow_reset(struct query *q, struct err *err, const char *why, ...)
    __attribute__((format(printf, 3, 4)));
void follow_deinit(struct follow *f);
/* May the content of position `from` be taken as seen? Else why not. */
bool follow_is_within(const struct query *q);

/* Append how an object is called where its type is not said: account/alice. */
void query_put_object(struct query *q, const uint8_t id[OBJECT_ID_SIZE],
                      struct buf *text);
/* Append the fields of an event ate.*; and the grant that an event rests on, as
 * an entry of `m`. */
void query_put_own_fields(struct query *q, const struct event_header *h,
                          struct buf *out);
void query_put_under(struct query *q, const struct event_header *h,
                     struct mapping *m);

/* Append a transaction as entries of `m`. */
void query_put_member(struct query *q, struct mapping *m, uint64_t index,
                      const struct batch_member *member);

/* Has it a body that is read and shown whole? */
bool query_reads_body(const struct event_header *header);

/* Append a body that fits its type, as a map in door form. */
void query_put_body(struct query *q, const struct event_type *type,
                    struct bytes body, struct buf *out);

/* Append a version of an object as a row: its fields in door form, `id`, and
 * `_` = {at, author, time, change?}. `body` data NULL: none. */
void query_put_version(struct query *q, const struct event_type *type,
                       const struct event_header *header, uint64_t index,
                       uint64_t n, struct bytes body,
                       const char *change_or_null, struct buf *out);
#endif
