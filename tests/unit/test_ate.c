/* The public header over real folders: what a program that links libate sees.
 * Runs in the root of the tree, for the schema of examples/bank. */
#define _GNU_SOURCE /* nftw */
#include "fixture_ate.h"

#include <dirent.h>
#include <signal.h>

/* ---- what a program sees ---- */

static void a_write_gives_a_receipt(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    char text[4096];
    assert_int_equal(ask(b, ate_call, "bank", "transfer",
                         ARGS("amount=12.50", "from=bob", "to=eve"), &answer),
                     0);
    assert_int_equal(int_at(&answer, "index"), 4);
    assert_true(int_at(&answer, "gas") > 0);
    assert_true(int_at(&answer, "durable_us") >= 0);
    text_at(&answer, "result", text, sizeof(text));
    assert_string_equal(text, "4.0");
    text_at(&answer, "root", text, sizeof(text));
    assert_int_equal(strlen(text), 64);
    text_at(&answer, "receipt", text, sizeof(text));
    assert_true(strlen(text) > 100);
    ate_free(&answer.value);
    ate_free(&answer.value);
}

static void a_refusal_names_its_rule(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    assert_int_equal(ask(b, ate_call, "bank", "transfer",
                         ARGS("amount=200", "from=bob", "to=eve"), &answer),
                     ATE_REFUSED);
    assert_string_equal(answer.error.rule, "too_deep");
    assert_non_null(strstr(answer.error.text, "bob would hold -200.00"));
    assert_int_equal(answer.value.len, 0);
    assert_int_equal(ate_code_exit(answer.error.code), 6);
    assert_int_equal(ate_code_http(answer.error.code), 422);
    assert_string_equal(ate_code_name(answer.error.code), "REFUSED");
}

static void everything_is_there_after_closing(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_error error;
    char before[100];
    char after[100];
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer), 0);
    text_at(&answer, "root", before, sizeof(before));
    ate_free(&answer.value);
    ate_close(b->ate);
    assert_int_equal(ate_open(&b->ate, b->folder, 0, &error), 0);
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer), 0);
    text_at(&answer, "root", after, sizeof(after));
    assert_string_equal(before, after);
    text_at(&answer, "folder", after, sizeof(after));
    assert_int_equal(strncmp(after, b->folder, strlen(b->folder)), 0);
    ate_free(&answer.value);
}

/* Who fills a name in from a variable that is not set does not pay from the
 * key that stands where no name is. */
static void an_empty_name_is_nobody(void **state)
{
    struct bench *b = *state;
    static const struct {
        struct ate_request who;
        const char *says;
    } cases[] = {
        {{.as = ""}, "as is empty; leave it out to sign as 'me'"},
        {{.act_for = ""}, "act_for is empty"},
        {{.with = ""}, "with is empty"},
        {{.roots = ""}, "roots is empty"},
        {{.with = ","}, "with: a name is missing beside a comma"},
        {{.with = "me,"}, "with: a name is missing beside a comma"},
        {{.roots = "me,,me"}, "roots: a name is missing beside a comma"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ate_request request = cases[i].who;
        struct ate_answer answer;
        request.chain = i % 2 == 0 ? "bank" : NULL;
        request.method = i % 2 == 0 ? "account.list" : "key.ls";
        uint64_t call = ate_call(b->ate, b->port, &request);
        assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_INVALID);
        if (strncmp(answer.error.text, cases[i].says, strlen(cases[i].says)))
            fail_msg("%s, not %s", answer.error.text, cases[i].says);
        call = ate_read(b->ate, b->port, &request);
        assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_INVALID);
    }
}

/* A refused creation leaves nothing that is found when the folder is opened
 * again. */
static void a_schema_of_another_version_makes_no_chain(void **state)
{
    struct bench *b = *state;
    struct bench fresh = {.port = b->port};
    struct ate_error error;
    struct ate_answer answer;
    char folder[sizeof(b->folder) + 8];
    snprintf(folder, sizeof(folder), "%s/fresh", b->folder);
    assert_int_equal(ate_open(&fresh.ate, folder, ATE_CREATE, &error), 0);
    uint64_t call = start_create(&fresh, "examples/bank/bank.lua", "bank", 7);
    assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_CONFLICT);
    assert_non_null(strstr(answer.error.text, "has version 1, not 7"));
    ate_close(fresh.ate);
    assert_int_equal(ate_open(&fresh.ate, folder, 0, &error), 0);
    assert_int_equal(ask(&fresh, ate_call, NULL, "chain.ls", NULL, &answer), 0);
    struct mp mp = mp_open(bytes_of(answer.value.data, answer.value.len));
    assert_int_equal(mp_get_array_of(&mp, 0, NULL), 0);
    ate_free(&answer.value);
    ate_close(fresh.ate);
}

