/* calls: what the door has asked of the engine, and who waits for it.
 *
 * All of it is on the thread of the door's loop. Answers come through one port,
 * which gathers what is asked in a turn of the loop. */
#ifndef FRONTENDS_REST_CALLS_H
#define FRONTENDS_REST_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct ate;
struct ate_answer;
struct ate_port;
struct ate_request;
struct call;

enum { CALL_BUCKETS = 1024 };

struct calls {
    struct ate *ate;
    struct ate_port *port;
    uv_poll_t poll;
    uv_prepare_t before_sleep;
    uv_idle_t awake; /* while it has more answers than it takes at once */
    struct call *buckets[CALL_BUCKETS];
    uint64_t under_way;
};

/* An answer for `owner`, who keeps none of it. After a FINAL one the call is
 * gone. */
typedef void call_fn(void *owner, const struct ate_answer *answer);

/* False: there is no descriptor left. */
bool calls_open(struct calls *c, struct ate *ate, uv_loop_t *loop);
/* Nobody hears of what is still under way. The poll handle is closed by the
 * loop, which has to turn once more. */
void calls_close(struct calls *c);

/* Start one; `is_call` says of a method, else it is a read. */
struct call *calls_start(struct calls *c, bool is_call,
                         const struct ate_request *request, call_fn *fn,
                         void *owner);
/* Nobody waits any more. A read ends; a write, which could not be undone, goes
 * on. */
void calls_drop(struct calls *c, struct call *call);
/* Let more chunks come. */
void calls_grant(struct calls *c, const struct call *call, uint32_t chunks);
#endif
