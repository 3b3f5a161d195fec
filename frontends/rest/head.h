/* head: the lines of a request's head, and what RFC 9112 wants of them that the
 * HTTP library lets pass. It knows no socket. */
#ifndef FRONTENDS_REST_HEAD_H
#define FRONTENDS_REST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct problem;

/* Walks over the header lines; what it gives points into the bytes. */
struct head {
    const char *at;
    const char *end;
    bool is_whole; /* the empty line behind them was met */
    const char *name;
    size_t name_len;
    const char *value; /* without the blanks around it */
    size_t value_len;
};

/* `bytes` begin with a request, whose head need not have come whole. */
void head_begin(struct head *h, const char *bytes, size_t size);
/* The next header line. False: there is none, see `is_whole`. */
bool head_next(struct head *h);
bool head_is(const struct head *h, const char *name);

/* One line of Host, whose value is one (RFC 9112, 3.2). HTTP/1.0 may have none:
 * `has_to`. */
int head_check_host(const char *bytes, size_t size, bool has_to,
                    struct problem *problem);

/* One line at most says where the body ends: of several Content-Lengths, equal
 * ones too, or beside Transfer-Encoding, another in front may have taken
 * another (RFC 9112, 6.3). Nor does any line go on in the next (5.2), where
 * another may see one that is not seen here. */
int head_check_body(const char *bytes, size_t size, struct problem *problem);

/* What stands before the path where a target is absolute (RFC 9112, 3.2.2):
 * the length of "http://host:80"; 0: it is not. */
size_t head_origin(const char *target, size_t len);
#endif
