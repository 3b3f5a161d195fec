/* A log on a memory disk: one operation at a time, run to its end. */
#ifndef ATE_TESTS_UNIT_FIXTURE_LOG_H
#define ATE_TESTS_UNIT_FIXTURE_LOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/memory_disk.h"
#include "log/log.h"

static const uint8_t chain[LOG_CHAIN_SIZE] = {0xab, 0xcd, 1, 2, 3};

struct fixture {
    struct memory_disk *disk;
    struct log log;
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 16];
    int code; /* of the last operation */
    bool done;
    struct err err;
    uint64_t frames; /* shown by the last opening or poll */
    uint64_t refuse; /* the frame that visit() says no to; UINT64_MAX: none */
    bool pause;
    struct buf last; /* payload of the last frame shown */
};

static inline int setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof(*f));
    f->disk = memory_disk_new();
    f->refuse = UINT64_MAX;
    log_folder(f->folder, chain);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    log_close(&f->log);
    memory_disk_free(f->disk);
    buf_deinit(&f->last);
    mem_free(f);
    return 0;
}

static const char *path(struct fixture *f, const char *name)
{
    snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, name);
    return f->path;
}

static inline struct buf *file(struct fixture *f, const char *name)
{
    return memory_disk_file(f->disk, path(f, name));
}

static inline void done(void *ctx, int code, const struct err *err)
{
    struct fixture *f = ctx;
    assert_false(f->done);
    f->done = true;
    f->code = code;
    f->err = *err;
}

static inline int finish(struct fixture *f)
{
    memory_disk_run(f->disk);
    assert_true(f->done);
    f->done = false;
    return f->code;
}

static inline int visit(void *ctx, const struct log_frame *frame,
                        struct err *err)
{
    struct fixture *f = ctx;
    if (frame->sequence == f->refuse)
        return err_set(err, ATE_EDENIED, "the signature is wrong");
    f->frames++;
    buf_clear(&f->last);
    buf_put_bytes(&f->last, frame->payload);
    return f->pause ? LOG_PAUSE : 0;
}

static inline int create(struct fixture *f, const char *bundle)
{
    struct log_entry entry = {.type = LOG_GENESIS,
                              .count = 1,
                              .payload = bytes_of_text("genesis"),
                              .body_len = strlen(bundle)};
    struct log_group group = {&entry, 1, bytes_of_text(bundle)};
    log_create(&f->log, memory_disk_interface(f->disk), f->folder, chain,
               &group, done, f);
    return finish(f);
}

static inline void start_open(struct fixture *f, struct log *log,
                              enum log_mode mode)
{
    f->frames = 0;
    log_open(log, memory_disk_interface(f->disk), f->folder, chain, mode, visit,
             f, done, f);
}

static inline int open_log(struct fixture *f, enum log_mode mode)
{
    log_close(&f->log);
    start_open(f, &f->log, mode);
    return finish(f);
}

static inline int append(struct fixture *f, const char *payload,
                         const char *inlined, const char *bodies)
{
    struct log_entry entry = {.type = LOG_BATCH,
                              .count = 2,
                              .payload = bytes_of_text(payload),
                              .inlined = bytes_of_text(inlined),
                              .body_len = strlen(bodies)};
    struct log_group group = {&entry, 1, bytes_of_text(bodies)};
    int rc = log_append(&f->log, &group, done, f, &f->err);
    return rc == 0 ? finish(f) : rc;
}

static inline int mark(struct fixture *f)
{
    int rc = log_mark(&f->log, done, f, &f->err);
    return rc == 0 ? finish(f) : rc;
}

/* A chain with genesis and two frames, marked and closed. */
static inline void write_chain(struct fixture *f)
{
    assert_int_equal(create(f, "bundle.."), 0);
    assert_int_equal(append(f, "one", "small", ""), 0);
    assert_int_equal(append(f, "two", "", "a large body...."), 0);
    assert_int_equal(mark(f), 0);
    log_close(&f->log);
}

static inline void read_done(struct log_read *read, int code,
                             const struct err *err)
{
    done(read->owner, code, err);
}

static inline int read_range(struct fixture *f, uint64_t frame,
                             enum log_part part, uint64_t offset,
                             uint64_t length, struct buf *out)
{
    struct log_read read = {.frame = frame,
                            .part = part,
                            .offset = offset,
                            .length = length,
                            .done = read_done,
                            .owner = f};
    log_read(&f->log, &read);
    int rc = finish(f);
    buf_clear(out);
    buf_put_bytes(out, buf_bytes(&read.bytes));
    buf_deinit(&read.bytes);
    return rc;
}

static inline void expect_read(struct fixture *f, uint64_t frame,
                               enum log_part part, const char *expected)
{
    struct buf got = {0};
    assert_int_equal(read_range(f, frame, part, 0, UINT64_MAX, &got), 0);
    assert_string_equal(buf_text(&got), expected);
    buf_deinit(&got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#endif
