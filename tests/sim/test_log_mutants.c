/* What would the crash tests find if the log were wrong? Each mutant leaves out
 * or misdirects one thing that the log does, and has to be caught. A harness
 * that lets one live proves nothing about the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "log/inside.h"
#include "sim/log_script.h"

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_slot(const struct job_op *op)
{
    return op->kind == JOB_WRITE && op->data.len == LOG_SLOT_SIZE &&
           op->offset < LOG_FRAMES_START && ends_with(op->path, ".head");
}

/* ---- mutants: true leaves the operation out ---- */

static bool no_sync_of_header_file(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_SYNC && ends_with(op->path, ".head");
}

static bool no_sync_of_bodies(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_SYNC && ends_with(op->path, ".body");
}

static bool no_sync_of_cur_before_rename(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_SYNC && ends_with(op->path, "cur.tmp");
}

static bool no_sync_of_chain_folder(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_SYNC_FOLDER && ends_with(op->path, "chain");
}

static bool no_sync_of_folders_above(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_SYNC_FOLDER && !ends_with(op->path, "chain");
}

/* Only where a new body file begins. */
static bool no_sync_of_folder_for_segment(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    return op->kind == JOB_SYNC_FOLDER && s->log.state == LOG_READY;
}

/* The watermark tells of the frames written beside it. */
static bool watermark_too_early(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    if (!is_slot(op) || s->log.state != LOG_READY)
        return false;
    struct watermark mark = s->log.commit->next;
    mark.counter = s->log.commit->slot_mark.counter;
    watermark_put(s->forged, &mark);
    op->data = bytes_of(s->forged, LOG_SLOT_SIZE);
    return false;
}

/* One slot for all: the only watermark is overwritten each time. */
static bool one_slot_only(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    if (!is_slot(op))
        return false;
    if (op->offset != 0 && s->log.state == LOG_OPENING &&
        s->log.creating != NULL)
        return true;
    op->offset = 0;
    return false;
}

/* The watermark goes out before the frames it tells of are synced: recovery of
 * a process that was killed relies on the order. */
static bool no_sync_in_recovery_before_mark(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    return op->kind == JOB_SYNC && s->log.opening != NULL &&
           (s->log.commit == NULL || !s->log.commit->has_slot);
}

/* What a failed sync left in the cache is believed. */
static bool tail_is_not_written_again(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    return op->kind == JOB_WRITE && s->log.opening != NULL && !is_slot(op);
}

/* A group that found no space stays where it is. */
static bool no_space_is_not_undone(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    return op->kind == JOB_TRUNCATE && s->log.opening == NULL;
}

/* What was checked is not what was promised: bodies are taken as they are. */
static bool frames_without_bodies(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_WRITE && ends_with(op->path, ".body");
}

/* ---- the sieve ---- */

/* Until it is caught. */
static struct tally crash(sim_hook *mutant)
{
    struct tally tally = {0};
    for (uint64_t seed = 0; seed < 150 && tally_failures(&tally) == 0; seed++)
        crash_in_life(seed, mutant, &tally);
    if (tally_failures(&tally) == 0)
        crash_everywhere(7, 25, 4, mutant, &tally);
    if (tally_failures(&tally) == 0)
        fault_everywhere(7, 12, false, mutant, &tally);
    return tally;
}

static void expect_caught(const char *name, sim_hook *mutant)
{
    struct tally t = crash(mutant);
    print_message("%s: %llu lost, %llu wrong, %llu refused of %llu\n", name,
                  (unsigned long long)t.lost, (unsigned long long)t.wrong,
                  (unsigned long long)t.refused,
                  (unsigned long long)t.recoveries);
    assert_int_not_equal(tally_failures(&t), 0);
}

#define MUTANT(name)                                                           \
    static void name##_is_caught(void **state)                                 \
    {                                                                          \
        (void)state;                                                           \
        expect_caught(#name, name);                                            \
    }

MUTANT(no_sync_of_header_file)
MUTANT(no_sync_of_bodies)
MUTANT(no_sync_of_cur_before_rename)
MUTANT(no_sync_of_chain_folder)
MUTANT(no_sync_of_folders_above)
MUTANT(no_sync_of_folder_for_segment)
MUTANT(watermark_too_early)
MUTANT(one_slot_only)
MUTANT(no_sync_in_recovery_before_mark)
MUTANT(tail_is_not_written_again)
MUTANT(no_space_is_not_undone)
MUTANT(frames_without_bodies)

/* A log that does not hear of failed syncs. */
static void sync_errors_that_nobody_sees_are_caught(void **state)
{
    struct tally t = {0};
    (void)state;
    fault_everywhere(7, 12, true, NULL, &t);
    assert_int_not_equal(tally_failures(&t), 0);
}

/* The same runs, nothing wrong with the log. */
static void a_good_log_passes(void **state)
{
    struct tally t = crash(NULL);
    (void)state;
    if (tally_failures(&t) != 0)
        print_message("first: %s\n", t.first);
    assert_int_equal(tally_failures(&t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_log_passes),
        cmocka_unit_test(no_sync_of_header_file_is_caught),
        cmocka_unit_test(no_sync_of_bodies_is_caught),
        cmocka_unit_test(no_sync_of_cur_before_rename_is_caught),
        cmocka_unit_test(no_sync_of_chain_folder_is_caught),
        cmocka_unit_test(no_sync_of_folders_above_is_caught),
        cmocka_unit_test(no_sync_of_folder_for_segment_is_caught),
        cmocka_unit_test(watermark_too_early_is_caught),
        cmocka_unit_test(one_slot_only_is_caught),
        cmocka_unit_test(no_sync_in_recovery_before_mark_is_caught),
        cmocka_unit_test(tail_is_not_written_again_is_caught),
        cmocka_unit_test(no_space_is_not_undone_is_caught),
        cmocka_unit_test(frames_without_bodies_is_caught),
        cmocka_unit_test(sync_errors_that_nobody_sees_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
