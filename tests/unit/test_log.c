#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "io/memory_disk.h"
#include "log/log.h"

static const uint8_t chain[LOG_CHAIN_SIZE] = {0xab, 0xcd, 1, 2, 3};

struct fixture {
    struct memory_disk *disk;
    struct log log;
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 16];
    int code; /* of the last operation */
    bool done;
    struct err err;
    uint64_t frames; /* shown by the last opening or poll */
    uint64_t refuse; /* the frame that visit() says no to; UINT64_MAX: none */
    bool pause;
    struct buf last; /* payload of the last frame shown */
};

static int setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof(*f));
    f->disk = memory_disk_new();
    f->refuse = UINT64_MAX;
    log_folder(f->folder, chain);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    log_close(&f->log);
    memory_disk_free(f->disk);
    buf_deinit(&f->last);
    mem_free(f);
    return 0;
}

static const char *path(struct fixture *f, const char *name)
{
    snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, name);
    return f->path;
}

static struct buf *file(struct fixture *f, const char *name)
{
    return memory_disk_file(f->disk, path(f, name));
}

static void done(void *ctx, int code, const struct err *err)
{
    struct fixture *f = ctx;
    assert_false(f->done);
    f->done = true;
    f->code = code;
    f->err = *err;
}

static int finish(struct fixture *f)
{
    memory_disk_run(f->disk);
    assert_true(f->done);
    f->done = false;
    return f->code;
}

static int visit(void *ctx, const struct log_frame *frame, struct err *err)
{
    struct fixture *f = ctx;
    if (frame->sequence == f->refuse)
        return err_set(err, ATE_EDENIED, "the signature is wrong");
    f->frames++;
    buf_clear(&f->last);
    buf_put_bytes(&f->last, frame->payload);
    return f->pause ? LOG_PAUSE : 0;
}

static int create(struct fixture *f, const char *bundle)
{
    struct log_entry entry = {.type = LOG_GENESIS,
                              .count = 1,
                              .payload = bytes_of_text("genesis"),
                              .body_len = strlen(bundle)};
    struct log_group group = {&entry, 1, bytes_of_text(bundle)};
    log_create(&f->log, memory_disk_interface(f->disk), f->folder, chain,
               &group, done, f);
    return finish(f);
}

static void start_open(struct fixture *f, struct log *log, enum log_mode mode)
{
    f->frames = 0;
    log_open(log, memory_disk_interface(f->disk), f->folder, chain, mode, visit,
             f, done, f);
}

static int open_log(struct fixture *f, enum log_mode mode)
{
    log_close(&f->log);
    start_open(f, &f->log, mode);
    return finish(f);
}

static int append(struct fixture *f, const char *payload, const char *inlined,
                  const char *bodies)
{
    struct log_entry entry = {.type = LOG_BATCH,
                              .count = 2,
                              .payload = bytes_of_text(payload),
                              .inlined = bytes_of_text(inlined),
                              .body_len = strlen(bodies)};
    struct log_group group = {&entry, 1, bytes_of_text(bodies)};
    int rc = log_append(&f->log, &group, done, f, &f->err);
    return rc == 0 ? finish(f) : rc;
}

static int mark(struct fixture *f)
{
    int rc = log_mark(&f->log, done, f, &f->err);
    return rc == 0 ? finish(f) : rc;
}

/* A chain with genesis and two frames, marked and closed. */
static void write_chain(struct fixture *f)
{
    assert_int_equal(create(f, "bundle.."), 0);
    assert_int_equal(append(f, "one", "small", ""), 0);
    assert_int_equal(append(f, "two", "", "a large body...."), 0);
    assert_int_equal(mark(f), 0);
    log_close(&f->log);
}

static void read_done(struct log_read *read, int code, const struct err *err)
{
    done(read->owner, code, err);
}

static int read_range(struct fixture *f, uint64_t frame, enum log_part part,
                      uint64_t offset, uint64_t length, struct buf *out)
{
    struct log_read read = {.frame = frame,
                            .part = part,
                            .offset = offset,
                            .length = length,
                            .done = read_done,
                            .owner = f};
    log_read(&f->log, &read);
    int rc = finish(f);
    buf_clear(out);
    buf_put_bytes(out, buf_bytes(&read.bytes));
    buf_deinit(&read.bytes);
    return rc;
}

