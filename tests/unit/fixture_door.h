/* A door over an engine in memory with the bank of examples/, and a world that
 * writes down what it is told. Runs in the root of the tree. */
#ifndef ATE_TESTS_FIXTURE_DOOR_H
#define ATE_TESTS_FIXTURE_DOOR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/door.h"
#include "base/pack.h"
#include "base/buffer.h"

enum { WAIT_MS = 20000, FORGOTTEN_MAX = 4096 };

struct bench {
    struct ate *ate;
    struct ate_port *port;
    struct door *door;
    int64_t now_ms;
    bool is_deaf;                    /* calls of the door are not made */
    uint64_t last_deaf;              /* the number of such a call */
    unsigned calls;                  /* that the door made */
    const struct ate_request *rival; /* a write just before the door's next */
    unsigned canceled;
    uint32_t pid;   /* who asks */
    uint32_t ended; /* a process that has */
    bool is_told;   /* the end of the last ask */
    struct told told;
    struct buffer data;      /* its data, or names a line each */
    unsigned dropped;        /* data that was forgotten */
    struct buffer forgotten; /* names and numbers, a line each */
};

static inline uint64_t
world_start(struct bench *b, const struct ate_request *request, bool reads)
{
    b->calls++;
    if (!reads && b->rival != NULL) {
        struct ate_port *own = ate_port_new();
        struct ate_answer answer;
        ate_call(b->ate, own, b->rival);
        assert_int_equal(ate_port_next(own, &answer, WAIT_MS), 1);
        assert_int_equal(answer.error.code, 0);
        ate_free(&answer.value);
        ate_port_free(own);
        b->rival = NULL;
    }
    if (b->is_deaf)
        return b->last_deaf = UINT64_MAX - b->calls;
    return reads ? ate_read(b->ate, b->port, request)
                 : ate_call(b->ate, b->port, request);
}

static inline uint64_t world_call(void *ctx, const struct ate_request *request)
{
    return world_start(ctx, request, false);
}

static inline uint64_t world_read(void *ctx, const struct ate_request *request)
{
    return world_start(ctx, request, true);
}

static inline void world_cancel(void *ctx, uint64_t call)
{
    struct bench *b = ctx;
    b->canceled++;
    ate_cancel(b->ate, call);
}

static inline void world_grant(void *ctx, uint64_t call, uint32_t chunks)
{
    ate_grant(((struct bench *)ctx)->ate, call, chunks);
}

static inline void world_tell(void *ctx, void *token, const struct told *told)
{
    struct bench *b = ctx;
    if (token != b)
        return;
    assert_false(b->is_told);
    b->is_told = true;
    b->told = *told;
    buffer_clear(&b->data);
    if (told->data != NULL)
        buffer_put(&b->data, told->data, told->len);
    for (size_t i = 0; i < told->name_count; i++)
        buffer_printf(&b->data, "%s\n", told->names[i].name);
}

static inline void world_forget_entry(void *ctx, uint64_t folder,
                                      const char *name)
{
    (void)folder;
    buffer_printf(&((struct bench *)ctx)->forgotten, "%s\n", name);
}

static inline void world_forget_data(void *ctx, uint64_t ino)
{
    (void)ino;
    ((struct bench *)ctx)->dropped++;
}

static inline void world_forget_attr(void *ctx, uint64_t ino)
{
    (void)ctx;
    (void)ino;
}

static inline bool world_lives(void *ctx, uint32_t pid)
{
    return pid == 0 || pid != ((struct bench *)ctx)->ended;
}

static inline uint64_t world_flush(void *ctx, uint64_t folder, uint64_t other)
{
    (void)ctx;
    (void)folder;
    (void)other;
    return 0;
}

/* ---- turning ---- */

/* One answer of the engine, if one comes in time. */
static inline bool turn(struct bench *b, int timeout_ms)
{
    struct ate_answer answer;
    if (ate_port_next(b->port, &answer, timeout_ms) != 1)
        return false;
    door_answer(b->door, &answer);
    ate_free(&answer.value);
    return true;
}

static inline void until_told(struct bench *b)
{
    while (!b->is_told)
        if (!turn(b, WAIT_MS))
            fail_msg("nothing was told");
}

