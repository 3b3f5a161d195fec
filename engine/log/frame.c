/* The byte table is in docs/format.md section 5. What it does not say:
 *
 * (1) A frame without bodies in the body file has zeros for their place,
 *     length and checksum; else the place and length are multiples of 8 and
 *     lie within one segment.
 * (2) The checksum of the bodies stands in the header so that recovery can
 *     tell, without knowing what bodies mean, whether they arrived on the
 *     disk; who reads them checks their hashes.
 * (3) The chain hash covers what a frame says, not where its bodies lie. */
#include "log/frame.h"

#include <assert.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "crypto/hash.h"

static const uint8_t magic[4] = {'A', 'T', 'E', 'F'};

static_assert(LIMIT_BODY_SEGMENT % 8 == 0, "segments hold padded bodies");

static uint64_t padded(uint64_t len)
{
    return (len + 7) & ~UINT64_C(7);
}

uint64_t log_frame_size(uint64_t payload_len, uint64_t inline_len)
{
    assert(payload_len <= LIMIT_FRAME_PAYLOAD && inline_len <= LOG_INLINE_MAX);
    return LOG_FRAME_HEADER + padded(payload_len) + padded(inline_len);
}

static void chain_hash(struct log_frame *frame)
{
    struct hasher h;
    uint8_t full[HASH_SIZE];

    hash_begin(&h, LABEL_FRAME);
    hash_part_of(&h, frame->before, LOG_HASH_SIZE);
    hash_u64(&h, frame->type);
    hash_u64(&h, frame->sequence);
    hash_u64(&h, frame->index);
    hash_u64(&h, frame->count);
    hash_part(&h, frame->payload);
    hash_end(&h, full);
    memcpy(frame->hash, full, LOG_HASH_SIZE);
}

/* Invariant (1). */
static bool body_place_fits(const struct log_frame *f)
{
    if (f->body_len == 0)
        return f->segment == 0 && f->body_offset == 0 && f->body_crc == 0;
    return f->segment != 0 && f->body_offset % 8 == 0 && f->body_len % 8 == 0 &&
           f->body_len <= LIMIT_BODY_SEGMENT &&
           f->body_offset <= LIMIT_BODY_SEGMENT - f->body_len;
}

static void put_header(uint8_t p[LOG_FRAME_HEADER],
                       const struct log_frame *frame)
{
    memset(p, 0, LOG_FRAME_HEADER);
    memcpy(p, magic, sizeof(magic));
    put_le16(p + 4, frame->type);
    put_le64(p + 8, frame->sequence);
    put_le64(p + 16, frame->index);
    put_le32(p + 24, frame->count);
    put_le32(p + 28, frame->payload_len);
    put_le32(p + 32, frame->inline_len);
    put_le32(p + 36, frame->segment);
    put_le64(p + 40, frame->body_offset);
    put_le64(p + 48, frame->body_len);
    memcpy(p + 56, frame->before, LOG_HASH_SIZE);
    put_le32(p + 80, frame->payload_crc);
    put_le32(p + 84, frame->inline_crc);
    put_le32(p + 88, frame->body_crc);
    put_le32(p + 92, crc32c(0, p, 92));
}

void log_frame_put(struct buf *out, struct log_frame *frame)
{
    assert(frame->type == LOG_GENESIS || frame->type == LOG_BATCH);
    assert(frame->payload.len <= LIMIT_FRAME_PAYLOAD);
    assert(frame->inlined.len <= LOG_INLINE_MAX);
    assert(body_place_fits(frame));
    frame->payload_len = (uint32_t)frame->payload.len;
    frame->inline_len = (uint32_t)frame->inlined.len;
    frame->payload_crc = crc32c(0, frame->payload.data, frame->payload.len);
    frame->inline_crc = crc32c(0, frame->inlined.data, frame->inlined.len);
    chain_hash(frame);

    uint64_t size = log_frame_size(frame->payload_len, frame->inline_len);
    uint8_t *p = buf_grow(out, size);
    memset(p, 0, size);
    put_header(p, frame);
    p += LOG_FRAME_HEADER;
    if (frame->payload_len > 0)
        memcpy(p, frame->payload.data, frame->payload_len);
    if (frame->inline_len > 0)
        memcpy(p + padded(frame->payload_len), frame->inlined.data,
               frame->inline_len);
}

