/* The bank of the examples: calls through the socket beside the same without
 * one, and a stranger's check of all that was written beside bare signature
 * checks. */
#define _GNU_SOURCE
#include <stdio.h>

#include "ours.h"

static struct ours there, here;

static uint64_t transfer(struct ours *o, size_t n, size_t slot)
{
    static size_t i;
    bool odd = i++ % 2;
    const char *texts[] = {"amount", "0.01",
                           "from",   odd ? "alice" : "bob",
                           "to",     odd ? "bob" : "alice",
                           NULL};
    (void)slot;
    return ours_call(o, n, "transfer", "me", texts);
}

static uint64_t get(struct ours *o, size_t n, size_t slot)
{
    const char *texts[] = {"key", "bob", "type", "account", NULL};
    (void)slot;
    return ours_read(o, n, "get", texts);
}

static void open_account(struct ours *o, const char *name)
{
    const char *texts[] = {"name", name, "owner", "me", NULL};
    ours_call(o, 0, "account.put", "me", texts);
    ours_await(o, 0);
}

static void verify(struct racer *self, struct figure *out)
{
    const char *texts[] = {NULL};
    (void)self;
    double start = now();
    ours_read(&here, 0, "verify", texts);
    ours_await(&here, 0);
    out->rate = (double)ours_size(&here) / (now() - start);
}

static void checks(struct racer *self, struct figure *out)
{
    (void)self;
    out->rate = signature_checks(now);
}

static void both_ways(const char *what, ours_asker *ask, size_t depth)
{
    const char *name = text_of("socket: %s, %zu in flight", what, depth);
    const struct ours_race races[] = {{&there, ask}, {&here, ask}};
    struct racer racers[] = {
        {.name = "a socket", .run = ours_run, .arg = &races[0]},
        {.name = "without one", .run = ours_run, .arg = &races[1]},
    };
    if (!bench_wants(name))
        return;
    for (int i = 0; i < 2; i++) {
        racers[i].connections = 1;
        racers[i].depth = depth;
    }
    race(racers, 2);
    row(name, "/s", &racers[0], &racers[1], RATE, (struct aim){0});
}

void socket_rows(void)
{
    static const size_t depths[] = {1, 16, 128};
    static const char last[] = "transactions that verify checks";
    struct racer racers[] = {
        {.name = "verify", .run = verify},
        {.name = "bare Ed25519 checks", .run = checks},
    };
    if (!bench_wants("socket: get, transfer, 1 16 128 in flight") &&
        !bench_wants(last))
        return;
    ours_serve(&there, "examples/bank/bank.lua", 1);
    ours_open(&here, "examples/bank/bank.lua", false);
    open_account(&there, "alice");
    open_account(&there, "bob");
    open_account(&here, "alice");
    open_account(&here, "bob");
    for (int i = 0; i < 3; i++)
        both_ways("get", get, depths[i]);
    for (int i = 0; i < 3; i++)
        both_ways("transfer", transfer, depths[i]);
    if (bench_wants(last)) {
        race(racers, 2);
        row(last, "/s", &racers[0], &racers[1], RATE, (struct aim){0});
    }
    ours_close(&there);
    ours_close(&here);
}
