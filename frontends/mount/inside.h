/* What the files of this folder share: the door from inside.
 *
 * (1) A node is one version of one file: its content never changes. When what
 *     stands at a path changes, another node takes the name, with another
 *     number, and the kernel forgets the name. So pages that the kernel keeps
 *     are always good, a reader sees one version from beginning to end, and a
 *     writer is known to stand on an old one.
 * (2) An ask is done by a function that may be run again from its start: it
 *     answers, fails, or parks the op at what is missing (DOOR_WAIT).
 * (3) Nothing here blocks, and nothing is called twice at the same time. */
#ifndef FRONTENDS_MOUNT_INSIDE_H
#define FRONTENDS_MOUNT_INSIDE_H

#include "base/buffer.h"
#include "base/pack.h"
#include "mount/content.h"
#include "mount/door.h"
#include "mount/routes.h"
#include "mount/shape.h"
#include "mount/words.h"

struct ate_error;
struct op;
struct fetch;
struct held;
struct reply;

enum { DOOR_WAIT = 1, DOOR_RUNS_MAX = 64 };

/* ---- keys of a type ---- */

struct keyset {
    bool is_ready;
    struct fetch *fetch; /* while they are read */
    char **items;        /* sorted by bytes */
    size_t count, room;
    bool is_full; /* there are more than DOOR_KEYS_MAX */
};

/* ---- events.jsonl ---- */

enum { LOG_STEP = 64, LOG_BLOCKS = 32 };

struct lines_block {
    uint64_t step; /* first index / LOG_STEP */
    size_t count;  /* transactions in it */
    struct content *content;
};

struct lines {
    uint64_t next;     /* index of the first transaction not counted */
    uint64_t size;     /* bytes of those before */
    uint64_t *offsets; /* where each LOG_STEP of them begins */
    size_t count, room;
    struct fetch *fetch; /* while they are counted */
    struct lines_block blocks[LOG_BLOCKS];
    size_t turn;
};

/* ---- chains ---- */

struct chain {
    struct chain *next;
    char *name;
    struct shape *shape; /* NULL until it is read */
    bool is_ready;
    char *damage; /* why it is damaged, or NULL */
    int64_t damaged_ms;
    struct fetch *opening;
    struct fetch *follow;
    uint64_t used; /* when somebody asked for it last, a count */
    uint64_t seen; /* transactions of which we know */
    int64_t time_ms;
    struct keyset *keys; /* of each type of the shape */
    struct lines log;
    struct inode *root;
    struct inode *listed; /* folders whose entries the kernel keeps */
    struct inode *fresh;  /* derived nodes that hold until something happens */
    struct inode *left;   /* folders that are no more, with scratch files */
    uint64_t changes;     /* counted up whenever that ends */
};

/* ---- nodes ---- */

enum node_kind {
    NODE_ABOVE, /* a folder above chains */
    NODE_FOLDER,
    NODE_FILE,
    NODE_REPLY,
    NODE_DAMAGED,
    NODE_SCRATCH,
};

struct inode {
    enum node_kind kind;
    uint64_t ino;
    char *name;
    char *value; /* of a variable segment, decoded; else NULL */
    struct inode *parent;
    struct chain *chain; /* NULL above chains */
    struct shape *shape; /* of `route` */
    const struct route *route;
    uint64_t lookups; /* how often the kernel was told of it */
    unsigned handles;
    unsigned refs; /* ops, fetches, children */
    bool is_current;
    bool is_fresh;
    bool is_known;   /* size, hash and mtime are */
    bool is_pending; /* made by CREATE, not written yet */
    bool is_gone;    /* unlinked while it was: what is written is no call */
    bool is_moved;   /* an editor renamed it to a scratch file */
    unsigned moves;  /* how often it lost its name, by that or an unlink */
    uint64_t size, hash;
    char version[48]; /* of an object: the place of its newest event; or "" */
    int64_t mtime_ms;
    int64_t before_ms; /* that of the version before */
    int error;         /* instead of a content */
    struct content *content;
    struct buffer data;    /* of SCRATCH */
    unsigned mode;         /* of SCRATCH */
    struct inode *origin;  /* of SCRATCH: what was moved there */
    struct inode *scratch; /* of a folder: the first scratch or pending one */
    struct inode *scratch_next;
    struct inode *left_next;
    struct inode *fresh_next, **fresh_link;
    struct inode *listed_next, **listed_link;
    uint64_t names_hash; /* of a folder: see listing.c */
    unsigned names_state, keepers;
    bool is_mixed, is_partial, is_whole;
    int64_t dropped_ms;
    struct inode *idle_prev, *idle_next; /* nobody needs it; oldest first */
    bool is_idle;
    struct inode *kept_prev, *kept_next; /* has a content; oldest first */
    bool is_kept;
    struct inode *ino_next, *name_next; /* in the tables */
};

