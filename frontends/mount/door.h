/* door: chains as a tree of files, without a mount.
 *
 * A step function. What a kernel asks goes in by door_ask(), what the engine
 * answers by door_answer(), time by door_tick(); what the door wants of the
 * world it says through `struct world`. It never waits, has no thread, no clock
 * and no descriptor of its own. Every ask is told its end exactly once, at the
 * latest by the tick after its deadline. docs/files.md says what is where. */
#ifndef FRONTENDS_MOUNT_DOOR_H
#define FRONTENDS_MOUNT_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ate_request;
struct ate_answer;
struct door;

enum {
    DOOR_ROOT = 1, /* the number of the root folder */
    DOOR_UNKNOWN = 0xffffffff,
    DOOR_CALL_MAX = 16 << 20,     /* bytes written for one call */
    DOOR_CONTENT_MAX = 256 << 20, /* bytes of one file that is made */
    DOOR_CACHE_MAX = 64 << 20,    /* bytes of contents that nobody has open */
    DOOR_NODES_MAX = 1 << 16,     /* files that nobody knows any more */
    DOOR_SCRATCH_MAX = 64 << 20,  /* bytes of all scratch files */
    DOOR_SCRATCH_FILES = 1024,    /* how many */
    DOOR_WATCH_MAX = 1 << 20,     /* bytes that wait for one reader */
    DOOR_KEYS_MAX = 1000000,      /* names in a folder */
    DOOR_REPLIES_MAX = 1024,      /* files whose last reply is kept */
    DOOR_FOLLOWED_MAX = 256,      /* chains in use at a time */
    DOOR_ASKS_MAX = 4096,         /* under way */
    DOOR_HELD_MAX = 256,          /* objects unlinked and not yet deleted */
    DOOR_HELD_MS = 1000,          /* for which such a one may be written anew */
    DOOR_STEP_MS = 5000,   /* then a write that has done something returns */
    DOOR_SETTLE_MS = 250,  /* for a write's own news to come back */
    DOOR_STAT_MS = 1000,   /* for the size of events.jsonl */
    DOOR_CHAINS_MS = 1000, /* for which a list of chains is good */
};

enum ask_kind {
    ASK_LOOKUP,
    ASK_GETATTR,
    ASK_SETATTR,
    ASK_ACCESS,
    ASK_OPEN,
    ASK_CREATE,
    ASK_READ,
    ASK_WRITE,
    ASK_FLUSH,   /* a descriptor is closed: what was written is judged */
    ASK_FSYNC,   /* likewise */
    ASK_RELEASE, /* the last one is */
    ASK_OPENDIR,
    ASK_READDIR,
    ASK_UNLINK,
    ASK_RENAME,
    ASK_DELETE, /* the door's own: what was unlinked is deleted */
};

enum ask_set { SET_SIZE = 1, SET_MODE = 2, SET_OWNER = 4, SET_MTIME = 8 };

/* What is not of its kind is zero. Texts and data are copied. */
struct ask {
    enum ask_kind kind;
    void *token;     /* comes back with the end */
    uint64_t ino;    /* the file, or the folder that `name` is in */
    uint64_t handle; /* as OPEN, CREATE or OPENDIR told it */
    const char *name;
    uint64_t to; /* of RENAME: the other folder and name */
    const char *to_name;
    int flags;     /* of open(2); of ACCESS: R_OK and the like; of RENAME */
    unsigned mode; /* of CREATE and SETATTR */
    unsigned set;  /* of SETATTR */
    uint32_t uid, gid;
    uint32_t pid; /* who asks; 0: not known */
    int64_t mtime_ms;
    uint64_t offset; /* of READ and WRITE; of READDIR an entry's number; of
                        SETATTR the size */
    bool begins;     /* of READDIR: from the start, "." and ".." before it */
    size_t size;
    const void *data;
};

struct attr {
    uint64_t ino;
    bool is_folder;
    unsigned mode; /* permissions */
    uint64_t size;
    int64_t mtime_ms;
};

struct listed {
    const char *name;
    uint64_t ino; /* DOOR_UNKNOWN until somebody looks it up */
    bool is_folder;
};

struct told {
    int error; /* 0 or an errno */
    struct attr attr;
    bool keep; /* attributes and entry hold until they are forgotten */
    uint64_t handle;
    bool direct;    /* the kernel keeps none of it */
    bool is_stream; /* and nobody seeks in it */
    const void *data;
    size_t len; /* of data; of WRITE: how many bytes were taken */
    const struct listed *names;
    size_t name_count; /* from the asked one on */
    bool shares;       /* of OPENDIR: the kernel keeps the names that are read,
                          for all who open the folder; with `keep` those, too,
                          that it has */
    bool is_old;       /* of READDIR: it must not take those for all */
};

struct world {
    void *ctx;
    /* As ate_call() and ate_read(), with a port of the world's. */
    uint64_t (*call)(void *ctx, const struct ate_request *request);
    uint64_t (*read)(void *ctx, const struct ate_request *request);
    void (*cancel)(void *ctx, uint64_t call);
    void (*grant)(void *ctx, uint64_t call, uint32_t chunks);
    /* The end of an ask; `told` lives until it returns. */
    void (*tell)(void *ctx, void *token, const struct told *told);
    /* What was said of a name, or of a file's data and attributes, is over. */
    void (*forget_entry)(void *ctx, uint64_t folder, const char *name);
    void (*forget_data)(void *ctx, uint64_t ino);
    void (*forget_attr)(void *ctx, uint64_t ino); /* its attributes alone */
    /* Is the process still there? Also when that is not known (0). */
    bool (*lives)(void *ctx, uint32_t pid);
    /* A number for all that was forgotten until now, but for names in these two
     * folders (0: none), which the kernel holds until the ask that waits has
     * ended: door_flushed() is called when the kernel has done so; 0: it has.
     */
    uint64_t (*flush)(void *ctx, uint64_t folder, uint64_t other);
};

struct door_options {
    const char *as;       /* the key that signs; NULL: me */
    uint32_t deadline_ms; /* of an ask; 0: 30 s */
    uint64_t cache_max;   /* bytes of contents; 0: DOOR_CACHE_MAX */
    unsigned chains_max;  /* in use at a time; 0: DOOR_FOLLOWED_MAX */
    int64_t epoch_ms;     /* when the clock that it is told was 0 */
};

struct door *door_new(const struct world *world,
                      const struct door_options *options, int64_t now_ms);

/* Ends what is under way: asks with EINTR, calls by canceling them. */
void door_free(struct door *door);

void door_ask(struct door *door, const struct ask *ask);

/* Whoever waits for the end of the ask does not want it any more. */
void door_interrupt(struct door *door, void *token);

/* The kernel forgets `count` of the entries that it was told of a file. */
void door_forget(struct door *door, uint64_t ino, uint64_t count);

/* An answer of the engine to a call of world->call or world->read. */
void door_answer(struct door *door, const struct ate_answer *answer);

void door_flushed(struct door *door, uint64_t number);

/* `now_ms` of a clock that never goes back; to be called 10 times a second. */
void door_tick(struct door *door, int64_t now_ms);

/* How many objects were unlinked and are still there: while there are some, it
 * is better to tick 200 times a second, for they go when who unlinked them has
 * ended. */
size_t door_held(const struct door *door);

/* Delete them all, now; they are gone when door_held() says so. */
void door_finish(struct door *door);

/* How many asks are under way. */
size_t door_pending(const struct door *door);
#endif
