#include "base/memory.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* No allocation, no formatting: there may be no memory left for either. */
static void *alive(void *p)
{
    if (p == NULL) {
        fputs("ate: out of memory; the log is safe, give the process more "
              "and start it again\n",
              stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return alive(malloc(size > 0 ? size : 1));
}

void *mem_zero(size_t count, size_t size)
{
    bool empty = count == 0 || size == 0;
    return alive(empty ? calloc(1, 1) : calloc(count, size));
}

void *mem_resize(void *p, size_t size)
{
    return alive(realloc(p, size > 0 ? size : 1));
}

void *mem_copy(const void *p, size_t size)
{
    void *copy = mem_alloc(size);
    if (size > 0)
        memcpy(copy, p, size);
    return copy;
}

char *mem_text(const char *text)
{
    return mem_copy(text, strlen(text) + 1);
}

void mem_free(void *p)
{
    free(p);
}

void *mem_reserve(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return alive(p == MAP_FAILED ? NULL : p);
}

void mem_release(void *p, size_t size)
{
    int rc = p == NULL ? 0 : munmap(p, size);
    assert(rc == 0);
}

void *mem_array_grow(void *array, size_t count, size_t *cap, size_t item_size)
{
    assert(count <= *cap);
    assert(item_size > 0);
    if (count < *cap)
        return array;
    size_t bigger = *cap == 0 ? 8 : *cap * 2;
    size_t size;
    bool over = __builtin_mul_overflow(bigger, item_size, &size);
    assert(!over && bigger > *cap);
    *cap = bigger;
    return mem_resize(array, size);
}
