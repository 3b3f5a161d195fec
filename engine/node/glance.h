/* glance: what the files of a chain say at first sight: its schema, and its
 * size as of the newest watermark. Nothing is replayed, so nothing is proved,
 * and it costs the same for any length of chain. */
#ifndef ATE_NODE_GLANCE_H
#define ATE_NODE_GLANCE_H

#include "base/err.h"
#include "log/job.h"
#include "log/log.h"

struct logic_maker;

struct glance {
    /* Set when done. */
    struct err err;  /* code not 0: it cannot be told, and why */
    char *schema;    /* name of the main one; owned */
    int64_t version; /* in force; -1: something follows genesis, maybe another
                        bundle, so it is not known */
    uint64_t size;   /* transactions */

    /* Private. */
    const struct disk *disk;
    const struct logic_maker *logic;
    uint8_t chain[LOG_CHAIN_SIZE];
    struct job job;
    char path[LOG_PATH_MAX];
    struct buf bytes;
    void (*done)(struct glance *glance);
    void *owner;
};

/* The caller owns the struct and keeps it until `done`, which is called later
 * and may deinit it. `disk` and `logic` outlive that. */
void glance_start(struct glance *glance, const struct disk *disk,
                  const struct logic_maker *logic,
                  const uint8_t chain[LOG_CHAIN_SIZE],
                  void (*done)(struct glance *glance), void *owner);
void glance_deinit(struct glance *glance); /* safe twice */
#endif
