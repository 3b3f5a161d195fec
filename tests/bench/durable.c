/* Durable calls with 200 bytes each, through the local socket: how many a
 * second, and how long one takes, for so many concurrent callers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ours.h"
#include "peers.h"

enum { RECORD = 700, GROUP_MAX = 1024, CORES = 2, RACERS_MAX = 12 };

static struct ours served;

/* ---- ate ---- */

static uint64_t write_note(struct ours *o, size_t n, const char *as)
{
    const char *texts[] = {"account", "alice", "text", payload(), NULL};
    return ours_call(o, n, "note.append", as, texts);
}

/* (a) Each caller signs by a key of its own. */
static uint64_t by_authors(struct ours *o, size_t n, size_t slot)
{
    char name[24];
    snprintf(name, sizeof(name), "k%zu", (n * 8 + slot) % AUTHORS);
    return write_note(o, n, name);
}

/* (b) The calls of a connection are one author's, and signed as batches. */
static uint64_t by_connections(struct ours *o, size_t n, size_t slot)
{
    char name[24];
    (void)slot;
    snprintf(name, sizeof(name), "k%zu", n);
    return write_note(o, n, name);
}

static const struct ours_race authors = {&served, by_authors};
static const struct ours_race batches = {&served, by_connections};

/* ---- the machine's limits ---- */

/* Append as many bytes and sync, in groups of all that are in flight. */
static void raw_syncs(struct racer *self, struct figure *out)
{
    static uint8_t bytes[RECORD * GROUP_MAX];
    enum { TIMES_MAX = 1 << 16 };
    static double took[TIMES_MAX];
    const char *path = text_of("%s/raw", bench_folder);
    size_t group = self->connections * self->depth;
    size_t done = 0;
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    double start = now();
    double until = start + bench_seconds();
    for (double t = start; t < until && done < TIMES_MAX; done++) {
        if (write(fd, bytes, RECORD * group) < 0 || fdatasync(fd) != 0)
            bench_die(path, NULL);
        double end = now();
        took[done] = end - t;
        t = end;
    }
    out->rate = (double)(done * group) / (now() - start);
    latencies(took, done, out);
    close(fd);
    unlink(path);
}

static void *sign_and_check(void *done)
{
    uint8_t public_key[32];
    uint8_t secret[64];
    uint8_t signature[64];
    uint8_t message[32] = {1};
    crypto_sign_keypair(public_key, secret);
    double until = now() + bench_seconds();
    for (; now() < until; ++*(size_t *)done) {
        memcpy(message, done, sizeof(size_t)); /* another each time */
        crypto_sign_detached(signature, NULL, message, 32, secret);
        if (crypto_sign_verify_detached(signature, message, 32, public_key))
            bench_die("a signature", "does not fit");
    }
    return NULL;
}

/* What signing and checking each call would allow, on two cores. */
static void raw_signatures(struct racer *self, struct figure *out)
{
    pthread_t threads[CORES];
    size_t done[CORES] = {0};
    (void)self;
    double start = now();
    for (int i = 0; i < CORES; i++)
        pthread_create(&threads[i], NULL, sign_and_check, &done[i]);
    for (int i = 0; i < CORES; i++)
        pthread_join(threads[i], NULL);
    out->rate = (double)(done[0] + done[1]) / (now() - start);
}

/* ---- SQLite, in process: each caller a thread with a connection ---- */

static const char *sqlite_path;

static void sql(sqlite3 *db, const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
        bench_die("SQLite", error);
}

static sqlite3 *open_sqlite(void)
{
    sqlite3 *db;
    if (sqlite3_open(sqlite_path, &db) != SQLITE_OK)
        bench_die("SQLite", sqlite3_errmsg(db));
    sqlite3_busy_timeout(db, 20000);
    sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    return db;
}

static void make_sqlite(void)
{
    sqlite_path = text_of("%s/sqlite.db", bench_folder);
    sqlite3 *db = open_sqlite();
    sql(db, "CREATE TABLE account (name TEXT PRIMARY KEY);"
            "INSERT INTO account VALUES ('alice');"
            "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);");
    sqlite3_close(db);
}

struct writer {
    pthread_t thread;
    size_t depth; /* of a transaction */
    double until;
    double *took;
    size_t done, transactions;
};

enum { WRITER_TIMES = 1 << 14 };

static void *sqlite_writer(void *arg)
{
    struct writer *w = arg;
    sqlite3_stmt *note;
    sqlite3 *db = open_sqlite();
    sqlite3_prepare_v2(db,
                       "INSERT INTO note (text) SELECT ?1 FROM account WHERE"
                       " name = 'alice' AND length(?1) <= 400",
                       -1, &note, NULL);
    while (now() < w->until && w->transactions < WRITER_TIMES) {
        double start = now();
        sql(db, "BEGIN IMMEDIATE");
        for (size_t i = 0; i < w->depth; i++, w->done++) {
            sqlite3_bind_text(note, 1, payload(), PAYLOAD, SQLITE_STATIC);
            if (sqlite3_step(note) != SQLITE_DONE)
                bench_die("SQLite", sqlite3_errmsg(db));
            sqlite3_reset(note);
        }
        sql(db, "COMMIT");
        w->took[w->transactions++] = now() - start;
    }
    sqlite3_finalize(note);
    sqlite3_close(db);
    return NULL;
}

