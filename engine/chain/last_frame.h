/* last_frame: the frame that was read last, whole and checked, with the places
 * of its events and bodies: for who reads one body after the other.
 *
 * Frames below the log's end never change, so what is kept stays true while the
 * chain is open. It takes as much as the frame, and 24 bytes an event. */
#ifndef ATE_CHAIN_LAST_FRAME_H
#define ATE_CHAIN_LAST_FRAME_H

#include "log/log.h"

struct frame_event {
    uint32_t member; /* of the accepted ones of its frame */
    uint32_t n;
    uint32_t at; /* its encoded header in the payload, */
    uint32_t length;
    uint64_t body; /* where its body begins in its section, if it has one */
};

/* All zeros: nothing is kept. */
struct last_frame {
    bool holds;
    struct log_frame frame; /* its parts point into `bytes` */
    struct buf bytes;
    struct frame_event *events; /* in order of their places */
    size_t count;
    size_t cap;
};

/* Keep the frame in place of what was kept. `read`, of LOG_WHOLE, is done; its
 * bytes are taken over. Errors: those of batch_open() and event_header_get();
 * then nothing is kept. */
int last_frame_take(struct last_frame *k, struct log_read *read,
                    struct err *err);
bool last_frame_has(const struct last_frame *k, uint64_t frame);
/* NULL: the frame has no such event. */
const struct frame_event *last_frame_find(const struct last_frame *k,
                                          uint64_t index, uint64_t n);
struct bytes last_frame_header(const struct last_frame *k,
                               const struct frame_event *e);
void last_frame_drop(struct last_frame *k); /* safe twice */
#endif
