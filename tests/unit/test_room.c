/* room: zeros ahead of an appending log. */
#include "fixture_log.h"

#include <errno.h>

#include "sim/sim_disk.h"

static void create_with_room(struct fixture *f)
{
    assert_int_equal(create(f, ""), 0);
    f->log.room_from = 0;
    assert_int_equal(append(f, "one", "", ""), 0);
}

static struct bytes behind_the_end(struct fixture *f)
{
    const struct buf *head = file(f, "1.head");
    return bytes_of(head->data + f->log.end.offset,
                    head->len - f->log.end.offset);
}

static void small_files_get_none(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(append(f, "three", "", ""), 0);
    assert_int_equal(behind_the_end(f).len, 0);
    assert_int_equal(f->log.room, f->log.end.offset);
}

/* A quarter of what there is, to a whole block; used up before there is more.
 */
static void groups_are_written_over_it(void **state)
{
    struct fixture *f = *state;

    create_with_room(f);
    size_t size = file(f, "1.head")->len;
    assert_int_equal(size % 4096, 0);
    assert_true(size - f->log.end.offset >= f->log.end.offset / 4);
    assert_true(bytes_are_zero(behind_the_end(f)));
    assert_int_equal(f->log.room, size);
    do {
        assert_int_equal(file(f, "1.head")->len, size);
        assert_int_equal(append(f, "more", "inlined", ""), 0);
        assert_true(bytes_are_zero(behind_the_end(f)));
    } while (f->log.end.offset <= size);
    assert_true(file(f, "1.head")->len > size);
    assert_int_equal(f->log.room, file(f, "1.head")->len);
}

/* Who reads or recovers finds the end before it, and nothing torn. */
static void zeros_are_no_tail(void **state)
{
    struct fixture *f = *state;
    struct buf before = {0};

    create_with_room(f);
    assert_int_equal(append(f, "two", "", "a body.."), 0);
    assert_int_equal(mark(f), 0);
    buf_put_bytes(&before, buf_bytes(file(f, "1.head")));
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 3);
    assert_int_equal(f->log.cut, 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    assert_int_equal(f->log.cut, 0);
    assert_int_equal(f->log.room, before.len);
    assert_true(bytes_equal(buf_bytes(&before), buf_bytes(file(f, "1.head"))));
    assert_int_equal(append(f, "three", "", ""), 0);
    assert_int_equal(file(f, "1.head")->len, before.len);
    expect_read(f, 3, LOG_PAYLOAD, "three");
    buf_deinit(&before);
}

static void unmarked_frames_keep_their_room(void **state)
{
    struct fixture *f = *state;

    create_with_room(f);
    size_t size = file(f, "1.head")->len;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 2);
    assert_int_equal(f->log.marked.frames, 2);
    assert_int_equal(f->log.room, size);
    assert_int_equal(file(f, "1.head")->len, size);
}

/* A group that was torn in the middle of it; or far behind, past the piece that
 * is looked at first. */
static void torn_room_is_cut_off(void **state)
{
    struct fixture *f = *state;
    const size_t far = 3 << 20;

    create_with_room(f);
    assert_int_equal(mark(f), 0);
    uint64_t end = f->log.end.offset;
    file(f, "1.head")->data[end + 100] = 1;
    size_t size = file(f, "1.head")->len;
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->log.cut, size - end);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->log.cut, size - end);
    assert_int_equal(file(f, "1.head")->len, end);
    assert_int_equal(f->log.room, end);

    memset(buf_grow(file(f, "1.head"), far), 0, far);
    file(f, "1.head")->data[end + far - 1] = 1;
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->log.cut, far);
    assert_int_equal(file(f, "1.head")->len, end);
    assert_false(f->log.suspect);
}

static void good_frame_far_behind_is_suspect(void **state)
{
    struct fixture *f = *state;
    const size_t far = 3 << 20;
    struct buf before = {0};
    struct buf frame = {0};

    create_with_room(f);
    uint64_t end = f->log.end.offset;
    buf_put(&before, file(f, "1.head")->data, (size_t)end);
    assert_int_equal(append(f, "two", "", ""), 0);
    uint64_t later = f->log.end.offset;
    assert_int_equal(append(f, "three", "", ""), 0);
    buf_put(&frame, file(f, "1.head")->data + later,
            (size_t)(f->log.end.offset - later));
    buf_clear(file(f, "1.head"));
    buf_put_bytes(file(f, "1.head"), buf_bytes(&before));
    memset(buf_grow(file(f, "1.head"), far), 0, far);
    buf_put_bytes(file(f, "1.head"), buf_bytes(&frame));
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 2);
    assert_true(f->log.suspect);
    assert_int_equal(f->log.cut, far + frame.len);
    buf_deinit(&before);
    buf_deinit(&frame);
}

