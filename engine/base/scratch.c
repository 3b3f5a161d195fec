#include "base/scratch.h"

#include <string.h>

#include "base/memory.h"

enum { SCRATCH_BLOCK = 16 << 10 };

struct scratch_block {
    struct scratch_block *older;
    size_t size;
    size_t used;
    uint64_t bytes[];
};

void *scratch_alloc(struct scratch *s, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    struct scratch_block *b = s->block;
    if (b == NULL || b->size - b->used < size) {
        size_t room = size > SCRATCH_BLOCK ? size : SCRATCH_BLOCK;
        b = mem_alloc(sizeof(*b) + room);
        b->older = s->block;
        b->size = room;
        b->used = 0;
        s->block = b;
    }
    void *p = (uint8_t *)b->bytes + b->used;
    b->used += size;
    return p;
}

struct bytes scratch_copy(struct scratch *s, struct bytes bytes)
{
    uint8_t *p = scratch_alloc(s, bytes.len);
    if (bytes.len > 0)
        memcpy(p, bytes.data, bytes.len);
    return bytes_of(p, bytes.len);
}

void scratch_reset(struct scratch *s)
{
    struct scratch_block *b = s->block;
    if (b == NULL)
        return;
    while (b->older != NULL) {
        struct scratch_block *older = b->older;
        mem_free(b);
        b = older;
    }
    b->used = 0;
    s->block = b;
}

void scratch_deinit(struct scratch *s)
{
    scratch_reset(s);
    mem_free(s->block);
    s->block = NULL;
}
