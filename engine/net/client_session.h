/* client_session: a caller's side of a connection to the process that serves a
 * data folder: requests in, bytes out; bytes in, answers.
 *
 * It touches no socket and knows no clock. Requests are those of a node
 * (node/node.h), with the same contract: each gets its `final`, always. `chunk`
 * and `final` are called from within any function here; they may not call
 * back. Nothing locks.
 *
 * Calls that the daemon has no room for wait here. A connection that ends takes
 * the calls with it: each is told, and whether a write was done is not known.
 * Then the next connection may begin. */
#ifndef ATE_NET_CLIENT_SESSION_H
#define ATE_NET_CLIENT_SESSION_H

#include "base/map.h"
#include "node/node.h"

struct client_session;

struct client_session *client_session_new(bool read_only,
                                          const uint8_t seed[MAP_SEED_LEN]);
void client_session_free(struct client_session *s); /* no calls; NULL is fine */

/* A connection is there: HELLO goes out. */
void client_session_begin(struct client_session *s);
/* The daemon has said HELLO, too. */
bool client_session_is_ready(const struct client_session *s);

/* Bytes came. A negative code: the connection is of no more use, as `err` says;
 * close it, then client_session_lost(). */
int client_session_input(struct client_session *s, struct bytes in,
                         int64_t steady_us, struct err *err);

/* What waits to be written, until the next function that is called here; and so
 * much of it was written. */
struct bytes client_session_output(const struct client_session *s);
void client_session_wrote(struct client_session *s, size_t len);

/* The connection ended, or none could be made. */
void client_session_lost(struct client_session *s, const struct err *why);

/* `number` is unique, from 1 on. Without a connection calls wait for one. */
void client_session_ask(struct client_session *s, struct node_request *request,
                        uint64_t number, int64_t steady_us);
/* Those that have ended are none. */
void client_session_grant(struct client_session *s, uint64_t number,
                          uint32_t chunks);
void client_session_cancel(struct client_session *s, uint64_t number);
void client_session_cancel_reads(struct client_session *s);
/* Calls that have no final answer yet. */
size_t client_session_calls(const struct client_session *s);

/* When client_session_tick() is wanted; INT64_MAX: never. It ends calls whose
 * deadline has passed, should the daemon not do it. */
int64_t client_session_deadline(const struct client_session *s);
void client_session_tick(struct client_session *s, int64_t steady_us);
#endif
