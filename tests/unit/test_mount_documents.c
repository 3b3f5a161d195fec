/* The door without a mount: files that are an object, or an argument. */
#include "unit/fixture_door.h"

/* ---- objects as files ---- */

static void an_object_is_written_whole(void **state)
{
    struct bench *b = *state;
    static const char folder[] = "bank/types/account";
    assert_int_equal(create_file(b, folder, "carol.json", O_TRUNC), 0);
    uint64_t ino = b->told.attr.ino;
    uint64_t handle = b->told.handle;
    assert_int_equal(write_at(b, ino, handle, "{\"owner\":", 0), 0);
    assert_int_equal(write_at(b, ino, handle, "\"me\"}", 9), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(list(b, "bank/accounts"), 0);
    assert_string_equal(b->data.data, "alice\nbob\ncarol\n");
    assert_int_equal(cat(b, "bank/types/account/carol.json"), 0);
    assert_true(has(b, "\"owner\": \"me\"\n"));
    assert_int_equal(create_file(b, folder, "carol.json", O_EXCL), EEXIST);
}

/* What a scratch file is, its whole name says: these are keys as others. */
static void a_key_like_a_scratch_file_is_an_object(void **state)
{
    static const char *const names[] = {
        "4913.json", "sedentary.json", "invoice.tmp.json",
        "x~.json",   "abc.swp.json",   "#x.json",
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char path[64];
        assert_int_equal(
            create_file(b, "bank/types/account", names[i], O_TRUNC), 0);
        uint64_t ino = b->told.attr.ino;
        uint64_t handle = b->told.handle;
        assert_int_equal(write_at(b, ino, handle, "{\"owner\":\"me\"}", 0), 0);
        assert_int_equal(close_file(b, ino, handle), 0);
        snprintf(path, sizeof(path), "bank/types/account/%s", names[i]);
        assert_int_equal(cat(b, path), 0);
        assert_true(has(b, "\"_\":"));
    }
}

/* Nothing but the reply. */
static void a_new_file_that_is_refused_leaves_nothing(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/types/account");
    struct ask create = {.kind = ASK_CREATE,
                         .ino = folder,
                         .name = "carol.json",
                         .flags = O_WRONLY | O_CREAT};
    static const struct {
        const char *text, *why;
        int written, closed;
    } wrong[] = {
        {"{\"name\":\"dan\"}", "'name' is carol in the path", EINVAL, 0},
        {"no JSON", "JSON", EINVAL, 0},
        {"{\"owner\":", "JSON", 0, EINVAL}, /* nobody knows before */
        {"", "nothing was written", 0, 0},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(ask(b, create), 0);
        uint64_t ino = b->told.attr.ino;
        uint64_t handle = b->told.handle;
        if (wrong[i].text[0] != '\0')
            assert_int_equal(write_at(b, ino, handle, wrong[i].text, 0),
                             wrong[i].written);
        unsigned calls = b->calls;
        assert_int_equal(close_file(b, ino, handle), wrong[i].closed);
        assert_int_equal(b->calls, calls);
        assert_int_equal(list(b, "bank/types/account"), 0);
        assert_string_equal(b->data.data, "alice.json\nbob.json\n");
        assert_int_equal(look(b, "bank/types/account/carol.json"), 0);
        assert_int_equal(cat(b, "bank/types/account/carol.json.reply"), 0);
        if (!has(b, wrong[i].why))
            fail_msg("%s: %s", wrong[i].text, b->data.data);
    }
    create.name = "\xff.json";
    assert_int_equal(ask(b, create), EINVAL);
}

static void replies_are_bounded(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/types/account");
    char name[32];
    for (int i = 0; i <= DOOR_REPLIES_MAX; i++) {
        snprintf(name, sizeof(name), "n%d.json", i);
        assert_int_equal(ask(b, (struct ask){.kind = ASK_CREATE,
                                             .ino = folder,
                                             .name = name,
                                             .flags = O_WRONLY | O_CREAT}),
                         0);
        close_file(b, b->told.attr.ino, b->told.handle);
    }
    assert_int_equal(cat(b, "bank/types/account/n0.json.reply"), ENOENT);
    assert_int_equal(cat(b, "bank/types/account/n1.json.reply"), 0);
    assert_int_equal(cat(b, "bank/types/account/n1024.json.reply"), 0);
}

/* One call for a document, however many pieces it comes in. */
static void a_whole_object_is_judged_as_it_is_written(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    const char *path = "wiki/types/project/atlas.json";
    uint64_t ino = look(b, path);
    uint64_t handle = open_file(b, ino, O_WRONLY | O_TRUNC);
    assert_int_equal(write_at(b, ino, handle, "{\"group\": ", 0), 0);
    unsigned calls = b->calls;
    assert_int_equal(write_at(b, ino, handle, "\"nobody\"}", 10), ENOENT);
    assert_int_equal(write_at(b, ino, handle, "\"me\"}", 10), 0);
    assert_true(b->calls > calls);
    calls = b->calls;
    assert_int_equal(write_at(b, ino, handle, " \n", 15), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(b->calls, calls);
    ino = look(b, path); /* over what is there, it is over at close only */
    handle = open_file(b, ino, O_RDWR);
    assert_int_equal(write_at(b, ino, handle, "{}", 0), 0);
    assert_int_equal(close_file(b, ino, handle), EINVAL);
}

/* ---- pages: a read and a write method at one path ---- */

static void keys_with_slashes_are_folders(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "Hello\n");
    assert_int_equal(list(b, "wiki/types/page"), 0);
    assert_string_equal(b->data.data, "atlas\n");
    assert_int_equal(list(b, "wiki/types/page/atlas"), 0);
    assert_string_equal(b->data.data, "intro.json\n");
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "Hello\n");
}

