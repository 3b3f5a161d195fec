/* Many chains in one folder: what each costs on disk, how fast they open, and
 * calls that go to a thousand of them beside calls that go to one. */
#define _GNU_SOURCE
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "ours.h"
#include "peers.h"

enum {
    BUSY = 1000,
    OPENS = 500,
    FLYING = 128,
    CREATING = 32,
    DISK_AIM = 32768
};

static struct ours many;
static size_t count;
static size_t turn;
static double disk_bytes;

static const char *const names[] = {
    "chains: disk of an empty one",
    "chains: opened a second",
    "chains: calls over 1,000 of them",
};

static int add_size(const char *path, const struct stat *st, int flag,
                    struct FTW *where)
{
    (void)path;
    (void)flag;
    (void)where;
    disk_bytes += (double)st->st_blocks * 512;
    return 0;
}

static double disk_of(const char *folder)
{
    disk_bytes = 0;
    if (nftw(folder, add_size, 16, FTW_PHYS) != 0)
        bench_die(folder, NULL);
    return disk_bytes;
}

static const char *chain_name(char out[24], size_t n)
{
    snprintf(out, 24, "c%zu", n);
    return out;
}

static uint64_t call_one(struct ours *o, size_t n, size_t slot)
{
    char name[24];
    const char *texts[] = {"name", "alice", "text", "a", NULL};
    (void)slot;
    return ours_call_of(o, n, chain_name(name, turn++ % BUSY), "account.put",
                        texts);
}

static uint64_t call_same(struct ours *o, size_t n, size_t slot)
{
    const char *texts[] = {"name", "alice", "text", "a", NULL};
    (void)slot;
    return ours_call_of(o, n, "bench", "account.put", texts);
}

static const struct ours_race over_many = {&many, call_one};
static const struct ours_race over_one = {&many, call_same};

/* Chains that nobody has opened since the daemon began. */
static void opens(struct racer *self, struct figure *out)
{
    char name[24];
    (void)self;
    ours_end(&many);
    ours_begin(&many);
    double start = now();
    for (size_t i = 0; i < OPENS; i++) {
        ours_info_of(&many, 0, chain_name(name, (i * 7919) % count));
        if (i >= 16)
            ours_await(&many, 0);
    }
    for (size_t i = 0; i < 16; i++)
        ours_await(&many, 0);
    out->rate = OPENS / (now() - start);
}

static void create_all(void)
{
    char name[24];
    ours_serve(&many, "tests/bench/notes.lua", 1);
    ours_chain(&many, "first", "tests/bench/notes.lua");
    double before = disk_of(many.data);
    double start = now();
    for (size_t i = 0; i < count; i++) {
        ours_chain_begin(&many, chain_name(name, i), "tests/bench/notes.lua");
        if (i >= CREATING)
            ours_await(&many, 0);
    }
    for (size_t i = 0; i < CREATING; i++)
        ours_await(&many, 0);
    row_of("chains: created a second", "/s", (double)count / (now() - start),
           NULL, 0, (struct aim){0});
    row_of(names[0], "bytes", (disk_of(many.data) - before) / (double)count,
           "32 KiB", DISK_AIM, (struct aim){AT_MOST, 1});
}

void chains_rows(void)
{
    struct racer racers[] = {
        {.name = "1,000 chains", .run = ours_run, .arg = &over_many},
        {.name = "one chain", .run = ours_run, .arg = &over_one},
        {.name = "opens", .run = opens},
    };
    const char *text = getenv("BENCH_CHAINS");
    count = text != NULL ? (size_t)atoi(text) : bench_large() ? 100000 : 2000;
    if (!bench_wants("chains"))
        return;
    racers[0].connections = racers[1].connections = 1;
    racers[0].depth = racers[1].depth = FLYING;
    create_all();
    race(&racers[2], 1);
    row(names[1], "/s", &racers[2], NULL, RATE, (struct aim){0});
    race(racers, 2);
    row(names[2], "/s", &racers[0], &racers[1], RATE, (struct aim){0});
    ours_close(&many);
}
