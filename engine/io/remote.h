/* remote: a data folder that another process serves, reached by its socket.
 *
 * Callers write to the socket themselves, and read it while they wait at a port
 * (port_ref()); where they do not, a thread does. It keeps deadlines, too. When
 * the connection ends, the calls under way fail with UNAVAILABLE; the next call
 * makes a new one, or fails, too.
 *
 * Everything but opening and closing may be called from any thread. `chunk` and
 * `final` of a request are called with the remote locked: they may not call it.
 */
#ifndef ATE_IO_REMOTE_H
#define ATE_IO_REMOTE_H

#include "node/node.h"

struct port_source;
struct remote;

struct remote_options {
    const char *path; /* of the folder */
    bool read_only;
    uint32_t wait_ms; /* for the daemon, until it said HELLO; 0: limits.h */
};

/* Connect. Errors: NOT_FOUND (nobody serves it, or the socket is not ours to
 * open), DENIED (the daemon does not let us in), UNAVAILABLE (no answer in
 * time, or it takes nobody), CANCELED (no answer within a `wait_ms` that was
 * given), INVALID (it speaks another way), IO. */
int remote_open(struct remote **out, const struct remote_options *options,
                struct err *err);

/* Wait for calls under way, cancel reads, end the thread. NULL is harmless. */
void remote_close(struct remote *r);

/* As of a node (node/node.h), by a number that is unique, from 1 on. */
void remote_ask(struct remote *r, struct node_request *request,
                uint64_t number);
/* For the ports that answers are pushed to. */
struct port_source *remote_source(struct remote *r);
void remote_cancel(struct remote *r, uint64_t number);
void remote_grant(struct remote *r, uint64_t number, uint32_t chunks);
#endif
