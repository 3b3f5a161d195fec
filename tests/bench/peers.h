/* peers: what a user would pick instead, as Debian has it, started here in
 * fresh folders on Unix sockets or free ports of the loopback, and ended by
 * pid.
 *
 * Each is started once, by the first group that wants it, and asks for
 * durability before it answers. NULL: it is not installed; bench_missing() has
 * said so. */
#ifndef ATE_BENCH_PEERS_H
#define ATE_BENCH_PEERS_H

#include <sys/types.h>

#include "client.h"

enum { PAYLOAD = 200 }; /* bytes of what is written */

struct peer {
    const char *name; /* with its version and settings */
    pid_t pid;
    const char *folder;
    void (*start)(struct peer *p); /* over what is in its folder */
    struct wire write; /* a checked, durable write of PAYLOAD bytes */
    struct wire read;  /* one object by its key; connect NULL: none */
    /* Make so many keys with PAYLOAD bytes; NULL: it cannot. */
    void (*fill)(struct peer *p, size_t count);
    /* In its own Lua: so many lookups, and ranges of 100, of so many keys. */
    struct wire (*many)(struct peer *p, bool ranges, size_t count, size_t of);
};

struct peer *redis_peer(void);
struct peer *tarantool_peer(void);
struct peer *etcd_peer(void);
struct peer *postgres_peer(void);
/* End it, and start it with what it has on disk. Seconds until it answers from
 * then on. */
double peer_restart(struct peer *p);
/* End it, and have it started anew, with nothing, by who wants it next. */
void peer_forget(struct peer *p);
/* End all that were started. */
void peers_stop(void);

/* ---- for those that start peers ---- */

/* Run a program until it ends: its exit code. */
int run_and_wait(char *const argv[]);
/* Wait for a child: its exit code. */
int wait_for(pid_t pid);
/* Start a program in a folder; its output goes to `log` in there. It ends with
 * this one, whatever happens. */
pid_t spawn_in(const char *folder, char *const argv[]);
/* SIGTERM, and wait; KILL after a minute. */
void end_child(pid_t pid);
/* Bytes that a process has in memory. */
double resident(pid_t pid);
/* A fresh folder that the one who runs peers owns. */
char *fresh_folder(const char *name);
/* A port that nobody has right now. */
int free_port(void);
/* Wait until `w` connects, at most 60 seconds, or `pid` has ended: then the
 * program ends. */
void wait_until_up(const char *name, pid_t pid, int (*is_up)(const void *where),
                   const void *where);
/* A program on PATH or in /usr/sbin, /usr/lib/postgresql; NULL: not installed.
 */
const char *program(const char *name);
/* PAYLOAD bytes of text; kept. */
const char *payload(void);

/* Peers whose protocols are here (peer_wires.c). */
size_t line_answer(const uint8_t *data, size_t len);     /* Redis */
size_t http_answer(const uint8_t *data, size_t len);     /* etcd */
size_t iproto_answer(const uint8_t *data, size_t len);   /* Tarantool */
size_t postgres_answer(const uint8_t *data, size_t len); /* PostgreSQL */
/* A message of Tarantool: call `function` with one text; freed by the caller.
 */
uint8_t *iproto_call(const char *function, const char *arg, size_t *len);

#endif
