/* Memory runs out at the n-th allocation of a chain's life on real files: the
 * process says so and ends (docs/decisions/0002), and a new one finds all that
 * was acknowledged.
 *
 * Each trial is a process of its own, forked from one that has compiled the
 * chain's Lua. Before the birth of the chain, where nothing can be lost, n goes
 * in larger steps than after it; the seed says where it begins. SOAK makes all
 * steps shorter. */
#include "sim/chain_life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/disk.h"
#include "sim/real_folder.h"
#include "sim/rng.h"
#include "sim/seeds.h"

/* ---- memory that runs out ---- */

static atomic_ullong allocations;
static unsigned long long enough_for = UINT64_MAX;

static bool is_enough(void)
{
    return atomic_fetch_add(&allocations, 1) < enough_for;
}

static void *scarce(void *p)
{
    if (is_enough())
        return p;
    free(p);
    return NULL;
}

static void *scarce_pages(void *p, size_t size)
{
    if (is_enough())
        return p;
    munmap(p, size);
    return MAP_FAILED;
}

/* The engine's own, over an allocator that fails: the linker takes these, and
 * leaves those of the library. */
#define malloc(size) scarce(malloc(size))
#define calloc(count, size) scarce(calloc(count, size))
#define realloc(p, size) scarce(realloc(p, size))
#define mmap(at, size, ...) scarce_pages(mmap(at, size, __VA_ARGS__), size)
#include "base/memory.c"
#undef malloc
#undef calloc
#undef realloc
#undef mmap

/* ---- one process ---- */

enum {
    BEFORE_BIRTH = 20, /* so many trials, and so many after it */
    AFTER_BIRTH = 60,
    CALLS_MAX = 100, /* that the child may have made */
    ENOUGH = 5,      /* its exit code when memory did not run out */
};

struct trials {
    struct life life;
    struct real_folder folder;
    char said[180]; /* a file: what the process said */
    unsigned long long done;
    unsigned long long unborn; /* of them, before there was a chain */
    unsigned long long found;  /* transactions, summed up */
};

static void tell_parent(void *ctx, const struct life *life)
{
    ssize_t n = write(*(int *)ctx, life, sizeof(*life));
    if (n != (ssize_t)sizeof(*life))
        _exit(3);
}

/* The child. Never returns. */
static void live_short_of_memory(struct trials *t, unsigned long long n,
                                 int told)
{
    struct rlimit no_core = {0, 0};
    int said = open(t->said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (said < 0 || dup2(said, 2) < 0 || setrlimit(RLIMIT_CORE, &no_core) != 0)
        _exit(4);
    signal(SIGABRT, SIG_DFL); /* cmocka takes it for a failed test */
    atomic_store(&allocations, 0);
    enough_for = n;
    struct real_disk *disk = real_folder_open(&t->folder);
    t->life.told = tell_parent;
    t->life.told_ctx = &told;
    life_run(&t->life, disk_interface(disk), real_folder_pump, disk);
    _exit(ENOUGH);
}

/* What it acknowledged last becomes what the life has to have. */
static void hear(struct trials *t, int told)
{
    struct life heard;
    ssize_t n;
    while ((n = read(told, &heard, sizeof(heard))) == (ssize_t)sizeof(heard)) {
        t->life.born = heard.born;
        t->life.acked = heard.acked;
        t->life.last = heard.last;
        t->life.named = heard.named;
        memcpy(t->life.last_tx, heard.last_tx, sizeof(heard.last_tx));
        memcpy(t->life.id, heard.id, sizeof(heard.id));
    }
    assert_int_equal(n, 0);
}

static void end_of_memory_was_said(struct trials *t, int status,
                                   unsigned long long n)
{
    struct buf said = {0};
    assert_true(fixture_read(t->said, &said));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT ||
        strstr(buf_text(&said), "out of memory; the log is safe") == NULL)
        fail_msg("allocation %llu: status %d: %s", n, status, buf_text(&said));
    buf_deinit(&said);
}

/* False: there was enough. */
static bool run_out_at(struct trials *t, unsigned long long n)
{
    int told[2];
    int status;
    char what[60];
    assert_int_equal(pipe(told), 0);
    life_reset(&t->life);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(told[0]);
        live_short_of_memory(t, n, told[1]);
    }
    close(told[1]);
    hear(t, told[0]);
    close(told[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    bool enough = WIFEXITED(status) && WEXITSTATUS(status) == ENOUGH;
    if (!enough)
        end_of_memory_was_said(t, status, n);
    t->done += !enough;
    t->unborn += !enough && !t->life.born;
    t->found += t->life.acked;
    if (t->life.born) {
        struct real_disk *disk = real_folder_open(&t->folder);
        snprintf(what, sizeof(what), "allocation %llu", n);
        t->life.f.calls += CALLS_MAX;
        life_check(&t->life, disk_interface(disk), real_folder_pump, disk,
                   what);
        disk_close(disk);
    }
    real_folder_empty(&t->folder);
    return !enough;
}

static void note_birth(void *ctx, const struct life *life)
{
    unsigned long long *birth = ctx;
    if (life->acked == 1)
        *birth = atomic_load(&allocations);
}

/* How many allocations a life takes until the chain is acknowledged, once its
 * Lua is compiled. */
static unsigned long long find_birth(struct trials *t)
{
    unsigned long long birth = 0;
    for (int i = 0; i < 2; i++) {
        struct real_disk *disk = real_folder_open(&t->folder);
        atomic_store(&allocations, 0);
        t->life.told = note_birth;
        t->life.told_ctx = &birth;
        life_reset(&t->life);
        life_run(&t->life, disk_interface(disk), real_folder_pump, disk);
        if (t->life.refused > 0)
            fail_msg("a good disk: %s", t->life.why);
        disk_close(disk);
        real_folder_empty(&t->folder);
    }
    return birth;
}

static void run_out_everywhere(struct trials *t, struct rng *rng)
{
    unsigned long long birth = find_birth(t);
    unsigned long long all = atomic_load(&allocations);
    unsigned long long step = 1 + birth / seeds_times(BEFORE_BIRTH);
    unsigned long long later = 1 + (all - birth) / seeds_times(AFTER_BIRTH);
    unsigned long long n = rng_below(rng, step);
    while (run_out_at(t, n))
        n += n + step < birth ? step : later;
    print_message("ran out %llu times in %llu allocations, %llu times before "
                  "there was a chain; %llu transactions found again\n",
                  t->done, n, t->unborn, t->found);
    assert_true(n > birth && t->done >= BEFORE_BIRTH);
    assert_true(t->done - t->unborn > AFTER_BIRTH / 2 &&
                t->found > AFTER_BIRTH);
}

static void what_was_acknowledged_outlives_the_memory(void **state)
{
    struct trials *t = mem_zero(1, sizeof(*t));
    struct rng rng = {seeds_first()};
    (void)state;
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)rng.state);
    real_folder_make(&t->folder);
    snprintf(t->said, sizeof(t->said), "%s/said", t->folder.root);
    life_init(&t->life);
    run_out_everywhere(t, &rng);
    life_deinit(&t->life);
    real_folder_remove(&t->folder);
    mem_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_outlives_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
