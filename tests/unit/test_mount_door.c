/* The door without a mount, over an engine in memory. */
#include "unit/fixture_door.h"

static bool has(const struct bench *b, const char *text)
{
    return strstr(buffer_string(&b->data), text) != NULL;
}

/* ---- reading ---- */

static void folders_list_what_exists(void **state)
{
    struct bench *b = *state;
    assert_int_equal(list(b, ""), 0);
    assert_string_equal(b->data.data, "bank\n");
    assert_int_equal(list(b, "bank"), 0);
    assert_string_equal(b->data.data,
                        "accounts\nevents.jsonl\nmethods\ntypes\nviews\n");
    assert_int_equal(list(b, "bank/accounts"), 0);
    assert_string_equal(b->data.data, "alice\nbob\n");
    assert_int_equal(list(b, "bank/types/account"), 0);
    assert_string_equal(b->data.data, "alice.json\nbob.json\n");
    assert_int_equal(list(b, "bank/accounts/alice"), 0);
    assert_string_equal(b->data.data, "transfer\n");
}

static void what_is_not_there_is_not_found(void **state)
{
    static const char *const paths[] = {
        "banks",
        "bank/x",
        "bank/accounts/carol",
        "bank/accounts/alic%65",
        "bank/types/account/carol.json",
        "bank/types/account/.json",
        "bank/types/account/alice",
        "bank/types/nothing",
        "bank/accounts/alice/transfer.reply",
        "bank/damaged.txt",
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        assert_int_equal(look(b, paths[i]), 0);
        assert_int_equal(b->told.error, ENOENT);
    }
}

static void a_method_shows_its_arguments(void **state)
{
    struct bench *b = *state;
    assert_int_equal(cat(b, "bank/accounts/alice/transfer"), 0);
    assert_true(has(b, "# transfer: Move money to another account.\n"));
    assert_true(has(b, "\namount= to=\n"));
    assert_false(has(b, "from"));
}

/* A second read costs no call, and neither does a third. */
static void reading_twice_asks_the_engine_once(void **state)
{
    struct bench *b = *state;
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    unsigned calls = b->calls;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
        assert_string_equal(b->data.data, "account,amount\n");
    }
    assert_int_equal(b->calls, calls);
}

/* ---- calling ---- */

static void a_line_is_a_call(void **state)
{
    struct bench *b = *state;
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_int_equal(
        echo(b, "bank/accounts/alice/transfer", "to=bob amount=12.50\n"), 0);
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_string_equal(b->data.data,
                        "account,amount\nalice,-12.50\nbob,12.50\n");
    assert_int_equal(cat(b, "bank/accounts/alice/transfer.reply"), 0);
    assert_true(has(b, "\"receipt\":\""));
    assert_non_null(strstr(b->forgotten.data, "balance.csv\n"));
}

static void what_is_refused_fails_the_write(void **state)
{
    static const struct {
        const char *text;
        int error;
    } wrong[] = {
        {"to=bob amount=500\n", EPERM},
        {"to=bob\n", EINVAL},
        {"to=nobody amount=1\n", ENOENT},
        {"to=bob amount=x\n", EINVAL},
        {"transfer\n", EINVAL},
        {"{\"to\":}", EINVAL},
        {"from=bob to=alice amount=1\n", EINVAL},
        {"to=bob amount=1", EINVAL}, /* at close: there is no newline */
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(echo(b, "bank/accounts/alice/transfer", wrong[i].text),
                         wrong[i].error);
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_string_equal(b->data.data, "account,amount\n");
    assert_int_equal(
        echo(b, "bank/accounts/alice/transfer", "to=bob amount=500\n"), EPERM);
    assert_int_equal(cat(b, "bank/accounts/alice/transfer.reply"), 0);
    assert_true(has(b, "\"rule\":\"too_deep\""));
}

/* Lines may come in any pieces. */
static void a_call_may_be_written_in_pieces(void **state)
{
    static const char text[] = "{\"to\": \"bob\",\n \"amount\": \"1.00\"}\n";
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/accounts/alice/transfer");
    uint64_t handle = open_file(b, ino, O_RDWR);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        char piece[2] = {text[i], '\0'};
        assert_int_equal(write_at(b, ino, handle, piece, i), 0);
        assert_int_equal(b->told.len, 1);
    }
    struct ask reads = {
        .kind = ASK_READ, .ino = ino, .handle = handle, .size = 1 << 16};
    assert_int_equal(ask(b, reads), 0);
    assert_true(has(b, "\"result\":\""));
    assert_int_equal(ask(b, reads), 0);
    assert_int_equal(b->data.len, 0);
    assert_int_equal(close_file(b, ino, handle), 0);
}

