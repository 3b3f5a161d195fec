/* Beside a writer: what it wrote last is not good. Who reads goes on to show
 * what it had, until it opens the chain anew. */
#include "fixture_bundles.h"
#include "fixture_land.h"

#define NOTES                                                                  \
    "shop:event('note', {doc = 'd', header = {n = t.integer()}})\n"            \
    "shop:view('all', {doc = 'd', key = {'n'}, row = {n = t.integer()},\n"     \
    "    fold = {note = function(rows, e) rows:set(e.n, {}) end}})\n"

struct bench {
    struct fixture_chain writer;
    struct fixture_chain reader;
    struct kept kept;
};

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof(*b));
    shop_open(&b->writer, NOTES);
    fixture_ok(&b->writer, 0, "note.append", ARGS("n=1"));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    chain_free(b->reader.chain);
    drop_kept(&b->kept);
    fixture_close(&b->writer);
    mem_free(b);
    return 0;
}

static void open_reader(struct bench *b)
{
    fixture_conclude(&b->writer);
    keep_files(&b->writer, &b->kept);
    b->reader = b->writer;
    b->reader.deps.ctx = &b->reader;
    b->reader.chain = chain_new(&b->reader.deps);
    chain_open(b->reader.chain, b->kept.folder, b->kept.id, LOG_READ_ONLY,
               fixture_done, &b->reader);
    fixture_wait(&b->reader);
    assert_int_equal(b->reader.done_code, 0);
}

/* The writer's last frame comes once more, which is a call id that was used. */
static void forge_end(struct bench *b)
{
    struct handed h = {0};
    struct log_frame frame;
    struct err err;
    struct fixture_chain *f = &b->writer;
    fixture_conclude(f);
    const struct log *log = chain_log(f->chain);
    uint64_t at = log_place_at(log, log->end.frames - 1).offset;
    struct buf *head = land_file(f, &b->kept, "1.head");
    struct buf copy = {0};
    buf_put(&copy, head->data + at, log->end.offset - at);
    assert_int_equal(log_frame_get(&frame, buf_bytes(&copy), &err), 0);
    buf_put_bytes(&h.payload, frame.payload);
    buf_put_bytes(&h.inlined, frame.inlined);
    chain_free(f->chain);
    forge_frame(f, b->kept.folder, &h, 1);
    f->chain = chain_new(&f->deps);
    buf_deinit(&copy);
    buf_deinit(&h.payload);
    buf_deinit(&h.inlined);
}

static void assert_shows_the_same(struct bench *b)
{
    struct chain *c = b->reader.chain;
    uint64_t size = chain_size(c);
    uint64_t epoch = chain_epoch(c);
    uint8_t root[HASH_SIZE];
    uint8_t now[HASH_SIZE];
    state_root(chain_version(c), root);
    chain_poll(c, fixture_done, &b->reader);
    fixture_wait(&b->reader);
    assert_int_equal(b->reader.done_code, ATE_ECORRUPT);
    assert_int_equal(chain_size(c), size);
    if (chain_epoch(c) != epoch) {
        assert_true(chain_is_hidden(c)); /* nobody looks at what it is now */
        return;
    }
    state_root(chain_version(c), now);
    assert_memory_equal(now, root, HASH_SIZE);
}

static void a_bad_frame_changes_nothing(void **state)
{
    struct bench *b = *state;
    open_reader(b);
    forge_end(b);
    assert_shows_the_same(b);
}

static void a_good_one_before_it_neither(void **state)
{
    struct bench *b = *state;
    open_reader(b);
    fixture_ok(&b->writer, 0, "note.append", ARGS("n=2"));
    forge_end(b);
    assert_shows_the_same(b);
}

static void behind_another_schema_nothing_is_shown(void **state)
{
    struct bench *b = *state;
    struct err err;
    bring_ok(&b->writer, 2, NOTES);
    open_reader(b);
    assert_int_equal(activate(&b->writer, &err), 0);
    forge_end(b);
    assert_shows_the_same(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bad_frame_changes_nothing),
        TEST(a_good_one_before_it_neither),
        TEST(behind_another_schema_nothing_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
