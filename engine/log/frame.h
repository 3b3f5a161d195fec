/* frame: the unit of a header file, 96 bytes of header, payload, inline
 * section.
 *
 * docs/format.md section 5 has the byte table. A frame carries two checksums of
 * its parts, one of its bodies in the body file and one of itself, against
 * accidents; and the chain hash of the frame before it, so that an old or
 * misdirected frame is not taken for the right one even if its checksums are.
 */
#ifndef ATE_LOG_FRAME_H
#define ATE_LOG_FRAME_H

#include "base/bytes.h"
#include "base/limits.h"

struct err;

enum {
    LOG_FRAME_HEADER = 96,
    LOG_HASH_SIZE = 16,
    LOG_INLINE_MAX = LIMIT_FRAME_PAYLOAD,
};

enum log_frame_type {
    LOG_GENESIS = 1,
    LOG_BATCH = 2,
};

struct log_frame {
    uint16_t type;
    uint64_t sequence; /* its number in the file, from 0 */
    uint64_t index;    /* first index */
    uint32_t count;    /* indices it fills */
    uint32_t payload_len;
    uint32_t inline_len;
    uint32_t segment;     /* of its bodies in body files; 0 when it has none */
    uint64_t body_offset; /* of the first one, in that segment */
    uint64_t body_len;    /* bytes it fills there */
    uint8_t before[LOG_HASH_SIZE];
    uint32_t body_crc; /* of those body_len bytes */
    uint32_t payload_crc;
    uint32_t inline_crc;

    uint64_t offset;             /* in the header file; not stored */
    uint8_t hash[LOG_HASH_SIZE]; /* chain hash of this frame; not stored */
    struct bytes payload;        /* borrowed */
    struct bytes inlined;        /* borrowed */
};

/* Bytes that a frame with these parts fills in the header file. */
uint64_t log_frame_size(uint64_t payload_len, uint64_t inline_len);

/* Append the frame. `payload`, `inlined`, the places, `body_crc` and `before`
 * are the caller's; fills in lengths, checksums of the two parts, and `hash`.
 */
void log_frame_put(struct buf *out, struct log_frame *frame);

/* Read a header of LOG_FRAME_HEADER bytes: magic, checksum, type, zeros,
 * lengths within limits. Sets neither hash nor parts. Errors: CORRUPT. */
int log_frame_header(struct log_frame *frame, const uint8_t *header,
                     struct err *err);

/* Read a whole frame; `bytes` holds log_frame_size() of its header and outlives
 * the frame's parts. Checks the parts' checksums and padding, sets hash and
 * parts. Errors: CORRUPT. */
int log_frame_get(struct log_frame *frame, struct bytes bytes, struct err *err);
#endif
