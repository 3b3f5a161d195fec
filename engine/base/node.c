/* A page, numbers little-endian:
 *
 *     offset  size  field
 *          0     1  kind: 1 leaf, 2 branch
 *          1     1  0
 *          2     2  count of cells
 *          4     2  low: offset of the lowest cell, 4096 when there is none
 *          6     2  dead: bytes of removed cells at or above low
 *          8     2  prefix: so many bytes all keys have in common, at least
 *         10     2  0
 *         12  6 * count  slots, in the order of keys: u32 head, u16 offset of
 *                   the cell; head: the key's next 4 bytes behind the prefix,
 *                   as a number, the first byte highest, zeros behind its end
 *        low        cells, up to the end of the page
 *
 *     leaf cell    u16 key length, u16 value length, key, value
 *                  value length 0xffff: u32 length, u32 page of a run instead
 *     branch cell  u32 child, u16 key length, key
 *
 * (1) Keys rise strictly; slot 0 of a branch has the empty key. Prefix and
 *     heads are not about that one; its head is 0.
 * (2) A cell and its slot are at most CELL_ROOM_MAX bytes, so that what
 *     overflows a page is at least four cells and can always be cut in two
 *     parts that fit and have two cells each.
 * (3) node_used = slots + cells that are alive <= NODE_SPACE.
 *
 * Heads decide most comparisons, so that a search looks at slots, which stand
 * together, and at few cells.
 *
 * A split leaves the shortest key that divides two leaves, so that branches
 * hold short keys. One at the end of a page, as appending makes it, leaves the
 * page full instead of half. */
#include "base/node.h"

#include <assert.h>
#include <string.h>

enum {
    AT_KIND = 0,
    AT_COUNT = 2,
    AT_LOW = 4,
    AT_DEAD = 6,
    AT_PREFIX = 8,
    SLOT_OFFSET = 4,
    LEAF_HEAD = 4,
    BRANCH_HEAD = 6,
    RUN_MARK = 0xffff,
    RUN_BYTES = 8,
    CELL_ROOM_MAX = NODE_CELL_MAX + NODE_SLOT,
};

static_assert(CELL_ROOM_MAX * 3 < NODE_SPACE, "(2) four cells overflow a page");
static_assert(NODE_CELL_MAX >= BRANCH_HEAD + NODE_KEY_MAX, "any branch cell");
static_assert((int)NODE_CELL_MAX < (int)RUN_MARK,
              "a value's length is no mark");

static unsigned low_of(const uint8_t *page)
{
    return get_le16(page + AT_LOW);
}

static unsigned dead_of(const uint8_t *page)
{
    return get_le16(page + AT_DEAD);
}

static const uint8_t *slot_at(const uint8_t *page, unsigned slot)
{
    return page + NODE_HEADER + (size_t)slot * NODE_SLOT;
}

static unsigned slot_offset(const uint8_t *page, unsigned slot)
{
    return get_le16(slot_at(page, slot) + SLOT_OFFSET);
}

static void set_slot_offset(uint8_t *page, unsigned slot, unsigned offset)
{
    put_le16(page + NODE_HEADER + slot * NODE_SLOT + SLOT_OFFSET,
             (uint16_t)offset);
}

static const uint8_t *cell_at(const uint8_t *page, unsigned slot)
{
    assert(slot < node_count(page));
    return page + slot_offset(page, slot);
}

void node_init(uint8_t *page, enum node_kind kind)
{
    memset(page, 0, NODE_HEADER);
    page[AT_KIND] = (uint8_t)kind;
    put_le16(page + AT_LOW, PAGE_BYTES);
}

void node_copy(uint8_t *to, const uint8_t *from)
{
    size_t slots_end = NODE_HEADER + (size_t)node_count(from) * NODE_SLOT;
    unsigned low = low_of(from);
    memcpy(to, from, slots_end);
    memcpy(to + low, from + low, PAGE_BYTES - low);
}

enum node_kind node_kind(const uint8_t *page)
{
    assert(page[AT_KIND] == NODE_LEAF || page[AT_KIND] == NODE_BRANCH);
    return (enum node_kind)page[AT_KIND];
}

unsigned node_count(const uint8_t *page)
{
    return get_le16(page + AT_COUNT);
}