/* Ask and wait; the errno. */
static inline int ask(struct bench *b, struct ask a)
{
    b->is_told = false;
    a.token = b;
    a.pid = b->pid;
    door_ask(b->door, &a);
    until_told(b);
    return b->told.error;
}

static inline void begin(struct bench *b, struct ask a)
{
    b->is_told = false;
    a.token = b;
    a.pid = b->pid;
    door_ask(b->door, &a);
}

/* The file or folder at a path; 0 and b->told.error when there is none. */
static inline uint64_t look(struct bench *b, const char *path)
{
    uint64_t ino = DOOR_ROOT;
    while (*path != '\0') {
        char name[256];
        size_t len = strcspn(path, "/");
        memcpy(name, path, len);
        name[len] = '\0';
        if (ask(b, (struct ask){.kind = ASK_LOOKUP, .ino = ino, .name = name}))
            return 0;
        ino = b->told.attr.ino;
        path += len + (path[len] == '/');
    }
    return ino;
}

static inline uint64_t open_file(struct bench *b, uint64_t ino, int flags)
{
    int rc = ask(b, (struct ask){.kind = ASK_OPEN, .ino = ino, .flags = flags});
    return rc == 0 ? b->told.handle : 0;
}

static inline int write_at(struct bench *b, uint64_t ino, uint64_t handle,
                           const char *text, uint64_t offset)
{
    return ask(b, (struct ask){.kind = ASK_WRITE,
                               .ino = ino,
                               .handle = handle,
                               .data = text,
                               .size = strlen(text),
                               .offset = offset});
}

static inline int close_file(struct bench *b, uint64_t ino, uint64_t handle)
{
    int rc =
        ask(b, (struct ask){.kind = ASK_FLUSH, .ino = ino, .handle = handle});
    ask(b, (struct ask){.kind = ASK_RELEASE, .ino = ino, .handle = handle});
    return rc;
}

/* What cat would print, in b->data; the errno. */
static inline int cat(struct bench *b, const char *path)
{
    uint64_t ino = look(b, path);
    if (ino == 0)
        return b->told.error;
    uint64_t handle = open_file(b, ino, O_RDONLY);
    if (handle == 0)
        return b->told.error;
    int rc = ask(b, (struct ask){.kind = ASK_READ,
                                 .ino = ino,
                                 .handle = handle,
                                 .size = 1 << 20});
    struct buffer data = b->data;
    b->data = (struct buffer){0};
    close_file(b, ino, handle);
    buffer_free(&b->data);
    b->data = data;
    return rc;
}

/* What echo > path would do; the errno of write(2), else of close(2). */
static inline int echo(struct bench *b, const char *path, const char *text)
{
    uint64_t ino = look(b, path);
    if (ino == 0)
        return b->told.error;
    uint64_t handle = open_file(b, ino, O_WRONLY | O_TRUNC);
    if (handle == 0)
        return b->told.error;
    int rc = write_at(b, ino, handle, text, 0);
    int closed = close_file(b, ino, handle);
    return rc != 0 ? rc : closed;
}

/* The names of a folder, a line each, in b->data. */
static inline int list(struct bench *b, const char *path)
{
    uint64_t ino = look(b, path);
    if (ino == 0)
        return b->told.error;
    if (ask(b, (struct ask){.kind = ASK_OPENDIR, .ino = ino}) != 0)
        return b->told.error;
    uint64_t handle = b->told.handle;
    ask(b, (struct ask){.kind = ASK_READDIR, .ino = ino, .handle = handle});
    struct buffer data = b->data;
    b->data = (struct buffer){0};
    ask(b, (struct ask){.kind = ASK_RELEASE, .ino = ino, .handle = handle});
    buffer_free(&b->data);
    b->data = data;
    return 0;
}

/* ---- the bank ---- */

static inline struct ate_bytes call(struct bench *b, const char *chain,
                                    const char *method,
                                    const struct buffer *args)
{
    struct ate_request request = {.chain = chain, .method = method};
    struct ate_answer answer;
    request.args = args->data;
    request.args_len = args->len;
    uint64_t number = ate_call(b->ate, b->port, &request);
    do {
        assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
    } while (answer.call != number || answer.kind != ATE_ANSWER_FINAL);
    if (answer.error.code != 0)
        fail_msg("%s: %s", method, answer.error.text);
    return answer.value;
}