static void only_one_may_write(void **state)
{
    struct bench *b = *state;
    struct ate *other = NULL;
    struct ate_error error;
    assert_int_equal(ate_open(&other, b->folder, 0, &error), ATE_UNAVAILABLE);
    assert_null(other);
    assert_non_null(strstr(error.text, b->folder));
    ate_close(other);
}

static void a_reader_stands_beside_the_writer(void **state)
{
    struct bench *b = *state;
    struct bench reader = {.port = ate_port_new()};
    struct ate_error error;
    struct ate_answer answer;
    size_t rows = 0;
    assert_int_equal(ate_open(&reader.ate, b->folder, ATE_READ_ONLY, &error),
                     0);
    for (size_t i = 1; i <= 3; i++) {
        ask_ok(b, ate_call, "bank", "transfer",
               ARGS("amount=1", "from=bob", "to=eve"));
        uint64_t call =
            start(&reader, ate_read, "bank", "list", ARGS("type=transfer"));
        assert_int_equal(end_of(reader.port, call, &answer, &rows), 0);
        assert_int_equal(rows, i);
        ate_free(&answer.value);
    }
    assert_int_equal(ask(&reader, ate_call, "bank", "transfer",
                         ARGS("amount=1", "from=bob", "to=eve"), &answer),
                     ATE_UNAVAILABLE);
    ate_close(reader.ate);
    ate_port_free(reader.port);
}

static void a_copied_folder_can_be_checked_alone(void **state)
{
    struct bench *b = *state;
    struct bench alone = {.port = ate_port_new()};
    struct ate_error error;
    struct ate_answer answer;
    char folder[600];
    char root[100];
    char again[100];
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer), 0);
    text_at(&answer, "folder", folder, sizeof(folder));
    text_at(&answer, "root", root, sizeof(root));
    ate_free(&answer.value);
    assert_int_equal(ate_open(&alone.ate, folder, ATE_FOLDER, &error), 0);
    assert_int_equal(ask(&alone, ate_read, "", "verify", NULL, &answer), 0);
    text_at(&answer, "root", again, sizeof(again));
    assert_string_equal(root, again);
    assert_int_equal(int_at(&answer, "transactions"), 4);
    ate_free(&answer.value);
    assert_int_equal(ask(&alone, ate_read, "", "info", NULL, &answer), 0);
    text_at(&answer, "folder", again, sizeof(again));
    ate_free(&answer.value);
    assert_int_equal(ask(&alone, ate_read, "bank", "info", NULL, &answer),
                     ATE_NOT_FOUND);
    ate_close(alone.ate);
    ate_port_free(alone.port);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct bench *b = *state;
    struct ate *other;
    struct ate_error error;
    char path[400];
    snprintf(path, sizeof(path), "%s/nothing", b->folder);
    assert_int_equal(ate_open(&other, path, 0, &error), ATE_NOT_FOUND);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(ate_open(&other, NULL, 0, &error), ATE_INVALID);
    assert_int_equal(ate_open(&other, path, ATE_CREATE | ATE_READ_ONLY, &error),
                     ATE_INVALID);
    assert_int_equal(ate_open(&other, path, 1u << 20, &error), ATE_INVALID);
    assert_int_equal(ate_open(&other, path, ATE_CREATE, &error), 0);
    ate_close(other);
    ate_close(NULL);
}

/* ---- many at a time ---- */

struct caller {
    struct bench *bench;
    pthread_t thread;
    int64_t index[CALLS];
    int failed;
};