struct list {
    struct inode *first, *last;
};

/* ---- open files ---- */

struct handle {
    struct handle *prev, *next;
    struct inode *node;
    int flags;
    struct content *content; /* what one reads, or what a write is based on */
    bool has_base;           /* there was a file when it was opened */
    unsigned moves;          /* the node's, then */
    /* commands */
    struct buffer pending; /* not yet a whole call */
    struct buffer refused; /* the end of one that failed */
    int refused_code;
    struct buffer reply;
    size_t reply_read;
    bool has_written;
    bool is_busy;
    /* documents */
    struct buffer data;
    bool is_loaded; /* data has what the file holds */
    bool is_dirty;
    bool is_cut;      /* truncated when it was opened, and nothing since */
    bool is_in_order; /* written from its start, each piece behind the last */
    bool is_called;   /* by a write: since then only blanks came */
    bool was_judged;  /* once, whatever came of it */
    /* folders */
    struct listed *names;
    size_t name_count, name_room;
    unsigned names_state; /* the folder's, when they were listed */
    bool keeps;           /* the kernel keeps what it reads */
    bool drops;           /* what it had kept goes when this is open */
    bool has_begun;       /* to be read */
    /* watch */
    bool watches;
    int watched_type;
    bool has_lost;
};

/* ---- asks under way ---- */

/* How far an ask that writes has got; one that does not write stays at its
 * beginning. Whoever runs it again goes on from there. */
enum op_stage {
    STAGE_BEGIN,  /* it looks at what is there; nothing has been called */
    STAGE_CALL,   /* its calls are under way */
    STAGE_SETTLE, /* they are done: it waits until their news is here */
    STAGE_RENEW,  /* of a document: reads the version that its call made */
};

struct op {
    struct op *prev, *next;
    struct ask ask; /* texts and data are the op's own */
    struct inode *node;
    struct inode *to;
    struct handle *handle;
    struct fetch *waits;
    int64_t start_ms, deadline_ms;
    bool is_interrupted;
    bool waits_for_more; /* of a watch, or the log: run me when it comes */
    unsigned runs;
    bool found_none;               /* what it waited for is not there */
    bool has_listed;               /* the chains */
    bool has_fetched;              /* a content: */
    uint64_t fetched;              /* of this node */
    char *checked;                 /* a key that was looked for, "type/key" */
    bool is_there;                 /* and whether it was */
    const struct route *missed[8]; /* routes that turned out to be empty */
    size_t missed_count;
    /* calls that it makes */
    uint64_t call;
    size_t taken;         /* bytes of its data in calls that are done */
    size_t carried;       /* bytes before its data that an earlier write left */
    size_t unit;          /* of the one under way */
    struct buffer work;   /* what a rename writes; what a read found so far */
    struct inode *caller; /* whose method it is, and */
    const struct method *method;
    bool is_calling, is_partial;
    bool proposes; /* the call is judged and not done */
    bool is_gated; /* it waits for what is being deleted */
    enum op_stage stage;
    bool has_taken;  /* of a document: its piece, and */
    bool judges;     /* that was the last one */
    bool is_cutting; /* by a path: its handle is its own */
    int code;        /* errno of the last call */
    bool has_answer;
    struct buffer reply; /* of the last call */
    uint64_t index;      /* of the last transaction, +1 */
    uint64_t flush;
    int64_t settle_ms;
    struct buffer later; /* entries to forget when it has ended */
};

/* ---- calls for data ---- */

struct fetch {
    struct fetch *next;
    uint64_t call;
    struct chain *chain;
    struct inode *node;
    int type;
    uint64_t from;
    struct buffer rows; /* what its rows add up to */
    size_t count;
    struct op *check; /* for whom a key is looked for */
    unsigned taken;   /* chunks since the last grant */
    bool is_over;     /* a row went wrong */
    void (*row)(struct door *d, struct fetch *f, const struct pack *row);
    /* The end; the errno for those who wait for it. */
    int (*done)(struct door *d, struct fetch *f, int code, const char *why,
                const struct pack *value);
};