size_t node_used(const uint8_t *page)
{
    return node_count(page) * NODE_SLOT + PAGE_BYTES - low_of(page) -
           dead_of(page);
}

/* ---- cells ---- */

static struct bytes leaf_cell_key(const uint8_t *cell)
{
    return bytes_of(cell + LEAF_HEAD, get_le16(cell));
}

static struct bytes branch_cell_key(const uint8_t *cell)
{
    return bytes_of(cell + BRANCH_HEAD, get_le16(cell + 4));
}

static struct bytes cell_key(enum node_kind kind, const uint8_t *cell)
{
    return kind == NODE_LEAF ? leaf_cell_key(cell) : branch_cell_key(cell);
}

static size_t cell_len(enum node_kind kind, const uint8_t *cell)
{
    if (kind == NODE_BRANCH)
        return BRANCH_HEAD + get_le16(cell + 4);
    size_t value_len = get_le16(cell + 2);
    if (value_len == RUN_MARK)
        value_len = RUN_BYTES;
    return LEAF_HEAD + get_le16(cell) + value_len;
}

struct bytes node_key(const uint8_t *page, unsigned slot)
{
    return cell_key(node_kind(page), cell_at(page, slot));
}

static struct bytes node_cell(const uint8_t *page, unsigned slot)
{
    const uint8_t *cell = cell_at(page, slot);
    return bytes_of(cell, cell_len(node_kind(page), cell));
}

struct node_value node_value(const uint8_t *page, unsigned slot)
{
    assert(page[AT_KIND] == NODE_LEAF);
    const uint8_t *cell = cell_at(page, slot);
    const uint8_t *at = cell + LEAF_HEAD + get_le16(cell);
    unsigned len = get_le16(cell + 2);
    if (len != RUN_MARK)
        return (struct node_value){.here = bytes_of(at, len)};
    return (struct node_value){.run_len = get_le32(at),
                               .run = get_le32(at + 4)};
}

void node_set_run(uint8_t *page, unsigned slot, uint32_t run)
{
    assert(node_value(page, slot).run != 0);
    uint8_t *cell = page + slot_offset(page, slot);
    put_le32(cell + LEAF_HEAD + get_le16(cell) + 4, run);
}

uint32_t node_child(const uint8_t *page, unsigned slot)
{
    assert(page[AT_KIND] == NODE_BRANCH);
    return get_le32(cell_at(page, slot));
}

void node_set_child(uint8_t *page, unsigned slot, uint32_t child)
{
    assert(page[AT_KIND] == NODE_BRANCH);
    assert(slot < node_count(page));
    put_le32(page + slot_offset(page, slot), child);
}

bool node_fits_inline(size_t key_len, size_t value_len)
{
    assert(key_len <= NODE_KEY_MAX);
    return LEAF_HEAD + key_len + value_len <= NODE_CELL_MAX;
}

struct bytes node_leaf_cell(uint8_t room[NODE_CELL_MAX], struct bytes key,
                            struct node_value value)
{
    assert(key.len <= NODE_KEY_MAX);
    put_le16(room, (uint16_t)key.len);
    uint8_t *at = room + LEAF_HEAD + key.len;
    if (key.len > 0)
        memcpy(room + LEAF_HEAD, key.data, key.len);
    if (value.run != 0) {
        put_le16(room + 2, RUN_MARK);
        put_le32(at, value.run_len);
        put_le32(at + 4, value.run);
        return bytes_of(room, LEAF_HEAD + key.len + RUN_BYTES);
    }
    assert(node_fits_inline(key.len, value.here.len));
    put_le16(room + 2, (uint16_t)value.here.len);
    if (value.here.len > 0)
        memcpy(at, value.here.data, value.here.len);
    return bytes_of(room, LEAF_HEAD + key.len + value.here.len);
}

struct bytes node_branch_cell(uint8_t room[NODE_CELL_MAX], struct bytes key,
                              uint32_t child)
{
    assert(key.len <= NODE_KEY_MAX);
    assert(child != 0);
    put_le32(room, child);
    put_le16(room + 4, (uint16_t)key.len);
    if (key.len > 0)
        memcpy(room + BRANCH_HEAD, key.data, key.len);
    return bytes_of(room, BRANCH_HEAD + key.len);
}

/* ---- prefix and heads ---- */

static size_t prefix_of(const uint8_t *page)
{
    return get_le16(page + AT_PREFIX);
}