static void *call_often(void *ctx)
{
    struct caller *c = ctx;
    struct ate_answer answer;
    struct bench own = {.ate = c->bench->ate, .port = ate_port_new()};
    for (int i = 0; i < CALLS; i++)
        start(&own, ate_call, "bank", "account.create",
              ARGS("name=same", "owner=me"));
    /* All but one of all threads' calls find the name taken. */
    for (int i = 0; i < CALLS; i++) {
        if (ate_port_next(own.port, &answer, WAIT_MS) != 1)
            c->failed = 100;
        c->index[i] = -1;
        if (answer.error.code == 0)
            c->index[i] = int_at(&answer, "index");
        else if (answer.error.code != ATE_CONFLICT)
            c->failed++;
        ate_free(&answer.value);
    }
    for (int i = 0; i < CALLS; i++)
        start(&own, ate_call, "bank", "transfer",
              ARGS("amount=0.01", "from=bob", "to=eve"));
    for (int i = 0; i < CALLS; i++) {
        if (ate_port_next(own.port, &answer, WAIT_MS) != 1 ||
            answer.error.code != 0) {
            c->failed++;
            continue;
        }
        c->index[i] = int_at(&answer, "index");
        ate_free(&answer.value);
    }
    ate_port_free(own.port);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void callers_of_many_threads_are_all_answered(void **state)
{
    struct bench *b = *state;
    struct caller callers[THREADS];
    int64_t all[THREADS * CALLS];
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.bench = b};
        assert_int_equal(
            pthread_create(&callers[i].thread, NULL, call_often, &callers[i]),
            0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].failed, 0);
        memcpy(all + i * CALLS, callers[i].index, sizeof(callers[i].index));
    }
    qsort(all, THREADS * CALLS, sizeof(all[0]), compare);
    for (int i = 1; i < THREADS * CALLS; i++)
        assert_true(all[i] > all[i - 1]);
    ask_ok(b, ate_read, "bank", "verify", NULL);
}

static void following_ends_when_it_is_canceled(void **state)
{
    struct bench *b = *state;
    struct bench writer = {.ate = b->ate, .port = ate_port_new()};
    struct ate_answer answer;
    size_t chunks = 0;
    uint64_t call = start(b, ate_read, "bank", "tail", ARGS("follow=true"));
    for (int i = 0; i < 4; i++) { /* what is there */
        assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
        assert_int_equal(answer.kind, ATE_ANSWER_DATA);
        ate_free(&answer.value);
    }
    ask_ok(&writer, ate_call, "bank", "transfer",
           ARGS("amount=1", "from=bob", "to=eve"));
    assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
    assert_int_equal(answer.kind, ATE_ANSWER_DATA);
    ate_free(&answer.value);
    ate_cancel(b->ate, call);
    assert_int_equal(end_of(b->port, call, &answer, &chunks), ATE_CANCELED);
    ate_cancel(b->ate, call);
    ate_grant(b->ate, 12345, 1);
    ate_port_free(writer.port);
}

