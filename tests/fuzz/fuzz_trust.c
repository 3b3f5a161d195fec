/* Fields of trust events and of keys, and read sets: what is accepted has no
 * other encoding. The first byte picks. */
#include <assert.h>

#include "acceptance/engine_types.h"
#include "acceptance/trust_events.h"
#include "acceptance/work_events.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "state/reads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool put_delegation(struct bytes raw, struct buf *out)
{
    struct delegation_fields f;
    if (delegation_fields_get(raw, &f, NULL) != 0)
        return false;
    assert(rights_within(f.rights, f.rights));
    delegation_fields_put(out, &f);
    return true;
}

static bool put_revocation(struct bytes raw, struct buf *out)
{
    const uint8_t *id = NULL;
    if (revocation_fields_get(raw, &id, NULL) != 0)
        return false;
    revocation_fields_put(out, id);
    return true;
}

static bool put_roots(struct bytes raw, struct buf *out)
{
    struct roots_fields f;
    if (roots_fields_get(raw, &f, NULL) != 0)
        return false;
    roots_check(f.records, f.count, f.threshold, NULL);
    roots_fields_put(out, &f);
    return true;
}

static bool put_order(struct bytes raw, struct buf *out)
{
    struct order_fields f;
    if (order_fields_get(raw, &f, NULL) != 0)
        return false;
    order_fields_put(out, &f);
    return true;
}

static bool put_key(struct bytes raw, struct buf *out)
{
    struct key_record record;
    if (key_fields_get(raw, &record, NULL) != 0)
        return false;
    key_fields_put(out, &record);
    return true;
}

static bool put_heartbeat(struct bytes raw, struct buf *out)
{
    struct heartbeat h;
    if (heartbeat_get(raw, &h, NULL) != 0)
        return false;
    heartbeat_put(out, &h);
    return true;
}

static bool put_work(struct bytes raw, struct buf *out)
{
    struct work_fields f;
    if (work_fields_get(raw, &f, NULL) != 0)
        return false;
    work_fields_put(out, &f);
    return true;
}

static bool put_ask(struct bytes raw, struct buf *out)
{
    struct ask_fields f;
    if (ask_fields_get(raw, true, &f, NULL) != 0 &&
        ask_fields_get(raw, false, &f, NULL) != 0)
        return false;
    ask_fields_put(out, &f);
    return true;
}

static bool (*const puts_of[])(struct bytes raw, struct buf *out) = {
    put_delegation, put_revocation, put_roots, put_order,
    put_key,        put_heartbeat,  put_work,  put_ask,
};
enum { PUTS = sizeof(puts_of) / sizeof(puts_of[0]) };

/* A read set over a state where nothing is: what was seen differs, or nothing
 * was. */
static void check_reads(struct bytes raw)
{
    static struct state state;
    if (state.tree == NULL)
        state_init(&state);
    int form = reads_check_form(raw, NULL);
    uint64_t left = LIMIT_TX_READS;
    int rc = reads_check(raw, state_head(&state), &left, NULL);
    assert((form != 0) == (rc != 0 && rc != ATE_ESTALE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf out = {0};
    if (len == 0)
        return 0;
    struct bytes raw = bytes_of(data + 1, len - 1);
    size_t which = data[0] % (PUTS + 1);
    if (which == PUTS)
        check_reads(raw);
    else if (mp_check(raw, NULL) == 0 && puts_of[which](raw, &out))
        assert(bytes_equal(buf_bytes(&out), raw));
    buf_deinit(&out);
    return 0;
}