/* A reader beside the writer sees what is written over zeros. */
static void readers_follow_into_it(void **state)
{
    struct fixture *f = *state;
    struct log reader;

    create_with_room(f);
    start_open(f, &reader, LOG_READ_ONLY);
    assert_int_equal(finish(f), 0);
    assert_int_equal(f->frames, 2);
    for (uint64_t n = 3; n < 6; n++) {
        assert_int_equal(append(f, "more", "", ""), 0);
        log_poll(&reader, visit, f, done, f);
        assert_int_equal(finish(f), 0);
        assert_int_equal(f->frames, n);
        assert_int_equal(reader.cut, 0);
    }
    log_close(&reader);
}

static void it_is_given_back(void **state)
{
    struct fixture *f = *state;

    create_with_room(f);
    assert_int_equal(log_give_room_back(&f->log, done, f), 0);
    assert_int_equal(finish(f), 0);
    assert_int_equal(file(f, "1.head")->len, f->log.end.offset);
    assert_int_equal(log_give_room_back(&f->log, done, f), 1);
    assert_int_equal(append(f, "two", "", ""), 0);
    assert_true(file(f, "1.head")->len > f->log.end.offset);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(log_give_room_back(&f->log, done, f), 1);
}

/* ---- a disk without space for it ---- */

struct waiting {
    bool done;
    int code;
};

static void came(void *ctx, int code, const struct err *err)
{
    struct waiting *w = ctx;
    (void)err;
    *w = (struct waiting){true, code};
}

static int wait_for(struct sim_disk *disk, struct waiting *w)
{
    sim_disk_run(disk);
    assert_true(w->done);
    w->done = false;
    return w->code;
}

static int append_one(struct sim_disk *disk, struct log *log)
{
    struct waiting w = {0};
    struct log_entry entry = {
        .type = LOG_BATCH, .count = 1, .payload = bytes_of_text("payload")};
    struct log_group group = {&entry, 1, bytes_of(NULL, 0)};
    assert_int_equal(log_append(log, &group, came, &w, NULL), 0);
    return wait_for(disk, &w);
}

/* The write of zeros is the third action of a group: no slot, frames, zeros. */
static void group_goes_without(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct log log;
    struct waiting w = {0};
    struct log_entry entry = {
        .type = LOG_GENESIS, .count = 1, .payload = bytes_of_text("genesis")};
    struct log_group group = {&entry, 1, bytes_of(NULL, 0)};
    (void)state;

    log_create(&log, sim_disk_interface(disk), "", chain, &group, came, &w);
    assert_int_equal(wait_for(disk, &w), 0);
    log.room_from = 0;
    struct sim_fault full = {.kind = SIM_SHORT_WRITE,
                             .action = sim_disk_actions(disk) + 1,
                             .error = ENOSPC};
    sim_disk_fault(disk, &full);
    assert_int_equal(append_one(disk, &log), 0);
    assert_int_equal(sim_disk_faults(disk), 1);
    assert_true(log.is_cramped);
    assert_int_equal(log.state, LOG_READY);
    assert_int_equal(log.end.frames, 2);
    uint64_t actions = sim_disk_actions(disk);
    assert_int_equal(append_one(disk, &log), 0);
    assert_int_equal(sim_disk_actions(disk),
                     actions + 3); /* slot, frame, sync */
    log_close(&log);
    sim_disk_die(disk);
    sim_disk_revive(disk, SIM_KEEP_NONE, 1);
    log_open(&log, sim_disk_interface(disk), "", chain, LOG_READ_WRITE, NULL,
             NULL, came, &w);
    assert_int_equal(wait_for(disk, &w), 0);
    assert_int_equal(log.end.frames, 3);
    log_close(&log);
    sim_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_files_get_none),
        TEST(groups_are_written_over_it),
        TEST(zeros_are_no_tail),
        TEST(unmarked_frames_keep_their_room),
        TEST(torn_room_is_cut_off),
        TEST(good_frame_far_behind_is_suspect),
        TEST(readers_follow_into_it),
        TEST(it_is_given_back),
        cmocka_unit_test(group_goes_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