/* The descriptor of a port is readable as long as an answer waits. */
static void a_port_can_be_polled(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct pollfd fd = {.fd = ate_port_fd(b->port), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_int_equal(ate_port_next(b->port, &answer, 0), 0);
    assert_int_equal(ate_port_next(b->port, &answer, 1), 0);
    start(b, ate_read, "bank", "list", ARGS("type=account"));
    int answers = 0;
    do {
        assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
        assert_int_equal(ate_port_next(b->port, &answer, 0), 1);
        ate_free(&answer.value);
        answers++;
    } while (answer.kind == ATE_ANSWER_DATA);
    assert_int_equal(answers, 3);
    assert_int_equal(poll(&fd, 1, 0), 0);
}

static void closing_waits_for_calls_under_way(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_error error;
    int answered = 0;
    for (int i = 0; i < CALLS; i++)
        start(b, ate_call, "bank", "transfer",
              ARGS("amount=0.01", "from=bob", "to=eve"));
    uint64_t follow = start(b, ate_read, "bank", "tail", ARGS("follow=true"));
    ate_close(b->ate);
    b->ate = NULL;
    while (ate_port_next(b->port, &answer, 0) == 1) {
        if (answer.call == follow && answer.kind == ATE_ANSWER_FINAL)
            assert_int_equal(answer.error.code, ATE_CANCELED);
        else if (answer.call != follow)
            assert_int_equal(answer.error.code, 0);
        answered += answer.kind == ATE_ANSWER_FINAL;
        ate_free(&answer.value);
    }
    assert_int_equal(answered, CALLS + 1);
    assert_int_equal(ate_open(&b->ate, b->folder, 0, &error), 0);
    ask_ok(b, ate_read, "bank", "verify", NULL);
}

static void a_freed_port_drops_what_still_comes(void **state)
{
    struct bench *b = *state;
    struct bench gone = {.ate = b->ate, .port = ate_port_new()};
    for (int i = 0; i < CALLS; i++)
        start(&gone, ate_call, "bank", "transfer",
              ARGS("amount=0.01", "from=bob", "to=eve"));
    ate_port_free(gone.port);
    ask_ok(b, ate_read, "bank", "info", NULL);
}

/* ---- in memory ---- */

static void memory_has_a_clock_set_by_hand(void **state)
{
    struct bench *b = *state;
    struct bench memory = {.port = ate_port_new()};
    struct ate_error error;
    struct ate_answer answer;
    char time[64];
    assert_int_equal(ate_set_clock(b->ate, 1, &error), ATE_INVALID);
    assert_int_equal(ate_open(&memory.ate, NULL, ATE_MEMORY, &error), 0);
    assert_int_equal(ate_set_clock(memory.ate, 1767225600000, &error), 0);
    assert_int_equal(ate_set_clock(memory.ate, 5, &error), ATE_INVALID);
    create_chain(&memory, "examples/bank/bank.lua", "bank");
    ask_ok(&memory, ate_call, "bank", "account.put",
           ARGS("name=bob", "owner=me"));
    assert_int_equal(ask(&memory, ate_read, "bank", "info", NULL, &answer), 0);
    text_at(&answer, "time", time, sizeof(time));
    assert_string_equal(time, "2026-01-01T00:00:00Z");
    ate_free(&answer.value);
    ask_ok(&memory, ate_read, "bank", "verify", NULL);
    ate_close(memory.ate);
    ate_port_free(memory.port);
}

/* ---- bundles ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int bundle(struct bench *b, const char *name, struct ate_error *error)
{
    char path[400];
    struct ate_bytes bytes;
    struct ate_bytes report;
    snprintf(path, sizeof(path), "%s/%s", b->folder, name);
    int rc = ate_bundle(path, &bytes, &report, error);
    assert_int_equal(rc == 0, bytes.len > 0);
    assert_int_equal(rc == 0, report.len > 0);
    if (rc == 0)
        assert_int_equal(mp_check(bytes_of(report.data, report.len), NULL), 0);
    ate_free(&bytes);
    ate_free(&report);
    return rc;
}

static void a_bundle_is_a_file_and_what_it_requires(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    write_file(b->folder, "words.lua", "return {doc = 'From a module.'}\n");
    write_file(b->folder, "shop.lua",
               "local ate = require('ate')\n"
               "local words = require('words')\n"
               "return ate.schema('shop', {doc = words.doc, version = 1,\n"
               "    bodies = 'open'})\n");
    if (bundle(b, "shop.lua", &error) != 0)
        fail_msg("%s", error.text);
    write_file(b->folder, "lost.lua", "require('nowhere')\n");
    assert_int_not_equal(bundle(b, "lost.lua", &error), 0);
    assert_non_null(strstr(error.text, "nowhere"));
    write_file(b->folder, "out.lua", "require('../shop')\n");
    assert_int_not_equal(bundle(b, "out.lua", &error), 0);
    write_file(b->folder, "broken.lua", "return (\n");
    assert_int_equal(bundle(b, "broken.lua", &error), ATE_SCRIPT);
    assert_non_null(strstr(error.text, "broken.lua"));
    assert_int_equal(bundle(b, "none.lua", &error), ATE_NOT_FOUND);
    assert_int_equal(bundle(b, "shop", &error), ATE_INVALID);
    assert_int_equal(bundle(b, ".lua", &error), ATE_INVALID);
}

/* Those that come with ate are taken by name, alone or by `require`. */
static void a_bundle_is_a_standard_schema(void **state)
{
    struct bench *b = *state;
    struct ate_bytes bytes;
    struct ate_bytes again;
    struct ate_error error;
    assert_int_equal(ate_bundle("ate:ledger", &bytes, NULL, &error), 0);
    assert_int_equal(ate_bundle("ate:ledger", &again, NULL, &error), 0);
    assert_true(bytes_equal(bytes_of(bytes.data, bytes.len),
                            bytes_of(again.data, again.len)));
    ate_free(&bytes);
    ate_free(&again);
    assert_int_equal(ate_bundle("ate:nothing", &bytes, NULL, &error),
                     ATE_NOT_FOUND);
    assert_non_null(strstr(error.text, "ate:key_value, ate:ledger"));
    write_file(b->folder, "own.lua",
               "local ate = require('ate')\n"
               "require('ate:ledger')\n"
               "return ate.schema('own', {doc = 'Mine.', version = 1})\n");
    if (bundle(b, "own.lua", &error) != 0)
        fail_msg("%s", error.text);
    write_file(b->folder, "odd.lua", "require('ate:nothing')\n");
    assert_int_equal(bundle(b, "odd.lua", &error), ATE_INVALID);
    assert_non_null(strstr(error.text, "odd.lua:1: "));
}

/* ---- proofs ---- */

static int prove(const char *text, size_t len, const char *vkey,
                 struct ate_answer *report, struct ate_error *error)
{
    *report = (struct ate_answer){0};
    return ate_proof(text, len, vkey, &report->value, error);
}

static void a_proof_is_checked_without_a_node(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_answer report;
    struct ate_error error;
    char text[8192];
    char word[300];
    assert_int_equal(
        ask(b, ate_read, "bank", "proof", ARGS("index=2"), &answer), 0);
    text_at(&answer, "proof", text, sizeof(text));
    text_at(&answer, "vkey", word, sizeof(word));
    ate_free(&answer.value);
    size_t len = strlen(text);
    for (int given = 0; given < 2; given++) {
        if (prove(text, len, given ? word : NULL, &report, &error) != 0)
            fail_msg("%s", error.text);
        assert_int_equal(int_at(&report, "index"), 2);
        char name[20];
        text_at(&report, "name", name, sizeof(name));
        assert_string_equal(name, "bank");
        ate_free(&report.value);
    }
    assert_int_equal(prove(text, len, "me", &report, &error), ATE_INVALID);
    text[len / 2] ^= 1;
    assert_int_equal(prove(text, len, NULL, &report, &error), ATE_CORRUPT);
    assert_int_equal(report.value.len, 0);
    assert_true(strncmp(error.text, "proof: ", 7) == 0);
    assert_int_equal(prove(NULL, 0, NULL, &report, NULL), ATE_CORRUPT);
}

static void a_receipt_is_looked_at_without_a_node(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_answer report;
    struct ate_error error;
    char text[4096];
    char vkey[300];
    assert_int_equal(ask(b, ate_call, "bank", "transfer",
                         ARGS("amount=1", "from=bob", "to=eve"), &answer),
                     0);
    text_at(&answer, "receipt", text, sizeof(text));
    ate_free(&answer.value);
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer), 0);
    text_at(&answer, "vkey", vkey, sizeof(vkey));
    ate_free(&answer.value);
    if (prove(text, strlen(text), vkey, &report, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(int_at(&report, "size"), int_at(&report, "index") + 1);
    ate_free(&report.value);
    vkey[strlen(vkey) - 2] ^= 1;
    assert_true(prove(text, strlen(text), vkey, &report, &error) < 0);
    assert_int_equal(prove(text, strlen(text) - 4, NULL, &report, &error),
                     ATE_CORRUPT);
}

/* ---- threads ---- */

/* Its check goes to the pool, on whichever thread the call is worked. */
static void hand_in_a_proposal(struct bench *b)
{
    struct buf args = {0};
    struct ate_answer answer;
    mp_put_map(&args, 2);
    mp_put_text(&args, "name");
    mp_put_text(&args, "joe");
    mp_put_text(&args, "owner");
    mp_put_text(&args, "me");
    struct ate_request request = {.chain = "bank",
                                  .method = "account.put",
                                  .args = args.data,
                                  .args_len = args.len,
                                  .propose = 1};
    assert_int_equal(
        end_of(b->port, ate_call(b->ate, b->port, &request), &answer, NULL), 0);
    struct bytes proposal =
        mp_map_get(bytes_of(answer.value.data, answer.value.len), "proposal");
    buf_clear(&args);
    mp_put_map(&args, 1);
    mp_put_text(&args, "proposal");
    buf_put_bytes(&args, proposal);
    ate_free(&answer.value);
    request = (struct ate_request){.chain = "bank",
                                   .method = "ate.submit",
                                   .args = args.data,
                                   .args_len = args.len};
    assert_int_equal(
        end_of(b->port, ate_call(b->ate, b->port, &request), &answer, NULL), 0);
    ate_free(&answer.value);
    buf_deinit(&args);
}

static bool blocks_terminate(const char *task)
{
    char path[300];
    char line[200];
    unsigned long long blocked = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
            break;
    fclose(status);
    return (blocked >> (SIGTERM - 1) & 1) != 0;
}

/* Signals are the program's, whose threads start some of the library's. */
static void threads_of_the_library_take_no_signals(void **state)
{
    struct bench *b = *state;
    struct dirent *entry;
    int others = 0;
    hand_in_a_proposal(b);
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while ((entry = readdir(tasks)) != NULL) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
            continue;
        others++;
        if (!blocks_terminate(entry->d_name))
            fail_msg("thread %s takes signals", entry->d_name);
    }
    closedir(tasks);
    assert_in_range(others, 4, 100); /* loop, watchdog, disk, pool */
}

