/* bench: what every group of rows uses.
 *
 * A row is one figure of ate's beside one of a peer's, or of the machine's own,
 * taken in turn in one run: only their ratio means something from one machine
 * to the next. A racer is one of those who are measured; all racers of a group
 * run one after the other, BENCH_RUNS times (5), and a row takes medians.
 *
 *     BENCH=word        only rows whose name has this word
 *     BENCH_RUNS=n      so many runs, 1 to 9
 *     BENCH_MS=n        so long is one run of what is measured by time; 400
 *     BENCH_LARGE=1     what takes minutes, too
 *     BENCH_ROWS=file   gets the rows, one a line, fields between tabs */
#ifndef ATE_BENCH_H
#define ATE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RUNS_MAX = 9 };

/* What one run gave. */
struct figure {
    double rate; /* a second, or what the row's unit says */
    double p50;  /* microseconds, 0: not taken */
    double p99;
};

struct racer {
    const char *name;
    void (*run)(struct racer *self, struct figure *out);
    const void *arg; /* the group's own */
    size_t connections;
    size_t depth; /* in flight on each of them */
    struct figure runs[RUNS_MAX];
};

/* What a row is judged by. */
struct aim {
    enum { NO_AIM, AT_LEAST, AT_MOST } way;
    double ratio;
};

extern const char *bench_folder; /* fresh; removed at the end */

int bench_runs(void);
double bench_seconds(void); /* of a run that is measured by time */
bool bench_large(void);
/* Does BENCH ask for it? A group asks before it starts anything. */
bool bench_wants(const char *name);
/* Say what is not measured, and why: on stderr, and below the table. */
void bench_missing(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* End the program: what failed, and errno or `why`. */
void bench_die(const char *what, const char *why) __attribute__((noreturn));

/* Run all, in turn, as often as asked for. */
void race(struct racer *racers, size_t count);

enum taken { RATE, P50, P99 };
/* Print a row, of medians of two racers. */
void row(const char *name, const char *unit, const struct racer *ours,
         const struct racer *peer, enum taken what, struct aim aim);
/* A row of plain figures; `peer` NULL: there is none. */
void row_of(const char *name, const char *unit, double value, const char *peer,
            double peer_value, struct aim aim);

double rate_of(const struct racer *r); /* the median */
double now(void);                      /* seconds */
/* Ed25519 checks a second of that clock: of one key, each of another message.
 * One that is checked again and again is checked faster, for the processor
 * learns its branches. */
double signature_checks(double (*clock)(void));
double median_of(const double *values, size_t count);
/* Sorts. p50 and p99 of seconds, as microseconds. */
void latencies(double *seconds, size_t count, struct figure *out);
/* A text made of these, kept until the program ends. */
const char *text_of(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The groups, in the order in which they are run. */
void durable_rows(void);
void accept_rows(void);
void opening_rows(void);
void reading_rows(void);
void chains_rows(void);
void growth_rows(void);
void socket_rows(void);

#endif
