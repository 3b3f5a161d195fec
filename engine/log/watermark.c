#include "log/watermark.h"

#include <assert.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"

enum { CRC_AT = 124 };

/* The last byte is the version of the file's format. */
static const uint8_t magic[8] = {'A', 'T', 'E', 'L', 'O', 'G', 0, 1};

static_assert(LOG_SLOT_STEP * 2 == LOG_FRAMES_START, "two slots, then frames");

uint64_t watermark_place(uint64_t counter)
{
    return counter % 2 * LOG_SLOT_STEP;
}

/* What holds for every watermark that was ever written. */
static bool makes_sense(const struct watermark *mark)
{
    return mark->generation > 0 && mark->frames > 0 && mark->segment > 0 &&
           mark->offset >= LOG_FRAMES_START + LOG_FRAME_HEADER &&
           mark->offset % 8 == 0 && mark->body_offset <= LIMIT_BODY_SEGMENT &&
           mark->body_offset % 8 == 0;
}

void watermark_put(uint8_t slot[LOG_SLOT_SIZE], const struct watermark *mark)
{
    assert(makes_sense(mark));
    memset(slot, 0, LOG_SLOT_SIZE);
    memcpy(slot, magic, sizeof(magic));
    memcpy(slot + 8, mark->chain, LOG_CHAIN_SIZE);
    put_le64(slot + 40, mark->generation);
    put_le64(slot + 48, mark->counter);
    put_le64(slot + 56, mark->offset);
    put_le64(slot + 64, mark->frames);
    put_le64(slot + 72, mark->transactions);
    put_le32(slot + 80, mark->segment);
    put_le64(slot + 88, mark->body_offset);
    memcpy(slot + 96, mark->hash, LOG_HASH_SIZE);
    put_le32(slot + CRC_AT, crc32c(0, slot, CRC_AT));
}

int watermark_get(struct watermark *mark, const uint8_t slot[LOG_SLOT_SIZE],
                  struct err *err)
{
    if (memcmp(slot, magic, sizeof(magic) - 1) != 0)
        return err_set(err, ATE_ECORRUPT, "no watermark is here");
    if (get_le32(slot + CRC_AT) != crc32c(0, slot, CRC_AT))
        return err_set(err, ATE_ECORRUPT,
                       "the checksum of the watermark does not match");
    if (slot[7] != magic[7])
        return err_set(err, ATE_EUNAVAILABLE,
                       "it has format %u, this program reads format %u",
                       (unsigned)slot[7], (unsigned)magic[7]);
    memcpy(mark->chain, slot + 8, LOG_CHAIN_SIZE);
    mark->generation = get_le64(slot + 40);
    mark->counter = get_le64(slot + 48);
    mark->offset = get_le64(slot + 56);
    mark->frames = get_le64(slot + 64);
    mark->transactions = get_le64(slot + 72);
    mark->segment = get_le32(slot + 80);
    mark->body_offset = get_le64(slot + 88);
    memcpy(mark->hash, slot + 96, LOG_HASH_SIZE);
    if (!makes_sense(mark) || !bytes_are_zero(bytes_of(slot + 84, 4)) ||
        !bytes_are_zero(bytes_of(slot + 112, CRC_AT - 112)))
        return err_set(err, ATE_ECORRUPT, "the watermark makes no sense");
    return 0;
}