static void the_generation_grows_with_what_can_be_read(void **state)
{
    struct bench *b = *state;
    struct bench reader = {.port = ate_port_new()};
    struct ate_error error;
    ask_ok(b, ate_read, "bank", "list", ARGS("type=account"));
    uint64_t before = ate_generation(b->ate);
    uint64_t schemas = ate_schema_generation(b->ate);
    assert_int_not_equal(before, 0);
    assert_int_not_equal(schemas, 0);
    ask_ok(b, ate_read, "bank", "list", ARGS("type=account"));
    ask_ok(b, ate_read, "bank", "view", ARGS("view=balance"));
    assert_int_equal(ate_generation(b->ate), before);
    for (size_t i = 0; i < 3; i++) {
        ask_ok(b, ate_call, "bank", "transfer",
               ARGS("amount=1", "from=bob", "to=eve"));
        uint64_t after = ate_generation(b->ate);
        assert_true(after > before);
        before = after;
    }
    assert_int_equal(ate_schema_generation(b->ate), schemas);
    ask_ok(b, ate_call, NULL, "key.new", ARGS("name=another"));
    assert_true(ate_generation(b->ate) > before);

    assert_int_equal(ate_open(&reader.ate, b->folder, ATE_READ_ONLY, &error),
                     0);
    assert_int_equal(ate_generation(reader.ate), 0);
    assert_int_equal(ate_schema_generation(reader.ate), 0);
    ate_close(reader.ate);
    ate_port_free(reader.port);
}