/* The first slot that prefix and heads are about (1). */
static unsigned first_slot(const uint8_t *page)
{
    return page[AT_KIND] == NODE_BRANCH ? 1 : 0;
}

static size_t common_of(struct bytes a, struct bytes b)
{
    size_t max = a.len < b.len ? a.len : b.len;
    size_t n = 0;
    while (n < max && a.data[n] == b.data[n])
        n++;
    return n;
}

static uint32_t head_of(struct bytes key, size_t prefix)
{
    uint32_t head = 0;
    if (key.len >= prefix + sizeof(head))
        return get_be32(key.data + prefix);
    for (size_t i = 0; i < sizeof(head); i++)
        head = head << 8 | (prefix + i < key.len ? key.data[prefix + i] : 0);
    return head;
}

static uint32_t head_at(const uint8_t *page, unsigned slot)
{
    return get_le32(slot_at(page, slot));
}

static void set_head(uint8_t *page, unsigned slot)
{
    uint32_t head = 0;
    if (slot >= first_slot(page))
        head = head_of(node_key(page, slot), prefix_of(page));
    put_le32(page + NODE_HEADER + slot * NODE_SLOT, head);
}

static void set_prefix(uint8_t *page, size_t prefix)
{
    put_le16(page + AT_PREFIX, (uint16_t)prefix);
    for (unsigned i = first_slot(page); i < node_count(page); i++)
        set_head(page, i);
}

/* A key is about to come in. */
static void fit_prefix(uint8_t *page, struct bytes key)
{
    unsigned first = first_slot(page);
    if (node_count(page) <= first) {
        set_prefix(page, key.len);
        return;
    }
    size_t prefix = prefix_of(page);
    size_t common = common_of(node_key(page, first), key);
    if (common < prefix)
        set_prefix(page, common);
}

void node_check(const uint8_t *page)
{
    unsigned first = first_slot(page);
    unsigned count = node_count(page);
    size_t prefix = prefix_of(page);
    for (unsigned i = first; i < count; i++) {
        struct bytes key = node_key(page, i);
        assert(common_of(key, node_key(page, first)) >= prefix);
        assert(head_at(page, i) == head_of(key, prefix));
    }
    assert(first == 0 || head_at(page, 0) == 0);
}

/* ---- searching ---- */

/* Of two keys that have the prefix. */
static int compare_behind(struct bytes a, struct bytes b, size_t prefix)
{
    return bytes_compare(bytes_of(a.data + prefix, a.len - prefix),
                         bytes_of(b.data + prefix, b.len - prefix));
}

/* Where the key lies to all that have the prefix: below, above, or among them
 * (0). */
static int side_of(const uint8_t *page, struct bytes key, size_t prefix)
{
    struct bytes any = node_key(page, first_slot(page));
    size_t len = key.len < prefix ? key.len : prefix;
    int side = len > 0 ? memcmp(key.data, any.data, len) : 0;
    return side == 0 && key.len < prefix ? -1 : side;
}