static void get_header(struct log_frame *frame, const uint8_t *p)
{
    memset(frame, 0, sizeof(*frame));
    frame->type = get_le16(p + 4);
    frame->sequence = get_le64(p + 8);
    frame->index = get_le64(p + 16);
    frame->count = get_le32(p + 24);
    frame->payload_len = get_le32(p + 28);
    frame->inline_len = get_le32(p + 32);
    frame->segment = get_le32(p + 36);
    frame->body_offset = get_le64(p + 40);
    frame->body_len = get_le64(p + 48);
    memcpy(frame->before, p + 56, LOG_HASH_SIZE);
    frame->payload_crc = get_le32(p + 80);
    frame->inline_crc = get_le32(p + 84);
    frame->body_crc = get_le32(p + 88);
}

int log_frame_header(struct log_frame *frame, const uint8_t *header,
                     struct err *err)
{
    if (memcmp(header, magic, sizeof(magic)) != 0)
        return err_set(err, ATE_ECORRUPT, "no frame begins here");
    if (get_le32(header + 92) != crc32c(0, header, 92))
        return err_set(err, ATE_ECORRUPT,
                       "the checksum of its header does not match");
    get_header(frame, header);
    if (frame->type != LOG_GENESIS && frame->type != LOG_BATCH)
        return err_set(err, ATE_ECORRUPT, "its type %u is unknown",
                       (unsigned)frame->type);
    if (get_le16(header + 6) != 0 || get_le64(header + 72) != 0)
        return err_set(err, ATE_ECORRUPT, "its flags are unknown");
    if (frame->payload_len > LIMIT_FRAME_PAYLOAD ||
        frame->inline_len > LOG_INLINE_MAX)
        return err_set(err, ATE_ECORRUPT,
                       "its lengths of %u and %u bytes are over the limits",
                       (unsigned)frame->payload_len,
                       (unsigned)frame->inline_len);
    if (!body_place_fits(frame))
        return err_set(err, ATE_ECORRUPT, "its bodies lie outside a body file");
    return 0;
}

/* One part, its checksum and the zeros behind it. */
static int get_part(struct bytes *part, const uint8_t *p, uint32_t len,
                    uint32_t crc, const char *what, struct err *err)
{
    if (crc32c(0, p, len) != crc)
        return err_set(err, ATE_ECORRUPT,
                       "the checksum of its %s does not match", what);
    if (!bytes_are_zero(bytes_of(p + len, padded(len) - len)))
        return err_set(err, ATE_ECORRUPT, "there are bytes behind its %s",
                       what);
    *part = bytes_of(p, len);
    return 0;
}

int log_frame_get(struct log_frame *frame, struct bytes bytes, struct err *err)
{
    assert(bytes.len >= LOG_FRAME_HEADER);
    int rc = log_frame_header(frame, bytes.data, err);
    if (rc != 0)
        return rc;
    assert(bytes.len >= log_frame_size(frame->payload_len, frame->inline_len));
    const uint8_t *p = bytes.data + LOG_FRAME_HEADER;
    rc = get_part(&frame->payload, p, frame->payload_len, frame->payload_crc,
                  "payload", err);
    if (rc != 0)
        return rc;
    rc = get_part(&frame->inlined, p + padded(frame->payload_len),
                  frame->inline_len, frame->inline_crc, "inline section", err);
    if (rc != 0)
        return rc;
    chain_hash(frame);
    return 0;
}