static void the_generation_is_known_where_the_folder_is(void **state)
{
    struct bench *b = *state;
    assert_int_equal(ate_generation(b->ate), 0);
    assert_int_not_equal(ate_generation(b->owner), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* The first, for the pool is the process's: who starts it? */
        TEST(threads_of_the_library_take_no_signals),
        TEST(a_write_gives_a_receipt),
        TEST(a_refusal_names_its_rule),
        TEST(everything_is_there_after_closing),
        TEST(a_schema_of_another_version_makes_no_chain),
        TEST(an_empty_name_is_nobody),
        TEST(only_one_may_write),
        TEST(a_reader_stands_beside_the_writer),
        TEST(a_copied_folder_can_be_checked_alone),
        TEST(what_cannot_be_opened_says_why),
        TEST(callers_of_many_threads_are_all_answered),
        TEST(following_ends_when_it_is_canceled),
        TEST(a_port_can_be_polled),
        TEST(closing_waits_for_calls_under_way),
        TEST(a_freed_port_drops_what_still_comes),
        TEST(memory_has_a_clock_set_by_hand),
        TEST(a_bundle_is_a_file_and_what_it_requires),
        TEST(a_bundle_is_a_standard_schema),
        TEST(a_proof_is_checked_without_a_node),
        TEST(a_receipt_is_looked_at_without_a_node),
        TEST(the_generation_grows_with_what_can_be_read),
        REMOTE(the_generation_is_known_where_the_folder_is),
        REMOTE(a_write_gives_a_receipt),
        REMOTE(a_refusal_names_its_rule),
        REMOTE(an_empty_name_is_nobody),
        REMOTE(everything_is_there_after_closing),
        REMOTE(a_reader_stands_beside_the_writer),
        REMOTE(a_copied_folder_can_be_checked_alone),
        REMOTE(callers_of_many_threads_are_all_answered),
        REMOTE(following_ends_when_it_is_canceled),
        REMOTE(a_port_can_be_polled),
        REMOTE(closing_waits_for_calls_under_way),
        REMOTE(a_freed_port_drops_what_still_comes),
        REMOTE(memory_has_a_clock_set_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
