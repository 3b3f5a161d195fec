#include "rest/stream.h"

#include <string.h>

static void send_on(struct stream *s)
{
    if (s->req == NULL || s->sends || (s->waiting.len == 0 && !s->ends))
        return;
    struct buffer free_one = s->flying;
    s->flying = s->waiting;
    s->waiting = free_one;
    buffer_clear(&s->waiting);
    s->sends = true;
    h2o_iovec_t bytes = h2o_iovec_init(s->flying.data, s->flying.len);
    h2o_req_t *req = s->req;
    if (s->ends)
        s->req = NULL;
    h2o_send(req, &bytes, bytes.len > 0 ? 1 : 0,
             s->breaks ? H2O_SEND_STATE_ERROR
             : s->ends ? H2O_SEND_STATE_FINAL
                       : H2O_SEND_STATE_IN_PROGRESS);
}

static void proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct stream *s = H2O_STRUCT_FROM_MEMBER(struct stream, super, generator);
    (void)req;
    s->sends = false;
    buffer_clear(&s->flying);
    if (s->waiting.len == 0 && !s->ends)
        s->drained(s->owner);
    send_on(s);
}

static void stop(h2o_generator_t *generator, h2o_req_t *req)
{
    struct stream *s = H2O_STRUCT_FROM_MEMBER(struct stream, super, generator);
    (void)req;
    s->req = NULL;
}

void stream_open(struct stream *s, h2o_req_t *req, void (*drained)(void *owner),
                 void *owner)
{
    *s = (struct stream){.super = {proceed, stop},
                         .req = req,
                         .drained = drained,
                         .owner = owner};
    h2o_start_response(req, &s->super);
}

void stream_begin(struct stream *s, h2o_req_t *req,
                  void (*drained)(void *owner), void *owner)
{
    stream_open(s, req, drained, owner);
    buffer_text(&s->waiting, "retry: 1000\n\n");
    send_on(s);
}

void stream_put(struct stream *s, const void *data, size_t len)
{
    if (s->req == NULL)
        return;
    buffer_put(&s->waiting, data, len);
    send_on(s);
}

void stream_event(struct stream *s, const char *name, long long id,
                  const char *data, size_t len)
{
    if (s->req == NULL)
        return;
    if (id >= 0)
        buffer_printf(&s->waiting, "id: %lld\n", id);
    buffer_printf(&s->waiting, "event: %s\ndata: ", name);
    buffer_put(&s->waiting, data, len);
    buffer_text(&s->waiting, "\n\n");
    send_on(s);
}

void stream_beat(struct stream *s)
{
    if (s->req == NULL || s->sends)
        return;
    buffer_text(&s->waiting, ":\n\n");
    send_on(s);
}

void stream_end(struct stream *s)
{
    s->ends = true;
    send_on(s);
}

void stream_break(struct stream *s)
{
    s->breaks = true;
    stream_end(s);
}

void stream_free(struct stream *s)
{
    buffer_free(&s->waiting);
    buffer_free(&s->flying);
    s->req = NULL;
}
