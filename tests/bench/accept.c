/* Events that were signed elsewhere, handed in, checked and accepted: how many
 * in a second of one core's time. Time is the thread's own, so that who else is
 * busy counts little. The disk is memory. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/fixture_tx.h"

#include "bench.h"

enum { MEMBERS = 100, AT_ONCE = 64 };

/* What one racer hands in: batches of so many transactions of this type. */
struct load {
    const char *type;
    size_t members;
    size_t batches;
};

static struct fixture_chain chain;
static uint64_t next_sequence;

static double own_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_tx(struct tx *t, const char *type)
{
    struct buf fields = {0};
    tx_begin(&chain, t, &chain.keys[0]);
    t->first_sequence = next_sequence++;
    mp_put_map(&fields, 2);
    mp_put_text(&fields, "amount");
    mp_put_uint(&fields, 1);
    mp_put_text(&fields, "who");
    mp_put_text(&fields, "alice");
    tx_fact(t, type, &fields, NULL);
}

static void make_batch(struct handed *h, const struct load *load)
{
    static struct tx txs[MEMBERS];
    for (size_t i = 0; i < load->members; i++)
        make_tx(&txs[i], load->type);
    batch_of(h, txs, load->members);
    for (size_t i = 0; i < load->members; i++)
        tx_end(&txs[i]);
}

static void end_batch(struct handed *h)
{
    const char *text;
    if (handed_code(h, &text) != 0)
        bench_die("a batch", text);
    handed_end(h);
}

static void accept_race(struct racer *self, struct figure *out)
{
    const struct load *load = self->arg;
    struct handed *batches = calloc(load->batches, sizeof(*batches));
    for (size_t i = 0; i < load->batches; i++)
        make_batch(&batches[i], load);
    double start = own_time();
    for (size_t i = 0; i < load->batches; i++) {
        hand_in(&chain, &batches[i]);
        if (i % AT_ONCE == AT_ONCE - 1)
            fixture_run(&chain);
    }
    fixture_run(&chain);
    out->rate = (double)(load->batches * load->members) / (own_time() - start);
    for (size_t i = 0; i < load->batches; i++)
        end_batch(&batches[i]);
    free(batches);
}

static void bare_checks(struct racer *self, struct figure *out)
{
    (void)self;
    out->rate = signature_checks(own_time);
}

void accept_rows(void)
{
    static const struct load one = {"facts.bare", 1, 2000};
    static const struct load bare = {"facts.bare", MEMBERS, 200};
    static const struct load ruled = {"facts.paid", MEMBERS, 200};
    struct racer racers[] = {
        {.name = "one by one", .run = accept_race, .arg = &one},
        {.name = "bare", .run = accept_race, .arg = &bare},
        {.name = "ruled", .run = accept_race, .arg = &ruled},
        {.name = "bare Ed25519 checks", .run = bare_checks},
    };
    static const char *const names[] = {
        "accept, one by one",
        "accept, batches of 100",
        "accept, batches of 100, rule and view",
    };
    if (!bench_wants(names[0]) && !bench_wants(names[1]) &&
        !bench_wants(names[2]))
        return;
    fixture_open_disk(&chain, NULL, NULL, NULL);
    /* Roots of the state are the pool's work, and here there is none. */
    chain.deps.state_root_every = 1 << 30;
    fixture_create_here(&chain, "tests/bench", "facts");
    race(racers, 4);
    row(names[0], "/core-s", &racers[0], &racers[3], RATE,
        (struct aim){AT_LEAST, 0.8});
    row_of(names[1], "/core-s", rate_of(&racers[1]), "the aim itself", 400000,
           (struct aim){AT_LEAST, 1});
    row_of(names[2], "/core-s", rate_of(&racers[2]), "the aim itself", 250000,
           (struct aim){AT_LEAST, 1});
    fixture_close(&chain);
}
