/* Errors of the disk at every operation, once and for ever; and bits that flip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "sim/log_script.h"
#include "sim/seeds.h"

/* Whatever fails, and whenever: nothing acknowledged is lost, FULL means that
 * nothing is left of the group, and a failed log stays readable and silent. */
static void no_fault_loses_what_was_acknowledged(void **state)
{
    struct tally t = {0};
    (void)state;
    uint64_t first = seeds_first();
    unsigned rounds = seeds_rounds(2);
    for (unsigned i = 0; i < rounds; i++)
        fault_everywhere(first + i, 14, false, NULL, &t);
    print_message(
        "faults from seed %llu: %llu recoveries, %llu lost, %llu wrong, "
        "%llu refused\n",
        (unsigned long long)first, (unsigned long long)t.recoveries,
        (unsigned long long)t.lost, (unsigned long long)t.wrong,
        (unsigned long long)t.refused);
    if (tally_failures(&t) != 0)
        print_message("first: %s\n", t.first);
    assert_int_equal(tally_failures(&t), 0);
}

/* ---- a creation that fails ---- */

/* The actions of a creation that nothing disturbs. */
static uint64_t actions_of_creation(struct tally *t)
{
    struct script s;
    script_init(&s, 1, t);
    assert_int_equal(script_create(&s), 0);
    uint64_t actions = sim_disk_actions(s.disk);
    script_deinit(&s);
    return actions;
}

/* What is there now that a fault came in: nothing, or, `may_stay`, no chain. */
static void check_remains(struct script *s, bool may_stay, const char *fault,
                          uint64_t action)
{
    struct buf names = {0};
    struct buf *cur = sim_disk_file(s->disk, "07/chain/cur");
    sim_disk_names(s->disk, &names);
    if ((names.len > 0 && !may_stay) || cur != NULL)
        print_message("%s at %llu left %zu bytes of names, cur %p\n", fault,
                      (unsigned long long)action, names.len, (void *)cur);
    assert_true(may_stay || names.len == 0);
    assert_null(cur);
    buf_deinit(&names);
}

/* One fault, or a disk that stays full, leaves nothing; a disk that takes
 * nothing any more leaves what is no chain. Afterwards one can be made there.
 */
static void a_creation_that_fails_leaves_nothing(void **state)
{
    struct tally t = {0};
    uint64_t actions = actions_of_creation(&t);
    (void)state;
    for (size_t i = 0; i < 2 * SIM_FAULTS; i++) {
        struct sim_named_fault named = sim_faults[i / 2];
        named.fault.for_ever = i % 2 == 1;
        bool may_stay = named.fault.for_ever && named.fault.error != ENOSPC;
        for (uint64_t at = 0; at < actions; at++) {
            struct script s;
            script_init(&s, 1 + at, &t);
            named.fault.action = at;
            sim_disk_fault(s.disk, &named.fault);
            int rc = script_create(&s);
            assert_true(rc != 0 || sim_disk_faults(s.disk) == 0);
            /* A name that is there and not durable is no one's to take. */
            if (rc != 0 && !(may_stay && at + 1 == actions))
                check_remains(&s, may_stay, named.text, at);
            named.fault.kind = SIM_NO_FAULT;
            sim_disk_fault(s.disk, &named.fault);
            named.fault.kind = sim_faults[i / 2].fault.kind;
            log_close(&s.log);
            model_cut(&s.model, 0);
            if (rc != 0 && !may_stay)
                assert_int_equal(script_create(&s), 0);
            script_deinit(&s);
        }
    }
}

/* ---- bit rot ---- */

struct rot {
    struct script script;
    struct buf good; /* the header file */
};

static struct buf *head(struct script *s)
{
    return sim_disk_file(s->disk, "07/chain/1.head");
}

static void rot_setup(struct rot *r, struct tally *t)
{
    memset(r, 0, sizeof(*r));
    script_init(&r->script, 3, t);
    assert_int_equal(script_run(&r->script, 6), 0);
    assert_int_equal(script_mark(&r->script), 0);
    sim_disk_run(r->script.disk);
    buf_put_bytes(&r->good, buf_bytes(head(&r->script)));
    log_close(&r->script.log);
}

struct seen {
    const struct model *model;
    size_t frames;
    bool wrong;
};

static int visit(void *ctx, const struct log_frame *frame, struct err *err)
{
    struct seen *seen = ctx;
    (void)err;
    const struct model_frame *f = &seen->model->frames[seen->frames++];
    if (!bytes_equal(frame->payload, buf_bytes(&f->payload)) ||
        !bytes_equal(frame->inlined, buf_bytes(&f->inlined)) ||
        frame->count != f->count)
        seen->wrong = true;
    return 0;
}

struct outcome {
    int code;
    struct err err;
};

static void opened(void *ctx, int code, const struct err *err)
{
    struct outcome *out = ctx;
    out->code = code;
    out->err = *err;
}

/* A flipped bit anywhere in the durable part of the header file either refuses
 * and says where, or touches only a slot, of which the other one is good. */
static void a_flipped_bit_is_never_silent(void **state)
{
    struct tally t = {0};
    struct rot r;
    uint64_t refused = 0;
    (void)state;

    rot_setup(&r, &t);
    size_t len = r.good.len;
    for (size_t bit = 0; bit < len * 8; bit += bit % 8 == 7 ? 1 : 7) {
        struct buf *file = head(&r.script);
        struct seen seen = {.model = &r.script.model};
        struct outcome out;
        struct log log;
        size_t at = bit / 8;
        if (at >= LOG_SLOT_SIZE && at < LOG_FRAMES_START &&
            (at % LOG_SLOT_STEP >= LOG_SLOT_SIZE))
            continue; /* nothing stands there */
        file->data[at] ^= (uint8_t)(1 << bit % 8);
        log_open(&log, sim_disk_interface(r.script.disk), "07/chain", NULL,
                 LOG_READ_WRITE, visit, &seen, opened, &out);
        sim_disk_run(r.script.disk);
        assert_false(seen.wrong);
        if (at < LOG_FRAMES_START) {
            assert_int_equal(out.code, 0);
            assert_int_equal(seen.frames, r.script.model.acked);
        } else {
            assert_int_equal(out.code, ATE_ECORRUPT);
            assert_int_equal(log.state, LOG_REFUSED);
            assert_non_null(strstr(out.err.text, "07/chain/1.head: frame "));
            assert_true(seen.frames < r.script.model.acked);
            refused++;
        }
        log_close(&log);
        file = head(&r.script);
        assert_true(file->len == len); /* nothing was cut off */
        memcpy(file->data, r.good.data, len);
    }
    assert_true(refused > 1000);
    buf_deinit(&r.good);
    script_deinit(&r.script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_loses_what_was_acknowledged),
        cmocka_unit_test(a_creation_that_fails_leaves_nothing),
        cmocka_unit_test(a_flipped_bit_is_never_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
