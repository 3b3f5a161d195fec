/* loop: the engine's thread: a node, its disk, its clocks, and a queue by which
 * other threads reach it. */
#ifndef ATE_IO_LOOP_H
#define ATE_IO_LOOP_H

#include "io/asker.h"
#include "node/node.h"

struct loop;

struct loop_options {
    const char *path; /* NULL: everything in memory, a clock set by hand */
    bool read_only;
    bool create; /* make the folder; not with read_only */
    bool folder; /* `path` is one chain's; implies read_only */
};

/* Open the folder and what it says, and start the thread. Errors: those of
 * disk_open() and node_start(). */
int loop_open(struct loop **out, const struct loop_options *options,
              struct err *err);

/* Wait for calls under way, cancel reads, write watermarks, end the thread.
 * NULL is harmless. */
void loop_close(struct loop *loop);

/* Memory only. Errors: INVALID (real, or backward). */
int loop_set_clock(struct loop *loop, int64_t wall_ms, struct err *err);

/* Serve the folder's socket until the loop is closed; twice is harmless. By the
 * descriptor `fd`, which is taken over whatever comes of it; -1: make one.
 * Waits until callers can connect. From any thread. Errors: INVALID (no folder,
 * or one that is open for reading only), those of server_open(), CANCELED (the
 * loop is being closed). */
int loop_listen(struct loop *loop, int fd, struct err *err);

/* How many may be connected at a time, from the return of this on. From any
 * thread. */
void loop_callers(struct loop *loop, uint32_t most);

/* As node_generation(); 0: another process may write. From any thread. */
uint64_t loop_generation(const struct loop *loop);
uint64_t loop_schema_generation(const struct loop *loop);

struct http;
struct port;
struct service_reply;

/* From now on tell the port what happens (node_env.happened). Its reference is
 * taken over. From any thread. */
void loop_watch(struct loop *loop, struct port *port);

/* Services of this process's workers (io/services.h). From any thread, in order
 * with requests. The port's reference and `http` are taken over, unless it
 * fails; the reply is copied. Errors: INVALID (it is open for reading only). */
int loop_provide(struct loop *loop, const char *name, struct port *port,
                 struct err *err);
int loop_serve_http(struct loop *loop, struct http *http, struct err *err);
void loop_reply(struct loop *loop, uint64_t number,
                const struct service_reply *reply);

/* A request on its way through the thread. Whoever starts it fills `request`
 * (its `final` frees this struct) and `number`, by which it is then known. */
struct loop_request {
    struct node_request request; /* first, so that one pointer is the other */
    uint64_t number;             /* unique within the loop */
};

/* From any thread. `chunk` and `final` are called on the engine's thread. */
void loop_ask(struct loop *loop, struct loop_request *request,
              enum asker asker);
/* Begin what was asked: on this thread, or have the loop's do it. `ctx` is the
 * loop. From any thread. */
void loop_work(void *ctx);

/* By number; those that have ended are none. From any thread. */
void loop_cancel(struct loop *loop, uint64_t number);
void loop_grant(struct loop *loop, uint64_t number, uint32_t chunks);

/* To be called by `final`, before it frees the request. */
void loop_forget(struct loop *loop, const struct loop_request *request);
#endif