static void expect_read(struct fixture *f, uint64_t frame, enum log_part part,
                        const char *expected)
{
    struct buf got = {0};
    assert_int_equal(read_range(f, frame, part, 0, UINT64_MAX, &got), 0);
    assert_string_equal(buf_text(&got), expected);
    buf_deinit(&got);
}

/* ---- creating ---- */

static void created_chain_has_its_files(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(
        f->folder, "ab/abcd010203"
                   "000000000000000000000000000000000000000000000000000000");
    assert_int_equal(create(f, "bundle.."), 0);
    assert_int_equal(f->log.state, LOG_READY);
    assert_int_equal(f->log.end.frames, 1);
    assert_int_equal(f->log.end.transactions, 1);
    assert_int_equal(file(f, "cur")->len, MANIFEST_SIZE);
    assert_int_equal(file(f, "1.head")->len, 0x2000 + 96 + 8);
    assert_int_equal(file(f, "1.body")->len, 8);
    assert_null(file(f, "cur.tmp"));
    expect_read(f, 0, LOG_PAYLOAD, "genesis");
    expect_read(f, 0, LOG_BODIES, "bundle..");
}

static void chain_is_not_created_twice(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(create(f, ""), 0);
    assert_int_equal(append(f, "kept", "", ""), 0);
    log_close(&f->log);
    assert_int_equal(create(f, ""), ATE_ECONFLICT);
    assert_int_equal(f->log.state, LOG_CLOSED);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 2);
}

/* The creation stopped before cur: its remains are replaced. */
static void unfinished_creation_is_replaced(void **state)
{
    struct fixture *f = *state;

    memory_disk_put(f->disk, path(f, "1.head"), bytes_of_text("half a head"));
    memory_disk_put(f->disk, path(f, "1.body"), bytes_of_text("and a body"));
    memory_disk_put(f->disk, path(f, "cur.tmp"), bytes_of_text("torn"));
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_int_equal(create(f, ""), 0);
    assert_int_equal(file(f, "1.body")->len, 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
}

/* cur was lost, the log was not: nobody writes over it. */
static void chain_that_lost_its_cur_is_not_written_over(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    struct buf head = {0};
    buf_put_bytes(&head, buf_bytes(file(f, "1.head")));
    memory_disk_free(f->disk);
    f->disk = memory_disk_new();
    memory_disk_put(f->disk, path(f, "1.head"), buf_bytes(&head));
    assert_int_equal(create(f, ""), ATE_ECORRUPT);
    assert_true(bytes_equal(buf_bytes(file(f, "1.head")), buf_bytes(&head)));
    buf_deinit(&head);
}

static void opening_creates_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ENOT_FOUND);
    assert_non_null(strstr(f->err.text, f->folder));
    assert_int_equal(f->log.state, LOG_CLOSED);
    assert_null(file(f, "1.head"));
}

/* ---- appending and reading ---- */

static void appended_frames_come_back_in_order(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    assert_string_equal(buf_text(&f->last), "two");
    assert_int_equal(f->log.end.transactions, 5);
    expect_read(f, 1, LOG_PAYLOAD, "one");
    expect_read(f, 1, LOG_INLINE, "small");
    expect_read(f, 1, LOG_BODIES, "");
    expect_read(f, 2, LOG_BODIES, "a large body....");
    assert_int_equal(append(f, "three", "", ""), 0);
    expect_read(f, 3, LOG_PAYLOAD, "three");
}

static void reads_stay_within_their_part(void **state)
{
    struct fixture *f = *state;
    struct buf got = {0};

    write_chain(f);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(read_range(f, 2, LOG_BODIES, 2, 5, &got), 0);
    assert_string_equal(buf_text(&got), "large");
    assert_int_equal(read_range(f, 1, LOG_INLINE, 1, UINT64_MAX, &got), 0);
    assert_string_equal(buf_text(&got), "mall");
    assert_int_equal(read_range(f, 2, LOG_BODIES, 17, 0, &got), ATE_EINVALID);
    assert_int_equal(read_range(f, 2, LOG_BODIES, 1, 16, &got), ATE_EINVALID);
    assert_int_equal(read_range(f, 2, LOG_PAYLOAD, 3, 1, &got), ATE_EINVALID);
    assert_int_equal(read_range(f, 3, LOG_PAYLOAD, 0, 1, &got), ATE_ENOT_FOUND);
    buf_deinit(&got);
}

