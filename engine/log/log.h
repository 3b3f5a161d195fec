/* log: one chain's redo log: a header file of frames, body files, two
 * watermarks.
 *
 * A log is a state machine without files of its own: it submits jobs to a disk
 * and goes on when they come back. All functions and callbacks run on the
 * thread that owns the chain; a callback may call the log again, but frees it
 * only where that is said. The caller owns the struct; `disk` outlives it.
 *
 * What a callback of a finished append means: its frames and bodies are
 * durable. Nothing else says so. */
#ifndef ATE_LOG_LOG_H
#define ATE_LOG_LOG_H

#include "base/err.h"
#include "log/frame.h"
#include "log/job.h"
#include "log/manifest.h"
#include "log/watermark.h"

enum {
    LOG_PATH_MAX = 176,
    LOG_PIECE = 1 << 20,              /* read at a time when opening */
    LOG_GROUP_BODIES_MAX = 256 << 20, /* body bytes of one group */
    LOG_GROUP_FRAMES_MAX = 4096,
    LOG_ROOM_FROM = 64 << 10, /* a header file as large gets room ahead, */
    LOG_ROOM_MAX = 256 << 10, /* at most so much */
};

enum log_state {
    LOG_CLOSED,
    LOG_OPENING, /* also while creating */
    LOG_READY,
    LOG_REFUSED, /* damaged, or not verified: read-only up to there */
    LOG_FAILED,  /* a write or sync failed: read-only, what was durable */
};

enum log_mode {
    LOG_READ_WRITE,
    LOG_READ_ONLY, /* changes nothing; beside a writing process, too */
};

/* The end of an operation: 0, or a code and its text, borrowed for the call. */
typedef void log_done(void *ctx, int code, const struct err *err);

/* Called for each good frame, in order, while opening and polling; the frame is
 * borrowed for the call. Returns 0: taken; LOG_PAUSE: taken, but call no more
 * before log_resume(); a negative code with `err`: its content does not verify,
 * and the open is refused with file, offset and transaction put before the
 * text. */
enum { LOG_PAUSE = 1 };
typedef int log_visit(void *ctx, const struct log_frame *frame,
                      struct err *err);

/* Where a frame is; kept for each one in memory. */
struct log_place {
    uint64_t offset; /* in the header file */
    uint64_t index;  /* its first */
};

struct log {
    /* Read these, never set them. */
    enum log_state state;
    enum log_mode mode;
    /* All that is durable (opened read-only: all that was found good): chain,
     * generation, offset, frames, transactions, place of bodies, hash. */
    struct watermark end;
    struct watermark marked; /* the newest watermark on disk */
    /* Opening cut off a torn tail that held a later good frame: a master asks
     * its peers for more before it goes on. */
    bool suspect;
    /* Bytes of header file behind the end, unless these are all zeros: those
     * that opening cut off, or, as of the last poll, those that a reader leaves
     * out. */
    uint64_t cut;
    struct err cause; /* of REFUSED and FAILED */
    /* What is wrong with the slot that is not the newest one; code 0: nothing.
     * The next watermark that is written replaces it. */
    struct err bad_slot;

    /* Private. */
    const struct disk *disk;
    char folder[LOG_PATH_MAX];
    char head_path[LOG_PATH_MAX];
    char body_path[2][LOG_PATH_MAX];
    char cur_path[LOG_PATH_MAX];
    struct manifest manifest;
    const struct log_place *first_places; /* of a log_start; borrowed */
    uint64_t first_count;
    struct log_place *places; /* of the frames behind those */
    size_t places_cap;
    uint64_t segment_size; /* of body files; tests make it small */
    uint64_t room;         /* the header file's size: zeros from `end` on */
    uint64_t room_from;    /* smaller ones get none; tests make it small */
    bool is_cramped;       /* there was no space for more of it */
    uint64_t head_lane;
    uint64_t body_lane;
    struct job head_job;
    struct job body_job;
    uint32_t jobs;  /* under way, reads left out */
    uint32_t reads; /* under way */
    log_done *done; /* of the operation under way, else NULL */
    void *done_ctx;
    struct err outcome; /* of the operation under way */
    struct log_commit *commit;
    struct log_opening *opening;   /* from log_open() or log_poll() on */
    struct log_creating *creating; /* from log_create() on */
};

/* The folder of a chain, relative to the data folder: "ab/abcd...". */
void log_folder(char folder[LOG_PATH_MAX], const uint8_t chain[LOG_CHAIN_SIZE]);

/* A file in it. */
void log_path(char path[LOG_PATH_MAX], const char *folder, const char *name);

/* One frame to append. The parts are borrowed until log_append() (log_create())
 * returns. */
struct log_entry {
    uint16_t type;
    uint32_t count;
    struct bytes payload;
    struct bytes inlined;
    uint64_t body_len; /* its share of the group's bodies; a multiple of 8 */
};

/* Frames that become durable together. */
struct log_group {
    const struct log_entry *entries;
    size_t count; /* 1 to LOG_GROUP_FRAMES_MAX */
    /* The body-file bytes of all entries, one after the other, laid out and
     * padded as docs/format.md section 4 says; stays the caller's, unchanged,
     * until done. At most LOG_GROUP_BODIES_MAX. */
    struct bytes bodies;
};

