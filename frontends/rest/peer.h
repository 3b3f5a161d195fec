/* peer: a web socket, subprotocol ate.v1.json: calls and subscriptions, many at
 * a time, as sessions with credit (message.h). */
#ifndef FRONTENDS_REST_PEER_H
#define FRONTENDS_REST_PEER_H

#include <stdint.h>

struct door;
struct exchange;
struct peer;

/* Upgrade a request. Its key comes as a header, or as one more subprotocol,
 * "ate.bearer.KEY", for browsers can send no header. */
void peer_begin(struct exchange *x);

/* Signs of life of all; a few times a second: credit that was held back, and
 * who is cut off; the end of all. */
void peers_beat(struct door *d);
void peers_tick(struct door *d);
void peers_end(struct door *d);
/* The end of those that another key than that of this number has let in. */
void peers_judge(struct door *d, uint64_t key);
#endif
