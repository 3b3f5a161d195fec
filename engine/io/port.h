/* port: a queue of answers from the engine's thread to a caller's, with a
 * descriptor that is readable while one waits. */
#ifndef ATE_IO_PORT_H
#define ATE_IO_PORT_H

#include "base/bytes.h"

struct err;
struct port;

struct answer {
    uint64_t call;
    bool is_final;
    struct err *err;  /* NULL: success, or a chunk; owned */
    struct buf value; /* owned */
    struct answer *next;
};

struct answer *answer_new(uint64_t call, bool is_final, int code,
                          const struct err *err, struct bytes value);
void answer_free(struct answer *answer); /* NULL is harmless */

/* NULL: no descriptor is left. */
struct port *port_new(void);
/* The caller is done with it: unread answers are dropped, and so are those that
 * calls under way still give. NULL is harmless. */
void port_close(struct port *port);
/* Held by each call under way. */
void port_ref(struct port *port);
void port_unref(struct port *port);

int port_fd(const struct port *port);

/* Takes the answer over. From any thread. */
void port_push(struct port *port, struct answer *answer);

/* The next answer, now the caller's; NULL: none came within `timeout_ms` (0: do
 * not wait, -1: for ever). */
struct answer *port_next(struct port *port, int timeout_ms);
#endif
