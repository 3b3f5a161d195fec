/* complaint: what is wrong with a request that h2o does not take, as a problem
 * (RFC 9457) in place of h2o's own line of text. */
#ifndef FRONTENDS_REST_COMPLAINT_H
#define FRONTENDS_REST_COMPLAINT_H

#include <h2o.h>

struct buffer;

/* Append the body of a problem with this status. */
void complaint_put(int status, const char *why, struct buffer *out);

/* Tell a page of a listed origin that it may read the problem. */
void complaint_tell_origin(h2o_req_t *req, const char *origins);

/* From now on what h2o answers by itself below `path` are problems. `too_large`
 * says what is the most of a body; both stay while the path does. */
void complaint_filter(h2o_pathconf_t *path, const char *too_large,
                      const char *origins);
#endif
