/* Which pages are kept, for whom and until when.
 *
 * Let e(x) be the epoch that mark or pin x began, b(q) the birth of page q.
 * The barrier is e of the newest open mark, or of the newest pin, or 0.
 *
 * (1) Pins are older than open marks: a pin is taken only while none is open.
 * (2) x keeps q if and only if b(q) < e(x) and q was dropped after x was taken.
 *     Page q is writable if and only if b(q) >= barrier: nothing keeps it.
 * (3) A dropped page that nothing keeps is free at once. Else it waits: while a
 *     mark is open in `retired`, otherwise in the list of the newest pin.
 * (4) `born` names each page made since the oldest open mark, perhaps twice
 *     (freed and made again); one that was freed has birth 0.
 * (5) Entries of `retired` from a mark's retired_count on were dropped since
 *     that mark; the innermost mark with b < e keeps them.
 *
 * Undo makes the pages free that were born since the mark (4) and forgets what
 * was dropped since: those born before it belong to the head again (5), the
 * others are among the born.
 *
 * Keep looks at the pages dropped since the mark (5). The next older mark keeps
 * those with b < e; without one the newest pin does. No other can keep what
 * these do not (1) (2), so that the rest becomes free.
 *
 * Unpin looks at the pin's list. Each page there was dropped while the pin was
 * the newest, so that newer pins do not keep it; the next older one does if
 * b < e. A page moves to older pins only, each move paid by an unpin.
 *
 * A reader on another thread uses `data` only, at numbers that its pin keeps.
 * These entries never change while it does; an array that became too small is
 * copied and stays until the end. Each is twice the one before, so that all
 * former ones together are no larger than the present one. */
#include "base/pages.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

enum { CAP_MIN = 8, CHUNK_PAGES_MAX = 256 };

static void list_push(struct page_list *list, uint32_t page)
{
    list->pages = mem_array_grow(list->pages, list->count, &list->cap,
                                 sizeof(*list->pages));
    list->pages[list->count++] = page;
}

static void list_deinit(struct page_list *list)
{
    mem_free(list->pages);
    *list = (struct page_list){0};
}

void pages_init(struct pages *p)
{
    *p = (struct pages){.count = 1, .epoch = 1};
}

void pages_init_mapped(struct pages *p, const uint8_t *mapped, uint32_t count)
{
    assert(count > 0);
    *p = (struct pages){
        .mapped = mapped,
        .base = count,
        .count = count,
        .epoch = 1,
    };
}

static struct page_info *info_of(const struct pages *p, uint32_t page)
{
    assert(page >= p->base && page < p->count);
    return &p->info[page - p->base];
}

static uint8_t **data_of(struct pages *p, uint32_t page)
{
    assert(page >= p->base && page < p->count);
    return &p->data[page - p->base];
}

void pages_deinit(struct pages *p)
{
    assert(p->newest_pin == NULL);
    for (uint32_t i = p->base; i < p->count; i++)
        if (i > 0 && info_of(p, i)->size > 0)
            mem_free(*data_of(p, i));
    for (size_t i = 0; i < p->chunk_count; i++)
        mem_free(p->chunks[i]);
    for (size_t i = 0; i < p->old_data_count; i++)
        mem_free(p->old_data[i]);
    list_deinit(&p->retired);
    list_deinit(&p->born);
    mem_free(p->chunks);
    mem_free(p->old_data);
    mem_free(p->marks);
    mem_free(p->info);
    mem_free(p->data);
    *p = (struct pages){0};
}

/* ---- numbers and memory ---- */

static void grow_numbers(struct pages *p)
{
    assert(p->cap <= UINT32_MAX / 2);
    uint32_t cap = p->cap == 0 ? CAP_MIN : p->cap * 2;
    uint8_t **data = mem_zero(cap, sizeof(*data));
    if (p->data != NULL) {
        memcpy(data, p->data, p->cap * sizeof(*data));
        p->old_data = mem_array_grow(p->old_data, p->old_data_count,
                                     &p->old_data_cap, sizeof(*p->old_data));
        p->old_data[p->old_data_count++] = (uint8_t *)p->data;
    }
    __atomic_store_n(&p->data, data, __ATOMIC_RELEASE);
    p->info = mem_resize(p->info, cap * sizeof(*p->info));
    p->bytes_reserved += cap * (sizeof(*data) + sizeof(*p->info));
    p->cap = cap;
}

static uint32_t new_number(struct pages *p)
{
    uint32_t page = p->free_number;
    if (page != 0) {
        p->free_number = info_of(p, page)->next;
        return page;
    }
    if (p->count - p->base >= p->cap)
        grow_numbers(p);
    page = p->count++;
    *info_of(p, page) = (struct page_info){0};
    return page;
}

static void free_page_push(struct pages *p, uint32_t page)
{
    *info_of(p, page) = (struct page_info){.next = p->free_page};
    p->free_page = page;
    p->pages_free++;
}

/* Chunks grow with what is there, so that a small tree stays small. */
static void grow_memory(struct pages *p)
{
    uint32_t pages = p->chunk_pages / 2;
    pages = pages == 0 ? 1 : pages;
    pages = pages > CHUNK_PAGES_MAX ? CHUNK_PAGES_MAX : pages;
    uint8_t *chunk = mem_alloc((size_t)pages * PAGE_BYTES);
    p->chunks = mem_array_grow(p->chunks, p->chunk_count, &p->chunk_cap,
                               sizeof(*p->chunks));
    p->chunks[p->chunk_count++] = chunk;
    p->chunk_pages += pages;
    p->bytes_reserved += (uint64_t)pages * PAGE_BYTES;
    for (uint32_t i = pages; i-- > 0;) { /* lowest on top */
        uint32_t page = new_number(p);
        *data_of(p, page) = chunk + (size_t)i * PAGE_BYTES;
        free_page_push(p, page);
    }
}