static void frame_of_a_transaction_is_found(void **state)
{
    struct fixture *f = *state;
    uint64_t frame;

    assert_int_equal(create(f, ""), 0);
    for (int i = 0; i < 40; i++)
        assert_int_equal(append(f, "x", "", ""), 0);
    for (uint64_t index = 0; index < 81; index++) {
        assert_true(log_find(&f->log, index, &frame));
        assert_int_equal(frame, (index + 1) / 2);
    }
    assert_false(log_find(&f->log, 81, &frame));
}

/* A batch whose members were all refused fills no index. */
static void frame_without_transactions_is_never_found(void **state)
{
    struct fixture *f = *state;
    struct log_entry entries[3] = {
        {.type = LOG_BATCH, .count = 0, .payload = bytes_of_text("a")},
        {.type = LOG_BATCH, .count = 0, .payload = bytes_of_text("b")},
        {.type = LOG_BATCH, .count = 1, .payload = bytes_of_text("c")}};
    struct log_group group = {.entries = entries, .count = 3};
    uint64_t frame;

    assert_int_equal(create(f, ""), 0);
    assert_int_equal(log_append(&f->log, &group, done, f, NULL), 0);
    assert_int_equal(finish(f), 0);
    assert_true(log_find(&f->log, 0, &frame));
    assert_int_equal(frame, 0);
    assert_true(log_find(&f->log, 1, &frame));
    assert_int_equal(frame, 3);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->log.end.frames, 4);
}

