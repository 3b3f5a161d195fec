/* Errors of the disk at every operation, once and for ever; and bits that flip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
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
        cmocka_unit_test(a_flipped_bit_is_never_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
