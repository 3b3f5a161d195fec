/* seeds: from which seed a random test runs, and how often. SEED in the
 * environment replays a run that failed; SOAK repeats all so many times, each
 * time from the next seed. */
#ifndef ATE_SIM_SEEDS_H
#define ATE_SIM_SEEDS_H

#include <stdint.h>
#include <stdlib.h>

static inline uint64_t seeds_first(void)
{
    const char *text = getenv("SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 1;
}

/* `usual`: without SOAK. */
static inline unsigned seeds_times(unsigned usual)
{
    const char *text = getenv("SOAK");
    unsigned times = text != NULL ? (unsigned)atoi(text) : 1;
    return usual * (times > 0 ? times : 1);
}

/* The same of rounds, which are long: ROUNDS replaces `usual` where time is
 * short, under the sanitizers. */
static inline unsigned seeds_rounds(unsigned usual)
{
    const char *text = getenv("ROUNDS");
    unsigned rounds = text != NULL ? (unsigned)atoi(text) : usual;
    return seeds_times(rounds > 0 ? rounds : 1);
}

/* Rounds of `run`, each from the next seed. */
static inline void seeds_each(unsigned usual, void (*run)(uint64_t seed))
{
    uint64_t first = seeds_first();
    unsigned rounds = seeds_rounds(usual);
    for (unsigned i = 0; i < rounds; i++)
        run(first + i);
}
#endif