static void be_born(struct pages *p, uint32_t page, uint32_t size)
{
    assert(info_of(p, page)->birth == 0);
    *info_of(p, page) = (struct page_info){.birth = p->epoch, .size = size};
    p->pages_used++;
    if (p->mark_count > 0)
        list_push(&p->born, page);
}

uint32_t page_new(struct pages *p)
{
    if (p->free_page == 0)
        grow_memory(p);
    uint32_t page = p->free_page;
    p->free_page = info_of(p, page)->next;
    p->pages_free--;
    be_born(p, page, 0);
    return page;
}

uint32_t page_new_run(struct pages *p, size_t len)
{
    assert(len > 0 && len <= UINT32_MAX);
    uint32_t page = new_number(p);
    *data_of(p, page) = mem_alloc(len);
    p->bytes_reserved += len;
    be_born(p, page, (uint32_t)len);
    return page;
}

static void make_free(struct pages *p, uint32_t page)
{
    struct page_info *info = info_of(p, page);
    assert(info->birth != 0);
    assert(p->pages_used > 0);
    p->pages_used--;
    if (info->size == 0) {
        free_page_push(p, page);
        return;
    }
    mem_free(*data_of(p, page));
    *data_of(p, page) = NULL;
    p->bytes_reserved -= info->size;
    *info = (struct page_info){.next = p->free_number};
    p->free_number = page;
}

/* ---- use ---- */

bool page_is_writable(const struct pages *p, uint32_t page)
{
    assert(page != 0 && page < p->count);
    if (page < p->base)
        return false;
    assert(info_of(p, page)->birth != 0);
    return info_of(p, page)->birth >= p->barrier; /* (2) */
}

uint8_t *page_write(struct pages *p, uint32_t page)
{
    assert(page_is_writable(p, page));
    return *data_of(p, page);
}

void page_drop(struct pages *p, uint32_t page)
{
    if (page < p->base)
        return; /* it stays as long as the map does */
    if (page_is_writable(p, page))
        make_free(p, page); /* (3) */
    else if (p->mark_count > 0)
        list_push(&p->retired, page);
    else
        list_push(&p->newest_pin->retired, page);
}

/* ---- marks and pins ---- */

static void set_barrier(struct pages *p)
{
    p->barrier = 0;
    if (p->mark_count > 0)
        p->barrier = p->marks[p->mark_count - 1].epoch;
    else if (p->newest_pin != NULL)
        p->barrier = p->newest_pin->epoch;
    assert(p->barrier <= p->epoch);
}

void pages_mark(struct pages *p, struct pages_root root)
{
    p->marks = mem_array_grow(p->marks, p->mark_count, &p->mark_cap,
                              sizeof(*p->marks));
    p->marks[p->mark_count++] = (struct pages_mark){
        .epoch = ++p->epoch,
        .root = root,
        .retired_count = p->retired.count,
        .born_count = p->born.count,
    };
    set_barrier(p);
}

static struct pages_mark pop_mark(struct pages *p)
{
    assert(p->mark_count > 0);
    struct pages_mark mark = p->marks[--p->mark_count];
    assert(mark.retired_count <= p->retired.count);
    assert(mark.born_count <= p->born.count);
    set_barrier(p);
    return mark;
}

struct pages_root pages_undo(struct pages *p)
{
    struct pages_mark mark = pop_mark(p);
    for (size_t i = mark.born_count; i < p->born.count; i++) {
        uint32_t page = p->born.pages[i];
        if (info_of(p, page)->birth != 0) { /* (4) */
            assert(info_of(p, page)->birth >= mark.epoch);
            make_free(p, page);
        }
    }
    p->born.count = mark.born_count;
    p->retired.count = mark.retired_count;
    return mark.root;
}

void pages_keep(struct pages *p)
{
    struct pages_mark mark = pop_mark(p);
    size_t end = p->retired.count;
    p->retired.count = mark.retired_count;
    for (size_t i = mark.retired_count; i < end; i++)
        page_drop(p, p->retired.pages[i]); /* at most where it stood */
    if (p->mark_count == 0) {
        assert(p->retired.count == 0);
        p->born.count = 0;
    }
}

void pages_pin(struct pages *p, struct pages_pin *pin)
{
    assert(p->mark_count == 0); /* (1) */
    *pin = (struct pages_pin){.epoch = ++p->epoch, .older = p->newest_pin};
    if (p->newest_pin != NULL)
        p->newest_pin->newer = pin;
    p->newest_pin = pin;
    set_barrier(p);
}

void pages_unpin(struct pages *p, struct pages_pin *pin)
{
    struct pages_pin *older = pin->older;
    if (older != NULL)
        older->newer = pin->newer;
    if (pin->newer != NULL) {
        pin->newer->older = older;
    } else {
        assert(p->newest_pin == pin);
        p->newest_pin = older;
    }
    set_barrier(p);
    for (size_t i = 0; i < pin->retired.count; i++) {
        uint32_t page = pin->retired.pages[i];
        assert(info_of(p, page)->birth < pin->epoch);
        if (older != NULL && info_of(p, page)->birth < older->epoch)
            list_push(&older->retired, page);
        else
            make_free(p, page);
    }
    list_deinit(&pin->retired);
}