/* A process that looks for a number in a folder that is no file: see find.c. */
struct walk {
    uint32_t pid;
    uint64_t folder;
    uint64_t number; /* the last one, which it found */
    unsigned steps;  /* that led there */
};

enum { TABLE_SIZE = 1 << 14 };

struct door {
    struct world world;
    struct door_options options;
    char *as;
    int64_t now_ms;
    uint64_t last_ino;
    struct inode *root;
    struct inode *inos[TABLE_SIZE];
    struct inode *names[TABLE_SIZE];
    struct list idle, kept;
    size_t node_count, idle_count;
    uint64_t kept_bytes, scratch_bytes;
    size_t scratch_count;
    struct chain *chains;
    int64_t chains_ms; /* when they were listed */
    uint64_t uses;     /* of chains, counted */
    struct fetch *listing;
    struct op *ops;
    size_t op_count;
    struct handle *handles;
    struct fetch *fetches;
    struct reply *replies; /* newest first */
    struct held *held;     /* likewise */
    size_t held_count;
    uint32_t crossing_pid; /* who was told EXDEV last, for a rename onto */
    uint64_t crossing_ino;
    int64_t crossing_ms;
    struct walk walk;
};

/* ---- nodes (inode.c) ---- */

struct inode *inode_new(struct door *d, enum node_kind kind,
                        struct inode *parent, const char *name);
struct inode *inode_by_number(const struct door *d, uint64_t ino);
/* The current one with this name; NULL. */
struct inode *inode_find(const struct door *d, const struct inode *parent,
                         const char *name);
void inode_ref(struct inode *node);
void inode_unref(struct door *d, struct inode *node); /* NULL is harmless */
/* Give it another name. */
void inode_move(struct door *d, struct inode *node, struct inode *parent,
                const char *name);
/* It loses its name; whoever has it open keeps it. */
void inode_detach(struct door *d, struct inode *node);
/* Another takes its name and place: a new version, still without content. */
struct inode *inode_replace(struct door *d, struct inode *node);
/* Let go what nobody needs, beyond what is kept. */
void inode_settle(struct door *d, struct inode *node);
void inodes_trim(struct door *d);
void inode_set_content(struct door *d, struct inode *node,
                       struct content *content);
void inode_use(struct door *d, struct inode *node);
/* It holds until something happens in the chain. */
void inode_is_derived(struct inode *node);
/* Somebody has its names, or they hold no longer. */
void inode_list(struct inode *node);
void inode_unlist(struct door *d, struct inode *node);
void inode_went_stale(struct door *d, struct inode *node);
void inode_forget_entry(struct door *d, const struct inode *node);
void inodes_free(struct door *d);
struct attr inode_attr(const struct door *d, const struct inode *node);
bool inode_writable(const struct inode *node);
/* The value of the segment at `depth`, seen from `node`. */
const char *inode_value(const struct inode *node, size_t depth);
uint64_t bytes_hash(const void *data, size_t len);

/* The texts of bindings, seen from `node`: malloc'd, to be freed. */
char *binding_text(const struct inode *node, const struct binding *binding);
/* The chain's path of a node, for replies: accounts/alice/transfer. */
void inode_path(const struct inode *node, struct buffer *out);

/* ---- calls for data (fetch.c) ---- */

struct fetch *fetch_start(struct door *d, bool is_call, struct chain *chain,
                          const char *method, const struct buffer *args,
                          uint32_t deadline_ms);
void fetch_cancel(struct door *d, struct fetch *fetch);
void fetches_free(struct door *d);
int errno_of(int code);
uint64_t call_start(struct door *d, bool is_call, struct chain *chain,
                    const char *method, const struct buffer *args,
                    uint32_t deadline_ms, bool proposes);

/* ---- ops (door.c) ---- */

int op_wait(struct op *op, struct fetch *fetch);
void op_wake(struct door *d, struct fetch *fetch, int code);
void op_run(struct door *d, struct op *op);
/* Those that wait for one fetch wait for another. */
void op_move(struct door *d, const struct fetch *from, struct fetch *to);
/* Does the kernel hold the folders of the op, ask.ino and ask.to? */
bool op_holds(const struct op *op);
/* The kernel holds a folder while one of these is under way, and could not
 * forget a name in there: have it done when that has ended. */
