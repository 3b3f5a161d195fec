#include "fixture_log.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