/* The window grows for a frame that is larger than a piece. */
static void frame_larger_than_a_piece_is_read(void **state)
{
    struct fixture *f = *state;
    size_t len = 3 * LOG_PIECE + 5;
    char *text = mem_zero(len + 1, 1);

    memset(text, 'x', len);
    assert_int_equal(create(f, ""), 0);
    assert_int_equal(append(f, text, text, ""), 0);
    assert_int_equal(append(f, "behind", "", ""), 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    assert_string_equal(buf_text(&f->last), "behind");
    expect_read(f, 1, LOG_INLINE, text);
    mem_free(text);
}

static void many_pieces_are_walked(void **state)
{
    struct fixture *f = *state;
    char text[4001] = {0};

    memset(text, 'y', sizeof(text) - 1);
    assert_int_equal(create(f, ""), 0);
    for (int i = 0; i < 700; i++)
        assert_int_equal(append(f, text, "", ""), 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 701);
}

static void bodies_go_on_in_the_next_segment(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(create(f, ""), 0);
    f->log.segment_size = 40;
    assert_int_equal(append(f, "a", "", "0123456789abcdef01234567"), 0);
    assert_int_equal(append(f, "b", "", "the next segment"), 0);
    assert_int_equal(append(f, "c", "", "begins anew once more..."), 0);
    assert_int_equal(file(f, "1.body")->len, 40);
    assert_int_equal(file(f, "2.body")->len, 24);
    assert_int_equal(append(f, "d", "", "no room in this "), 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    expect_read(f, 2, LOG_BODIES, "the next segment");
    expect_read(f, 3, LOG_BODIES, "begins anew once more...");
    expect_read(f, 4, LOG_BODIES, "no room in this ");
}

static void group_over_the_limits_is_not_begun(void **state)
{
    struct fixture *f = *state;
    struct log_entry entry = {
        .type = LOG_BATCH,
        .payload = {(const uint8_t *)"", LIMIT_FRAME_PAYLOAD + 1}};
    struct log_group group = {&entry, 1, {NULL, 0}};

    assert_int_equal(create(f, ""), 0);
    assert_int_equal(log_append(&f->log, &group, done, f, &f->err), ATE_ELIMIT);
    assert_true(log_is_idle(&f->log));
    assert_int_equal(append(f, "fits", "", ""), 0);
}

static void read_only_log_takes_no_writes(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(append(f, "x", "", ""), ATE_EUNAVAILABLE);
    assert_int_equal(mark(f), ATE_EUNAVAILABLE);
}

/* ---- watermarks ---- */

static void mark_is_written_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(create(f, ""), 0);
    assert_int_equal(mark(f), 1);
    assert_int_equal(append(f, "x", "", ""), 0);
    assert_true(f->log.marked.offset < f->log.end.offset);
    assert_int_equal(mark(f), 0);
    assert_int_equal(f->log.marked.offset, f->log.end.offset);
    assert_int_equal(f->log.marked.counter, 2);
    assert_int_equal(mark(f), 1);
}

/* Opening what was closed in order changes no byte. */
static void clean_log_is_opened_without_a_write(void **state)
{
    struct fixture *f = *state;
    struct buf before = {0};

    write_chain(f);
    buf_put_bytes(&before, buf_bytes(file(f, "1.head")));
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_true(bytes_equal(buf_bytes(&before), buf_bytes(file(f, "1.head"))));
    assert_int_equal(f->log.cut, 0);
    buf_deinit(&before);
}

static void torn_tail_is_cut_off(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    size_t good = file(f, "1.head")->len;
    buf_put_text(file(f, "1.head"), "ATEF and so on");
    buf_put_text(file(f, "1.body"), "a body of nobody");
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(file(f, "1.head")->len, good + 14);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    assert_int_equal(f->log.cut, 14);
    assert_false(f->log.suspect);
    assert_int_equal(file(f, "1.head")->len, good);
    assert_int_equal(file(f, "1.body")->len, 8 + 16);
}

/* Without the last watermarks: frames 1 to 3 are above it. */
static void write_unmarked(struct fixture *f)
{
    assert_int_equal(create(f, "bundle.."), 0);
    struct log_entry entries[3] = {
        {.type = LOG_BATCH, .count = 1, .payload = bytes_of_text("a")},
        {.type = LOG_BATCH,
         .count = 1,
         .payload = bytes_of_text("b"),
         .body_len = 8},
        {.type = LOG_BATCH, .count = 1, .payload = bytes_of_text("c")}};
    struct log_group group = {entries, 3, bytes_of_text("the body")};
    assert_int_equal(log_append(&f->log, &group, done, f, NULL), 0);
    assert_int_equal(finish(f), 0);
    log_close(&f->log);
}

static void good_frame_behind_the_tear_is_suspect(void **state)
{
    struct fixture *f = *state;

    write_unmarked(f);
    file(f, "1.head")->data[0x2000 + 104 + 96] ^= 1; /* payload of frame 1 */
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 1);
    assert_true(f->log.suspect);
    assert_int_equal(f->log.cut, 3 * 104);
}

/* Above the watermark a frame counts only with its bodies. */
static void bodies_that_did_not_arrive_end_the_log(void **state)
{
    struct fixture *f = *state;

    write_unmarked(f);
    file(f, "1.body")->data[12] ^= 1;
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 2);
    file(f, "1.body")->len = 15;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 2);
    assert_true(f->log.suspect);
    assert_int_equal(append(f, "instead", "", "new body"), 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    expect_read(f, 2, LOG_BODIES, "new body");
}

/* ---- damage ---- */

static void damage_below_the_watermark_refuses(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    struct buf *head = file(f, "1.head");
    size_t len = head->len;
    head->data[0x2000 + 104 + 96] ^= 1; /* payload of frame 1 */
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_int_equal(f->log.state, LOG_REFUSED);
    assert_non_null(strstr(f->err.text, "1.head: frame 1 at offset 8296 (from "
                                        "transaction 1): the checksum of its "
                                        "payload does not match"));
    assert_int_equal(file(f, "1.head")->len, len);
    expect_read(f, 0, LOG_PAYLOAD, "genesis");
    assert_int_equal(append(f, "x", "", ""), ATE_EUNAVAILABLE);
    assert_non_null(strstr(f->err.text, "does not match"));
}

