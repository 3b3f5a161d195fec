/* The door without a mount: open folders, and what the kernel keeps of them. */
#include "unit/fixture_door.h"

static const char *const PAGES = "wiki/types/page/atlas";

/* A folder with two pages. */
static uint64_t pages(struct bench *b)
{
    make_wiki(b);
    make_page(b, "m.md", "m\n");
    make_page(b, "n.md", "n\n");
    return look(b, PAGES);
}

/* Its handle; what the kernel was told is in b->told. */
static uint64_t open_folder(struct bench *b, uint64_t ino)
{
    assert_int_equal(ask(b, (struct ask){.kind = ASK_OPENDIR, .ino = ino}), 0);
    return b->told.handle;
}

static void release(struct bench *b, uint64_t ino, uint64_t handle)
{
    ask(b, (struct ask){.kind = ASK_RELEASE, .ino = ino, .handle = handle});
}

/* The names from the one with the number `at` on. */
static const char *names(struct bench *b, uint64_t ino, uint64_t handle,
                         uint64_t at)
{
    struct ask reads = {.kind = ASK_READDIR,
                        .ino = ino,
                        .handle = handle,
                        .offset = at,
                        .begins = at == 0};
    assert_int_equal(ask(b, reads), 0);
    return buffer_string(&b->data);
}

/* All that it has was read, and may the kernel take it for all? */
static bool is_whole(struct bench *b, uint64_t ino, uint64_t handle)
{
    assert_string_equal(names(b, ino, handle, 1000), "");
    return !b->told.is_old;
}

static void what_did_not_change_is_kept(void **state)
{
    struct bench *b = *state;
    uint64_t ino = pages(b);
    for (int i = 0; i < 3; i++) {
        uint64_t handle = open_folder(b, ino);
        assert_true(b->told.shares);
        assert_true(i == 0 || b->told.keep);
        assert_string_equal(names(b, ino, handle, 0), "m.json\nn.json\n");
        assert_true(is_whole(b, ino, handle));
        release(b, ino, handle);
    }
}

static void who_begins_has_the_newest_names(void **state)
{
    struct bench *b = *state;
    uint64_t ino = pages(b);
    uint64_t handle = open_folder(b, ino);
    make_page(b, "a.md", "a\n");
    assert_string_equal(names(b, ino, handle, 0), "a.json\nm.json\nn.json\n");
    make_page(b, "b.md", "b\n");
    assert_string_equal(names(b, ino, handle, 0),
                        "a.json\nb.json\nm.json\nn.json\n");
    release(b, ino, handle);
}

/* Neither are entries lost or doubled, nor does the kernel get the old ones for
 * good. */
static void who_reads_on_has_the_names_that_it_began_with(void **state)
{
    struct bench *b = *state;
    uint64_t ino = pages(b);
    uint64_t first = open_folder(b, ino);
    assert_string_equal(names(b, ino, first, 0), "m.json\nn.json\n");
    make_page(b, "a.md", "a\n");
    uint64_t second = open_folder(b, ino);
    assert_false(b->told.shares);
    assert_string_equal(names(b, ino, second, 0), "a.json\nm.json\nn.json\n");
    assert_string_equal(names(b, ino, first, 1), "n.json\n");
    assert_false(is_whole(b, ino, first));
    release(b, ino, first);
    uint64_t third = open_folder(b, ino);
    assert_true(b->told.shares);
    assert_false(b->told.keep);
    assert_string_equal(names(b, ino, third, 0), "a.json\nm.json\nn.json\n");
    assert_true(is_whole(b, ino, third));
    uint64_t fourth = open_folder(b, ino);
    assert_true(b->told.shares);
    assert_true(b->told.keep);
    release(b, ino, second);
    release(b, ino, third);
    release(b, ino, fourth);
}

/* The kernel has a part, which it goes on with before it can drop it. */
static void what_was_read_in_part_is_read_to_its_end_first(void **state)
{
    struct bench *b = *state;
    uint64_t ino = pages(b);
    uint64_t handle = open_folder(b, ino);
    names(b, ino, handle, 0);
    release(b, ino, handle);
    make_page(b, "a.md", "a\n");
    for (int i = 0; i < 3; i++) {
        handle = open_folder(b, ino);
        assert_true(b->told.shares);
        assert_int_equal(b->told.keep, i != 1);
        names(b, ino, handle, 0);
        assert_int_equal(is_whole(b, ino, handle), i != 0);
        release(b, ino, handle);
    }
}

/* Else it would drop what somebody reads by then, and never keep the folder
 * again. */
static void a_whole_list_is_dropped_for_who_has_the_folder_open(void **state)
{
    struct bench *b = *state;
    uint64_t ino = pages(b);
    uint64_t handle = open_folder(b, ino);
    names(b, ino, handle, 0);
    assert_true(is_whole(b, ino, handle));
    unsigned before = b->dropped;
    make_page(b, "a.md", "a\n");
    assert_int_equal(b->dropped, before + 1);
    release(b, ino, handle);
    handle = open_folder(b, ino);
    assert_false(b->told.shares);
    release(b, ino, handle);
    pass(b, DOOR_SETTLE_MS);
    handle = open_folder(b, ino);
    assert_true(b->told.shares);
    assert_false(b->told.keep);
    names(b, ino, handle, 0);
    assert_true(is_whole(b, ino, handle));
    release(b, ino, handle);
    before = b->dropped;
    make_page(b, "b.md", "b\n"); /* the next one drops it as it opens it */
    assert_int_equal(b->dropped, before);
    handle = open_folder(b, ino);
    assert_true(b->told.shares);
    assert_false(b->told.keep);
    release(b, ino, handle);
}

/* Maybe the kernel has not heard that it was opened, and dropped nothing. */
static void who_opened_and_did_not_read_has_dropped_nothing(void **state)
{
    struct bench *b = *state;
    uint64_t ino = pages(b);
    for (int i = 0; i < 2; i++) {
        uint64_t handle = open_folder(b, ino);
        assert_true(b->told.shares);
        assert_false(b->told.keep);
        release(b, ino, handle);
    }
}

#define WITH_BENCH(test)                                                       \
    cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(what_did_not_change_is_kept),
        WITH_BENCH(who_begins_has_the_newest_names),
        WITH_BENCH(who_reads_on_has_the_names_that_it_began_with),
        WITH_BENCH(what_was_read_in_part_is_read_to_its_end_first),
        WITH_BENCH(a_whole_list_is_dropped_for_who_has_the_folder_open),
        WITH_BENCH(who_opened_and_did_not_read_has_dropped_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
