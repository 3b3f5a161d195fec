/* A million objects of 200 bytes: how long it takes until the first answer when
 * they are opened, and how much memory each takes while they are. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ftw.h>
#include <glob.h>

#include "filled.h"

enum { STEP = 10, FLYING = 64 };

struct filled filled;

static const char *names[3];

static void name_rows(void)
{
    size_t count = keys_count();
    names[0] = text_of("open %zu events from a snapshot", count);
    names[1] = text_of("open %zu events from the log alone", count);
    names[2] = text_of("memory per live object, of %zu", count);
}

size_t keys_count(void)
{
    const char *text = getenv("BENCH_KEYS");
    return text != NULL ? (size_t)atoi(text) : 1000000;
}

static void fill_ours(void)
{
    struct ours *o = &filled.ours;
    ours_serve(o, "tests/bench/keys.lua", 1);
    ours_keys(o, 1);
    double before = ours_memory(o);
    size_t flying = 0;
    for (size_t n = 0; n < keys_count(); n += STEP) {
        char from[24];
        snprintf(from, sizeof(from), "%zu", n);
        const char *texts[] = {"count", "10",      "from", from,
                               "text",  payload(), NULL};
        ours_call(o, 0, "fill", "k0", texts);
        if (++flying == FLYING) {
            ours_await(o, 0);
            flying--;
        }
    }
    while (flying-- > 0)
        ours_await(o, 0);
    filled.ours_bytes = (ours_memory(o) - before) / (double)keys_count();
}

static double fill_peer(struct peer *p)
{
    double before = resident(p->pid);
    p->fill(p, keys_count());
    return (resident(p->pid) - before) / (double)keys_count();
}

void fill_all(void)
{
    if (filled.done)
        return;
    filled.done = true;
    struct peer *p = redis_peer();
    if (p != NULL)
        peer_forget(p);
    p = tarantool_peer();
    if (p != NULL)
        peer_forget(p);
    filled.redis = redis_peer();
    filled.tarantool = tarantool_peer();
    fill_ours();
    if (filled.redis != NULL)
        filled.redis_bytes = fill_peer(filled.redis);
    if (filled.tarantool != NULL)
        filled.tarantool_bytes = fill_peer(filled.tarantool);
}

/* ---- how long until the first answer ---- */

/* From nothing to the first answer, as with peers. */
static void begin_and_read(struct figure *out)
{
    const char *texts[] = {"key", "k0000077", "type", "item", NULL};
    double start = now();
    ours_begin(&filled.ours);
    ours_read(&filled.ours, 0, "get", texts);
    ours_await(&filled.ours, 0);
    out->rate = now() - start;
}

static bool lacks_snapshot; /* in some run: what opened was the log */

static bool has_snapshot(void)
{
    glob_t g = {0};
    bool found =
        glob(text_of("%s/*/*/snapshot", filled.ours.data), 0, NULL, &g) == 0;
    globfree(&g);
    return found;
}

static void from_snapshot(struct racer *self, struct figure *out)
{
    (void)self;
    ours_end(&filled.ours);
    lacks_snapshot |= !has_snapshot();
    begin_and_read(out);
}

static void from_log(struct racer *self, struct figure *out)
{
    (void)self;
    ours_end(&filled.ours);
    ours_forget(&filled.ours, true);
    begin_and_read(out);
}

static void peer_opens(struct racer *self, struct figure *out)
{
    out->rate = peer_restart((struct peer *)(uintptr_t)self->arg);
}

/* ---- what is left to do when there is no mark ---- */

static uint64_t log_bytes;

static int hash_file(const char *path, const struct stat *st, int flag,
                     struct FTW *where)
{
    uint8_t hash[32];
    (void)where;
    size_t len = strlen(path);
    if (flag != FTW_F || st->st_size == 0 || len < 5 ||
        (strcmp(path + len - 5, ".head") != 0 &&
         strcmp(path + len - 5, ".body") != 0))
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = (size_t)st->st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd < 0 || bytes == MAP_FAILED)
        bench_die(path, NULL);
    SHA256(bytes, size, hash);
    munmap(bytes, size);
    close(fd);
    log_bytes += size;
    return 0;
}

/* Each event hashed for its id, each id for its transaction's root, all bytes
 * once, and a signature a batch: what was in flight when it was written. */
static void hash_and_check(struct racer *self, struct figure *out)
{
    uint8_t public_key[32];
    uint8_t secret[64];
    uint8_t signature[64];
    uint8_t message[400] = {1};
    (void)self;
    crypto_sign_keypair(public_key, secret);
    crypto_sign_detached(signature, NULL, message, 32, secret);
    log_bytes = 0;
    double start = now();
    if (nftw(filled.ours.data, hash_file, 16, FTW_PHYS) != 0)
        bench_die(filled.ours.data, NULL);
    for (size_t i = 0; i < keys_count(); i++) {
        SHA256(message, sizeof(message), message);
        SHA256(message, 65, message + 64);
    }
    memset(message, 0, 32);
    message[0] = 1;
    for (size_t i = 0; i < keys_count() / STEP / FLYING; i++)
        if (crypto_sign_verify_detached(signature, message, 32, public_key))
            bench_die("a signature", "does not fit");
    out->rate = now() - start;
}

static void print_opening(struct racer *racers, size_t count)
{
    const struct aim faster = {AT_MOST, 1};
    if (lacks_snapshot)
        bench_missing("%s: so few leave none", names[0]);
    for (size_t i = 3; i < count && !lacks_snapshot; i++)
        row(names[0], "s", &racers[1], &racers[i], RATE, faster);
    row(names[1], "s", &racers[0], &racers[2], RATE, faster);
}

static void print_memory(void)
{
    const struct aim none = {0};
    if (filled.redis != NULL)
        row_of(names[2], "bytes", filled.ours_bytes, "Redis",
               filled.redis_bytes, none);
    if (filled.tarantool != NULL)
        row_of(names[2], "bytes", filled.ours_bytes, "Tarantool",
               filled.tarantool_bytes, none);
}

void opening_rows(void)
{
    struct racer racers[5] = {
        {.name = "ate, log", .run = from_log},
        {.name = "ate, snapshot", .run = from_snapshot},
        {.name = "hashing and checking", .run = hash_and_check},
    };
    size_t count = 3;
    name_rows();
    bool opens = bench_wants(names[0]) || bench_wants(names[1]);
    if (!opens && !bench_wants(names[2]))
        return;
    fill_all();
    print_memory();
    if (!opens)
        return;
    if (filled.redis != NULL)
        racers[count++] = (struct racer){
            .name = "Redis, AOF", .run = peer_opens, .arg = filled.redis};
    if (filled.tarantool != NULL)
        racers[count++] = (struct racer){.name = "Tarantool, snapshot",
                                         .run = peer_opens,
                                         .arg = filled.tarantool};
    race(racers, count);
    print_opening(racers, count);
}
