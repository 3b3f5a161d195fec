/* watermark: how far a header file is known to be durable.
 *
 * It stands in one of two slots of the header file, 4 KiB apart and written in
 * turn, so that a torn write leaves the other one. docs/format.md section 5 has
 * the byte table. */
#ifndef ATE_LOG_WATERMARK_H
#define ATE_LOG_WATERMARK_H

#include "frame.h"

enum {
    LOG_SLOT_SIZE = 128,
    LOG_SLOT_STEP = 0x1000,
    LOG_FRAMES_START = 0x2000,
    LOG_CHAIN_SIZE = 32,
};

struct watermark {
    uint8_t chain[LOG_CHAIN_SIZE];
    uint64_t generation;
    uint64_t counter;      /* slots alternate by it */
    uint64_t offset;       /* frames below it are durable, with their bodies */
    uint64_t frames;       /* below it */
    uint64_t transactions; /* below it */
    uint32_t segment;      /* where the next body goes */
    uint64_t body_offset;
    uint8_t hash[LOG_HASH_SIZE]; /* chain hash of the last frame below it */
};

/* Where in the header file the slot of this counter is. */
uint64_t watermark_place(uint64_t counter);

void watermark_put(uint8_t slot[LOG_SLOT_SIZE], const struct watermark *mark);

/* Errors: CORRUPT; UNAVAILABLE for a file of a later format version. */
int watermark_get(struct watermark *mark, const uint8_t slot[LOG_SLOT_SIZE],
                  struct err *err);
#endif