static void header_file_cut_below_the_watermark_refuses(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    file(f, "1.head")->len -= 8;
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_int_equal(f->frames, 2);
    file(f, "1.head")->len = 0x2000 + 104;
    assert_int_equal(open_log(f, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_int_equal(f->frames, 1);
    file(f, "1.head")->len = 0x1800;
    assert_int_equal(open_log(f, LOG_READ_ONLY), ATE_ECORRUPT);
}

static void slots_that_are_both_bad_refuse(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    file(f, "1.head")->data[20] ^= 1;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    file(f, "1.head")->data[0x1000 + 20] ^= 1;
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_int_equal(open_log(f, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "neither of its watermarks is good"));
}

static void damaged_cur_refuses(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    file(f, "cur")->data[40] ^= 1;
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "/cur: "));
    file(f, "cur")->data[40] ^= 1;
    file(f, "cur")->len = 63;
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    file(f, "cur")->len = 64;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
}

static void ignore(struct job *job)
{
    assert_int_equal(job->error, 0);
}

static void unlink_file(struct fixture *f, const char *name)
{
    struct job job;
    job_init(&job, 0, ignore, NULL);
    job_unlink(&job, path(f, name));
    job_submit(memory_disk_interface(f->disk), &job);
    memory_disk_run(f->disk);
}

static void missing_body_file_refuses_to_be_written(void **state)
{
    struct fixture *f = *state;
    struct buf got = {0};

    write_chain(f);
    unlink_file(f, "1.body");
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_int_equal(f->log.state, LOG_REFUSED);
    assert_non_null(strstr(f->err.text, "1.body is missing"));
    /* A copy of the headers alone can be read. */
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 3);
    assert_int_equal(read_range(f, 2, LOG_BODIES, 0, 4, &got), ATE_ECORRUPT);
    buf_deinit(&got);
}

static void missing_header_file_refuses(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    unlink_file(f, "1.head");
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "1.head is missing"));
}

/* Below the watermark a lost body is lost by itself: the log goes on. */
static void lost_body_is_an_error_of_its_read(void **state)
{
    struct fixture *f = *state;
    struct buf got = {0};

    write_chain(f);
    file(f, "1.body")->len = 12;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    assert_int_equal(read_range(f, 2, LOG_BODIES, 0, UINT64_MAX, &got),
                     ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "1.body"));
    expect_read(f, 0, LOG_BODIES, "bundle..");
    assert_int_equal(append(f, "x", "", "new body"), 0);
    expect_read(f, 3, LOG_BODIES, "new body");
    buf_deinit(&got);
}

static void frame_that_rotted_while_open_is_corrupt(void **state)
{
    struct fixture *f = *state;
    struct buf got = {0};

    write_chain(f);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    file(f, "1.head")->data[0x2000 + 104 + 96 + 8] ^= 1;
    assert_int_equal(read_range(f, 1, LOG_INLINE, 0, 1, &got), ATE_ECORRUPT);
    file(f, "1.head")->data[0x2000 + 104 + 3] ^= 1;
    assert_int_equal(read_range(f, 1, LOG_BODIES, 0, 1, &got), ATE_ECORRUPT);
    buf_deinit(&got);
}

static void files_of_another_chain_are_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t other[LOG_CHAIN_SIZE];
    struct log log;

    write_chain(f);
    memcpy(other, chain, sizeof(other));
    other[31] ^= 1; /* cur has only the first half */
    log_open(&log, memory_disk_interface(f->disk), f->folder, other,
             LOG_READ_ONLY, visit, f, done, f);
    assert_int_equal(finish(f), ATE_ECORRUPT);
    other[0] ^= 1;
    log_open(&log, memory_disk_interface(f->disk), f->folder, other,
             LOG_READ_ONLY, visit, f, done, f);
    assert_int_equal(finish(f), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "belongs to another chain"));
    log_open(&log, memory_disk_interface(f->disk), f->folder, NULL,
             LOG_READ_ONLY, visit, f, done, f);
    assert_int_equal(finish(f), 0);
    assert_memory_equal(log.end.chain, chain, LOG_CHAIN_SIZE);
    log_close(&log);
}

static void later_format_is_unavailable(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    uint8_t *slot = file(f, "1.head")->data;
    for (int i = 0; i < 2; i++, slot += LOG_SLOT_STEP) {
        slot[7] = 2;
        put_le32(slot + 124, crc32c(0, slot, 124));
        assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_EUNAVAILABLE);
    }
}

/* ---- visits ---- */

