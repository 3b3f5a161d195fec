/* names_file: the file DATA/names while a node has it: reading it, putting a
 * line behind it, and making it anew from the chains when it is not good. */
#ifndef ATE_NODE_NAMES_FILE_H
#define ATE_NODE_NAMES_FILE_H

#include "base/err.h"
#include "log/job.h"
#include "log/names.h"
#include "node/names_scan.h"

/* 0, or a code and its text, borrowed for the call. */
typedef void names_file_done(void *ctx, int code, const struct err *err);

struct names_file {
    struct names names;          /* read these, never set them */
    struct unnamed_list unnamed; /* chains that were found, but have no name */

    /* Private. */
    const struct disk *disk;
    bool writes;
    uint64_t size; /* all of it good lines: the next one goes there */
    bool is_there;
    struct names fresh; /* being read */
    struct unnamed_list fresh_unnamed;
    struct err failed; /* code not 0: nothing more is written */
    struct job job;
    bool busy;
    struct buf bytes; /* read, or being written */
    uint8_t id[NAMES_ID_SIZE];
    struct buf name;
    names_file_done *done;
    void *ctx;
};

void names_file_init(struct names_file *file, const struct disk *disk);
void names_file_deinit(struct names_file *file); /* not busy; safe twice */

/* One at a time. */
bool names_file_is_busy(const struct names_file *file);

/* Read it, once more when another process writes it. One that is missing, empty
 * or damaged is made up for by the chains' geneses and what is left of it; with
 * `writes` it is then written anew, unless some chain has no name, and the
 * damaged one is kept as names.damaged. After an error the names are those of
 * before. Errors: DENIED, IO. */
void names_file_read(struct names_file *file, bool writes,
                     names_file_done *done, void *ctx);

/* Append a chain that names_check() lets pass; it is in `names` when the line
 * is durable. Errors: UNAVAILABLE (a write failed before, or some chain has no
 * name), CONFLICT, those of the disk. */
void names_file_add(struct names_file *file, const uint8_t id[NAMES_ID_SIZE],
                    struct bytes name, names_file_done *done, void *ctx);
#endif