/* The first slot whose key is not below `key`; true when it is equal. */
static bool search(const uint8_t *page, struct bytes key, unsigned *slot)
{
    unsigned low = first_slot(page);
    unsigned high = node_count(page);
    size_t prefix = prefix_of(page);
    int side = low < high ? side_of(page, key, prefix) : -1;
    *slot = side < 0 ? low : high;
    if (side != 0)
        return false;
    enum node_kind kind = node_kind(page);
    uint32_t head = head_of(key, prefix);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint32_t at = head_at(page, middle);
        int order = at < head ? -1 : at > head;
        if (order == 0)
            order = compare_behind(
                cell_key(kind, page + slot_offset(page, middle)), key, prefix);
        if (order == 0) {
            *slot = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *slot = low;
    return false;
}

bool node_find(const uint8_t *page, struct bytes key, unsigned *slot)
{
    assert(page[AT_KIND] == NODE_LEAF);
    return search(page, key, slot);
}

unsigned node_find_child(const uint8_t *page, struct bytes key)
{
    unsigned slot;
    assert(page[AT_KIND] == NODE_BRANCH);
    assert(node_count(page) > 0);
    return search(page, key, &slot) ? slot : slot - 1;
}

/* ---- inserting and removing ---- */

bool node_has_room(const uint8_t *page, size_t len)
{
    return node_used(page) + NODE_SLOT + len <= NODE_SPACE;
}

/* Move the cells together, so that all that is free lies below them. */
static void compact(uint8_t *page)
{
    uint8_t old[PAGE_BYTES];
    memcpy(old, page, PAGE_BYTES);
    unsigned low = PAGE_BYTES;
    for (unsigned i = 0; i < node_count(old); i++) {
        struct bytes cell = node_cell(old, i);
        low -= (unsigned)cell.len;
        memcpy(page + low, cell.data, cell.len);
        set_slot_offset(page, i, low);
    }
    put_le16(page + AT_LOW, (uint16_t)low);
    put_le16(page + AT_DEAD, 0);
}

/* The prefix fits its key. */
static void place_cell(uint8_t *page, unsigned slot, struct bytes cell)
{
    unsigned count = node_count(page);
    assert(slot <= count);
    assert(node_has_room(page, cell.len));
    unsigned slots_end = NODE_HEADER + (count + 1) * NODE_SLOT;
    if (low_of(page) < slots_end + cell.len)
        compact(page);
    unsigned low = low_of(page) - (unsigned)cell.len;
    assert(low >= slots_end);
    memcpy(page + low, cell.data, cell.len);
    uint8_t *at = page + NODE_HEADER + slot * NODE_SLOT;
    memmove(at + NODE_SLOT, at, (count - slot) * NODE_SLOT);
    put_le16(page + AT_LOW, (uint16_t)low);
    put_le16(page + AT_COUNT, (uint16_t)(count + 1));
    set_slot_offset(page, slot, low);
    set_head(page, slot);
}

void node_insert(uint8_t *page, unsigned slot, struct bytes cell)
{
    if (slot >= first_slot(page))
        fit_prefix(page, cell_key(node_kind(page), cell.data));
    place_cell(page, slot, cell);
}

bool node_overwrite(uint8_t *page, unsigned slot, struct bytes cell)
{
    if (node_cell(page, slot).len != cell.len)
        return false;
    memcpy(page + slot_offset(page, slot), cell.data, cell.len);
    return true;
}

void node_remove(uint8_t *page, unsigned slot)
{
    unsigned count = node_count(page);
    struct bytes cell = node_cell(page, slot);
    unsigned offset = slot_offset(page, slot);
    if (count == 1) {
        node_init(page, node_kind(page));
        return;
    }
    if (offset == low_of(page))
        put_le16(page + AT_LOW, (uint16_t)(offset + cell.len));
    else
        put_le16(page + AT_DEAD, (uint16_t)(dead_of(page) + cell.len));
    uint8_t *at = page + NODE_HEADER + slot * NODE_SLOT;
    memmove(at, at + NODE_SLOT, (count - slot - 1) * NODE_SLOT);
    put_le16(page + AT_COUNT, (uint16_t)(count - 1));
}

/* ---- two pages at once ---- */

/* Cells on their way from some pages to others, in order; not owned. */
struct cells {
    enum node_kind kind;
    unsigned count;
    size_t used; /* with their slots */
    struct bytes at[NODE_CELLS_MAX + 2];
};

static void cells_add(struct cells *cells, struct bytes cell)
{
    assert(cells->count < NODE_CELLS_MAX + 2);
    cells->at[cells->count++] = cell;
    cells->used += cell.len + NODE_SLOT;
}

static void cells_add_page(struct cells *cells, const uint8_t *page,
                           unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        cells_add(cells, node_cell(page, i));
}

static struct bytes cells_key(const struct cells *cells, unsigned i)
{
    assert(i < cells->count && cells->at[i].data != NULL);
    return cell_key(cells->kind, cells->at[i].data);
}

/* Fill a page with cells [from, to). Slot 0 of a branch loses its key (1). */
static void cells_write(const struct cells *cells, uint8_t *page, unsigned from,
                        unsigned to)
{
    node_init(page, cells->kind);
    uint8_t room[NODE_CELL_MAX];
    unsigned first = from + first_slot(page);
    assert(first < to); /* two each (2) */
    size_t prefix =
        common_of(cells_key(cells, first), cells_key(cells, to - 1));
    put_le16(page + AT_PREFIX, (uint16_t)prefix);
    for (unsigned i = from; i < to; i++) {
        struct bytes cell = cells->at[i];
        if (i == from && cells->kind == NODE_BRANCH)
            cell =
                node_branch_cell(room, (struct bytes){0}, get_le32(cell.data));
        place_cell(page, i - from, cell);
    }
}

/* How many cells go left: about half of the bytes; at least two each (2). */
static unsigned middle_of(const struct cells *cells)
{
    assert(cells->count >= 4);
    size_t used = 0;
    unsigned left = 0;
    while (used < cells->used / 2)
        used += cells->at[left++].len + NODE_SLOT;
    assert(left >= 2);
    if (left > cells->count - 2)
        left = cells->count - 2;
    return left;
}

/* The shortest key above the last one on the left and not above the first on
 * the right; between branches the right one's first key, which moves up. */
static size_t divide(const struct cells *cells, unsigned left,
                     uint8_t *separator)
{
    assert(left > 0);
    struct bytes above = cells_key(cells, left);
    size_t len = above.len;
    if (cells->kind == NODE_LEAF) {
        struct bytes below = leaf_cell_key(cells->at[left - 1].data);
        size_t common = 0;
        while (common < below.len && below.data[common] == above.data[common])
            common++;
        len = common + 1;
    }
    assert(len > 0 && len <= above.len && len <= NODE_KEY_MAX);
    memcpy(separator, above.data, len);
    return len;
}

size_t node_split(uint8_t *left, uint8_t *right, unsigned slot,
                  struct bytes cell, uint8_t *separator)
{
    uint8_t old[PAGE_BYTES];
    memcpy(old, left, PAGE_BYTES);
    unsigned count = node_count(old);
    struct cells cells = {.kind = node_kind(old)};
    cells_add_page(&cells, old, 0, slot);
    cells_add(&cells, cell);
    cells_add_page(&cells, old, slot, count);
    assert(cells.used > NODE_SPACE);
    unsigned to_left = middle_of(&cells);
    if (slot == count)
        to_left = cells.kind == NODE_LEAF ? count : count - 1;
    size_t len = divide(&cells, to_left, separator);
    cells_write(&cells, left, 0, to_left);
    cells_write(&cells, right, to_left, cells.count);
    return len;
}

bool node_can_merge(const uint8_t *left, const uint8_t *right,
                    struct bytes divider)
{
    size_t used = node_used(left) + node_used(right);
    if (node_kind(left) == NODE_BRANCH)
        used += divider.len; /* becomes the key of right's slot 0 */
    return used <= NODE_SPACE;
}

/* All of right behind what is in `cells`; `room` holds its first cell. */
static void cells_add_right(struct cells *cells, const uint8_t *right,
                            struct bytes divider, uint8_t room[NODE_CELL_MAX])
{
    unsigned from = 0;
    if (cells->kind == NODE_BRANCH) {
        cells_add(cells, node_branch_cell(room, divider, node_child(right, 0)));
        from = 1;
    }
    cells_add_page(cells, right, from, node_count(right));
}

void node_merge(uint8_t *left, const uint8_t *right, struct bytes divider)
{
    assert(node_kind(left) == node_kind(right));
    assert(node_can_merge(left, right, divider));
    uint8_t room[NODE_CELL_MAX];
    struct cells cells = {.kind = node_kind(left)};
    cells_add_right(&cells, right, divider, room);
    unsigned count = node_count(left);
    for (unsigned i = 0; i < cells.count; i++)
        node_insert(left, count + i, cells.at[i]);
}

size_t node_share(uint8_t *left, uint8_t *right, struct bytes divider,
                  uint8_t *separator)
{
    assert(node_kind(left) == NODE_BRANCH);
    assert(node_kind(right) == NODE_BRANCH);
    uint8_t old_left[PAGE_BYTES];
    uint8_t old_right[PAGE_BYTES];
    memcpy(old_left, left, PAGE_BYTES);
    memcpy(old_right, right, PAGE_BYTES);
    uint8_t room[NODE_CELL_MAX];
    struct cells cells = {.kind = NODE_BRANCH};
    cells_add_page(&cells, old_left, 0, node_count(old_left));
    cells_add_right(&cells, old_right, divider, room);
    unsigned to_left = middle_of(&cells);
    size_t len = divide(&cells, to_left, separator);
    cells_write(&cells, left, 0, to_left);
    cells_write(&cells, right, to_left, cells.count);
    return len;
}
