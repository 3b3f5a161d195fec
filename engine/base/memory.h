/* memory: allocation that does not fail.
 *
 * Sizes that come from outside are bounded by limits.h before they reach an
 * allocator. What then still fails is the machine, and the process ends: the
 * log is safe against that at any point, a half-handled failure would not be.
 * (docs/decisions/0002-out-of-memory.md; Lua has an allocator of its own.) */
#ifndef ATE_BASE_MEMORY_H
#define ATE_BASE_MEMORY_H

#include <stddef.h>

void *mem_alloc(size_t size);              /* not set */
void *mem_zero(size_t count, size_t size); /* zeros */
void *mem_resize(void *p, size_t size);
void *mem_copy(const void *p, size_t size);
char *mem_text(const char *text); /* a copy */
void mem_free(void *p);           /* NULL is harmless */

/* Zeros that begin with a page, of which the kernel gives each when it is first
 * touched, whatever the allocator is: one of a sanitizer marks each byte it
 * hands out. */
void *mem_reserve(size_t size);
void mem_release(void *p, size_t size); /* the same size; NULL is harmless */

/* Make room for one more in an array that doubles: returns the new array. */
void *mem_array_grow(void *array, size_t count, size_t *cap, size_t item_size);
#endif
