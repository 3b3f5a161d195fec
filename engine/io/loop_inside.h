/* loop_inside: the loop's own struct, shared by the files that make it up
 * (loop.c, loop_asks.c, loop_open.c) and by nobody else. */
#ifndef ATE_IO_LOOP_INSIDE_H
#define ATE_IO_LOOP_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "acceptance/logic.h"
#include "base/map.h"
#include "io/loop.h"
#include "io/turns.h"
#include "io/watchdog.h"
#include "io/workers.h"
#include "sandbox/watch.h"

enum message_kind {
    MESSAGE_ASK,
    MESSAGE_CANCEL,
    MESSAGE_GRANT,
    MESSAGE_LISTEN,
    MESSAGE_CALLERS,
    MESSAGE_SERVE,
    MESSAGE_REPLY,
    MESSAGE_WATCH,
};

/* A service, or what one answered. */
struct serving {
    char *name;
    struct port *port; /* WATCH; SERVE: one of these two */
    struct http *http;
    int code; /* REPLY */
    struct err err;
    struct buf answer;
};

/* Somebody waits for it. */
struct listening {
    int fd;           /* LISTEN: or -1 */
    uint32_t callers; /* CALLERS: how many */
    bool done;        /* under the mutex */
    struct err err;
};

struct message {
    enum message_kind kind;
    uint64_t number;
    uint32_t chunks;
    struct loop_request *request; /* ASK */
    struct listening *listening;  /* LISTEN, CALLERS */
    struct serving *serving;      /* SERVE, REPLY, WATCH */
};

struct inbox {
    struct message *messages;
    size_t count;
    size_t cap;
};

struct loop {
    struct loop_options options;
    char *path; /* absolute; NULL: memory */
    struct real_disk *disk;
    struct memory_disk *memory;
    struct node *node;
    struct script_cache *scripts;
    struct watch watch; /* over all Lua of the node */
    struct watchdog watchdog;
    struct logic_maker logic;
    struct map requests;  /* number to request */
    struct inbox working; /* what a step took from the inbox */

    pthread_t thread;
    struct turns turns;
    bool runs;            /* steps may be taken */
    uint64_t sleeps_till; /* its thread, in ms of the loop's clock; 0: it does
                             not sleep */
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t timer;
    uv_check_t turn_end;
    uv_idle_t no_wait;
    struct workers workers;
    struct service_hub *hub;
    struct port *watcher;  /* is told what happens; or NULL */
    struct server *server; /* NULL: nobody can connect */
    uint32_t callers;      /* how many may; 0: as limits.h has it */
    bool in_turn;
    bool stopping;
    bool stopped;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t told;   /* that it started, or listens */
    bool has_started;
    struct err start_err;
    struct inbox inbox;
    bool is_told; /* somebody comes for it */
    bool closing;

    _Atomic int64_t clock_ms; /* set by hand */
};

/* loop.c */

/* Have the loop's thread take a step. `ctx` is the loop. From any thread. */
void loop_wake(void *ctx);
/* loop.c, invariant (4): something came, a step follows. `ctx` is the loop. */
void loop_begin_turn(void *ctx);
/* Take a step on this thread, which is not the loop's and writes to no socket:
 * it might get SIGPIPE. False: somebody else is at one, or has to be. */
bool loop_step_here(struct loop *loop);
/* A job is finished; called by a thread of the disk, or by who is at a step. */
void loop_job_finished(void *ctx);
void loop_init_handles(struct loop *loop);
void loop_close_handles(void *ctx);
void *loop_thread(void *ctx);

/* loop_asks.c */

/* Work off the inbox. True: the caller wants to close, and nothing came before
 * that. */
bool loop_take_messages(struct loop *loop);
void loop_watch_by(struct loop *loop, struct port *port);
#endif
