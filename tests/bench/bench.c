/* bench: runs the groups, takes medians, prints and keeps rows (bench.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "ours.h"
#include "peers.h"

const char *bench_folder;
static char missing[8192];
static pid_t owner;

static int number(const char *name, int otherwise, int max)
{
    const char *text = getenv(name);
    int value = text != NULL ? atoi(text) : otherwise;
    return value < 1 ? 1 : value > max ? max : value;
}

int bench_runs(void)
{
    return number("BENCH_RUNS", 5, RUNS_MAX);
}

double bench_seconds(void)
{
    return number("BENCH_MS", 400, 60000) / 1e3;
}

bool bench_large(void)
{
    return getenv("BENCH_LARGE") != NULL;
}

bool bench_wants(const char *name)
{
    const char *word = getenv("BENCH");
    return word == NULL || strstr(name, word) != NULL;
}

void bench_missing(const char *format, ...)
{
    size_t len = strlen(missing);
    va_list args;
    va_start(args, format);
    vsnprintf(missing + len, sizeof(missing) - len, format, args);
    va_end(args);
    fprintf(stderr, "bench: NOT MEASURED: %s\n", missing + len);
    len = strlen(missing);
    snprintf(missing + len, sizeof(missing) - len, "\n");
}

void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what,
            why != NULL ? why : strerror(errno));
    exit(1);
}

const char *text_of(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    return text;
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double signature_checks(double (*clock)(void))
{
    enum { TIMES = 4000 };
    static uint8_t messages[TIMES][32];
    static uint8_t signatures[TIMES][64];
    uint8_t public_key[32];
    uint8_t secret[64];
    crypto_sign_keypair(public_key, secret);
    for (int i = 0; i < TIMES; i++) {
        randombytes_buf(messages[i], 32);
        crypto_sign_detached(signatures[i], NULL, messages[i], 32, secret);
    }
    double start = clock();
    for (int i = 0; i < TIMES; i++)
        if (crypto_sign_verify_detached(signatures[i], messages[i], 32,
                                        public_key))
            bench_die("a signature", "does not fit");
    return TIMES / (clock() - start);
}

double median_of(const double *values, size_t count)
{
    double sorted[RUNS_MAX];
    memcpy(sorted, values, count * sizeof(*values));
    qsort(sorted, count, sizeof(*sorted), by_size);
    return count % 2 ? sorted[count / 2]
                     : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

void latencies(double *seconds, size_t count, struct figure *out)
{
    if (count == 0)
        bench_die("latencies", "nothing was answered");
    qsort(seconds, count, sizeof(*seconds), by_size);
    out->p50 = seconds[count / 2] * 1e6;
    out->p99 = seconds[count * 99 / 100] * 1e6;
}

void race(struct racer *racers, size_t count)
{
    for (int run = 0; run < bench_runs(); run++)
        for (size_t i = 0; i < count; i++)
            racers[i].run(&racers[i], &racers[i].runs[run]);
}

static double taken(const struct racer *r, enum taken what)
{
    double values[RUNS_MAX];
    int runs = bench_runs();
    for (int i = 0; i < runs; i++)
        values[i] = what == RATE  ? r->runs[i].rate
                    : what == P50 ? r->runs[i].p50
                                  : r->runs[i].p99;
    return median_of(values, (size_t)runs);
}

double rate_of(const struct racer *r)
{
    return taken(r, RATE);
}

void row(const char *name, const char *unit, const struct racer *ours,
         const struct racer *peer, enum taken what, struct aim aim)
{
    row_of(name, unit, taken(ours, what), peer != NULL ? peer->name : NULL,
           peer != NULL ? taken(peer, what) : 0, aim);
}

/* The line that BENCH_ROWS gets: name, value, unit, peer, its value, ratio,
 * aim, met. */
static void keep(const char *name, const char *unit, double value,
                 const char *peer, double peer_value, const char *aim, int met)
{
    const char *path = getenv("BENCH_ROWS");
    FILE *rows = path != NULL ? fopen(path, "a") : NULL;
    if (path == NULL)
        return;
    if (rows == NULL)
        bench_die(path, NULL);
    fprintf(rows, "%s\t%.6g\t%s\t%s\t%.6g\t%.4g\t%s\t%s\n", name, value, unit,
            peer != NULL ? peer : "", peer_value,
            peer_value > 0 ? value / peer_value : 0, aim,
            met < 0 ? ""
            : met   ? "true"
                    : "false");
    if (fclose(rows) != 0)
        bench_die(path, NULL);
}

void row_of(const char *name, const char *unit, double value, const char *peer,
            double peer_value, struct aim aim)
{
    char aimed[32] = "";
    int met = -1;
    if (!bench_wants(name))
        return;
    double ratio = peer_value > 0 ? value / peer_value : 0;
    if (aim.way != NO_AIM) {
        met = aim.way == AT_LEAST ? ratio >= aim.ratio : ratio <= aim.ratio;
        snprintf(aimed, sizeof(aimed), "%s %g",
                 aim.way == AT_LEAST ? ">=" : "<=", aim.ratio);
    }
    printf("%-42s %10.4g %-8s", name, value, unit);
    if (peer != NULL)
        printf(" %-36s %10.4g %7.2f  %-8s %s", peer, peer_value, ratio, aimed,
               met < 0 ? ""
               : met   ? "met"
                       : "MISSED");
    printf("\n");
    fflush(stdout);
    keep(name, unit, value, peer, peer_value, aimed, met);
}

static void clean(void)
{
    if (getpid() != owner)
        return;
    peers_stop();
    ours_stop();
    char *const argv[] = {"rm", "-rf", (char *)bench_folder, NULL};
    if (run_and_wait(argv) != 0)
        fprintf(stderr, "bench: %s is left\n", bench_folder);
}

int main(void)
{
    static char folder[] = "/tmp/ate-bench-XXXXXX";
    bench_folder = folder;
    if (sodium_init() < 0 || mkdtemp(folder) == NULL)
        bench_die("start", NULL);
    owner = getpid();
    atexit(clean);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%-42s %10s %-8s %-36s %10s %7s  %s\n", "name", "value", "unit",
           "peer", "its value", "ratio", "aim");
    durable_rows();
    accept_rows();
    opening_rows();
    reading_rows();
    chains_rows();
    growth_rows();
    socket_rows();
    if (*missing != '\0')
        printf("\nNot measured:\n%s", missing);
    return 0;
}
