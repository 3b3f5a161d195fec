/* query: a read of an open chain that yields chunks in door form:
 * engine/ate.h has them all, with their arguments.
 *
 * A query makes progress only in query_run() and when a read that it waits for
 * comes back; it stops when its credit is used up. What it has begun to tell is
 * over the durable version as it is then: rows written meanwhile may or may not
 * come. One that follows does not end, but says what changes, as often as it is
 * run after the log has grown. A sum is over one version, however long it
 * takes.
 */
#ifndef ATE_QUERY_H
#define ATE_QUERY_H

#include "chain/chain.h"

struct query;
struct query_line;

enum { QUERIES_MAX = 32 };

/* Is there a query of this name? And: does a chain still answer it that was not
 * read to its end? That is what the chain is, what stands in front of that
 * place, and its files, for who looks for himself. Anything else could be taken
 * for the whole truth. */
bool query_is(struct bytes name);
bool query_is_of_damaged(struct bytes name);
/* Their names, at most QUERIES_MAX; how many. */
size_t query_names(const char **names);

/* One chunk, a canonical value; and the end, with the result (len 0: nil).
 * After `done` the query is gone. Both are called from within query_run() or a
 * completion. */
typedef void query_chunk(void *ctx, struct bytes value);
typedef void query_done(void *ctx, int code, const struct err *err,
                        struct bytes result);

/* `method` names one of them, which is asserted; `args` is a canonical map (len
 * 0: none), copied; `credit` is in chunks. Never fails at once: what is wrong
 * is told by `done`, and the query frees itself behind that. The chain stays
 * open until then. */
struct query *query_start(struct chain *c, struct bytes method,
                          struct bytes args, uint32_t credit,
                          query_chunk *chunk, query_done *done, void *ctx);
/* Before the first run: the identity that methods are run for; zeros: nobody.
 */
void query_set_caller(struct query *q, const uint8_t caller[KEY_ID_SIZE]);
/* The context that they get, canonical map in door form; copied. */
void query_set_context(struct query *q, struct bytes context);
/* Likewise: what takes long goes on in later turns (line.h). Without, all is
 * done at once. */
void query_share_turns(struct query *q, struct query_line *line);
/* Does nothing while it stands in the line, unless it was canceled. */
void query_run(struct query *q);
void query_grant(struct query *q, uint32_t chunks); /* then query_run() it */
/* Ends it at the next query_run(), with CANCELED. */
void query_cancel(struct query *q);
/* It could not go on because a schema was being exchanged: run it again. */
bool query_is_stalled(const struct query *q);
/* It follows: to be run when the log has grown. */
bool query_follows(const struct query *q);
#endif
