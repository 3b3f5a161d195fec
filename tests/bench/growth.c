/* What an event and a read cost as a chain grows: both flat. The disk is memory
 * and time is that of this process on all cores, so that it is the engine that
 * is measured. */
#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>

#include "ours.h"
#include "peers.h"

enum { STEP = 100, FLYING = 16, READS = 10000, SAMPLE = 20000 };

static struct ours grown;
static size_t size;

static double own_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Events a second. */
static double grow(size_t count)
{
    size_t sent = 0;
    double start = own_time();
    for (size_t flying = 0; sent < count || flying > 0;) {
        if (sent < count && flying < FLYING) {
            char from[24];
            snprintf(from, sizeof(from), "%zu", size + sent);
            const char *texts[] = {"count", "100",     "from", from,
                                   "text",  payload(), NULL};
            ours_call(&grown, 0, "fill", "me", texts);
            sent += STEP;
            flying++;
            continue;
        }
        ours_await(&grown, 0);
        flying--;
    }
    size += count;
    return (double)count / (own_time() - start);
}

static double reads(void)
{
    double start = own_time();
    for (size_t i = 0; i < READS; i++) {
        char key[24];
        snprintf(key, sizeof(key), "k%07zu", i * 7919 % size);
        const char *texts[] = {"key", key, "type", "item", NULL};
        ours_read(&grown, 0, "get", texts);
        ours_await(&grown, 0);
    }
    return READS / (own_time() - start);
}

/* Costs at this size: events that are added from there on, and reads. */
static void measure(size_t at, double cost[2])
{
    double events[RUNS_MAX];
    double gets[RUNS_MAX];
    if (at > size)
        grow(at - size);
    for (int i = 0; i < bench_runs(); i++) {
        events[i] = 1e6 / grow(SAMPLE / 10);
        gets[i] = 1e6 / reads();
    }
    cost[0] = median_of(events, (size_t)bench_runs());
    cost[1] = median_of(gets, (size_t)bench_runs());
}

void growth_rows(void)
{
    static const size_t sizes[] = {10000, 100000, 1000000, 10000000};
    static const char *const words[] = {"10^4", "10^5", "10^6", "10^7"};
    double first[2];
    double cost[2];
    if (!bench_wants("growth: an event at 10^4 10^5 10^6 10^7") &&
        !bench_wants("growth: a read at 10^4 10^5 10^6 10^7"))
        return;
    ours_open(&grown, "tests/bench/keys.lua", true);
    for (int i = 0; i < (bench_large() ? 4 : 3); i++) {
        measure(sizes[i], cost);
        if (i == 0)
            first[0] = cost[0], first[1] = cost[1];
        row_of(text_of("growth: an event at %s", words[i]), "us", cost[0],
               "at 10^4", first[0], (struct aim){AT_MOST, 1.25});
        row_of(text_of("growth: a read at %s", words[i]), "us", cost[1],
               "at 10^4", first[1], (struct aim){AT_MOST, 1.25});
    }
    ours_close(&grown);
}
