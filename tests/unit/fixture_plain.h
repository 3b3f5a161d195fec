/* A node with one chain, bank, and nothing else; _GNU_SOURCE for memmem. */
#ifndef ATE_TESTS_FIXTURE_PLAIN_H
#define ATE_TESTS_FIXTURE_PLAIN_H

#include "fixture_node.h"

struct bench {
    struct world world;
    struct node *node;
};

static inline int set_up(void **state)
{
    struct bench *s = mem_zero(1, sizeof(*s));
    world_init(&s->world);
    s->node = world_node(&s->world, false, 0);
    create(&s->world, s->node, "bank");
    *state = s;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *s = *state;
    world_stop(&s->world, s->node);
    world_deinit(&s->world);
    mem_free(s);
    return 0;
}
#endif
