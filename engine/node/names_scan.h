/* names_scan: what chains a data folder holds, found by looking into each
 * chain's folder: a chain's name stands in its genesis. For when the file
 * `names` is missing or damaged. */
#ifndef ATE_NODE_NAMES_SCAN_H
#define ATE_NODE_NAMES_SCAN_H

#include "base/err.h"
#include "log/job.h"
#include "log/names.h"

/* A chain that is there and has no name of its own. */
struct unnamed {
    uint8_t id[NAMES_ID_SIZE];
    char *name; /* that it claims; empty: it cannot be read */
    struct err why;
};

struct unnamed_list {
    struct unnamed *items;
    size_t count;
    size_t cap;
};

void unnamed_deinit(struct unnamed_list *list); /* safe twice */
/* The one that claims this name, or NULL. */
const struct unnamed *unnamed_find(const struct unnamed_list *list,
                                   struct bytes name);

/* 0, or a code and its text, borrowed for the call. */
typedef void names_scan_done(void *ctx, int code, const struct err *err);

/* Enter into `names` all chains that it does not have yet. Where several claim
 * one name, or one the beginning of another's, none of them gets it; they go
 * into `unnamed`, which is empty before, as do those whose genesis cannot be
 * read. What a creation that was cut short left is no chain. `names` and
 * `unnamed` stay the caller's. Errors: those of listing folders. */
void names_scan(const struct disk *disk, struct names *names,
                struct unnamed_list *unnamed, names_scan_done *done, void *ctx);
#endif
