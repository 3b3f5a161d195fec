/* ours: ate as its users have it: `ate serve` in a process of its own, or a
 * folder that is open in this one, both through ate.h. */
#ifndef ATE_BENCH_OURS_H
#define ATE_BENCH_OURS_H

#include "ate.h"
#include "bench.h"

enum { CONNECTIONS = 16, AUTHORS = 128 };

/* A folder and those who are connected to it. */
struct ours {
    struct ate *ate[CONNECTIONS];
    struct ate_port *ports[CONNECTIONS];
    char *data;    /* NULL: in memory */
    bool is_guest; /* the daemon is another's */
};

/* `ate serve` over a fresh folder with the chain "bench", whose schema is in
 * `schema` (a file); so many connections. */
void ours_serve(struct ours *o, const char *schema, size_t connections);
/* One more connection to what another serves. */
void ours_connect(struct ours *o, const struct ours *to);
/* The same folder, made and opened in this process; `memory`: no folder. */
void ours_open(struct ours *o, const char *schema, bool memory);
/* Close connections, or what is open; daemons are ended. Safe twice. */
void ours_close(struct ours *o);
/* Take away what lets the chain open fast, all or but the mark of what was
 * verified. Nobody has it open. */
void ours_forget(struct ours *o, bool mark_too);
/* Bytes that the process which serves it has in memory. */
double ours_memory(const struct ours *o);
/* End the one who serves; start another, and connect once. */
void ours_end(struct ours *o);
void ours_begin(struct ours *o);
/* End the daemons that are left. */
void ours_stop(void);

/* Key "k0", "k1", ...: make so many. */
void ours_keys(struct ours *o, size_t count);
/* Start a call on connection n. Names and texts in turn, sorted by name, ended
 * by NULL. Returns its number. */
uint64_t ours_call(struct ours *o, size_t n, const char *method, const char *as,
                   const char *const *texts);
uint64_t ours_read(struct ours *o, size_t n, const char *method,
                   const char *const *texts);
/* A method of the schema that reads, with these arguments. */
uint64_t ours_ask(struct ours *o, size_t n, const char *method,
                  const char *const *texts);
/* Wait for the end of one call on connection n; ends the program when it
 * failed. */
void ours_await(struct ours *o, size_t n);
/* A chain of this name, by `schema`, that accepts strangers. */
void ours_chain(struct ours *o, const char *name, const char *schema);

void ours_chain_begin(struct ours *o, const char *name, const char *schema);
/* As ours_call() by "me", and a read of what there is, of another chain. */
uint64_t ours_call_of(struct ours *o, size_t n, const char *chain,
                      const char *method, const char *const *texts);
uint64_t ours_info_of(struct ours *o, size_t n, const char *chain);

/* Transactions in the log of "bench". */
size_t ours_size(struct ours *o);

/* What is asked over and over: `slot` says which of those in flight. */
typedef uint64_t ours_asker(struct ours *o, size_t connection, size_t slot);

struct ours_race {
    struct ours *ours;
    ours_asker *ask;
};
/* A racer whose `arg` is a struct ours_race: runs for bench_seconds(). */
void ours_run(struct racer *self, struct figure *out);

#endif
