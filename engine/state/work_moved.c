/* An item is what waits for a worker by itself: an event, or a time of a row.
 * So two states have the same to do where they have the same items. */
#include "state/work_moved.h"

#include "state/work.h"

/* How many items of a class `a` has, and `b` has not. */
static uint64_t count_missing(struct tree_version a, struct tree_version b,
                              const char *worker, enum work_class class)
{
    struct buf prefix = {0};
    struct buf at = {0};
    struct bytes key;
    struct bytes value;
    uint64_t count = 0;
    work_prefix(&prefix, worker, class);
    while (state_step(a, buf_bytes(&prefix), &at, false, &key, &value))
        count += !state_get(b, STATE_WORK, bytes_of(key.data + 1, key.len - 1),
                            &value);
    buf_deinit(&prefix);
    buf_deinit(&at);
    return count;
}

struct work_moved work_moved(struct tree_version before,
                             struct tree_version after, const char *worker)
{
    static const enum work_class classes[] = {WORK_EVENT, WORK_DUE,
                                              WORK_PARKED};
    struct work_moved moved = {0, 0};
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
        moved.dropped += count_missing(before, after, worker, classes[i]);
        moved.new += count_missing(after, before, worker, classes[i]);
    }
    return moved;
}
