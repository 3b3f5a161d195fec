/* port: a queue of answers from the engine's thread to a caller's, with a
 * descriptor that is readable while one waits. */
#ifndef ATE_IO_PORT_H
#define ATE_IO_PORT_H

#include "base/bytes.h"
#include "io/asker.h"

struct err;
struct port;

struct answer {
    uint64_t call;
    bool is_final;
    bool is_asked;    /* a request to a service: `call` is its number */
    bool is_notice;   /* something happened: `call` is 0 */
    struct err *err;  /* NULL: success, or a chunk; owned */
    struct buf value; /* owned */
    struct answer *next;
};

/* `err` (of a code that is not 0) and `value` are copied. */
struct answer *answer_new(uint64_t call, bool is_final, int code,
                          const struct err *err, struct bytes value);
void answer_free(struct answer *answer); /* NULL is harmless */

/* Where answers can be fetched by whoever waits for them, which saves a hop
 * from a thread that else would. From any thread, without a lock of the port's.
 */
struct port_source {
    /* Wait until something came, at most `timeout_ms` (-1: for ever), and push
     * it. False: somebody else fetches, wait for him. */
    bool (*fetch)(struct port_source *source, int timeout_ms);
    /* From now on somebody else has to. Whoever fetches comes back. */
    void (*leave)(struct port_source *source);
    void (*ref)(struct port_source *source);
    void (*unref)(struct port_source *source);
};

/* NULL: no descriptor is left. */
struct port *port_new(void);
/* The caller is done with it: unread answers are dropped, and so are those that
 * calls under way still give. NULL is harmless. */
void port_close(struct port *port);
/* Held by each call under way. Its answers are fetched from `source`; NULL:
 * another thread pushes them. */
void port_ref(struct port *port, struct port_source *source);
void port_unref(struct port *port);

int port_fd(struct port *port);

/* From now on its one caller looks for answers before it sleeps, until there is
 * none. */
void port_gather(struct port *port);

/* Its caller asks for something that `work` begins: what else does it do? Where
 * it gathers, `work` is called when it looks for answers, or closes the port;
 * `ctx` stays until then. */
enum asker port_asks(struct port *port, void (*work)(void *ctx), void *ctx);

/* Takes the answer over. From any thread. */
void port_push(struct port *port, struct answer *answer);
/* The same, but dropped where `most` wait already: nobody asked for it. */
void port_offer(struct port *port, struct answer *answer, size_t most);

/* The next answer, for the caller to free with answer_free(); NULL: none came
 * within `timeout_ms` (0: do not wait, -1: for ever). */
struct answer *port_next(struct port *port, int timeout_ms);
#endif
