/* pages: numbered pages in memory, with versions: what tree.h stands on.
 *
 * Every page knows the epoch it was born in. A mark or a pin begins a new epoch
 * and keeps what was there before it: a page born since the newest of them is
 * writable in place, any other has to be touched (copied) first. A run is a
 * piece of memory of any size under one page number, for values that do not fit
 * into a page; it is never touched, only dropped and made anew.
 *
 * Numbers below `base` stand for pages that are mapped: a version that was
 * written out (tree_writer.h). They are never writable, never dropped and cost
 * nothing until somebody reads them.
 *
 * Only the owning thread may call these, with one exception: what a pin keeps
 * may be read (page_read) on another thread while the owner goes on writing. */
#ifndef ATE_BASE_PAGES_H
#define ATE_BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 4096 };

/* A growing array of page numbers. All zeros is an empty one. */
struct page_list {
    uint32_t *pages;
    size_t count;
    size_t cap;
};

struct page_info {
    uint64_t birth; /* epoch; 0: free */
    uint32_t size;  /* bytes of a run; 0: a page */
    uint32_t next;  /* of a free one, the next free one */
};

/* What a mark brings back, besides pages. */
struct pages_root {
    uint32_t page; /* 0: empty */
    uint64_t entries;
};

struct pages_mark {
    uint64_t epoch;
    struct pages_root root;
    size_t retired_count; /* lengths of the lists when it was taken */
    size_t born_count;
};

/* Keeps the pages of its epoch. The caller owns the struct. */
struct pages_pin {
    uint64_t epoch;
    struct page_list retired; /* replaced while this was the newest pin */
    struct pages_pin *older;
    struct pages_pin *newer;
};

struct pages {
    const uint8_t *mapped; /* page 0 is its header; NULL: nothing is */
    uint32_t base;         /* the first number that is not mapped */
    uint8_t **data; /* by page number - base; without a map [0] is none */
    struct page_info *info; /* likewise */
    uint32_t count;         /* the next number to be given out */
    uint32_t cap;           /* of both arrays */
    uint32_t free_page;     /* list of free pages, which keep their memory */
    uint32_t free_number;   /* list of numbers without memory */
    uint64_t epoch;
    uint64_t barrier; /* pages born before it are kept */

    struct pages_mark *marks;
    size_t mark_count;
    size_t mark_cap;
    struct page_list retired; /* dropped since the oldest mark, kept by one */
    struct page_list born;    /* made since the oldest mark */
    struct pages_pin *newest_pin;

    uint8_t **chunks;
    size_t chunk_count;
    size_t chunk_cap;
    uint32_t chunk_pages; /* of all chunks */
    uint8_t **old_data;   /* former `data` arrays: others may still read them */
    size_t old_data_count;
    size_t old_data_cap;

    uint64_t pages_used; /* with kept ones; a run counts once */
    uint64_t pages_free;
    uint64_t bytes_reserved;
};

void pages_init(struct pages *p);
/* Begin with pages that are mapped: `count` of them, the header among them.
 * They outlive `p`. */
void pages_init_mapped(struct pages *p, const uint8_t *mapped, uint32_t count);
void pages_deinit(struct pages *p); /* pins must be gone; marks may be open */

static inline const uint8_t *page_read(const struct pages *p, uint32_t page)
{
    if (page < p->base)
        return p->mapped + (size_t)page * PAGE_BYTES;
    uint8_t *const *data = __atomic_load_n(&p->data, __ATOMIC_ACQUIRE);
    return data[page - p->base];
}

/* Contents are not set. Never 0. */
uint32_t page_new(struct pages *p);
uint32_t page_new_run(struct pages *p, size_t len);

/* Does nobody keep it? */
bool page_is_writable(const struct pages *p, uint32_t page);
uint8_t *page_write(struct pages *p, uint32_t page); /* it is writable */

/* The head does not use it any more; who keeps it, keeps it. */
void page_drop(struct pages *p, uint32_t page);

/* Marks nest; the caller passes what the head is, and gets it back. */
void pages_mark(struct pages *p, struct pages_root root);
struct pages_root pages_undo(struct pages *p);
void pages_keep(struct pages *p);

/* Only while no mark is open; unpin at any time. */
void pages_pin(struct pages *p, struct pages_pin *pin);
void pages_unpin(struct pages *p, struct pages_pin *pin);
#endif
