/* ring: a list that its members are linked into by a struct of their own, so
 * that each can leave it by itself. The owner's struct is the list's head. */
#ifndef ATE_BASE_RING_H
#define ATE_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *before;
    struct ring *after;
};

/* The struct of `type` whose `member` stands at this pointer. */
#define ring_entry(pointer, type, member)                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* A head without members, or a member of no ring. */
static inline void ring_init(struct ring *r)
{
    r->before = r;
    r->after = r;
}

static inline bool ring_is_empty(const struct ring *head)
{
    return head->after == head;
}

static inline void ring_remove(struct ring *r) /* safe twice */
{
    r->before->after = r->after;
    r->after->before = r->before;
    ring_init(r);
}

/* To the end of the ring; it leaves the one it was in. */
static inline void ring_add(struct ring *head, struct ring *r)
{
    ring_remove(r);
    r->before = head->before;
    r->after = head;
    head->before->after = r;
    head->before = r;
}

/* The first one, taken out; NULL: none. */
static inline struct ring *ring_take(struct ring *head)
{
    struct ring *r = head->after;
    if (r == head)
        return NULL;
    ring_remove(r);
    return r;
}

/* All members of `from` to the end of `to`. */
static inline void ring_move(struct ring *to, struct ring *from)
{
    struct ring *r;
    while ((r = ring_take(from)) != NULL)
        ring_add(to, r);
}
#endif
