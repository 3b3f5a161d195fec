/* The door without a mount, over an engine in memory. */
#include "unit/fixture_door.h"

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

static void name_key(struct bench *b, const char *name)
{
    static const char public[] =
        "ate-pub 1\n"
        "sign "
        "c0366b1a25f37d8df262ad37756992aa0c008fb8a34636dc3a277da1c3c7c90e\n"
        "box "
        "d193423e2411563dfc2bbf7c698f1a57a8dd65bf204803990c5aad334610a851\n";
    struct buffer args = {0};
    pack_put_map(&args, 2);
    pack_put_string(&args, "name");
    pack_put_string(&args, name);
    pack_put_string(&args, "public");
    pack_put_string(&args, public);
    struct ate_bytes value = call(b, NULL, "key.add", &args);
    ate_free(&value);
    buffer_free(&args);
}

/* Counted under one name of a key, read under a longer one. */
static void lines_that_became_longer_are_whole(void **state)
{
    struct bench *b = *state;
    char name[101];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct buffer args = {0};
    pack_put_map(&args, 2);
    pack_put_string(&args, "name");
    pack_put_string(&args, "carol");
    pack_put_string(&args, "owner");
    pack_put_string(&args, "key:9af93f1d3641131a260de18e3543374a"
                           "35da65ea8ee4ce33c05862648689353a");
    struct ate_bytes value = call(b, "bank", "account.put", &args);
    ate_free(&value);
    buffer_free(&args);
    assert_true(look(b, "bank/events.jsonl") != 0);
    name_key(b, name);
    assert_int_equal(cat(b, "bank/events.jsonl"), 0);
    assert_true(has(b, name));
    assert_int_equal(b->data.data[b->data.len - 1], '\n');
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

/* With all that a schema says of a chain, as when that is another one. */
static void scratch_files_outlive_their_folder(void **state)
{
    struct bench *b = *state;
    make_wiki(b);
    make_page(b, "intro.md", "one\n");
    make_page(b, ".x.swp", "kept\n");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cat(b, "bank/views/balance.csv"), 0);
        assert_int_equal(cat(b, "wiki/wiki/atlas/.x.swp"), 0);
        assert_string_equal(b->data.data, "kept\n");
        assert_int_equal(list(b, "wiki/wiki/atlas"), 0);
        assert_string_equal(b->data.data, ".x.swp\nintro.md\n");
    }
    uint64_t folder = look(b, "wiki/wiki/atlas");
    assert_int_equal(move(b, folder, ".x.swp", "intro.md"), 0);
    assert_int_equal(cat(b, "wiki/wiki/atlas/intro.md"), 0);
    assert_string_equal(b->data.data, "kept\n");
    assert_int_equal(look(b, "wiki/wiki/atlas/.x.swp"), 0);
}

/* When nobody looked for them since. */
static void scratch_files_without_a_folder_give_way(void **state)
{
    struct bench *b = *state;
    char name[32];
    make_wiki(b);
    for (int i = 0; i < DOOR_SCRATCH_FILES; i++) {
        snprintf(name, sizeof(name), ".x%d.swp", i);
        make_page(b, name, "x");
    }
    struct ask create = {.kind = ASK_CREATE,
                         .ino = look(b, "bank/accounts"),
                         .name = ".y.swp",
                         .flags = O_WRONLY | O_CREAT};
    assert_int_equal(ask(b, create), 0);
    assert_int_equal(look(b, "wiki/wiki/atlas/.x0.swp"), 0);
}

static int setup_one_chain(void **state)
{
    return bench_setup_with(state, 1);
}

#define WITH_BENCH(test)                                                       \
    cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

#define WITH_ONE_CHAIN(test)                                                   \
    cmocka_unit_test_setup_teardown(test, setup_one_chain, bench_teardown)

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
        WITH_BENCH(events_grow_by_whole_lines),
        WITH_BENCH(lines_that_became_longer_are_whole),
        WITH_BENCH(watch_waits_and_can_be_interrupted),
        WITH_BENCH(nothing_waits_longer_than_its_deadline),
        WITH_BENCH(a_call_without_answer_says_that_nobody_knows),
        WITH_BENCH(closing_answers_all_that_is_under_way),
        WITH_BENCH(closing_ends_lists_that_are_under_way),
        WITH_ONE_CHAIN(chains_take_turns),
        WITH_ONE_CHAIN(scratch_files_outlive_their_folder),
        WITH_ONE_CHAIN(scratch_files_without_a_folder_give_way),
        WITH_BENCH(scratch_files_are_bounded),
        WITH_BENCH(what_can_not_be_written_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
