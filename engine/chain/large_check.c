#include "chain/large_check.h"

#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"
#include "chain/large.h"

struct large_check {
    struct chain *chain;
    uint8_t hash[HASH_SIZE]; /* of the one that is read */
    struct large_read *read;
    uint64_t total;
    uint64_t bytes;
    uint64_t count;
    bool stopped;
    chain_done *done;
    void *ctx;
};

static void end(struct large_check *k, int code, const struct err *err)
{
    struct err none = {0};
    large_close(k->read);
    k->done(k->ctx, code, code != 0 ? err : &none);
    mem_free(k);
}

static void got(void *ctx, struct bytes bytes, int code, const struct err *err);

/* False: there is none any more. */
static bool next_body(struct large_check *k)
{
    struct large large;
    struct handle handle;
    large_close(k->read);
    k->read = NULL;
    if (!state_large_next(chain_version(k->chain), k->hash, &large))
        return false;
    memcpy(handle.hash, k->hash, HASH_SIZE);
    handle.length = large.length;
    k->read =
        large_open(k->chain, &handle, large.sealed, 0, UINT64_MAX, got, k);
    return true;
}

static void got(void *ctx, struct bytes bytes, int code, const struct err *err)
{
    struct large_check *k = ctx;
    struct err canceled;
    k->bytes += bytes.len;
    if (code == 0 && k->stopped) {
        err_set(&canceled, ATE_ECANCELED, "canceled");
        code = err_reason(&canceled, "by_asker");
        err = &canceled;
    }
    if (code != 0) {
        end(k, code, err);
        return;
    }
    if (bytes.len == 0) {
        k->count++;
        if (!next_body(k)) {
            end(k, 0, NULL);
            return;
        }
    }
    large_next(k->read);
}

static uint64_t total_of(const struct chain *c)
{
    uint8_t hash[HASH_SIZE] = {0};
    struct large large;
    uint64_t total = 0;
    while (state_large_next(chain_version(c), hash, &large))
        total += large.length;
    return total;
}

struct large_check *large_check_start(struct chain *c, chain_done *done,
                                      void *ctx)
{
    struct large_check *k = mem_zero(1, sizeof(*k));
    k->chain = c;
    k->done = done;
    k->ctx = ctx;
    k->total = total_of(c);
    if (!next_body(k)) {
        mem_free(k);
        return NULL;
    }
    large_next(k->read);
    return k;
}

void large_check_stop(struct large_check *k)
{
    k->stopped = true;
}

uint64_t large_check_total(const struct large_check *k)
{
    return k->total;
}

uint64_t large_check_bytes(const struct large_check *k)
{
    return k->bytes;
}

uint64_t large_check_count(const struct large_check *k)
{
    return k->count;
}
