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

/* ---- its notes, and its file ---- */

static inline void note(struct bench *s, const char *chain, const char *text)
{
    char arg[200];
    snprintf(arg, sizeof(arg), "text=%s", text);
    call_ok(&s->world, s->node, chain, "note.append", ARGS(arg));
}

/* The header file of a chain, as it is on disk. */
static inline struct buf *head_of(struct bench *s, const char *name)
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 8];
    assert_true(names_find(&s->node->names.names, bytes_of_text(name), id));
    log_folder(folder, id);
    snprintf(path, sizeof(path), "%s/1.head", folder);
    struct buf *head = memory_disk_file(s->world.memory, path);
    assert_non_null(head);
    return head;
}
#endif
