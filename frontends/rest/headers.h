/* headers: those of a request that mean something here. One that decides who
 * asks, or whether something is done, is said once and is not empty: which of
 * two was meant nobody knows, and what is empty was a variable not set. */
#ifndef FRONTENDS_REST_HEADERS_H
#define FRONTENDS_REST_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <h2o.h>

struct problem;

/* The value, without the blanks around it, not ended by a zero; or NULL, and
 * *len is 0. Of several lines the first. */
const char *headers_find(const h2o_req_t *req, const char *name, size_t *len);

/* Are there several lines of it? */
bool headers_repeat(const h2o_req_t *req, const char *name);

/* A copy of the value, "" when there is none; several lines are one list. */
char *headers_copy(const h2o_req_t *req, const char *name);

/* Is there a preference of that name (RFC 7240, 2)? `value` gets what it is, ""
 * when it is not said or too long. Of several the first counts. */
bool headers_prefer(const h2o_req_t *req, const char *name, char *value,
                    size_t size);

/* Add one to the answer, by copies. */
void headers_put(h2o_req_t *req, const char *name, const char *value);

/* Is what is said said once, and does each header of ours mean something? */
int headers_check(const h2o_req_t *req, struct problem *problem);

/* Does a web socket begin without those that each message says by itself? */
int headers_check_handshake(const h2o_req_t *req, struct problem *problem);

/* Is the ETag one of a list, or is that "*"? `is_strong`: a weak one is like
 * none (RFC 9110, 8.8.3.2). An `etag` that is "" is none. */
bool headers_have_etag(const char *list, size_t len, const char *etag,
                       bool is_strong);
#endif