static void content_that_does_not_verify_refuses(void **state)
{
    struct fixture *f = *state;

    write_unmarked(f);
    size_t len = file(f, "1.head")->len;
    f->refuse = 2;
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_EDENIED);
    assert_int_equal(f->log.state, LOG_REFUSED);
    assert_non_null(strstr(f->err.text, "frame 2 at offset 8400 (from "
                                        "transaction 2): the signature is"));
    /* Though it is above the watermark, nothing is cut off. */
    assert_int_equal(file(f, "1.head")->len, len);
    assert_int_equal(f->log.end.frames, 2);
    expect_read(f, 1, LOG_PAYLOAD, "a");
}

static void paused_opening_goes_on_when_resumed(void **state)
{
    struct fixture *f = *state;

    write_unmarked(f);
    f->pause = true;
    start_open(f, &f->log, LOG_READ_WRITE);
    for (uint64_t i = 1; i <= 4; i++) {
        memory_disk_run(f->disk);
        assert_false(f->done);
        assert_int_equal(f->frames, i);
        log_resume(&f->log, 0, NULL);
    }
    assert_int_equal(finish(f), 0);
    assert_int_equal(f->log.end.frames, 4);
}

static void frame_may_be_refused_when_resuming(void **state)
{
    struct fixture *f = *state;
    struct err why;

    write_unmarked(f);
    f->pause = true;
    start_open(f, &f->log, LOG_READ_WRITE);
    memory_disk_run(f->disk);
    log_resume(&f->log, 0, NULL);
    memory_disk_run(f->disk);
    err_set(&why, ATE_EDENIED, "not signed");
    log_resume(&f->log, why.code, &why);
    assert_int_equal(finish(f), ATE_EDENIED);
    assert_int_equal(f->log.end.frames, 1);
    assert_non_null(strstr(f->err.text, "frame 1 at offset"));
}

/* ---- following ---- */

static int poll(struct fixture *f, struct log *log)
{
    f->frames = 0;
    log_poll(log, visit, f, done, f);
    return finish(f);
}

static void poll_shows_what_a_writer_appends(void **state)
{
    struct fixture *f = *state;
    struct log reader;

    assert_int_equal(create(f, ""), 0);
    start_open(f, &reader, LOG_READ_ONLY);
    assert_int_equal(finish(f), 0);
    assert_int_equal(poll(f, &reader), 0);
    assert_int_equal(f->frames, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(append(f, "new", "", "new body"), 0);
        assert_int_equal(poll(f, &reader), 0);
        assert_int_equal(f->frames, 1);
    }
    assert_int_equal(mark(f), 0);
    assert_int_equal(poll(f, &reader), 0);
    assert_int_equal(f->frames, 0);
    assert_int_equal(reader.end.frames, 4);
    log_close(&reader);
}

/* Half a frame, or one whose bodies are on their way, is the end for now. */
static void half_a_frame_is_the_end_for_now(void **state)
{
    struct fixture *f = *state;
    struct log reader;

    write_unmarked(f);
    struct buf whole = {0};
    buf_put_bytes(&whole, buf_bytes(file(f, "1.head")));
    file(f, "1.head")->len = 0x2000 + 104 + 50;
    start_open(f, &reader, LOG_READ_ONLY);
    assert_int_equal(finish(f), 0);
    assert_int_equal(f->frames, 1);
    buf_clear(file(f, "1.head"));
    buf_put_bytes(file(f, "1.head"), buf_bytes(&whole));
    file(f, "1.body")->len = 12;
    assert_int_equal(poll(f, &reader), 0);
    assert_int_equal(f->frames, 1);
    buf_put_text(file(f, "1.body"), "body");
    assert_int_equal(poll(f, &reader), 0);
    assert_int_equal(f->frames, 2);
    assert_int_equal(reader.end.frames, 4);
    log_close(&reader);
    buf_deinit(&whole);
}

/* What a reader saw was cut off by a writer's recovery, which then went on. */
static void log_cut_back_behind_a_reader_is_stale(void **state)
{
    struct fixture *f = *state;
    struct log reader;

    write_unmarked(f);
    start_open(f, &reader, LOG_READ_ONLY);
    assert_int_equal(finish(f), 0);
    assert_int_equal(f->frames, 4);
    file(f, "1.head")->len -= 8;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(poll(f, &reader), ATE_ESTALE);
    assert_int_equal(append(f, "z", "", ""), 0);
    assert_int_equal(mark(f), 0);
    assert_int_equal(poll(f, &reader), ATE_ESTALE);
    assert_int_equal(append(f, "zz", "", ""), 0);
    assert_int_equal(mark(f), 0);
    assert_int_equal(poll(f, &reader), ATE_ESTALE);
    assert_int_equal(reader.state, LOG_READY);
    log_close(&reader);
}

