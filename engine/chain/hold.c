#include "chain/hold.h"

#include <assert.h>

#include "chain/inside.h"

void hold_begin(struct hold *h, struct chain *c)
{
    struct state *s = &c->core.state;
    assert(h->pin == NULL);
    ring_init(&h->ring);
    h->tree = s->tree;
    h->pin = state_pin_durable(s);
    if (h->pin != NULL)
        ring_add(&c->holds, &h->ring);
}

void hold_end(struct hold *h)
{
    if (h->pin == NULL)
        return;
    ring_remove(&h->ring);
    tree_unpin(h->tree, h->pin);
    h->pin = NULL;
}

struct tree_version hold_version(const struct hold *h)
{
    assert(h->pin != NULL);
    return tree_pinned(h->pin);
}

void holds_end(struct ring *holds)
{
    struct ring *r;
    while ((r = ring_take(holds)) != NULL)
        hold_end(ring_entry(r, struct hold, ring));
}
