/* server_session: one caller's side in the process that serves a data folder:
 * bytes in, requests of a node; answers, bytes out.
 *
 * It touches no socket and knows no clock: the driver hands it what came, takes
 * what is to be written, and says when. Everything runs on the node's thread.
 *
 * A caller that says what it must not, asks for more than it may, or does not
 * take what it asked for is told why, if it can be told, and is over. Its calls
 * are canceled; a write that has its place is written all the same. */
#ifndef ATE_NET_SERVER_SESSION_H
#define ATE_NET_SERVER_SESSION_H

#include "base/map.h"

struct err;
struct node;
struct server_session;

/* What all sessions of a node share; outlives them. */
struct server_env {
    struct node *node;
    int64_t hello_us; /* these three as limits.h has them, or shorter */
    int64_t stall_us;
    int64_t farewell_us;
    /* There is something to take, or the session is over. Called from within
     * any function of the session or the node; it may not call either. */
    void (*touched)(void *peer);
};

struct server_session *server_session_new(const struct server_env *env,
                                          void *peer,
                                          const uint8_t seed[MAP_SEED_LEN],
                                          int64_t steady_us);

/* The connection is closed. The session frees itself, now or when the last of
 * its calls has ended; nothing but the node may use it any more. */
void server_session_leave(struct server_session *s);

/* Bytes came. Calls are made before this returns, and run at the node's next
 * flush. */
void server_session_input(struct server_session *s, struct bytes in,
                          int64_t steady_us);

/* Take all that is to be written into `out`, which is empty. */
void server_session_output(struct server_session *s, struct buf *out,
                           int64_t steady_us);
/* So much of it was written. True: the node was allowed to give more. */
bool server_session_wrote(struct server_session *s, size_t len,
                          int64_t steady_us);
/* Bytes that server_session_output() would give. */
size_t server_session_waiting(const struct server_session *s);

/* When server_session_tick() is wanted, in steady time; INT64_MAX: never. */
int64_t server_session_deadline(const struct server_session *s);
void server_session_tick(struct server_session *s, int64_t steady_us);

enum server_session_fate {
    SESSION_GOES_ON,
    SESSION_ENDS, /* close it when all was written */
    SESSION_CUT,  /* close it now */
};
enum server_session_fate server_session_fate(const struct server_session *s);

/* From now on calls are refused: the node is about to stop. */
void server_session_stop(struct server_session *s);
/* Say why, as the last word. */
void server_session_end(struct server_session *s, const struct err *why,
                        int64_t steady_us);
#endif
