/* The door without a mount: objects that are unlinked. */
#include "unit/fixture_door.h"

/* ---- objects that are unlinked ---- */

static const char *const INTRO = "wiki/types/page/atlas/intro.json";

static int remove_page(struct bench *b, const char *name)
{
    return ask(b, (struct ask){.kind = ASK_UNLINK,
                               .ino = look(b, "wiki/types/page/atlas"),
                               .name = name});
}

/* A shell that makes a page and looks at it, process 1; the rest is of 2. */
static void make_pages(struct bench *b)
{
    make_wiki(b);
    b->pid = 1;
    make_page(b, "intro.md", "one\n");
    make_page(b, "other.md", "two\n");
    assert_int_equal(cat(b, INTRO), 0);
    b->pid = 2;
}

static void until_none_is_held(struct bench *b)
{
    pass(b, 0);
    while (door_held(b->door) > 0)
        if (!turn(b, WAIT_MS))
            fail_msg("it is still held");
}

static bool page_is(struct bench *b, const char *text)
{
    return cat(b, "wiki/wiki/atlas/intro.md") == 0 &&
           strcmp(buffer_string(&b->data), text) == 0;
}

/* rm, and what the shell sees that ran it. */
static void who_unlinks_and_ends_has_deleted(void **state)
{
    struct bench *b = *state;
    make_pages(b);
    assert_int_equal(remove_page(b, "intro.json"), 0);
    assert_int_equal(door_held(b->door), 1);
    assert_int_equal(look(b, INTRO), 0);
    assert_int_equal(list(b, "wiki/types/page/atlas"), 0);
    assert_string_equal(b->data.data, "other.json\n");
    pass(b, DOOR_HELD_MS - 1);
    assert_int_equal(door_held(b->door), 1);
    b->ended = b->pid;
    b->pid = 1;
    pass(b, 0);
    assert_int_equal(look(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_int_equal(door_held(b->door), 0);
    assert_int_equal(list(b, "wiki/wiki/atlas"), 0);
    assert_string_equal(b->data.data, "other.md\n");
    assert_int_equal(cat(b, "wiki/types/page/atlas/intro.json.reply"), 0);
    assert_true(has(b, "\"method\":\"page.delete\","));
    assert_true(has(b, "\"receipt\":\""));
}

/* One that goes on, and one that removes many. */
static void who_goes_on_has_deleted_later(void **state)
{
    struct bench *b = *state;
    make_pages(b);
    assert_int_equal(remove_page(b, "intro.json"), 0);
    assert_int_equal(remove_page(b, "other.json"), 0);
    assert_int_equal(door_held(b->door), 1);
    assert_int_equal(look(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_true(look(b, "wiki/wiki/atlas/other.md") != 0);
    pass(b, DOOR_HELD_MS);
    assert_int_equal(look(b, "wiki/wiki/atlas/other.md"), 0);
    assert_int_equal(door_held(b->door), 0);
}

static void a_door_that_ends_deletes_first(void **state)
{
    struct bench *b = *state;
    make_pages(b);
    assert_int_equal(remove_page(b, "intro.json"), 0);
    door_finish(b->door);
    until_none_is_held(b);
    assert_int_equal(look(b, "wiki/wiki/atlas/intro.md"), 0);
}

/* mv from another file system, install, cp --remove-destination. */
static int copy_over(struct bench *b, const char *text)
{
    assert_int_equal(
        create_file(b, "wiki/types/page/atlas", "intro.json", O_EXCL), 0);
    uint64_t ino = b->told.attr.ino;
    uint64_t handle = b->told.handle;
    int rc = text[0] != '\0' ? write_at(b, ino, handle, text, 0) : 0;
    assert_int_equal(close_file(b, ino, handle), 0);
    return rc;
}

static void a_copy_over_an_object_writes_it(void **state)
{
    static const struct {
        const char *text, *page;
        int rc;
    } copies[] = {
        {"{\"text\": \"new\"}", "new", 0},
        {"{\"text\": 7}", "new", EINVAL},
        {"{\"text\": \"more\", \"slug\": \"x\"}", "new", EINVAL},
        {"", "new", 0},
        {"{\"text\": \"last\"}", "last", 0},
    };
    struct bench *b = *state;
    make_pages(b);
    for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
        assert_int_equal(remove_page(b, "intro.json"), 0);
        assert_int_equal(copy_over(b, copies[i].text), copies[i].rc);
        assert_int_equal(door_held(b->door), 0);
        pass(b, DOOR_HELD_MS);
        assert_true(page_is(b, copies[i].page));
    }
    assert_int_equal(remove_page(b, "intro.json"), 0);
    make_page(b, ".intro.json.x8Ke2", "");
    assert_int_equal(ask(b, (struct ask){.kind = ASK_RENAME,
                                         .ino = look(b, "wiki/wiki/atlas"),
                                         .name = ".intro.json.x8Ke2",
                                         .to = look(b, "wiki/types/page/atlas"),
                                         .to_name = "intro.json"}),
                     EINVAL);
    pass(b, DOOR_HELD_MS);
    assert_true(page_is(b, "last"));
}

/* A file without a name is nobody's, however much of it was written before. */
static void what_is_written_to_an_unlinked_new_file_is_no_call(void **state)
{
    struct bench *b = *state;
    struct ask create = {.kind = ASK_CREATE,
                         .name = "new.json",
                         .flags = O_WRONLY | O_CREAT | O_EXCL,
                         .mode = 0600};
    static const char text[] = "{\"text\": \"new\"}";
    make_pages(b);
    create.ino = look(b, "wiki/types/page/atlas");
    for (size_t before = 0; before <= sizeof(text) - 2; before += 4) {
        char first[sizeof(text)] = "";
        memcpy(first, text, before);
        assert_int_equal(ask(b, create), 0);
        uint64_t ino = b->told.attr.ino;
        uint64_t handle = b->told.handle;
        assert_int_equal(write_at(b, ino, handle, first, 0), 0);
        assert_int_equal(remove_page(b, "new.json"), 0);
        assert_int_equal(write_at(b, ino, handle, text + before, before), 0);
        assert_int_equal(close_file(b, ino, handle), 0);
        assert_int_equal(door_held(b->door), 0);
        assert_int_equal(look(b, "wiki/types/page/atlas/new.json"), 0);
        assert_int_equal(look(b, "wiki/types/page/atlas/new.json.reply"), 0);
    }
    assert_int_equal(ask(b, create), 0);
    uint64_t ino = b->told.attr.ino;
    uint64_t handle = b->told.handle;
    assert_int_equal(write_at(b, ino, handle, text, 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_true(look(b, "wiki/types/page/atlas/new.json") != 0);
}

/* mv within the mount: told EXDEV, it copies. When it does not come to that,
 * nothing was deleted. */
static void who_was_told_to_copy_deletes_nothing(void **state)
{
    struct bench *b = *state;
    make_pages(b);
    uint64_t folder = look(b, "wiki/types/page/atlas");
    assert_int_equal(cat(b, "wiki/types/page/atlas/other.json"), 0);
    assert_int_equal(move(b, folder, "other.json", "intro.json"), EXDEV);
    unsigned calls = b->calls;
    assert_int_equal(remove_page(b, "intro.json"), 0);
    assert_int_equal(b->calls, calls);
    assert_int_equal(look(b, INTRO), 0);
    b->ended = b->pid;
    pass(b, 0);
    assert_int_equal(door_held(b->door), 0);
    assert_true(look(b, INTRO) != 0);
    assert_true(page_is(b, "one\n"));
    b->pid = 3; /* whoever was not told, deletes */
    assert_int_equal(remove_page(b, "intro.json"), 0);
    assert_int_equal(door_held(b->door), 1);
    b->ended = b->pid;
    until_none_is_held(b);
    assert_int_equal(look(b, INTRO), 0);
}

/* It did not copy then: what it unlinks much later it wants to be gone. */
static void who_was_told_to_copy_long_ago_deletes(void **state)
{
    struct bench *b = *state;
    make_pages(b);
    uint64_t folder = look(b, "wiki/types/page/atlas");
    assert_int_equal(cat(b, "wiki/types/page/atlas/other.json"), 0);
    assert_int_equal(move(b, folder, "other.json", "intro.json"), EXDEV);
    pass(b, DOOR_HELD_MS);
    assert_int_equal(remove_page(b, "intro.json"), 0);
    pass(b, DOOR_HELD_MS);
    until_none_is_held(b);
    assert_int_equal(look(b, INTRO), 0);
}

/* Who wrote it after it was unlinked has been told that it is written. */
static void what_is_written_meanwhile_is_not_deleted(void **state)
{
    static const char *const texts[] = {"new\n", "newer\n", "new\n"};
    struct bench *b = *state;
    make_pages(b);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_int_equal(remove_page(b, "intro.json"), 0);
        b->pid = 1;
        make_page(b, "intro.md", texts[i]);
        assert_int_equal(look(b, INTRO), 0);
        pass(b, DOOR_HELD_MS);
        until_none_is_held(b);
        assert_true(look(b, INTRO) != 0);
        assert_true(page_is(b, texts[i]));
        assert_int_equal(cat(b, "wiki/types/page/atlas/intro.json.reply"), 0);
        assert_true(has(b, "STALE"));
        b->pid = 2;
    }
    assert_int_equal(remove_page(b, "intro.json"), 0);
    b->ended = b->pid;
    until_none_is_held(b);
    assert_int_equal(look(b, INTRO), 0);
}

/* It has no name to write to: neither is the object back, nor does it get
 * between when somebody writes the name anew. */
static void who_has_it_open_writes_nothing(void **state)
{
    static const char text[] = "{\"text\": \"late\"}";
    struct bench *b = *state;
    make_pages(b);
    for (int i = 0; i < 2; i++) {
        uint64_t ino = look(b, INTRO);
        uint64_t handle = open_file(b, ino, O_RDWR | O_TRUNC);
        assert_int_equal(remove_page(b, "intro.json"), 0);
        assert_int_equal(write_at(b, ino, handle, text, 0), ESTALE);
        assert_int_equal(door_held(b->door), 1);
        if (i == 0)
            assert_int_equal(copy_over(b, "{\"text\": \"new\"}"), 0);
        assert_int_equal(write_at(b, ino, handle, text, 0), ESTALE);
        close_file(b, ino, handle);
        pass(b, DOOR_HELD_MS);
        until_none_is_held(b);
        assert_int_equal(page_is(b, "new"), i == 0);
    }
    assert_int_equal(look(b, INTRO), 0);
}

/* Though the name is there, and the same version of it. */
static void who_has_it_open_is_not_who_created_it(void **state)
{
    struct bench *b = *state;
    make_pages(b);
    uint64_t ino = look(b, INTRO);
    uint64_t old = open_file(b, ino, O_RDWR | O_TRUNC);
    assert_int_equal(remove_page(b, "intro.json"), 0);
    assert_int_equal(
        create_file(b, "wiki/types/page/atlas", "intro.json", O_EXCL), 0);
    uint64_t made = b->told.handle;
    uint64_t now = b->told.attr.ino;
    assert_int_equal(write_at(b, ino, old, "{\"text\": \"late\"}", 0), ESTALE);
    assert_int_equal(write_at(b, now, made, "{\"text\": \"new\"}", 0), 0);
    assert_int_equal(close_file(b, now, made), 0);
    close_file(b, ino, old);
    assert_true(page_is(b, "new"));
}

/* Before the unlink, but we hear of it later: it is that which goes. */
static void an_unlink_judges_the_newest_version(void **state)
{
    struct bench *b = *state;
    struct buffer args = {0};
    make_pages(b);
    pack_put_map(&args, 2);
    pack_put_string(&args, "id");
    pack_put_string(&args, "atlas/intro");
    pack_put_string(&args, "text");
    pack_put_string(&args, "new");
    struct ate_request rival = {.chain = "wiki",
                                .method = "page.patch",
                                .args = args.data,
                                .args_len = args.len};
    b->rival = &rival;
    unsigned calls = b->calls;
    assert_int_equal(remove_page(b, "intro.json"), 0);
    assert_null(b->rival);
    assert_true(b->calls > calls + 1); /* it was judged anew */
    pass(b, DOOR_HELD_MS);
    until_none_is_held(b);
    assert_int_equal(look(b, INTRO), 0);
    buffer_free(&args);
}

#define WITH_BENCH(test)                                                       \
    cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(who_unlinks_and_ends_has_deleted),
        WITH_BENCH(who_goes_on_has_deleted_later),
        WITH_BENCH(a_door_that_ends_deletes_first),
        WITH_BENCH(a_copy_over_an_object_writes_it),
        WITH_BENCH(what_is_written_to_an_unlinked_new_file_is_no_call),
        WITH_BENCH(who_was_told_to_copy_deletes_nothing),
        WITH_BENCH(who_was_told_to_copy_long_ago_deletes),
        WITH_BENCH(what_is_written_meanwhile_is_not_deleted),
        WITH_BENCH(who_has_it_open_writes_nothing),
        WITH_BENCH(who_has_it_open_is_not_who_created_it),
        WITH_BENCH(an_unlink_judges_the_newest_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
