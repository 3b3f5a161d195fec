/* Every invariant of tree.c, node.c and pages.c, asserted from outside.
 *
 * Each page in use is either below the head or waits in one list for the marks
 * and pins that keep it: counted once here, or something leaked. */
#include "base/tree.h"

#include <assert.h>

#include "base/memory.h"
#include "base/tree_inside.h"

struct check {
    const struct pages *pages;
    uint8_t *seen;   /* by page number; NULL: pages may be met again */
    uint64_t before; /* pages have to be born before this epoch */
    uint64_t entries;
    int leaf_depth;
};

/* What the keys of a page may be; `above` without data is no bound. */
struct bounds {
    struct bytes from;
    struct bytes above;
};

static const struct page_info *info_of(const struct pages *p, uint32_t page)
{
    return &p->info[page - p->base];
}

static void see(struct check *check, uint32_t page)
{
    assert(page != 0 && page < check->pages->count);
    if (page < check->pages->base)
        return;
    assert(info_of(check->pages, page)->birth != 0);
    assert(info_of(check->pages, page)->birth < check->before);
    if (check->seen == NULL)
        return;
    assert(check->seen[page] == 0);
    check->seen[page] = 1;
}

static void check_keys(const uint8_t *page, unsigned first,
                       struct bounds bounds)
{
    unsigned count = node_count(page);
    for (unsigned i = first; i < count; i++) {
        struct bytes key = node_key(page, i);
        assert(key.len <= NODE_KEY_MAX);
        assert(bytes_compare(key, bounds.from) >= 0);
        assert(bounds.above.data == NULL ||
               bytes_compare(key, bounds.above) < 0);
        assert(i == first || bytes_compare(node_key(page, i - 1), key) < 0);
    }
}

static void check_leaf(struct check *check, const uint8_t *page, int depth)
{
    if (check->leaf_depth == 0)
        check->leaf_depth = depth;
    assert(check->leaf_depth == depth);
    assert(node_count(page) > 0);
    check->entries += node_count(page);
    for (unsigned i = 0; i < node_count(page); i++) {
        struct node_value value = node_value(page, i);
        if (value.run == 0)
            continue;
        see(check, value.run);
        assert(value.run < check->pages->base ||
               info_of(check->pages, value.run)->size == value.run_len);
        assert(!node_fits_inline(node_key(page, i).len, value.run_len));
    }
}

static void check_page(struct check *check, uint32_t number,
                       struct bounds bounds, int depth)
{
    assert(depth <= TREE_DEPTH_MAX);
    see(check, number);
    assert(number < check->pages->base ||
           info_of(check->pages, number)->size == 0);
    const uint8_t *page = page_read(check->pages, number);
    assert(node_used(page) <= NODE_SPACE);
    node_check(page);
    if (node_kind(page) == NODE_LEAF) {
        check_keys(page, 0, bounds);
        check_leaf(check, page, depth);
        return;
    }
    unsigned count = node_count(page);
    assert(count >= 2);
    assert(node_key(page, 0).len == 0);
    check_keys(page, 1, bounds);
    for (unsigned i = 0; i < count; i++) {
        struct bounds below = {
            .from = i == 0 ? bounds.from : node_key(page, i),
            .above = i + 1 < count ? node_key(page, i + 1) : bounds.above,
        };
        check_page(check, node_child(page, i), below, depth + 1);
    }
}

static void check_version(struct check *check, uint32_t root)
{
    if (root != 0)
        check_page(check, root, (struct bounds){0}, 1);
}

static void check_list(struct check *check, const struct page_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        see(check, list->pages[i]);
}

static void check_free(const struct pages *p)
{
    uint64_t free_pages = 0;
    uint64_t free_numbers = 0;
    for (uint32_t i = p->free_page; i != 0; i = info_of(p, i)->next) {
        assert(info_of(p, i)->birth == 0 && p->data[i - p->base] != NULL);
        free_pages++;
    }
    for (uint32_t i = p->free_number; i != 0; i = info_of(p, i)->next) {
        assert(info_of(p, i)->birth == 0 && p->data[i - p->base] == NULL);
        free_numbers++;
    }
    assert(free_pages == p->pages_free);
    uint32_t first = p->base > 0 ? p->base : 1;
    assert(first + p->pages_used + free_pages + free_numbers == p->count);
}

/* What a pin sees is whole, and older than the pin. */
static void check_pin(const struct pages *p, const struct tree_pin *pin)
{
    struct check check = {.pages = p, .before = pin->kept.epoch};
    check_version(&check, pin->version.root);
}

void tree_check(const struct tree *t)
{
    const struct pages *p = &t->pages;
    struct check check = {
        .pages = p,
        .seen = mem_zero(p->count, 1),
        .before = p->epoch + 1,
    };
    check_version(&check, t->head.page);
    assert(check.entries == t->head.entries);
    assert((t->head.entries == 0) == (t->head.page == 0));
    check_list(&check, &p->retired);
    for (const struct pages_pin *pin = p->newest_pin; pin != NULL;
         pin = pin->older) {
        check_list(&check, &pin->retired);
        check_pin(p, (const struct tree_pin *)pin);
    }
    uint64_t used = 0;
    for (uint32_t i = 0; i < p->count; i++)
        used += check.seen[i];
    assert(used == p->pages_used);
    check_free(p);
    mem_free(check.seen);
}
