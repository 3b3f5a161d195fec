/* upload: one large body that is being put, or waits to be named or moved, and
 * where it stands among all of its chain.
 *
 * An upload is in the list of its chain from upload_add() until
 * upload_forget(), which frees it. While a job or a task of it is under way it
 * is busy, and stays. */
#ifndef ATE_UPLOAD_UPLOAD_H
#define ATE_UPLOAD_UPLOAD_H

#include "event/body.h"
#include "upload/upload_names.h"
#include "upload/uploads.h"

struct upload {
    struct uploads *all;
    struct job job;
    struct task task;
    uint8_t id[UPLOAD_ID_SIZE];
    bool has_id; /* not of a complete one that was there at opening */
    bool sealed;
    bool stale;  /* putting.c, invariant (3) */
    bool doubts; /* it was once: its end has to name the hash */
    bool made;   /* its file is there */
    bool busy;
    bool ended; /* the hasher is; its file may still have to be completed */
    bool complete;
    bool dropping; /* the same, (5) */
    bool claimed;
    uint64_t index; /* of the transaction that claimed it */
    int64_t touched_ms;
    uint64_t length;
    uint64_t unsynced;
    struct body_hasher hasher;
    struct bytes hashing; /* by the task */
    struct buf reread;
    uint8_t hash[HASH_SIZE];
    struct put *first;
    struct put **last;
    char path[LOG_PATH_MAX];
    char to[LOG_PATH_MAX];
    char folder[2][LOG_PATH_MAX];
};

/* ---- the list ---- */

/* A new one, all zeros but for when it was touched: `now`, in ms since 1970. */
struct upload *upload_add(struct uploads *u, int64_t now);
/* Out of the list, and freed; its file stays. Not busy, nobody waits. */
void upload_forget(struct upload *up);
/* What upload_forget() frees, for who ends the whole list. */
void upload_free(struct upload *up);

/* The one of this id that no transaction names; or NULL. */
struct upload *upload_find(const struct uploads *u, const uint8_t *id);
/* The complete one of this body; or NULL. */
struct upload *upload_find_complete(const struct uploads *u,
                                    const uint8_t hash[HASH_SIZE],
                                    uint64_t length, bool sealed);
/* Bytes of all others that no transaction names. */
uint64_t upload_held_besides(const struct upload *up);
/* How many there are whose file is not being dropped. */
size_t upload_count_kept(const struct uploads *u);

/* Set the paths of its id and of the folders. */
void upload_name_paths(struct upload *up);

/* ---- jobs and tasks ---- */

/* Begin a job; `done` calls upload_job_end() first, which gives its upload, and
 * upload_rest() last. */
void upload_job_begin(struct upload *up, void (*done)(struct job *job));
struct upload *upload_job_end(struct job *job);

/* Hash the next bytes, which stay until `done`; that calls upload_hash_end()
 * first, which counts them, and upload_rest() last. */
void upload_hash(struct upload *up, struct bytes bytes,
                 void (*done)(struct task *task));
struct upload *upload_hash_end(struct task *task);

/* One that was under way is not any more. The list may be gone afterwards. */
void upload_rest(struct uploads *u);
#endif