static void who_writes_an_old_version_is_told_so(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    uint64_t ino = look(b, "wiki/wiki/atlas/intro.md");
    uint64_t slow = open_file(b, ino, O_RDWR);
    assert_int_equal(write_at(b, ino, slow, "ONE", 0), 0);
    assert_int_equal(echo(b, "wiki/wiki/atlas/intro.md", "two\n"), 0);
    assert_int_equal(close_file(b, ino, slow), ESTALE);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "two\n");
    assert_true(look(b, "wiki/wiki/atlas/intro.md") != ino);
}

/* Both have looked, and the other is the first to call. */
static void nobody_comes_between_look_and_call(void **state)
{
    struct bench *b = *state;
    struct buffer args = {0};
    const char *path = "wiki/types/project/atlas.json";
    const char *text = "{\"group\": \"me\"}";
    make_wiki(b);
    pack_put_map(&args, 2);
    pack_put_string(&args, "id");
    pack_put_string(&args, "atlas");
    pack_put_string(&args, "group");
    pack_put_string(&args, "me");
    struct ate_request rival = {.chain = "wiki",
                                .method = "project.patch",
                                .args = args.data,
                                .args_len = args.len};
    uint64_t ino = look(b, path);
    uint64_t slow = open_file(b, ino, O_RDWR | O_TRUNC);
    b->rival = &rival;
    unsigned calls = b->calls;
    assert_int_equal(write_at(b, ino, slow, text, 0), ESTALE);
    assert_int_equal(close_file(b, ino, slow), 0);
    assert_null(b->rival);
    assert_true(b->calls > calls); /* it was the call that said so */
    assert_int_equal(cat(b, "wiki/types/project/atlas.json.reply"), 0);
    assert_non_null(strstr(b->data.data, "STALE"));
    assert_non_null(strstr(b->data.data, "the newest is "));
    ino = look(b, path);
    slow = open_file(b, ino, O_RDWR | O_TRUNC);
    assert_int_equal(write_at(b, ino, slow, text, 0), 0);
    assert_int_equal(close_file(b, ino, slow), 0);
    buffer_free(&args);
}

