/* recover: opening, the recovery rule, and following a writer. */
#include "fixture_log.h"

#include "base/crc32c.h"
#include "log/manifest.h"

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
    assert_int_equal(f->log.cut, 14);
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

/* Nothing is stored there, so nothing is lost; but something wrote there. */
static void bytes_between_the_slots_are_zeros(void **state)
{
    struct fixture *f = *state;
    static const size_t places[] = {0x80, 0xfff, 0x1080, 0x1fff};
    char text[32];

    write_chain(f);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        file(f, "1.head")->data[places[i]] = 1;
        for (int mode = 0; mode < 2; mode++) {
            assert_int_equal(
                open_log(f, mode == 0 ? LOG_READ_ONLY : LOG_READ_WRITE),
                ATE_ECORRUPT);
            snprintf(text, sizeof(text), "offset %zu ", places[i]);
            assert_non_null(strstr(f->err.text, text));
            assert_int_equal(f->log.state, LOG_REFUSED);
            assert_int_equal(f->frames, 3);
            expect_read(f, 1, LOG_PAYLOAD, "one");
        }
        file(f, "1.head")->data[places[i]] = 0;
    }
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
}

/* One good slot is enough; that the other one is damaged is told. */
static void one_damaged_slot_is_told(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    uint8_t *slots = file(f, "1.head")->data;
    uint64_t older = get_le64(slots + 48) < get_le64(slots + 0x1000 + 48)
                         ? 0
                         : LOG_SLOT_STEP;
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->log.bad_slot.code, 0);
    file(f, "1.head")->data[older + 60] ^= 1;
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 3);
    assert_non_null(strstr(f->log.bad_slot.text, "checksum"));
    assert_int_equal(open_log(f, LOG_READ_WRITE), 0);
    assert_true(f->log.bad_slot.code != 0);
    assert_int_equal(append(f, "three", "", ""), 0);
    assert_int_equal(append(f, "four", "", ""), 0);
    assert_int_equal(f->log.bad_slot.code, 0);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->log.bad_slot.code, 0);
    /* One that was never written is not damaged. */
    memset(file(f, "1.head")->data + older, 0, LOG_SLOT_SIZE);
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->log.bad_slot.code, 0);
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

/* ---- what is well formed, and of another life ---- */

/* Above the watermark, where no hash of a watermark would tell. */
static void frame_that_continues_another_ends_the_log(void **state)
{
    struct fixture *f = *state;

    write_unmarked(f);
    uint8_t *header = file(f, "1.head")->data + LOG_FRAMES_START + 2 * 104;
    header[56] ^= 1; /* the hash of the frame before it */
    put_le32(header + 92, crc32c(0, header, 92));
    assert_int_equal(open_log(f, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, 2);
}

static void frames_of_which_the_watermark_knows_others_refuse(void **state)
{
    struct fixture *f = *state;

    write_chain(f);
    for (uint64_t i = 0; i < 2; i++) {
        struct watermark mark;
        uint8_t *slot = file(f, "1.head")->data + watermark_place(i);
        assert_int_equal(watermark_get(&mark, slot, NULL), 0);
        mark.hash[0] ^= 1;
        watermark_put(slot, &mark);
    }
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "the watermark disagrees"));
}

static void first_frame_that_cur_does_not_name_refuses(void **state)
{
    struct fixture *f = *state;
    struct manifest manifest;

    write_chain(f);
    struct buf *cur = file(f, "cur");
    assert_int_equal(manifest_get(&manifest, buf_bytes(cur), NULL), 0);
    manifest.first[0] ^= 1;
    manifest_put(cur->data, &manifest);
    assert_int_equal(open_log(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "not the first frame that cur names"));
    assert_int_equal(f->frames, 0);
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
    assert_int_equal(reader.cut, 50);
    buf_clear(file(f, "1.head"));
    buf_put_bytes(file(f, "1.head"), buf_bytes(&whole));
    file(f, "1.body")->len = 12;
    assert_int_equal(poll(f, &reader), 0);
    assert_int_equal(f->frames, 1);
    buf_put_text(file(f, "1.body"), "body");
    assert_int_equal(poll(f, &reader), 0);
    assert_int_equal(f->frames, 2);
    assert_int_equal(reader.end.frames, 4);
    assert_int_equal(reader.cut, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mark_is_written_once),
        TEST(clean_log_is_opened_without_a_write),
        TEST(torn_tail_is_cut_off),
        TEST(good_frame_behind_the_tear_is_suspect),
        TEST(bodies_that_did_not_arrive_end_the_log),
        TEST(damage_below_the_watermark_refuses),
        TEST(header_file_cut_below_the_watermark_refuses),
        TEST(slots_that_are_both_bad_refuse),
        TEST(bytes_between_the_slots_are_zeros),
        TEST(one_damaged_slot_is_told),
        TEST(damaged_cur_refuses),
        TEST(missing_body_file_refuses_to_be_written),
        TEST(missing_header_file_refuses),
        TEST(lost_body_is_an_error_of_its_read),
        TEST(frame_that_rotted_while_open_is_corrupt),
        TEST(files_of_another_chain_are_refused),
        TEST(frame_that_continues_another_ends_the_log),
        TEST(frames_of_which_the_watermark_knows_others_refuse),
        TEST(first_frame_that_cur_does_not_name_refuses),
        TEST(later_format_is_unavailable),
        TEST(content_that_does_not_verify_refuses),
        TEST(paused_opening_goes_on_when_resumed),
        TEST(frame_may_be_refused_when_resuming),
        TEST(poll_shows_what_a_writer_appends),
        TEST(half_a_frame_is_the_end_for_now),
        TEST(log_cut_back_behind_a_reader_is_stale),
        TEST(another_generation_is_stale),
        TEST(read_beside_an_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