bool ops_hold(struct door *d, uint64_t folder, const char *name);
/* Run those that wait for news of a chain. */
void ops_news(struct door *d, const struct chain *chain);
void tell_entry(struct door *d, struct op *op, struct inode *node);
struct told told_attr(const struct door *d, const struct inode *node);
int op_tell(struct door *d, struct op *op, const struct told *told);
int op_done(struct door *d, struct op *op); /* told nothing but success */

/* ---- chains (chains.c) ---- */

int chains_need(struct door *d, struct op *op);
struct chain *chain_find(const struct door *d, const char *name);
int chain_need(struct door *d, struct op *op, struct chain *chain);
void chain_damaged(struct door *d, struct chain *chain, const char *why);
/* An object of the type may be gone: the kernel asks again for what depends on
 * that. */
void chain_doubts(struct door *d, struct chain *chain, int type);
void chains_end(struct door *d);

/* ---- keys (keyset.c) ---- */

int keyset_need(struct door *d, struct op *op, struct chain *chain, int type);
bool keyset_have(const struct keyset *keys, const char *key);
/* The first one that is not before `key`. */
size_t keyset_from(const struct keyset *keys, const char *key);
void keyset_add(struct keyset *keys, const char *key, size_t len);
void keyset_remove(struct keyset *keys, const char *key, size_t len);
void keyset_clear(struct door *d, struct keyset *keys);

/* ---- finding (find.c) ---- */

/* The node of a name in a folder. 0 and *found, DOOR_WAIT, -errno. */
int find_name(struct door *d, struct op *op, struct inode *folder,
              const char *name, struct inode **found);
/* The route on which `name` could be made in `folder`, with the value of its
 * segment (to be freed) if it has one; NULL. */
const struct route *find_writer(const struct inode *folder, const char *name,
                                char **value);
/* May `name`, which means nothing, be made in `folder`? Where there is no
 * document to be written from a scratch file, only what looks like one: any
 * other is the name of a method, or of a fact, that somebody has mistaken. */
bool find_takes_scratch(const struct inode *folder, const char *name);
/* The handle's names, anew. 0, DOOR_WAIT, -errno. */
int list_names(struct door *d, struct op *op, struct inode *folder,
               struct handle *handle);
bool name_of_reply(const char *name, struct buffer *method);

/* ---- contents (contents.c) ---- */

/* Make the node of a file current: 0, and it or the one that took its place is
 * fresh; DOOR_WAIT; -errno, -ENOENT when there is nothing any more. */
int content_refresh(struct door *d, struct op *op, struct inode *node);
/* Have the content of just this version. -ESTALE when it is gone. */
int content_need(struct door *d, struct op *op, struct inode *node);

/* ---- rendering (render.c) ---- */

void render_csv_title(struct buffer *out, const struct view *view);
void render_csv_row(struct buffer *out, const struct view *view,
                    const struct pack *row);
void render_jsonl_row(struct buffer *out, const struct pack *row);
/* Sort rows of a view that stand in `rows` as msgpack, and render them. */
void render_sorted(struct buffer *out, const struct view *view,
                   const struct buffer *rows, bool is_csv);
void render_object(struct buffer *out, const struct pack *object);
void render_result(struct buffer *out, const struct pack *value,
                   const char *returns);
void render_doc(struct buffer *out, const struct inode *node);
void render_reply(struct buffer *out, const struct inode *node,
                  const struct method *method, const struct pack *value);
void render_problem(struct buffer *out, const struct inode *node,
                    const struct method *method, const struct ate_error *error);
int64_t time_of(const char *text, size_t len);

/* ---- events.jsonl and watch (lines.c) ---- */

int lines_need(struct door *d, struct op *op, struct chain *chain);
void lines_row(struct door *d, struct chain *chain, const struct pack *row);
int lines_read(struct door *d, struct op *op, struct chain *chain);
void lines_clear(struct door *d, struct lines *log);
void watch_row(struct door *d, struct chain *chain, const struct pack *row);
int watch_read(struct door *d, struct op *op);

/* ---- replies, by the path of a file (reply.c) ---- */

void reply_set(struct door *d, struct inode *node, const struct buffer *text);
/* What the file of that name said last, until the next one is set; NULL. */
const struct content *reply_find(const struct door *d,
                                 const struct inode *folder, const char *name);
/* There is none any more, and no file of it. */
void reply_end(struct door *d, struct inode *node);
void replies_free(struct door *d);

/* ---- writing (command.c, document.c) ---- */

/* The source of a node that writes, or NULL. */
const struct source *inode_writer(const struct inode *node);
const struct source *inode_reader(const struct inode *node);
bool is_command(const struct inode *node);

