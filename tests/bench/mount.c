/* mount: `ate mount` beside libfuse's own example that passes everything
 * through (passthrough_ll, from Debian's libfuse3-dev), over a copy of the same
 * files, measured in turn in one run.
 *     mount ATE PASSTHROUGH
 * As root. Cached: the kernel answers. Uncached: it was told to drop names and
 * inodes before each round. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The same within what two runs differ by. */
#define EQUAL 0.95

enum { FILES = 2000, ROUNDS_MAX = 9, WRITES = 200, TRIES = 500 };

static char folder[] = "/tmp/ate-mount-XXXXXX";
static char ours[300], theirs[300]; /* the folder of the objects */
static char ours_write[300], theirs_write[300];
static pid_t children[2];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void clean(void)
{
    char path[400];
    for (int i = 0; i < 2; i++)
        if (children[i] > 0) {
            kill(children[i], SIGTERM);
            waitpid(children[i], NULL, 0);
        }
    snprintf(path, sizeof(path), "%s/theirs", folder);
    umount2(path, MNT_DETACH);
    snprintf(path, sizeof(path), "rm -rf %s", folder);
    if (system(path) != 0)
        fprintf(stderr, "mount: %s is left\n", folder);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void shell(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void shell(const char *format, ...)
{
    char command[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command) != 0) {
        fprintf(stderr, "mount: failed: %s\n", command);
        exit(1);
    }
}

static pid_t spawn(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static void wait_for(const char *path)
{
    struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 0; i < TRIES; i++) {
        if (access(path, F_OK) == 0)
            return;
        nanosleep(&pause, NULL);
    }
    die(path);
}

/* ---- what is measured ---- */

static void drop_caches(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    if (fd < 0 || write(fd, "2", 1) != 1)
        die("drop_caches");
    close(fd);
}

static void file_name(char *path, const char *base, int i)
{
    snprintf(path, 400, "%s/a%d.json", base, i);
}

static double stats(const char *base)
{
    char path[400];
    struct stat st;
    double start = now();
    for (int i = 0; i < FILES; i++) {
        file_name(path, base, i);
        if (stat(path, &st) != 0)
            die(path);
    }
    return FILES / (now() - start);
}

static double reads(const char *base)
{
    char path[400];
    char data[4096];
    double start = now();
    for (int i = 0; i < FILES; i++) {
        file_name(path, base, i);
        int fd = open(path, O_RDONLY);
        if (fd < 0 || read(fd, data, sizeof(data)) <= 0)
            die(path);
        close(fd);
    }
    return FILES / (now() - start);
}

static double lists(const char *base)
{
    enum { TIMES = 20 };
    double start = now();
    for (int i = 0; i < TIMES; i++) {
        size_t count = 0;
        DIR *dir = opendir(base);
        while (dir != NULL && readdir(dir) != NULL)
            count++;
        if (count < FILES)
            die(base);
        closedir(dir);
    }
    return TIMES * FILES / (now() - start);
}

static double uncached_lists(const char *base)
{
    double spent = 0;
    for (int i = 0; i < 5; i++) {
        drop_caches();
        double start = now();
        DIR *dir = opendir(base);
        while (dir != NULL && readdir(dir) != NULL)
            ;
        closedir(dir);
        spent += now() - start;
    }
    return 5 * FILES / spent;
}

static double uncached_stats(const char *base)
{
    drop_caches();
    return stats(base);
}

static double uncached_reads(const char *base)
{
    drop_caches();
    return reads(base);
}

/* A line that is on disk when the write, or the sync after it, returns. */
static double writes(const char *path)
{
    static const char line[] = "to=a1 amount=0.01\n";
    bool syncs = path == theirs_write;
    int fd = open(path, O_WRONLY);
    if (fd < 0)
        die(path);
    double start = now();
    for (int i = 0; i < WRITES; i++) {
        if (write(fd, line, sizeof(line) - 1) != (ssize_t)sizeof(line) - 1 ||
            (syncs && fdatasync(fd) != 0))
            die(path);
    }
    double rate = WRITES / (now() - start);
    close(fd);
    return rate;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* As bench.c prints and keeps it. Aim 0: none. */
static void row(const char *name, double ours_rate, double their_rate,
                double aim)
{
    char aimed[32] = "";
    if (aim > 0)
        snprintf(aimed, sizeof(aimed), ">= %g", aim);
    const char *path = getenv("BENCH_ROWS");
    FILE *rows = path != NULL ? fopen(path, "a") : NULL;
    double ratio = ours_rate / their_rate;
    bool met = ratio >= aim;
    printf("%-42s %10.4g %-8s %-36s %10.4g %7.2f  %-8s %s\n", name, ours_rate,
           "/s", "passthrough_ll", their_rate, ratio, aimed,
           aim == 0 ? "" : (met ? "met" : "MISSED"));
    fflush(stdout);
    if (rows == NULL)
        return;
    fprintf(rows, "%s\t%.6g\t/s\tpassthrough_ll\t%.6g\t%.4g\t%s\t%s\n", name,
            ours_rate, their_rate, ratio, aimed,
            aim == 0 ? "" : (met ? "true" : "false"));
    fclose(rows);
}

static void measure(const char *name, double (*how)(const char *base),
                    const char *our_base, const char *their_base, double aim)
{
    double mine[ROUNDS_MAX];
    double peer[ROUNDS_MAX];
    how(our_base);
    how(their_base);
    const char *runs = getenv("BENCH_RUNS");
    int rounds = runs != NULL ? atoi(runs) : 5;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    for (int i = 0; i < rounds; i++) {
        mine[i] = how(our_base);
        peer[i] = how(their_base);
    }
    qsort(mine, (size_t)rounds, sizeof(*mine), by_size);
    qsort(peer, (size_t)rounds, sizeof(*peer), by_size);
    double a = mine[rounds / 2];
    double b = peer[rounds / 2];
    row(name, a, b, aim);
}

/* ---- setting up ---- */

static void make_files(const char *ate)
{
    char path[400];
    shell("cd %s && %s new bank >/dev/null 2>&1 && ATE_DATA=%s/data %s chain "
          "create bank --schema bank/bank.lua --accept "
          "accept-all,serializer,structured-logic >/dev/null",
          folder, ate, folder, ate);
    snprintf(path, sizeof(path), "%s/calls", folder);
    FILE *calls = fopen(path, "w");
    for (int i = 0; calls != NULL && i < FILES; i++)
        fprintf(calls, "{\"name\":\"a%d\",\"owner\":\"me\"}\n", i);
    if (calls == NULL || fclose(calls) != 0)
        die(path);
    shell("ATE_DATA=%s/data %s call bank account.put --jsonl %s >/dev/null",
          folder, ate, path);
    snprintf(ours, sizeof(ours), "%s/ours/bank/types/account", folder);
    snprintf(theirs, sizeof(theirs), "%s/theirs%s/copy/account", folder,
             folder);
    snprintf(ours_write, sizeof(ours_write),
             "%s/ours/bank/accounts/a0/transfer", folder);
    snprintf(theirs_write, sizeof(theirs_write), "%s/theirs%s/copy/lines",
             folder, folder);
}

static void start_both(char *ate, char *passthrough)
{
    char data[300];
    char mine[300];
    char peer[300];
    snprintf(data, sizeof(data), "%s/data", folder);
    snprintf(mine, sizeof(mine), "%s/ours", folder);
    snprintf(peer, sizeof(peer), "%s/theirs", folder);
    char *first[] = {ate, (char *)"mount", mine, (char *)"--data", data, NULL};
    char *second[] = {passthrough,  (char *)"-f",
                      (char *)"-o", (char *)"cache=always,timeout=86400",
                      peer,         NULL};
    children[0] = spawn(first);
    wait_for(ours);
    shell("mkdir -p %s/copy %s && cp -r %s %s/copy && : >%s/copy/lines", folder,
          peer, ours, folder, folder);
    children[1] = spawn(second);
    wait_for(theirs);
}

int main(int argc, char **argv)
{
    if (argc != 3 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "usage: mount ATE PASSTHROUGH\n");
        return 2;
    }
    atexit(clean);
    make_files(argv[1]);
    start_both(argv[1], argv[2]);
    measure("files: stat, cached", stats, ours, theirs, EQUAL);
    measure("files: read, cached", reads, ours, theirs, EQUAL);
    measure("files: readdir, cached", lists, ours, theirs, EQUAL);
    measure("files: stat, uncached", uncached_stats, ours, theirs, 0.8);
    measure("files: read, uncached", uncached_reads, ours, theirs, 0.8);
    measure("files: readdir, uncached", uncached_lists, ours, theirs, 0.8);
    measure("files: a call; write and sync", writes, ours_write, theirs_write,
            0);
    return 0;
}
