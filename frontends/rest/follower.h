/* follower: a request that goes on, as an event stream.
 *
 * Of events: each transaction once, in order, its id the index in the log; who
 * comes back with Last-Event-ID gets what follows it, and nothing twice. Of any
 * other read: its answer, and again whenever a transaction has changed it, the
 * id being the index up to which it holds. */
#ifndef FRONTENDS_REST_FOLLOWER_H
#define FRONTENDS_REST_FOLLOWER_H

struct door;
struct exchange;

/* Begin; the exchange has a plan. */
void follower_begin(struct exchange *x);
/* A sign of life, and the end when the door closes. */
void follower_beat(struct exchange *x);
void follower_end(struct exchange *x);
/* End those whose other side has closed. */
void followers_look(struct door *d);
void follower_free(struct exchange *x);
#endif
