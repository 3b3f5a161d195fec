#include "chain/last_frame.h"

#include <assert.h>

#include "base/memory.h"
#include "chain/inside.h"

void last_frame_drop(struct last_frame *k)
{
    buf_deinit(&k->bytes);
    mem_free(k->events);
    *k = (struct last_frame){0};
}

bool last_frame_has(const struct last_frame *k, uint64_t frame)
{
    return k->holds && k->frame.sequence == frame;
}

static int add_event(struct last_frame *k, uint32_t member, uint32_t n,
                     struct bytes raw, struct body_walk *walk, struct err *err)
{
    struct event_header h;
    int rc = event_header_get(raw, &h, err);
    if (rc != 0)
        return rc;
    k->events =
        mem_array_grow(k->events, k->count, &k->cap, sizeof(*k->events));
    k->events[k->count++] = (struct frame_event){
        .member = member,
        .n = n,
        .at = (uint32_t)(raw.data - k->frame.payload.data),
        .length = (uint32_t)raw.len,
        .body = h.body_length > 0 ? body_walk_next(walk, &h).offset : 0,
    };
    return 0;
}

static int add_events(struct last_frame *k, struct err *err)
{
    struct batch_reader batch;
    struct batch_member m;
    struct body_walk walk = {0};
    uint32_t member = 0;
    if (k->frame.type != LOG_BATCH)
        return 0;
    int rc = batch_open(&batch, k->frame.payload, err);
    while (rc == 0 && (rc = batch_next(&batch, &m, err)) == 1) {
        rc = 0;
        if (m.refused)
            continue;
        struct batch_events events = batch_events(&m);
        struct bytes raw;
        for (uint32_t n = 0; rc == 0 && batch_events_next(&events, &raw); n++)
            rc = add_event(k, member, n, raw, &walk, err);
        member++;
    }
    return rc;
}

int last_frame_take(struct last_frame *k, struct log_read *read,
                    struct err *err)
{
    last_frame_drop(k);
    k->frame = read->header;
    k->bytes = read->bytes;
    read->bytes = (struct buf){0};
    int rc = add_events(k, err);
    k->holds = rc == 0;
    if (rc != 0)
        last_frame_drop(k);
    return rc;
}

static int compare(const struct frame_event *e, uint64_t member, uint64_t n)
{
    if (e->member != member)
        return e->member < member ? -1 : 1;
    return e->n < n ? -1 : e->n > n;
}

const struct frame_event *last_frame_find(const struct last_frame *k,
                                          uint64_t index, uint64_t n)
{
    size_t low = 0;
    size_t high = k->count;
    assert(k->holds && index >= k->frame.index);
    uint64_t member = index - k->frame.index;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&k->events[middle], member, n);
        if (order == 0)
            return &k->events[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct bytes last_frame_header(const struct last_frame *k,
                               const struct frame_event *e)
{
    return bytes_of(k->frame.payload.data + e->at, e->length);
}