/* Make the calls in `text` from op->taken on. 0, DOOR_WAIT, -errno. */
int command_write(struct door *d, struct op *op);
int command_read(struct door *d, struct op *op);
int command_flush(struct door *d, struct op *op);
int command_run(struct door *d, struct op *op, struct inode *node,
                const struct buffer *text);
/* The end of a call that an op made. */
void command_answer(struct door *d, struct op *op,
                    const struct ate_answer *answer);
/* Has what the op wrote come back to us? 0 or DOOR_WAIT. */
int command_settle(struct door *d, struct op *op);
/* Likewise, whatever the kernel still keeps. */
int command_hears(struct door *d, struct op *op);
/* The end of the call under way: DOOR_WAIT, 0 or -errno. */
int call_end(struct op *op);
/* A failure that no call of the op told: its reply. */
void op_problem(struct door *d, struct op *op, struct inode *node,
                const struct method *method, int code, const char *why);
int op_call(struct door *d, struct op *op, struct inode *node,
            const struct method *method, const struct buffer *args);

/* The method that writes the file: of an object TYPE.verb; NULL: it is off. */
const struct method *document_method(const struct inode *node,
                                     const char *verb);
int document_load(struct door *d, struct op *op, struct handle *handle);
int document_write(struct door *d, struct op *op);
int document_read(struct door *d, struct op *op);
int document_judge(struct door *d, struct op *op, struct handle *handle);
/* `version`: of an object, what it is based on, or "". */
int document_call(struct door *d, struct op *op, struct inode *node,
                  const char *version, const void *data, size_t len);
int document_delete(struct door *d, struct op *op, struct inode *node,
                    const char *version);

/* ---- objects that were unlinked (held.c) ---- */

int held_unlink(struct door *d, struct op *op, struct inode *node);
int held_delete(struct door *d, struct op *op); /* the door's own ask */
/* The op was told EXDEV for a rename onto `target`. */
void held_crosses(struct door *d, const struct op *op,
                  const struct inode *target);
/* Somebody creates the name, or renames onto it: the node has it again, unless
 * it is being deleted. */
void held_take(struct door *d, struct inode *node);
/* `next` is a newer version of the node. */
void held_follow(struct door *d, struct inode *node, struct inode *next);
/* It was deleted, or could not be. */
void held_end(struct door *d, struct inode *node);
bool held_has(const struct door *d, const struct chain *chain);
/* Begin to delete those whose time has come; all of a chain (NULL: of all). */
void held_tick(struct door *d);
void held_finish(struct door *d, const struct chain *chain);
/* Has an op that is new to wait for what is being deleted? held_wake() runs it
 * then. */
bool held_gate(struct door *d, struct op *op);
void held_wake(struct door *d);
void held_free(struct door *d);

/* ---- scratch files (scratch.c) ---- */

int scratch_make(struct door *d, struct op *op, struct inode *folder,
                 const char *name, struct inode **made);
int scratch_resize(struct door *d, struct inode *node, uint64_t size);
void scratch_remove(struct door *d, struct inode *node);
void scratch_add(struct inode *folder, struct inode *node);
void scratch_drop(struct inode *node);
/* The folder is about to go: its files wait for one with its path. */
void scratch_leave(struct inode *folder);
/* The folder is new: it has what waits for it. */
void scratch_adopt(struct door *d, struct inode *folder);
int scratch_unlink(struct door *d, struct op *op);
int scratch_rename(struct door *d, struct op *op);

/* ---- open files (open.c) ---- */

struct handle *handle_new(struct door *d, struct inode *node, int flags);
int do_open(struct door *d, struct op *op);
int do_create(struct door *d, struct op *op);
int do_read(struct door *d, struct op *op);
int do_write(struct door *d, struct op *op);
int do_flush(struct door *d, struct op *op);
int do_release(struct door *d, struct op *op);
int do_setattr(struct door *d, struct op *op);
void handle_free(struct door *d, struct handle *handle);

/* ---- open folders (listing.c) ---- */

int do_opendir(struct door *d, struct op *op);
int do_readdir(struct door *d, struct op *op);
/* The folder has other names than those that were listed. */
void listing_changes(struct inode *folder);
/* It did: has the kernel to be told to drop them? */
bool listing_drops(struct door *d, struct inode *folder);
void listing_clear(struct handle *handle);
/* The handle is about to go. */
void listing_end(struct handle *handle);
#endif
