/* Blocks carry no header: Lua says the old size when it frees or grows one.
 *
 * (1) A block's real size is that of its class, a function of the size asked
 *     for alone; it is a multiple of ARENA_GRAIN, as is `used`.
 * (2) A free block is in the list of its class and nowhere else; the link
 *     stands in its first bytes, so an image of the block holds the lists.
 * (3) The block behind which the bump pointer stands is grown and given back
 *     in place; this never touches a block in a list.
 * (4) Bytes at and above `used` mean nothing, so a restore copies what is
 *     below the image's `used` and no more. (Leaving out what is free below it
 *     was tried: 60 KB in 130 pieces took as long as 90 KB in one.)
 *     Block and image begin with a page: where one stands 16 bytes further into
 *     its page than the other, some processors take 40 us in place of one.
 * (5) Taking an image empties the lists. The order in which Lua frees garbage
 *     depends on the seeds of its hashes; with the lists a run would find
 *     other room in each process, and run out of memory at other places. */
#include "sandbox/arena.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

static_assert(sizeof(void *) <= ARENA_GRAIN, "a link fits every block");
static_assert(ARENA_SMALL_MAX / ARENA_GRAIN == 64, "small classes");

/* The class of a size, and its real size in *real. */
static unsigned class_of(size_t size, size_t *real)
{
    assert(size > 0);
    if (size <= ARENA_SMALL_MAX) {
        unsigned class = (unsigned)((size - 1) / ARENA_GRAIN);
        *real = (size_t)(class + 1) * ARENA_GRAIN;
        return class;
    }
    unsigned log = 63 - (unsigned)__builtin_clzll(size - 1);
    size_t step = ((size_t)1 << log) / 4;
    size_t quarter = (size - 1 - ((size_t)1 << log)) / step;
    *real = ((size_t)1 << log) + (quarter + 1) * step;
    return 64 + (log - 10) * 4 + (unsigned)quarter;
}

void arena_init(struct arena *a, size_t size)
{
    assert(size % ARENA_GRAIN == 0);
    *a = (struct arena){.block = mem_reserve(size),
                        .size = size,
                        .limit = size,
                        .block_max = ARENA_BLOCK_MAX};
}

void arena_deinit(struct arena *a)
{
    mem_release(a->block, a->size);
    mem_release(a->image, a->image_marks.used);
    *a = (struct arena){0};
}

void arena_limit(struct arena *a, size_t limit, size_t block_max)
{
    assert(block_max <= (size_t)1 << 27); /* the last class */
    a->limit = limit < a->size ? limit : a->size;
    a->block_max = block_max;
    a->refused = ARENA_FINE;
}

static void *refuse(struct arena *a, enum arena_refusal why)
{
    a->refused = why;
    return NULL;
}

/* Lua's table of strings doubles with the number of strings. It is one block of
 * exactly a power of two, larger than any text or table a script may make, and
 * refusing it would end a run that has most of its memory left. */
static bool is_string_table(const void *old, size_t size)
{
    return old == NULL && (size == 128 << 10 || size == 256 << 10);
}

static void *take(struct arena *a, const void *old, size_t size)
{
    size_t real;

    if (size > a->block_max && !is_string_table(old, size))
        return refuse(a, ARENA_TOO_LARGE);
    unsigned class = class_of(size, &real);
    void *block = a->marks.free_list[class];
    if (block != NULL) {
        memcpy(&a->marks.free_list[class], block, sizeof(void *));
        return block;
    }
    if (a->marks.used > a->limit || real > a->limit - a->marks.used)
        return refuse(a, ARENA_FULL);
    block = a->block + a->marks.used;
    a->marks.used += real;
    assert(a->marks.used <= a->size);
    return block;
}

static void give(struct arena *a, void *block, size_t size)
{
    size_t real;
    unsigned class = class_of(size, &real);
    uint8_t *at = block;

    assert(at >= a->block && at + real <= a->block + a->marks.used);
    if (at + real == a->block + a->marks.used) {
        a->marks.used -= real;
        return;
    }
    memcpy(block, &a->marks.free_list[class], sizeof(void *));
    a->marks.free_list[class] = block;
}

/* The last block below the bump pointer grows and shrinks where it is. */
static bool resize_last(struct arena *a, uint8_t *old, size_t old_real,
                        size_t new_real)
{
    size_t start = (size_t)(old - a->block);

    if (start + old_real != a->marks.used || new_real > a->limit ||
        start > a->limit - new_real)
        return false;
    a->marks.used = start + new_real;
    return true;
}

static void *resize(struct arena *a, void *old, size_t old_size,
                    size_t new_size)
{
    size_t old_real, new_real;

    if (new_size > a->block_max && new_size > old_size)
        return refuse(a, ARENA_TOO_LARGE);
    if (class_of(old_size, &old_real) == class_of(new_size, &new_real) ||
        resize_last(a, old, old_real, new_real))
        return old;
    void *block = take(a, old, new_size);
    if (block == NULL) {
        if (new_size > old_size)
            return NULL;
        /* Lua relies on shrinking: the rest of the block is then lost. */
        a->refused = ARENA_FINE;
        return old;
    }
    memcpy(block, old, old_size < new_size ? old_size : new_size);
    give(a, old, old_size);
    return block;
}

void *arena_alloc(struct arena *a, void *old, size_t old_size, size_t new_size)
{
    if (new_size == 0) {
        if (old != NULL && old_size > 0)
            give(a, old, old_size);
        return NULL;
    }
    if (old == NULL || old_size == 0)
        return take(a, NULL, new_size);
    return resize(a, old, old_size, new_size);
}

void arena_image_take(struct arena *a)
{
    memset(a->marks.free_list, 0, sizeof(a->marks.free_list));
    mem_release(a->image, a->image_marks.used);
    a->image = mem_reserve(a->marks.used);
    memcpy(a->image, a->block, a->marks.used);
    a->image_marks = a->marks;
}

void arena_image_restore(struct arena *a)
{
    assert(a->image != NULL);
    memcpy(a->block, a->image, a->image_marks.used);
    a->marks = a->image_marks;
    a->refused = ARENA_FINE;
}

size_t arena_image_size(const struct arena *a)
{
    return a->image_marks.used;
}

bool arena_image_matches(const struct arena *a)
{
    return memcmp(a->block, a->image, a->image_marks.used) == 0 &&
           memcmp(&a->marks, &a->image_marks, sizeof(a->marks)) == 0;
}
