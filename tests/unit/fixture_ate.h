/* A data folder with a bank in it, used through ate.h as a program does. Runs
 * in the root of the tree, for the schema of examples/bank. The file that
 * includes this defines _GNU_SOURCE, for nftw. */
#ifndef ATE_TESTS_FIXTURE_ATE_H
#define ATE_TESTS_FIXTURE_ATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ate.h"
#include "base/msgpack.h"

enum { WAIT_MS = 20000, THREADS = 4, CALLS = 50 };

struct bench {
    char folder[300];
    struct ate *ate;
    struct ate_port *port;
    struct ate *owner; /* who serves the folder, where `ate` is remote */
};

/* ---- asking ---- */

static void put_args(struct buf *out, const char *const *args)
{
    uint32_t count = 0;
    while (args != NULL && args[count] != NULL)
        count++;
    mp_put_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *eq = strchr(args[i], '=');
        mp_put_str(out, bytes_of(args[i], (size_t)(eq - args[i])));
        if (strcmp(eq, "=true") == 0)
            mp_put_bool(out, true);
        else
            mp_put_text(out, eq + 1);
    }
}

typedef uint64_t start_fn(struct ate *ate, struct ate_port *port,
                          const struct ate_request *request);

static uint64_t start(struct bench *b, start_fn *how, const char *chain,
                      const char *method, const char *const *args)
{
    struct buf packed = {0};
    put_args(&packed, args);
    struct ate_request request = {
        .chain = chain,
        .method = method,
        .args = packed.data,
        .args_len = packed.len,
    };
    uint64_t number = how(b->ate, b->port, &request);
    buf_deinit(&packed);
    return number;
}

/* The end of a call; chunks on the way are counted and dropped. */
static int end_of(struct ate_port *port, uint64_t call,
                  struct ate_answer *answer, size_t *chunks)
{
    size_t count = 0;
    for (;;) {
        assert_int_equal(ate_port_next(port, answer, WAIT_MS), 1);
        assert_int_equal(answer->call, call);
        if (answer->kind == ATE_ANSWER_FINAL)
            break;
        count++;
        ate_free(&answer->value);
    }
    if (chunks != NULL)
        *chunks = count;
    return answer->error.code;
}

static int ask(struct bench *b, start_fn *how, const char *chain,
               const char *method, const char *const *args,
               struct ate_answer *answer)
{
    return end_of(b->port, start(b, how, chain, method, args), answer, NULL);
}

static void ask_ok(struct bench *b, start_fn *how, const char *chain,
                   const char *method, const char *const *args)
{
    struct ate_answer answer;
    if (ask(b, how, chain, method, args, &answer) != 0)
        fail_msg("%s: %s", method, answer.error.text);
    ate_free(&answer.value);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static inline int64_t int_at(const struct ate_answer *answer, const char *name)
{
    int64_t value = -1;
    struct bytes map = bytes_of(answer->value.data, answer->value.len);
    struct mp mp = mp_open(mp_map_get(map, name));
    assert_int_equal(mp_get_int(&mp, &value, NULL), 0);
    return value;
}

static inline void text_at(const struct ate_answer *answer, const char *name,
                           char *out, size_t size)
{
    struct bytes text = {0};
    struct bytes map = bytes_of(answer->value.data, answer->value.len);
    struct mp mp = mp_open(mp_map_get(map, name));
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
}

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Ask for a chain where everybody may write. `version`: that its schema has to
 * have, or 0. */
static uint64_t start_create(struct bench *b, const char *path,
                             const char *name, uint64_t version)
{
    struct ate_bytes bundle;
    struct ate_error error;
    struct buf args = {0};
    if (ate_bundle(path, &bundle, NULL, &error) != 0)
        fail_msg("%s", error.text);
    mp_put_map(&args, version != 0 ? 4 : 3);
    mp_put_text(&args, "accept");
    mp_put_array(&args, 3);
    mp_put_text(&args, "accept-all");
    mp_put_text(&args, "serializer");
    mp_put_text(&args, "structured-logic");
    mp_put_text(&args, "bundle");
    mp_put_bin(&args, bytes_of(bundle.data, bundle.len));
    mp_put_text(&args, "name");
    mp_put_text(&args, name);
    if (version != 0) {
        mp_put_text(&args, "version");
        mp_put_uint(&args, version);
    }
    struct ate_request request = {
        .method = "chain.create",
        .args = args.data,
        .args_len = args.len,
    };
    uint64_t call = ate_call(b->ate, b->port, &request);
    ate_free(&bundle);
    buf_deinit(&args);
    return call;
}

static void create_chain(struct bench *b, const char *path, const char *name)
{
    struct ate_answer answer;
    uint64_t call = start_create(b, path, name, 0);
    if (end_of(b->port, call, &answer, NULL) != 0)
        fail_msg("%s", answer.error.text);
    ate_free(&answer.value);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    const char *tmp = getenv("TMPDIR");
    struct ate_error error;
    snprintf(b->folder, sizeof(b->folder), "%s/ate-test-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(b->folder));
    b->port = ate_port_new();
    assert_non_null(b->port);
    assert_int_equal(ate_open(&b->ate, b->folder, 0, &error), 0);
    create_chain(b, "examples/bank/bank.lua", "bank");
    ask_ok(b, ate_call, "bank", "account.put", ARGS("name=bob", "owner=me"));
    ask_ok(b, ate_call, "bank", "account.put", ARGS("name=eve", "owner=me"));
    *state = b;
    return 0;
}

/* The same through a socket. */
static inline int set_up_remote(void **state)
{
    int rc = set_up(state);
    struct bench *b = *state;
    struct ate_error error;
    b->owner = b->ate;
    if (ate_listen(b->owner, &error) != 0)
        fail_msg("%s", error.text);
    if (ate_open(&b->ate, b->folder, 0, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(ate_is_remote(b->ate), 1);
    return rc;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    ate_close(b->ate);
    ate_close(b->owner);
    ate_port_free(b->port);
    nftw(b->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

/* With a bank in a folder of its own; REMOTE: through a socket. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define REMOTE(name)                                                           \
    {                                                                          \
#name "_through_a_socket", name, set_up_remote, tear_down, NULL        \
    }
#endif
