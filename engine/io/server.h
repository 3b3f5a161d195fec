/* server: the socket of a data folder on the engine's loop: who connects
 * becomes a session of the node (net/server_session.h).
 *
 * What comes in one turn of the loop reaches the node before it is flushed, and
 * what that makes leaves in one write a caller. All functions run on a thread
 * that has the loop's turn, and one that writes blocks or ignores SIGPIPE. */
#ifndef ATE_IO_SERVER_H
#define ATE_IO_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct err;
struct node;
struct server;

struct server_options {
    uv_loop_t *uv;
    struct node *node;
    const char *folder; /* whose lock the caller holds */
    int fd; /* listens at its socket, and is taken over; -1: make that */
    /* 0: as limits.h has them. */
    uint32_t callers;
    int64_t hello_us;
    int64_t stall_us;
    int64_t farewell_us;
    /* Something reaches the node: when all that came in this turn of the loop
     * is worked off it is to be flushed, and server_flush() to be called. */
    void (*turn)(void *ctx);
    /* Somebody was turned away. */
    void (*refused)(void *ctx, const struct err *why);
    void *ctx;
};

/* Listen. Errors: those of local_socket_listen() and local_socket_adopt(). */
int server_open(struct server **out, const struct server_options *options,
                struct err *err);

/* How many callers may be there at a time, from now on. Nobody is hung up on.
 */
void server_callers(struct server *s, uint32_t most);

/* Write what the node said. True: callers who have room now get more, so flush
 * the node again. */
bool server_flush(struct server *s);

/* Does server_flush() have something to do? */
bool server_is_due(const struct server *s);

/* The node is about to stop: nobody new comes in, no call is taken. */
void server_stop(struct server *s);

/* After the node stopped: give what is left to callers who take it in time,
 * close all, then free the server and call `closed`. */
void server_close(struct server *s, void (*closed)(void *ctx), void *ctx);
#endif
