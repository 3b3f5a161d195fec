/* log_open_from: what was known of a log before it is opened. */
#include "fixture_log.h"

/* What is known once frames 0 to `count` - 1 are there: end and places. */
struct known {
    struct log_start start;
    struct log_place places[4];
};

static void note(struct fixture *f, struct known *k)
{
    k->start.end = f->log.end;
    k->start.places = k->places;
    for (uint64_t i = 0; i < f->log.end.frames; i++) {
        assert_in_range(i, 0, 3);
        k->places[i] = f->log.places[i];
    }
}

/* Genesis and frame 1, noted, then frame 2. */
static void write_and_note(struct fixture *f, struct known *k)
{
    assert_int_equal(create(f, "bundle.."), 0);
    assert_int_equal(append(f, "one", "small", ""), 0);
    note(f, k);
    assert_int_equal(append(f, "two", "", "a large body...."), 0);
    log_close(&f->log);
}

static int open_from(struct fixture *f, const struct known *k,
                     enum log_mode mode)
{
    log_close(&f->log);
    f->frames = 0;
    log_open_from(&f->log, memory_disk_interface(f->disk), f->folder, chain,
                  mode, &k->start, visit, f, done, f);
    return finish(f);
}

static void only_what_is_behind_is_visited(void **state)
{
    struct fixture *f = *state;
    struct known k;
    uint64_t frame = 0;

    write_and_note(f, &k);
    assert_int_equal(open_from(f, &k, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 1);
    assert_string_equal(buf_text(&f->last), "two");
    assert_int_equal(f->log.end.frames, 3);
    assert_int_equal(f->log.end.transactions, 5);
    expect_read(f, 0, LOG_BODIES, "bundle..");
    expect_read(f, 1, LOG_INLINE, "small");
    expect_read(f, 2, LOG_BODIES, "a large body....");
    assert_true(log_find(&f->log, 1, &frame));
    assert_int_equal(frame, 1);
    assert_true(log_find(&f->log, 4, &frame));
    assert_int_equal(frame, 2);
    assert_false(log_find(&f->log, 5, &frame));
    assert_int_equal(append(f, "three", "", ""), 0);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 4);
}

static void nothing_behind_is_fine(void **state)
{
    struct fixture *f = *state;
    struct known k;

    write_and_note(f, &k);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    note(f, &k);
    assert_int_equal(mark(f), 1);
    assert_int_equal(open_from(f, &k, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 0);
    assert_int_equal(f->log.end.frames, 3);
}

/* The watermark on disk may be older than what was known to be durable: what
 * lies between is not a tail that may be cut. */
static void known_counts_as_watermark(void **state)
{
    struct fixture *f = *state;
    struct known k;

    assert_int_equal(create(f, "bundle.."), 0);
    assert_int_equal(append(f, "one", "", ""), 0);
    assert_int_equal(append(f, "two", "", ""), 0);
    note(f, &k);
    assert_true(f->log.marked.offset < f->log.end.offset);
    log_close(&f->log);
    buf_put_text(file(f, "1.head"), "torn");
    assert_int_equal(open_from(f, &k, LOG_READ_WRITE), 0);
    assert_int_equal(f->log.cut, 4);
    assert_int_equal(f->log.end.frames, 3);
    assert_int_equal(f->log.marked.offset, f->log.end.offset);
    assert_int_equal(append(f, "three", "", ""), 0);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 4);
}

static void read_only_goes_on_from_there(void **state)
{
    struct fixture *f = *state;
    struct known k;

    write_and_note(f, &k);
    assert_int_equal(open_from(f, &k, LOG_READ_ONLY), 0);
    struct fixture writer = *f;
    memset(&writer.log, 0, sizeof(writer.log));
    memset(&writer.last, 0, sizeof(writer.last));
    assert_int_equal(open_log(&writer, LOG_READ_WRITE), 0);
    assert_int_equal(append(&writer, "three", "", ""), 0);
    f->frames = 0;
    log_poll(&f->log, visit, f, done, f);
    assert_int_equal(finish(f), 0);
    assert_int_equal(f->frames, 1);
    assert_string_equal(buf_text(&f->last), "three");
    log_close(&writer.log);
    buf_deinit(&writer.last);
}

static void other_logs_are_stale(void **state)
{
    struct fixture *f = *state;
    struct known k;
    struct known other;

    write_and_note(f, &k);

    other = k;
    other.start.end.hash[3] ^= 1;
    assert_int_equal(open_from(f, &other, LOG_READ_WRITE), ATE_ESTALE);
    assert_int_equal(f->log.state, LOG_CLOSED);

    other = k;
    other.start.end.generation++;
    assert_int_equal(open_from(f, &other, LOG_READ_WRITE), ATE_ESTALE);

    other = k;
    other.start.end.chain[0] ^= 1;
    assert_int_equal(open_from(f, &other, LOG_READ_WRITE), ATE_ESTALE);

    other = k;
    other.start.end.transactions++;
    assert_int_equal(open_from(f, &other, LOG_READ_WRITE), ATE_ESTALE);

    other = k;
    other.start.end.offset += 1 << 20;
    assert_int_equal(open_from(f, &other, LOG_READ_WRITE), ATE_ESTALE);

    other = k;
    other.start.places = other.places;
    other.places[1].offset += 8;
    assert_int_equal(open_from(f, &other, LOG_READ_WRITE), ATE_ESTALE);

    /* Without it the log is as good as ever. */
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
}

/* A log that was taken back to an earlier time and went on differently. */
static void another_history_is_stale(void **state)
{
    struct fixture *f = *state;
    struct known k;
    struct buf copy = {0};

    assert_int_equal(create(f, "bundle.."), 0);
    buf_put_bytes(&copy, buf_bytes(file(f, "1.head")));
    assert_int_equal(append(f, "one", "", ""), 0);
    note(f, &k);
    log_close(&f->log);

    buf_clear(file(f, "1.head"));
    buf_put_bytes(file(f, "1.head"), buf_bytes(&copy));
    assert_int_equal(open_from(f, &k, LOG_READ_WRITE), ATE_ESTALE);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(append(f, "eno", "", ""), 0);
    assert_int_equal(append(f, "two", "", ""), 0);
    assert_int_equal(open_from(f, &k, LOG_READ_WRITE), ATE_ESTALE);
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 3);
    buf_deinit(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_behind_is_visited),
        TEST(nothing_behind_is_fine),
        TEST(known_counts_as_watermark),
        TEST(read_only_goes_on_from_there),
        TEST(other_logs_are_stale),
        TEST(another_history_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
