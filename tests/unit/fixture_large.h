/* fixture_large: a large body, read back from a chain. */
#ifndef ATE_TEST_FIXTURE_LARGE_H
#define ATE_TEST_FIXTURE_LARGE_H

#include "chain/large.h"
#include "fixture_chain.h"

struct large_reader {
    struct buf bytes;
    bool ended;
    bool under_way;
};

static inline void large_reader_got(void *ctx, struct bytes bytes, int code,
                                    const struct err *err)
{
    struct large_reader *r = ctx;
    if (code != 0)
        fail_msg("the large body: %s", err->text);
    r->under_way = false;
    r->ended = bytes.len == 0;
    buf_put_bytes(&r->bytes, bytes);
}

/* The chain has a body with this hash, and it is `whole`. */
static inline void assert_large(struct fixture_chain *f,
                                const uint8_t hash[HASH_SIZE],
                                struct bytes whole)
{
    struct large_reader r = {0};
    struct handle handle = {.length = whole.len};
    memcpy(handle.hash, hash, HASH_SIZE);
    struct large_read *read = large_open(f->chain, &handle, false, 0,
                                         UINT64_MAX, large_reader_got, &r);
    while (!r.ended) {
        r.under_way = true;
        large_next(read);
        while (r.under_way)
            assert_true(f->pump(f->pump_ctx));
    }
    large_close(read);
    assert_true(bytes_equal(buf_bytes(&r.bytes), whole));
    buf_deinit(&r.bytes);
}
#endif