static inline void make_chain(struct bench *b, const char *name,
                              const char *schema)
{
    static const char *const accept[] = {"accept-all", "serializer",
                                         "structured-logic"};
    struct ate_bytes bundle = {0};
    struct ate_error error = {0};
    struct buffer args = {0};
    if (ate_bundle(schema, &bundle, NULL, &error) != 0)
        fail_msg("%s", error.text);
    pack_put_map(&args, 3);
    pack_put_string(&args, "name");
    pack_put_string(&args, name);
    pack_put_string(&args, "bundle");
    pack_put_bytes(&args, bundle.data, bundle.len);
    pack_put_string(&args, "accept");
    pack_put_list(&args, 3);
    for (int i = 0; i < 3; i++)
        pack_put_string(&args, accept[i]);
    struct ate_bytes value = call(b, NULL, "chain.create", &args);
    ate_free(&value);
    ate_free(&bundle);
    buffer_free(&args);
}

static inline void make_account(struct bench *b, const char *name)
{
    struct buffer args = {0};
    pack_put_map(&args, 2);
    pack_put_string(&args, "name");
    pack_put_string(&args, name);
    pack_put_string(&args, "owner");
    pack_put_string(&args, "me");
    struct ate_bytes value = call(b, "bank", "account.put", &args);
    ate_free(&value);
    buffer_free(&args);
}

static inline int bench_setup_with(void **state, unsigned chains_max)
{
    struct bench *b = memory_new(sizeof(*b));
    struct ate_error error = {0};
    const struct world world = {
        .ctx = b,
        .call = world_call,
        .read = world_read,
        .cancel = world_cancel,
        .grant = world_grant,
        .tell = world_tell,
        .forget_entry = world_forget_entry,
        .forget_data = world_forget_data,
        .forget_attr = world_forget_attr,
        .lives = world_lives,
        .flush = world_flush,
    };
    const struct door_options options = {.deadline_ms = 5000,
                                         .chains_max = chains_max};
    if (ate_open(&b->ate, NULL, ATE_MEMORY, &error) != 0)
        fail_msg("%s", error.text);
    ate_set_clock(b->ate, 1700000000000, &error);
    b->port = ate_port_new();
    make_chain(b, "bank", "examples/bank/bank.lua");
    make_account(b, "alice");
    make_account(b, "bob");
    b->now_ms = 1000;
    b->door = door_new(&world, &options, b->now_ms);
    *state = b;
    return 0;
}

static inline int bench_setup(void **state)
{
    return bench_setup_with(state, 0);
}

static inline int bench_teardown(void **state)
{
    struct bench *b = *state;
    b->is_told = false;
    door_free(b->door);
    ate_close(b->ate);
    ate_port_free(b->port);
    buffer_free(&b->data);
    buffer_free(&b->forgotten);
    free(b);
    return 0;
}

static inline void pass(struct bench *b, int64_t ms)
{
    b->now_ms += ms;
    door_tick(b->door, b->now_ms);
}

static inline bool has(const struct bench *b, const char *text)
{
    return strstr(buffer_string(&b->data), text) != NULL;
}

/* ---- a wiki: a read and a write method at one path ---- */

static inline void make_wiki(struct bench *b)
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

/* Open it to write; the answer has its number and handle. `more` than O_CREAT:
 * O_TRUNC or O_EXCL. */
static inline int create_file(struct bench *b, const char *folder,
                              const char *name, int more)
{
    uint64_t ino = look(b, folder);
    return ask(b, (struct ask){.kind = ASK_CREATE,
                               .ino = ino,
                               .name = name,
                               .mode = 0600,
                               .flags = O_WRONLY | O_CREAT | more});
}

static inline void make_page(struct bench *b, const char *name,
                             const char *text)
{
    assert_int_equal(create_file(b, "wiki/wiki/atlas", name, O_TRUNC), 0);
    uint64_t ino = b->told.attr.ino;
    uint64_t handle = b->told.handle;
    assert_int_equal(write_at(b, ino, handle, text, 0), 0);
    assert_int_equal(close_file(b, ino, handle), 0);
}

static inline int move(struct bench *b, uint64_t folder, const char *from,
                       const char *to)
{
    return ask(b, (struct ask){.kind = ASK_RENAME,
                               .ino = folder,
                               .name = from,
                               .to = folder,
                               .to_name = to});
}
#endif
