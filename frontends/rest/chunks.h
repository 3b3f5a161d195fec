/* chunks: a body in chunks, taken apart as RFC 9112, 7.1 writes them, and in no
 * other way.
 *
 * What ends a body says where the next request begins, so whoever reads it
 * otherwise than somebody in front of us lets a request in that nobody in front
 * has seen. The HTTP library's own decoder takes "0x5f" for 0 and a line feed
 * for a line's end; the door has this one in its place (chunks.c). It knows no
 * socket. */
#ifndef FRONTENDS_REST_CHUNKS_H
#define FRONTENDS_REST_CHUNKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How far one body has come; zeroed it is at its begin. */
struct chunks {
    size_t left; /* bytes of the chunk at hand */
    char unused; /* the library sets it */
    uint8_t digits;
    uint8_t state;
    uint32_t line; /* bytes of the line, or of all trailers */
};

enum {
    CHUNKS_MALFORMED = -1,
    CHUNKS_MORE = -2,
    CHUNKS_LINE = 4096 /* the longest line; all trailers together */
};

/* Decode `bytes` in place: *size gets how much of a body they hold, behind
 * which comes what was not used. Returns how much that is when the body is
 * whole, or CHUNKS_MORE or CHUNKS_MALFORMED. */
ssize_t chunks_decode(struct chunks *c, char *bytes, size_t *size);
#endif
