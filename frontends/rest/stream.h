/* stream: a response that goes on, as Server-Sent Events or bytes.
 *
 * What is put while a write is under way waits in a buffer; when all of it has
 * left, `drained` is told, so that whoever fills it can ask for more. */
#ifndef FRONTENDS_REST_STREAM_H
#define FRONTENDS_REST_STREAM_H

#include <stdbool.h>

#include <h2o.h>

#include "base/buffer.h"

struct stream {
    h2o_generator_t super;
    h2o_req_t *req; /* NULL: it is over */
    struct buffer waiting;
    struct buffer flying;
    bool sends;
    bool ends;
    bool breaks; /* not all was said */
    void (*drained)(void *owner);
    void *owner;
};

/* Begin the response, whose headers stand. */
void stream_open(struct stream *s, h2o_req_t *req, void (*drained)(void *owner),
                 void *owner);
/* The same, of events, and tell when to come again. */
void stream_begin(struct stream *s, h2o_req_t *req,
                  void (*drained)(void *owner), void *owner);
/* One event. `id` POSITION_NONE: none. `data` has no newline, being JSON. */
void stream_event(struct stream *s, const char *name, long long id,
                  const char *data, size_t len);
/* A comment, so that whoever is between does not think it dead. */
void stream_beat(struct stream *s);
/* Bytes that are no event. */
void stream_put(struct stream *s, const void *data, size_t len);
void stream_end(struct stream *s);
/* End it so that the asker sees that something is missing. */
void stream_break(struct stream *s);
/* The request is gone. */
void stream_free(struct stream *s);
#endif
