/* names_file: the file DATA/names while a node has it: reading it, and putting
 * a line behind it. */
#ifndef ATE_NODE_NAMES_FILE_H
#define ATE_NODE_NAMES_FILE_H

#include "base/err.h"
#include "log/job.h"
#include "log/names.h"

typedef void names_file_done(void *ctx, int code, const struct err *err);

struct names_file {
    struct names names; /* read it, never set it */

    /* Private. */
    const struct disk *disk;
    uint64_t size; /* of its good lines: the next one goes there */
    bool is_there;
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

/* Read it, once more when another process writes it. One that is not there is
 * empty. After an error the names are those of before. Errors: CORRUPT, DENIED,
 * IO. */
void names_file_read(struct names_file *file, names_file_done *done, void *ctx);

/* Append a chain that names_check() lets pass; it is in `names` when the line
 * is durable. Errors: UNAVAILABLE (a write failed before), CONFLICT, those of
 * the disk. */
void names_file_add(struct names_file *file, const uint8_t id[NAMES_ID_SIZE],
                    struct bytes name, names_file_done *done, void *ctx);
#endif
