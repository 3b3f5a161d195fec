/* A header file of anybody's: opening it reads what verifies and stops, without
 * ever writing. The first byte chooses whether the watermark's checksum and
 * those of frame headers are made right first, so that what lies behind them is
 * reached. */
#include <assert.h>
#include <string.h>

#include "base/crc32c.h"
#include "io/memory_disk.h"
#include "log/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
    uint64_t frames;
    bool done;
};

static int visit(void *ctx, const struct log_frame *frame, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    assert(frame->sequence == seen->frames);
    assert(frame->payload.len == frame->payload_len);
    seen->frames++;
    return 0;
}

static void opened(void *ctx, int code, const struct err *err)
{
    struct seen *seen = ctx;
    assert(code == 0 || err->text[0] != '\0');
    seen->done = true;
}

static void read_done(struct log_read *read, int code, const struct err *err)
{
    (void)code;
    (void)err;
    buf_deinit(&read->bytes);
}

/* Make checksums and places agree, as somebody who means harm would. */
static void mend(struct buf *head)
{
    for (size_t at = 0; at + LOG_SLOT_SIZE <= head->len && at <= LOG_SLOT_STEP;
         at += LOG_SLOT_STEP)
        put_le32(head->data + at + 124, crc32c(0, head->data + at, 124));
    for (size_t at = LOG_FRAMES_START; at + LOG_FRAME_HEADER <= head->len;) {
        uint8_t *p = head->data + at;
        uint32_t payload = get_le32(p + 28) % 4096;
        uint32_t inlined = get_le32(p + 32) % 4096;
        uint64_t size = log_frame_size(payload, inlined);
        if (at + size > head->len)
            break;
        memcpy(p, "ATEF", 4);
        put_le32(p + 28, payload);
        put_le32(p + 32, inlined);
        size_t inline_at = LOG_FRAME_HEADER + (payload + 7) / 8 * 8;
        put_le32(p + 80, crc32c(0, p + LOG_FRAME_HEADER, payload));
        put_le32(p + 84, crc32c(0, p + inline_at, inlined));
        put_le32(p + 92, crc32c(0, p, 92));
        at += size;
    }
}

static void put_cur(struct memory_disk *disk, const struct buf *head)
{
    struct manifest manifest = {.generation = 1};
    uint8_t cur[MANIFEST_SIZE];
    struct log_frame first;

    if (head->len >= 24)
        memcpy(manifest.chain, head->data + 8, sizeof(manifest.chain));
    if (head->len >= LOG_FRAMES_START + LOG_FRAME_HEADER) {
        const uint8_t *p = head->data + LOG_FRAMES_START;
        size_t left = head->len - LOG_FRAMES_START;
        if (log_frame_header(&first, p, NULL) == 0 &&
            log_frame_size(first.payload_len, first.inline_len) <= left &&
            log_frame_get(&first, bytes_of(p, left), NULL) == 0)
            memcpy(manifest.first, first.hash, LOG_HASH_SIZE);
    }
    manifest_put(cur, &manifest);
    memory_disk_put(disk, "cur", bytes_of(cur, sizeof(cur)));
}

static void open_log(struct memory_disk *disk, enum log_mode mode)
{
    struct seen seen = {0};
    struct log log;
    struct log_read read = {.length = UINT64_MAX, .done = read_done};

    log_open(&log, memory_disk_interface(disk), "", NULL, mode, visit, &seen,
             opened, &seen);
    memory_disk_run(disk);
    assert(seen.done);
    if (log.state != LOG_CLOSED) {
        assert(log.end.frames == seen.frames);
        read.part = seen.frames % 3;
        log_read(&log, &read);
        memory_disk_run(disk);
    }
    log_close(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf head = {0};

    if (len == 0)
        return 0;
    buf_put(&head, data + 1, len - 1);
    if (data[0] & 1)
        mend(&head);
    struct memory_disk *disk = memory_disk_new();
    put_cur(disk, &head);
    memory_disk_put(disk, "1.head", buf_bytes(&head));
    memory_disk_put(disk, "1.body", bytes_of("the body file...", 16));
    open_log(disk, LOG_READ_ONLY);
    struct buf *after = memory_disk_file(disk, "1.head");
    assert(bytes_equal(buf_bytes(after), buf_bytes(&head)));
    if (data[0] & 2)
        open_log(disk, LOG_READ_WRITE);
    memory_disk_free(disk);
    buf_deinit(&head);
    return 0;
}