/* A descriptor that wrote stands on what it wrote. */
static void one_descriptor_writes_more_than_once(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    uint64_t ino = look(b, "wiki/wiki/atlas/intro.md");
    uint64_t handle = open_file(b, ino, O_WRONLY);
    struct ask sync = {.kind = ASK_FSYNC, .ino = ino, .handle = handle};
    assert_int_equal(write_at(b, ino, handle, "two", 0), 0);
    assert_int_equal(ask(b, sync), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "two\n");
    assert_int_equal(write_at(b, ino, handle, "tri", 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "tri\n");
}

/* A shell truncates, duplicates and closes before anything is written. */
static void truncating_alone_is_no_call_until_the_end(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    uint64_t ino = look(b, "wiki/wiki/atlas/intro.md");
    uint64_t handle = open_file(b, ino, O_WRONLY | O_TRUNC);
    struct ask flush = {.kind = ASK_FLUSH, .ino = ino, .handle = handle};
    unsigned calls = b->calls;
    assert_int_equal(ask(b, flush), 0);
    assert_int_equal(b->calls, calls);
    assert_int_equal(write_at(b, ino, handle, "two\n", 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "two\n");
    ino = look(b, "wiki/wiki/atlas/intro.md");
    handle = open_file(b, ino, O_WRONLY | O_TRUNC);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_int_equal(b->data.len, 0);
}

/* sed -i, rsync: a new file beside it, renamed onto it. */
static int cut(struct bench *b, const char *path, uint64_t size)
{
    return ask(b, (struct ask){.kind = ASK_SETATTR,
                               .ino = look(b, path),
                               .set = SET_SIZE,
                               .offset = size});
}

/* truncate(2): nobody closes it later. */
static void truncating_by_a_path_is_a_call(void **state)
{
    static const char *const intro = "wiki/wiki/atlas/intro.md";
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    uint64_t before = look(b, intro);
    assert_int_equal(cut(b, intro, 2), 0);
    assert_int_equal(b->told.attr.ino, before);
    assert_int_equal(b->told.attr.size, 4); /* that version is as it was */
    assert_int_equal(cat(b, intro), 0);
    assert_string_equal(b->data.data, "on");
    assert_true(look(b, intro) != before);
    assert_int_equal(b->told.attr.size, 2);
    unsigned calls = b->calls;
    assert_int_equal(cut(b, intro, 2), 0); /* nothing changes */
    assert_int_equal(b->calls, calls);
    assert_int_equal(cut(b, intro, DOOR_CALL_MAX + 1), EFBIG);
    assert_int_equal(cut(b, intro, 0), 0);
    assert_int_equal(cat(b, intro), 0);
    assert_int_equal(b->data.len, 0);
    assert_int_equal(cut(b, "bank/types/account/bob.json", 3), EINVAL);
    assert_int_equal(cat(b, "bank/types/account/bob.json.reply"), 0);
    assert_true(has(b, "JSON"));
    assert_int_equal(cat(b, "bank/types/account/bob.json"), 0);
    assert_true(has(b, "\"owner\""));
    assert_int_equal(cut(b, "bank/views/balance.csv", 0), EACCES);
}

static void a_rename_onto_a_file_is_the_call(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    make_page(b, "sedAb12Cd", "two\n");
    uint64_t folder = look(b, "wiki/wiki/atlas");
    assert_int_equal(list(b, "wiki/wiki/atlas"), 0);
    assert_string_equal(b->data.data, "intro.md\nsedAb12Cd\n");
    assert_int_equal(move(b, folder, "sedAb12Cd", "intro.md"), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "two\n");
    assert_int_equal(list(b, "wiki/wiki/atlas"), 0);
    assert_string_equal(b->data.data, "intro.md\n");
    assert_int_equal(move(b, folder, "intro.md", "other.md"), EXDEV);
}

/* vim: the file itself becomes the backup, is written anew, and the backup
 * goes. Or does not: then nothing has happened. */
static void a_backup_by_renaming_is_no_call(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    uint64_t folder = look(b, "wiki/wiki/atlas");
    assert_int_equal(move(b, folder, "intro.md", "intro.md~"), 0);
    assert_int_equal(look(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md~"), 0);
    assert_string_equal(b->data.data, "one\n");
    unsigned calls = b->calls;
    assert_int_equal(move(b, folder, "intro.md~", "intro.md"), 0);
    assert_int_equal(b->calls, calls);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_int_equal(move(b, folder, "intro.md", "intro.md~"), 0);
    make_page(b, "intro.md", "two\n");
    struct ask gone = {.kind = ASK_UNLINK, .ino = folder, .name = "intro.md~"};
    assert_int_equal(ask(b, gone), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "two\n");
}

#define WITH_BENCH(test)                                                       \
    cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(an_object_is_written_whole),
        WITH_BENCH(a_key_like_a_scratch_file_is_an_object),
        WITH_BENCH(a_new_file_that_is_refused_leaves_nothing),
        WITH_BENCH(replies_are_bounded),
        WITH_BENCH(a_whole_object_is_judged_as_it_is_written),
        WITH_BENCH(keys_with_slashes_are_folders),
        WITH_BENCH(who_writes_an_old_version_is_told_so),
        WITH_BENCH(nobody_comes_between_look_and_call),
        WITH_BENCH(one_descriptor_writes_more_than_once),
        WITH_BENCH(truncating_alone_is_no_call_until_the_end),
        WITH_BENCH(truncating_by_a_path_is_a_call),
        WITH_BENCH(a_rename_onto_a_file_is_the_call),
        WITH_BENCH(a_backup_by_renaming_is_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
