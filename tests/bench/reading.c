/* Reads of a million objects: from Lua, beside Tarantool's memtx in its own
 * Lua; and through the socket, beside Redis, also while 16 callers write. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "filled.h"

enum { GETS = 2000, RANGES = 50, WRITERS = 16 };

/* ---- from Lua ---- */

/* How many a second a method reads that is asked once. */
static void ours_in_lua(struct racer *self, struct figure *out)
{
    size_t count = self->depth;
    const char *texts[] = {"count", text_of("%zu", count), "of",
                           text_of("%zu", keys_count()), NULL};
    double start = now();
    ours_ask(&filled.ours, 0, self->arg, texts);
    ours_await(&filled.ours, 0);
    out->rate = (double)count / (now() - start);
}

static void tarantool_in_lua(struct racer *self, struct figure *out)
{
    bool ranges = self->depth == RANGES;
    struct wire w = filled.tarantool->many(filled.tarantool, ranges,
                                           self->depth, keys_count());
    double start = now();
    client_once(&w, w.request, w.request_len);
    out->rate = (double)self->depth / (now() - start);
}

static void lua_rows(const char *name, const char *method, size_t count)
{
    struct racer racers[] = {
        {.name = "ate", .run = ours_in_lua, .arg = method, .depth = count},
        {.name = "Tarantool memtx, its own Lua",
         .run = tarantool_in_lua,
         .depth = count},
    };
    if (!bench_wants(name))
        return;
    fill_all();
    if (filled.tarantool == NULL)
        return;
    race(racers, 2);
    row(name, "/s", &racers[0], &racers[1], RATE, (struct aim){0});
}

/* ---- through the socket ---- */

static uint64_t get_one(struct ours *o, size_t n, size_t slot)
{
    const char *texts[] = {"key", "k0000077", "type", "item", NULL};
    (void)slot;
    return ours_read(o, n, "get", texts);
}

static const struct ours_race gets = {&filled.ours, get_one};

/* Callers who write meanwhile, each one call after the other: a thread that
 * keeps them busy by a racer of its own. */
struct writing {
    pthread_t thread;
    atomic_bool stop;
    struct racer racer;
};

static struct ours writer; /* connected to the same daemon */

static uint64_t put_one(struct ours *o, size_t n, size_t slot)
{
    char name[24];
    snprintf(name, sizeof(name), "w%zu", slot);
    const char *texts[] = {"name", name, "text", payload(), NULL};
    return ours_call(o, n, "item.put", "k0", texts);
}

static const struct ours_race writes_of = {&writer, put_one};

static void *write_on(void *arg)
{
    struct writing *w = arg;
    struct figure f;
    while (!atomic_load(&w->stop))
        w->racer.run(&w->racer, &f);
    return NULL;
}

static void while_writing(struct racer *racers, size_t count,
                          struct racer *writers)
{
    for (int run = 0; run < bench_runs(); run++)
        for (size_t i = 0; i < count; i++) {
            struct writing w = {.racer = writers[i]};
            pthread_create(&w.thread, NULL, write_on, &w);
            racers[i].run(&racers[i], &racers[i].runs[run]);
            atomic_store(&w.stop, true);
            pthread_join(w.thread, NULL);
        }
}

static void socket_gets(const char *name, size_t depth, bool writes)
{
    if (!bench_wants(name))
        return;
    fill_all();
    if (filled.redis == NULL)
        return;
    struct racer racers[] = {
        {.name = "ate",
         .run = ours_run,
         .arg = &gets,
         .connections = 1,
         .depth = depth},
        {.name = writes ? "Redis GET, while 16 write" : "Redis GET",
         .run = client_race,
         .arg = &filled.redis->read,
         .connections = 1,
         .depth = depth},
    };
    struct racer writers[] = {
        {.run = ours_run,
         .arg = &writes_of,
         .connections = 1,
         .depth = WRITERS},
        {.run = client_race,
         .arg = &filled.redis->write,
         .connections = WRITERS,
         .depth = 1},
    };
    if (writes && writer.ate[0] == NULL)
        ours_connect(&writer, &filled.ours);
    if (writes)
        while_writing(racers, 2, writers);
    else
        race(racers, 2);
    row(name, "/s", &racers[0], &racers[1], RATE, (struct aim){0});
    row(text_of("%s, p50", name), "us", &racers[0], &racers[1], P50,
        (struct aim){0});
}

void reading_rows(void)
{
    lua_rows("read by key, from Lua", "get_many", GETS);
    lua_rows("read a range of 100, from Lua", "scan_many", RANGES);
    socket_gets("read by key, socket, 1 in flight", 1, false);
    socket_gets("read by key, socket, 64 in flight", 64, false);
    socket_gets("read by key, while 16 write, 1 in flight", 1, true);
    socket_gets("read by key, while 16 write, 64 in flight", 64, true);
    ours_close(&writer);
    ours_close(&filled.ours);
}
