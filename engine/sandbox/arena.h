/* arena: the memory of one Lua state, inside one fixed block, and an image that
 * puts it back.
 *
 * Allocation is a bump pointer and free lists by size class; it depends on
 * nothing but the sequence of calls, so the same script runs out of memory at
 * the same place in every process. An image is a copy of the used part: after
 * a restore the Lua state in the block is, byte for byte, the one the image was
 * taken of. Pointers stay valid, as the block never moves. */
#ifndef ATE_SANDBOX_ARENA_H
#define ATE_SANDBOX_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ARENA_GRAIN = 16,
    ARENA_SMALL_MAX = 1024,      /* a class every 16 bytes up to here */
    ARENA_CLASSES = 64 + 4 * 17, /* then four a doubling, to 128 MiB */
    /* A text of 64 KiB and what Lua puts around it. */
    ARENA_BLOCK_MAX = (64 << 10) + 256,
};

enum arena_refusal {
    ARENA_FINE,
    ARENA_FULL,      /* the limit of all together */
    ARENA_TOO_LARGE, /* for one block */
};

/* What a restore puts back beside the bytes. */
struct arena_marks {
    size_t used;                    /* bytes below the bump pointer */
    void *free_list[ARENA_CLASSES]; /* by size class, linked inside */
};

struct arena {
    uint8_t *block;
    size_t size;                /* of the block */
    size_t limit;               /* `used` never goes above; at most size */
    size_t block_max;           /* of one allocation */
    enum arena_refusal refused; /* why the last one refused was, if any */
    struct arena_marks marks;
    uint8_t *image; /* NULL before arena_image_take */
    struct arena_marks image_marks;
};

/* `size` bytes are reserved; memory that is not touched costs nothing. */
void arena_init(struct arena *a, size_t size);
void arena_deinit(struct arena *a); /* safe twice */

/* What applies from now on; clears `refused`. `limit` is cut to the size. */
void arena_limit(struct arena *a, size_t limit, size_t block_max);

/* As lua_Alloc: new_size 0 frees, old NULL allocates. NULL when refused; then
 * the old block stays as it was. */
void *arena_alloc(struct arena *a, void *old, size_t old_size, size_t new_size);

/* Take the image (the last one is replaced), and put it back. Blocks that are
 * free at that time are never given out again. */
void arena_image_take(struct arena *a);
void arena_image_restore(struct arena *a);
size_t arena_image_size(const struct arena *a);  /* bytes that are copied */
bool arena_image_matches(const struct arena *a); /* as after a restore */
#endif
