/* range: which bytes of a file a request wants (RFC 9110, section 14). */
#ifndef FRONTENDS_REST_RANGE_H
#define FRONTENDS_REST_RANGE_H

#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t offset;
    uint64_t length;
};

enum range_is {
    RANGE_WHOLE,  /* no range, or one that is passed over: several, or none */
    RANGE_PART,   /* 206 */
    RANGE_BEYOND, /* 416 */
};

/* What `header` (NULL: none) wants of a file of `size` bytes; `r` has it but
 * for RANGE_BEYOND. */
enum range_is range_take(struct range *r, const char *header, size_t len,
                         uint64_t size);
#endif