static void another_generation_is_stale(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    struct manifest manifest = f->log.manifest;
    manifest.generation = 2;
    manifest_put(file(f, "cur")->data, &manifest);
    assert_int_equal(poll(f, &f->log), ATE_ESTALE);
}

/* Reads go on beside an append. */
static void read_beside_an_append(void **state)
{
    struct fixture *f = *state;
    struct log_entry entry = {.type = LOG_BATCH, .payload = bytes_of_text("x")};
    struct log_group group = {.entries = &entry, .count = 1};
    struct fixture other = {0};
    struct log_read read = {.part = LOG_PAYLOAD,
                            .length = UINT64_MAX,
                            .done = read_done,
                            .owner = &other};

    assert_int_equal(create(f, ""), 0);
    assert_int_equal(log_append(&f->log, &group, done, f, NULL), 0);
    log_read(&f->log, &read);
    assert_int_equal(finish(f), 0);
    assert_true(other.done);
    assert_int_equal(other.code, 0);
    assert_string_equal(buf_text(&read.bytes), "genesis");
    buf_deinit(&read.bytes);
}

/* ---- jobs ---- */

static void failed_job_names_file_and_place(void **state)
{
    struct job job;
    struct err err;
    (void)state;

    job_init(&job, 0, ignore, NULL);
    job_size(&job, "a/1.head");
    job_write(&job, "a/1.head", 8192, bytes_of("x", 1));
    job_sync_folder(&job, "");
    job.error = ENOSPC;
    job.failed = 1;
    assert_int_equal(job_err(&job, &err), ATE_EFULL);
    assert_non_null(strstr(err.text, "a/1.head: write at offset 8192"));
    job.error = EIO;
    job.failed = 2;
    assert_int_equal(job_err(&job, &err), ATE_EIO);
    assert_non_null(strstr(err.text, "the data folder: sync of the folder"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(created_chain_has_its_files),
        TEST(chain_is_not_created_twice),
        TEST(unfinished_creation_is_replaced),
        TEST(chain_that_lost_its_cur_is_not_written_over),
        TEST(opening_creates_nothing),
        TEST(appended_frames_come_back_in_order),
        TEST(reads_stay_within_their_part),
        TEST(frame_of_a_transaction_is_found),
        TEST(frame_without_transactions_is_never_found),
        TEST(frame_larger_than_a_piece_is_read),
        TEST(many_pieces_are_walked),
        TEST(bodies_go_on_in_the_next_segment),
        TEST(group_over_the_limits_is_not_begun),
        TEST(read_only_log_takes_no_writes),
        TEST(mark_is_written_once),
        TEST(clean_log_is_opened_without_a_write),
        TEST(torn_tail_is_cut_off),
        TEST(good_frame_behind_the_tear_is_suspect),
        TEST(bodies_that_did_not_arrive_end_the_log),
        TEST(damage_below_the_watermark_refuses),
        TEST(header_file_cut_below_the_watermark_refuses),
        TEST(slots_that_are_both_bad_refuse),
        TEST(damaged_cur_refuses),
        TEST(missing_body_file_refuses_to_be_written),
        TEST(missing_header_file_refuses),
        TEST(lost_body_is_an_error_of_its_read),
        TEST(frame_that_rotted_while_open_is_corrupt),
        TEST(files_of_another_chain_are_refused),
        TEST(later_format_is_unavailable),
        TEST(content_that_does_not_verify_refuses),
        TEST(paused_opening_goes_on_when_resumed),
        TEST(frame_may_be_refused_when_resuming),
        TEST(poll_shows_what_a_writer_appends),
        TEST(half_a_frame_is_the_end_for_now),
        TEST(log_cut_back_behind_a_reader_is_stale),
        TEST(another_generation_is_stale),
        TEST(read_beside_an_append),
        cmocka_unit_test(failed_job_names_file_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
