/* uploads: bodies that are too large for a call. They are put first, in pieces,
 * then a transaction names their hash (upload_names.h has their files).
 *
 * Each piece is written, then hashed by the pool, as it comes: memory stays
 * flat. A body is complete when it is synced with its leaf hashes behind it and
 * its name is durable. A transaction is accepted only when the body that it
 * names is complete here, or in the log already; once that is durable the file
 * moves to large/. A crash in between leaves it in put/, where opening finds
 * it. What nobody claims or continues within UPLOAD_KEEP_MS is dropped: time
 * that passes while the folder is closed counts, by the time of the file.
 *
 * What was put before the folder was opened last may have been lost with the
 * power, although it was answered: it is read again, and whoever goes on with
 * it has to name its hash at the end.
 *
 * The caller owns the struct; all runs on the thread that owns the chain. */
#ifndef ATE_UPLOAD_UPLOADS_H
#define ATE_UPLOAD_UPLOADS_H

#include "base/err.h"
#include "base/task.h"
#include "log/log.h"
#include "state/state.h"
#include "upload/upload_names.h"

enum {
    UPLOADS_MAX = 256,        /* of a chain: being put, or complete; together
                                 they have no more bytes than one may have */
    UPLOAD_KEEP_MS = 3600000, /* untouched */
};

struct upload;

/* One request: bytes of a body, or its end, or neither: how far is it? The
 * caller's until `done`, with all that it points to. */
struct put {
    const uint8_t *id; /* UPLOAD_ID_SIZE bytes, the uploader's choice */
    bool sealed;       /* its pieces are; said with the first request */
    uint64_t offset;   /* of `data`; has to be where it goes on */
    struct bytes data;
    bool ends;           /* that was all */
    const uint8_t *hash; /* what it has to come to, or NULL */
    void (*done)(struct put *put);
    void *owner;

    /* Set when done. Errors: CONFLICT (another offset than the next one), LIMIT
     * (LIMIT_BODY, UPLOADS_MAX; the bytes of all, and it can go on later),
     * INVALID (another hash; so small that it
     * belongs into the call; no hash where one is needed), those of the disk.
     * After INVALID, LIMIT and a sync that failed it is gone. Until a
     * transaction claims it, its end may be asked for again. */
    int code;
    struct err err;
    uint64_t length; /* so many bytes are there; of the whole when it ended */
    uint8_t body_hash[HASH_SIZE]; /* when it ended */

    struct put *next; /* of the upload, while it waits */
};

struct uploads {
    const struct disk *disk;
    const struct pool *pool; /* NULL: what it would do is done at once */
    char folder[LOG_PATH_MAX];
    struct upload **items;
    size_t count;
    size_t cap;
    size_t busy;               /* jobs and tasks under way */
    void (*rested)(void *ctx); /* there are none any more */
    void *ctx;
    struct tree_version (*state)(void *ctx); /* the head, of the same */
    uint64_t length_max;                     /* LIMIT_BODY; tests take less */
    bool has_folder;                         /* put/ is there */
};

/* `rested` is called when nothing is under way any more. */
void uploads_init(struct uploads *u, const struct disk *disk,
                  const struct pool *pool, const char *folder,
                  struct tree_version (*state)(void *ctx),
                  void (*rested)(void *ctx), void *ctx);
void uploads_deinit(struct uploads *u); /* at rest; safe twice */
bool uploads_at_rest(const struct uploads *u);

/* Take over what is there: what the state has moves to large/, the rest waits
 * to be claimed or continued. Errors: those of the disk. */
typedef void uploads_opened(void *ctx, int code, const struct err *err);
void uploads_open(struct uploads *u, int64_t now, uploads_opened *done);

/* Drop what nobody touched for too long; false: nothing waits any more. */
bool uploads_expire(struct uploads *u, int64_t now);

/* Take in one request. */
void uploads_put(struct uploads *u, struct put *put, int64_t now);

/* Is this large body complete, in put/ still? */
bool uploads_wait(const struct uploads *u, const uint8_t hash[HASH_SIZE],
                  uint64_t length, bool sealed);
/* Transaction `index` names it: it is not dropped any more. */
void uploads_claim(struct uploads *u, const uint8_t hash[HASH_SIZE],
                   uint64_t index);
/* The log is durable up to `size`: what was claimed below moves. */
void uploads_durable(struct uploads *u, uint64_t size);
#endif