/* Of several lines in one write those before a refused one were taken, and the
 * write tells how long they are. */
static void a_write_of_many_lines_stops_at_the_first_refused(void **state)
{
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/accounts/alice/transfer");
    uint64_t handle = open_file(b, ino, O_WRONLY);
    assert_int_equal(write_at(b, ino, handle,
                              "to=bob amount=1\n\n# no call\n"
                              "to=bob amount=999\nto=bob amount=2\n",
                              0),
                     0);
    assert_int_equal(b->told.len, strlen("to=bob amount=1\n\n# no call\n"));
    assert_int_equal(write_at(b, ino, handle, "to=bob amount=999\n", 0), EPERM);
    assert_int_equal(write_at(b, ino, handle, "to=bob amount=2\n", 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_true(has(b, "bob,3.00\n"));
}

/* The reply is of what failed last. */
static void too_much_for_a_call_is_told(void **state)
{
    struct bench *b = *state;
    const char *path = "bank/accounts/alice/transfer";
    char *much = memory_new(DOOR_CALL_MAX);
    memset(much, 'x', DOOR_CALL_MAX - 1);
    assert_int_equal(echo(b, path, "to=bob amount=1\n"), 0);
    uint64_t ino = look(b, path);
    uint64_t handle = open_file(b, ino, O_WRONLY);
    assert_int_equal(write_at(b, ino, handle, much, 0), 0);
    assert_int_equal(write_at(b, ino, handle, "xx", 0), E2BIG);
    assert_int_equal(close_file(b, ino, handle), 0);
    free(much);
    assert_int_equal(cat(b, "bank/accounts/alice/transfer.reply"), 0);
    assert_true(has(b, "LIMIT"));
    assert_true(has(b, "at most 16 MiB"));
}

/* The kernel cuts a large write, and a program writes again what was not taken:
 * the end of a call that failed. It is no call, though it looks like one. */
static void the_end_of_a_call_that_failed_is_no_call(void **state)
{
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/accounts/alice/transfer");
    uint64_t handle = open_file(b, ino, O_WRONLY);
    const char *end = "{\"to\":\"bob\",\"amount\":\"1\"}]}\n";
    char *much = memory_new(DOOR_CALL_MAX + 1);
    unsigned calls = b->calls;
    assert_int_equal(write_at(b, ino, handle, "{\"list\":[", 0), 0);
    assert_int_equal(write_at(b, ino, handle, end, 9), EINVAL);
    assert_int_equal(write_at(b, ino, handle, end, 9), EINVAL);
    assert_int_equal(write_at(b, ino, handle, "{\"to\":", 9), EINVAL);
    memset(much, ' ', DOOR_CALL_MAX);
    assert_int_equal(write_at(b, ino, handle, much, 0), 0);
    assert_int_equal(write_at(b, ino, handle, "to=bob amount=1\n", 0), E2BIG);
    assert_int_equal(write_at(b, ino, handle, "to=bob amount=1\n", 0), E2BIG);
    assert_int_equal(b->calls, calls);
    /* What is another call is one. */
    assert_int_equal(write_at(b, ino, handle, "to=bob amount=2\n", 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_true(has(b, "bob,2.00\n"));
    free(much);
}

/* What one writes of a line is not finished by another. */
static void two_writers_do_not_mix(void **state)
{
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/accounts/alice/transfer");
    uint64_t one = open_file(b, ino, O_WRONLY);
    uint64_t two = open_file(b, ino, O_WRONLY | O_APPEND);
    assert_int_equal(write_at(b, ino, one, "to=bob ", 0), 0);
    assert_int_equal(write_at(b, ino, two, "to=bob amount=2\n", 77), 0);
    assert_int_equal(write_at(b, ino, one, "amount=1\n", 7), 0);
    assert_int_equal(close_file(b, ino, one), 0);
    assert_int_equal(close_file(b, ino, two), 0);
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_true(has(b, "bob,3.00\n"));
}

/* ---- objects as files ---- */

static void an_object_is_written_whole(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/types/account");
    struct ask create = {.kind = ASK_CREATE,
                         .ino = folder,
                         .name = "carol.json",
                         .mode = 0644,
                         .flags = O_WRONLY | O_CREAT | O_TRUNC};
    assert_int_equal(ask(b, create), 0);
    uint64_t ino = b->told.attr.ino;
    uint64_t handle = b->told.handle;
    assert_int_equal(write_at(b, ino, handle, "{\"owner\":", 0), 0);
    assert_int_equal(write_at(b, ino, handle, "\"me\"}", 9), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(list(b, "bank/accounts"), 0);
    assert_string_equal(b->data.data, "alice\nbob\ncarol\n");
    assert_int_equal(cat(b, "bank/types/account/carol.json"), 0);
    assert_true(has(b, "\"owner\": \"me\"\n"));
    create.flags |= O_EXCL;
    assert_int_equal(ask(b, create), EEXIST);
}

static void make_wiki(struct bench *b);

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

static void make_wiki(struct bench *b)
{
    struct buffer args = {0};
    make_chain(b, "wiki", "tests/lua/schemas/tracker.lua");
    pack_put_map(&args, 2);
    pack_put_string(&args, "slug");
    pack_put_string(&args, "atlas");
    pack_put_string(&args, "group");
    pack_put_string(&args, "me");
    struct ate_bytes value = call(b, "wiki", "project.put", &args);
    ate_free(&value);
    buffer_free(&args);
}

static void make_page(struct bench *b, const char *name, const char *text)
{
    uint64_t folder = look(b, "wiki/wiki/atlas");
    struct ask create = {.kind = ASK_CREATE,
                         .ino = folder,
                         .name = name,
                         .mode = 0600,
                         .flags = O_WRONLY | O_CREAT | O_TRUNC};
    assert_int_equal(ask(b, create), 0);
    uint64_t ino = b->told.attr.ino;
    uint64_t handle = b->told.handle;
    assert_int_equal(write_at(b, ino, handle, text, 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
}

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

static int move(struct bench *b, uint64_t folder, const char *from,
                const char *to)
{
    return ask(b, (struct ask){.kind = ASK_RENAME,
                               .ino = folder,
                               .name = from,
                               .to = folder,
                               .to_name = to});
}

/* sed -i, rsync: a new file beside it, renamed onto it. */
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

/* ---- events ---- */

static void events_grow_by_whole_lines(void **state)
{
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/events.jsonl");
    uint64_t size = b->told.attr.size;
    assert_int_equal(cat(b, "bank/events.jsonl"), 0);
    assert_int_equal(b->data.len, size);
    for (int i = 0; i < 150; i++)
        assert_int_equal(
            echo(b, "bank/accounts/alice/transfer", "to=bob amount=0.01\n"), 0);
    struct ask stat = {.kind = ASK_GETATTR, .ino = ino};
    assert_int_equal(ask(b, stat), 0);
    uint64_t grown = b->told.attr.size;
    assert_true(grown > size);
    assert_int_equal(cat(b, "bank/events.jsonl"), 0);
    assert_int_equal(b->data.len, grown);
    size_t lines = 0;
    for (size_t i = 0; i < b->data.len; i++)
        lines += b->data.data[i] == '\n';
    assert_true(lines >= 153);
    struct buffer whole = b->data;
    b->data = (struct buffer){0};
    uint64_t handle = open_file(b, ino, O_RDONLY);
    for (uint64_t at = 0; at < grown; at += 977) { /* from anywhere */
        struct ask reads = {.kind = ASK_READ,
                            .ino = ino,
                            .handle = handle,
                            .offset = at,
                            .size = 1000};
        assert_int_equal(ask(b, reads), 0);
        assert_memory_equal(b->data.data, whole.data + at, b->data.len);
        assert_int_equal(b->data.len, grown - at < 1000 ? grown - at : 1000);
    }
    close_file(b, ino, handle);
    buffer_free(&whole);
}

static void watch_waits_and_can_be_interrupted(void **state)
{
    struct bench *b = *state;
    assert_int_equal(list(b, "bank"), 0);
    assert_false(has(b, "watch"));
    uint64_t ino = look(b, "bank/types/account/watch");
    assert_true(ino != 0);
    uint64_t handle = open_file(b, ino, O_RDONLY);
    struct ask reads = {
        .kind = ASK_READ, .ino = ino, .handle = handle, .size = 1 << 16};
    begin(b, reads);
    pass(b, 3600 * 1000);
    assert_false(b->is_told);
    door_interrupt(b->door, b);
    assert_true(b->is_told);
    assert_int_equal(b->told.error, EINTR);
    begin(b, reads);
    make_account(b, "carol");
    until_told(b);
    assert_true(has(b, "\"id\":\"carol\""));
    close_file(b, ino, handle);
}

/* ---- an engine that does not answer ---- */

static void nothing_waits_longer_than_its_deadline(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/views");
    b->is_deaf = true;
    begin(b, (struct ask){
                 .kind = ASK_LOOKUP, .ino = folder, .name = "balance.csv"});
    pass(b, 4900);
    assert_false(b->is_told);
    pass(b, 200);
    assert_true(b->is_told);
    assert_int_equal(b->told.error, ETIMEDOUT);
    assert_int_equal(door_pending(b->door), 0);
}

static void a_call_without_answer_says_that_nobody_knows(void **state)
{
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/accounts/alice/transfer");
    uint64_t handle = open_file(b, ino, O_WRONLY);
    b->is_deaf = true;
    begin(b, (struct ask){.kind = ASK_WRITE,
                          .ino = ino,
                          .handle = handle,
                          .data = "to=bob amount=1\n",
                          .size = 16});
    door_interrupt(b->door, b);
    assert_int_equal(b->canceled, 1);
    pass(b, 7000);
    assert_true(b->is_told);
    assert_int_equal(b->told.error, ETIMEDOUT);
    b->is_deaf = false;
    assert_int_equal(close_file(b, ino, handle), 0);
    assert_int_equal(cat(b, "bank/accounts/alice/transfer.reply"), 0);
    assert_true(has(b, "whether it was done is not known"));
}

static void closing_answers_all_that_is_under_way(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/views");
    b->is_deaf = true;
    begin(b, (struct ask){
                 .kind = ASK_LOOKUP, .ino = folder, .name = "balance.csv"});
    assert_false(b->is_told);
    door_free(b->door);
    b->door = NULL;
    assert_true(b->is_told);
    assert_int_equal(b->told.error, EINTR);
}

/* A list of keys goes on coming after the first who wanted it gave up. */
static void closing_ends_lists_that_are_under_way(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/accounts");
    b->is_deaf = true;
    begin(b, (struct ask){.kind = ASK_OPENDIR, .ino = folder});
    pass(b, 6000);
    assert_true(b->is_told);
    assert_int_equal(b->told.error, ETIMEDOUT);
    unsigned canceled = b->canceled;
    door_free(b->door);
    b->door = NULL;
    assert_true(b->canceled > canceled);
}

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
    struct ask create = {.kind = ASK_CREATE,
                         .ino = look(b, "wiki/types/page/atlas"),
                         .name = "intro.json",
                         .flags = O_WRONLY | O_CREAT | O_EXCL,
                         .mode = 0600};
    assert_int_equal(ask(b, create), 0);
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

/* ---- limits ---- */

static void scratch_files_are_bounded(void **state)
{
    struct bench *b = *state;
    uint64_t folder = look(b, "bank/accounts");
    char name[32];
    int rc = 0;
    int made = 0;
    for (; rc == 0 && made <= DOOR_SCRATCH_FILES; made++) {
        snprintf(name, sizeof(name), ".x%d.swp", made);
        rc = ask(b, (struct ask){.kind = ASK_CREATE,
                                 .ino = folder,
                                 .name = name,
                                 .flags = O_WRONLY | O_CREAT});
        if (rc == 0)
            close_file(b, b->told.attr.ino, b->told.handle);
    }
    assert_int_equal(rc, ENOSPC);
    uint64_t ino = look(b, "bank/accounts/.x0.swp");
    uint64_t handle = open_file(b, ino, O_WRONLY);
    assert_int_equal(write_at(b, ino, handle, "x", DOOR_SCRATCH_MAX), EFBIG);
    assert_int_equal(write_at(b, ino, handle, "x", DOOR_SCRATCH_MAX - 1), 0);
    close_file(b, ino, handle);
    ino = look(b, "bank/accounts/.x1.swp");
    handle = open_file(b, ino, O_WRONLY);
    assert_int_equal(write_at(b, ino, handle, "x", 0), ENOSPC);
    close_file(b, ino, handle);
}

static void what_can_not_be_written_is_not(void **state)
{
    struct bench *b = *state;
    uint64_t ino = look(b, "bank/views/balance.csv");
    assert_int_equal(open_file(b, ino, O_WRONLY), 0);
    assert_int_equal(b->told.error, EACCES);
    uint64_t views = look(b, "bank/views");
    struct ask gone = {.kind = ASK_UNLINK, .ino = views, .name = "balance.csv"};
    assert_int_equal(ask(b, gone), EPERM);
    gone = (struct ask){.kind = ASK_UNLINK,
                        .ino = look(b, "bank/types/account"),
                        .name = "alice.json"};
    assert_int_equal(ask(b, gone), EPERM); /* its type turns delete off */
    struct ask create = {.kind = ASK_CREATE,
                         .ino = DOOR_ROOT,
                         .name = "x",
                         .flags = O_WRONLY | O_CREAT};
    assert_int_equal(ask(b, create), EPERM);
}

/* Else a walk through a million chains would open them all. */
static void chains_take_turns(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    unsigned canceled = b->canceled;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            echo(b, "bank/accounts/alice/transfer", "to=bob amount=1\n"), 0);
        assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
        assert_string_equal(b->data.data, "one\n");
    }
    assert_int_equal(b->canceled - canceled, 6);
    assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
    assert_true(has(b, "bob,3.00\n"));
}

static int setup_one_chain(void **state)
{
    return bench_setup_with(state, 1);
}

#define WITH_BENCH(test)                                                       \
    cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(folders_list_what_exists),
        WITH_BENCH(what_is_not_there_is_not_found),
        WITH_BENCH(a_method_shows_its_arguments),
        WITH_BENCH(reading_twice_asks_the_engine_once),
        WITH_BENCH(a_line_is_a_call),
        WITH_BENCH(what_is_refused_fails_the_write),
        WITH_BENCH(a_call_may_be_written_in_pieces),
        WITH_BENCH(a_write_of_many_lines_stops_at_the_first_refused),
        WITH_BENCH(too_much_for_a_call_is_told),
        WITH_BENCH(the_end_of_a_call_that_failed_is_no_call),
        WITH_BENCH(two_writers_do_not_mix),
        WITH_BENCH(an_object_is_written_whole),
        WITH_BENCH(a_new_file_that_is_refused_leaves_nothing),
        WITH_BENCH(replies_are_bounded),
        WITH_BENCH(a_whole_object_is_judged_as_it_is_written),
        WITH_BENCH(keys_with_slashes_are_folders),
        WITH_BENCH(who_writes_an_old_version_is_told_so),
        WITH_BENCH(nobody_comes_between_look_and_call),
        WITH_BENCH(one_descriptor_writes_more_than_once),
        WITH_BENCH(truncating_alone_is_no_call_until_the_end),
        WITH_BENCH(a_rename_onto_a_file_is_the_call),
        WITH_BENCH(a_backup_by_renaming_is_no_call),
        WITH_BENCH(who_unlinks_and_ends_has_deleted),
        WITH_BENCH(who_goes_on_has_deleted_later),
        WITH_BENCH(a_door_that_ends_deletes_first),
        WITH_BENCH(a_copy_over_an_object_writes_it),
        WITH_BENCH(what_is_written_to_an_unlinked_new_file_is_no_call),
        WITH_BENCH(who_was_told_to_copy_deletes_nothing),
        WITH_BENCH(who_was_told_to_copy_long_ago_deletes),
        WITH_BENCH(what_is_written_meanwhile_is_not_deleted),
        WITH_BENCH(an_unlink_judges_the_newest_version),
        WITH_BENCH(events_grow_by_whole_lines),
        WITH_BENCH(watch_waits_and_can_be_interrupted),
        WITH_BENCH(nothing_waits_longer_than_its_deadline),
        WITH_BENCH(a_call_without_answer_says_that_nobody_knows),
        WITH_BENCH(closing_answers_all_that_is_under_way),
        WITH_BENCH(closing_ends_lists_that_are_under_way),
        cmocka_unit_test_setup_teardown(chains_take_turns, setup_one_chain,
                                        bench_teardown),
        WITH_BENCH(scratch_files_are_bounded),
        WITH_BENCH(what_can_not_be_written_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