/* Make a new chain in `folder` with its first frame (type genesis) and its
 * bodies; it is then open to read and write. The name `cur` appears last:
 * before it does there is no chain. What a creation that was cut short left
 * behind is replaced. Errors: CONFLICT (there is one), CORRUPT (cur is missing,
 * but there are frames), FULL, IO, DENIED. After a failure the log is closed.
 */
void log_create(struct log *log, const struct disk *disk, const char *folder,
                const uint8_t chain[LOG_CHAIN_SIZE],
                const struct log_group *first, log_done *done, void *ctx);

/* Open what is there; nothing is created. `chain` NULL: whichever it is.
 * Every good frame is shown to `visit`. Below the watermark a damaged frame
 * refuses: the state is then LOG_REFUSED, what stands before it readable, the
 * files untouched. Above it the first damaged frame, or one with damaged
 * bodies, is the end; read-write opening cuts the rest off and writes a
 * watermark before done is called. Errors: NOT_FOUND (no chain here; closed),
 * CORRUPT (REFUSED if a frame is to blame, or a byte between the slots that is
 * not zero; else closed), the code `visit`
 * returned (REFUSED), UNAVAILABLE (a later format), IO and others of the disk
 * (closed). */
void log_open(struct log *log, const struct disk *disk, const char *folder,
              const uint8_t *chain, enum log_mode mode, log_visit *visit,
              void *visit_ctx, log_done *done, void *ctx);

/* What is known of a log before it is opened: where it ended at some time when
 * all of that was durable, and the places of the frames up to there, which stay
 * borrowed while the log is open. */
struct log_start {
    struct watermark end; /* `counter` does not matter */
    const struct log_place *places;
};

/* The same, but what stands before `start` is not walked again: the first frame
 * that `visit` sees is the one behind it. Errors, besides those above: STALE
 * (closed): the log does not go on from there, so it is to be opened without.
 */
void log_open_from(struct log *log, const struct disk *disk, const char *folder,
                   const uint8_t *chain, enum log_mode mode,
                   const struct log_start *start, log_visit *visit,
                   void *visit_ctx, log_done *done, void *ctx);

/* After LOG_PAUSE: go on, or refuse the frame that was shown last with the code
 * and text given. Never from within the visit; visits and the end of opening
 * may happen within this call. */
void log_resume(struct log *log, int code, const struct err *why);

/* While it opens: bytes of the header file; 0: not known yet. */
uint64_t log_opening_size(const struct log *log);

/* Read-only: look for frames behind the last one. `done` gets 0, too, when
 * there are none. Errors: STALE (the log was cut back behind what was shown, or
 * another generation is live: close and open again), those of log_open(). */
void log_poll(struct log *log, log_visit *visit, void *visit_ctx,
              log_done *done, void *ctx);

/* Append one group; one at a time. Returns 0, then `done` is called: 0 durable;
 * FULL: nothing of it remains and the log goes on; any other code: the log is
 * FAILED, and whether the group is there is known after the next opening.
 * Or returns at once, without `done`: UNAVAILABLE (not LOG_READY or read-only,
 * with the cause), LIMIT. */
int log_append(struct log *log, const struct log_group *group, log_done *done,
               void *ctx, struct err *err);

/* Nothing is being appended, opened or marked. */
bool log_is_idle(const struct log *log);

/* Write the newest watermark: when idle for 100 ms, and before closing. Returns
 * 0, then `done` is called; 1: it is there already; or UNAVAILABLE. A failed
 * sync makes the log FAILED. */
int log_mark(struct log *log, log_done *done, void *ctx, struct err *err);

/* Cut off the zeros that an appending log keeps behind its end: before closing.
 * Returns 0, then `done` is called, with 0; 1: there are none. */
int log_give_room_back(struct log *log, log_done *done, void *ctx);

/* The frame that holds a transaction; false: beyond the end. */
bool log_find(const struct log *log, uint64_t index, uint64_t *frame);

/* Where a frame is. */
struct log_place log_place_at(const struct log *log, uint64_t number);

enum log_part {
    LOG_PAYLOAD,
    LOG_INLINE,
    LOG_BODIES, /* its bytes in the body file; to be checked by body hashes */
    LOG_WHOLE,  /* the frame: `header` then has its parts, within `bytes` */
};

/* A read of a durable frame, or of a range of its bodies. The caller owns the
 * struct; it stays where it is until done. */
struct log_read {
    uint64_t frame;
    enum log_part part;
    uint64_t offset; /* within the part; of a whole frame both mean nothing */
    uint64_t length; /* UINT64_MAX: to its end */
    void (*done)(struct log_read *read, int code, const struct err *err);
    void *owner;

    struct log_frame header; /* set when done */
    struct buf bytes;        /* the bytes; the caller's to deinit */

    struct log *log; /* private from here on */
    struct job job;
    char path[LOG_PATH_MAX];
};

/* In any state but CLOSED; while opening, of frames that `visit` was shown,
 * from within it or while it pauses. Errors, in done: NOT_FOUND (no such
 * frame), INVALID (outside the part), CORRUPT (checksum, or bodies that are
 * missing: these are lost here and come from a peer), IO. */
void log_read(struct log *log, struct log_read *read);

/* Forget everything; nothing may be under way. Writes nothing: call log_mark()
 * before. Closing twice is harmless. */
void log_close(struct log *log);
#endif