static void sqlite_race(struct racer *self, struct figure *out)
{
    static struct writer writers[128];
    static double took[128 * WRITER_TIMES];
    size_t done = 0;
    size_t times = 0;
    double start = now();
    for (size_t i = 0; i < self->connections; i++) {
        writers[i] = (struct writer){
            .depth = self->depth,
            .until = start + bench_seconds(),
            .took = malloc(WRITER_TIMES * sizeof(double)),
        };
        pthread_create(&writers[i].thread, NULL, sqlite_writer, &writers[i]);
    }
    for (size_t i = 0; i < self->connections; i++) {
        pthread_join(writers[i].thread, NULL);
        done += writers[i].done;
        memcpy(took + times, writers[i].took,
               writers[i].transactions * sizeof(*took));
        times += writers[i].transactions;
        free(writers[i].took);
    }
    out->rate = (double)done / (now() - start);
    latencies(took, times, out);
}

/* ---- the rows ---- */

static size_t add_peer(struct racer *racers, size_t count, struct peer *peer)
{
    if (peer == NULL)
        return count;
    racers[count] = (struct racer){
        .name = peer->name, .run = client_race, .arg = &peer->write};
    return count + 1;
}

/* Ours come first, as those of one connection and of many. */
static size_t line_up(struct racer *racers)
{
    size_t count = 0;
    racers[count++] =
        (struct racer){.name = "(a)", .run = ours_run, .arg = &authors};
    racers[count++] =
        (struct racer){.name = "(b)", .run = ours_run, .arg = &batches};
    racers[count++] = (struct racer){.name = "sign and check, both cores",
                                     .run = raw_signatures};
    racers[count++] =
        (struct racer){.name = "append, one sync a group", .run = raw_syncs};
    count = add_peer(racers, count, redis_peer());
    count = add_peer(racers, count, tarantool_peer());
    count = add_peer(racers, count, etcd_peer());
    count = add_peer(racers, count, postgres_peer());
    racers[count++] = (struct racer){.name = "SQLite WAL FULL, in process",
                                     .run = sqlite_race};
    return count;
}

struct shape {
    const char *name;
    size_t connections, depth;
};

/* Callers are connections at peers; ate has them share one, which carries any
 * number of calls, unless the shape says how many are in flight on each. */
static void set_shape(struct racer *racers, size_t count, const struct shape *s)
{
    for (size_t i = 0; i < count; i++) {
        bool ours = racers[i].run == ours_run && s->depth == 1;
        racers[i].connections = ours ? 1 : s->connections;
        racers[i].depth = ours ? s->connections : s->depth;
    }
}

static void print_shape(struct racer *r, size_t count, const struct shape *s)
{
    const struct aim none = {0};
    const struct aim ahead = {AT_LEAST, 1};
    bool many = s->connections > 1;
    row(text_of("durable (a) own signatures, %s", s->name), "/s", &r[0], &r[2],
        RATE, many ? (struct aim){AT_LEAST, 0.8} : none);
    for (size_t i = 3; i < count; i++)
        row(text_of("durable (b) batches, %s", s->name), "/s", &r[1], &r[i],
            RATE, many && i > 3 ? ahead : none);
    row(text_of("durable (a) p50, %s", s->name), "us", &r[0], &r[3], P50,
        many ? none : (struct aim){AT_MOST, 1.3});
    for (size_t i = 3; i < count; i++)
        row(text_of("durable (b) p50, %s", s->name), "us", &r[1], &r[i], P50,
            none);
    for (size_t i = 3; i < count; i++)
        row(text_of("durable (b) p99, %s", s->name), "us", &r[1], &r[i], P99,
            none);
    row(text_of("durable (a) p99, %s", s->name), "us", &r[0], &r[3], P99, none);
}

static const struct shape shapes[] = {
    {"1 caller", 1, 1},
    {"16 callers", 16, 1},
    {"128 callers", 128, 1},
    {"16 x 64", 16, 64},
};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

static bool wants_shape(const struct shape *s)
{
    const char *n = s->name;
    return bench_wants(text_of("durable (a) own signatures, %s; durable (b) "
                               "batches, %s; durable (a) p50, %s; durable (b) "
                               "p50, %s; durable (a) p99, %s; durable (b) p99, "
                               "%s",
                               n, n, n, n, n, n));
}

static bool wants_any(void)
{
    for (int i = 0; i < SHAPES; i++)
        if (wants_shape(&shapes[i]))
            return true;
    return false;
}

void durable_rows(void)
{
    static struct racer racers[RACERS_MAX];
    if (!wants_any())
        return;
    ours_serve(&served, "tests/bench/notes.lua", CONNECTIONS);
    ours_keys(&served, AUTHORS);
    const char *alice[] = {"name", "alice", "text", payload(), NULL};
    ours_call(&served, 0, "account.put", "k0", alice);
    ours_await(&served, 0);
    make_sqlite();
    size_t count = line_up(racers);
    for (int i = 0; i < SHAPES; i++) {
        if (!wants_shape(&shapes[i]))
            continue;
        set_shape(racers, count, &shapes[i]);
        race(racers, count);
        print_shape(racers, count, &shapes[i]);
    }
    ours_close(&served);
}
