#include "chain/terms.h"

#include <assert.h>

#include "base/memory.h"

void terms_deinit(struct terms *t)
{
    mem_free(t->starts);
    *t = (struct terms){0};
}

void terms_add(struct terms *t, uint64_t index, const struct key_record *record)
{
    assert(t->count == 0 || t->starts[t->count - 1].index <= index);
    t->starts =
        mem_array_grow(t->starts, t->count, &t->cap, sizeof(*t->starts));
    struct term_start *start = &t->starts[t->count++];
    start->index = index;
    start->record = *record;
    key_id(record, start->id);
}

void terms_cut(struct terms *t, uint64_t index)
{
    while (t->count > 1 && t->starts[t->count - 1].index >= index)
        t->count--;
}

void terms_at(const struct terms *t, uint64_t size, struct terms_found *found)
{
    size_t n = t->count;
    assert(t->count > 0 && size > 0);
    while (n > 1 && t->starts[n - 1].index >= size)
        n--;
    const struct term_start *start = &t->starts[n - 1];
    bool ends_one = n > 1 && start->index == size - 1;
    *found = (struct terms_found){
        .start = {start, ends_one ? &t->starts[n - 2] : NULL},
        .number = n,
    };
}
