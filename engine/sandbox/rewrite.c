/* For each function in which replace.h replaces something:
 *
 * (1) The frame grows by the most slots that a replacement needs, and the names
 *     of the operations that are called come before the other constants:
 *     instructions count these from the end.
 * (2) Everything behind a replacement moves: each jump is given the distance
 *     between the new places of its two ends, where the place of what was
 *     replaced is its first instruction; each added instruction has the line of
 *     what it stands for, and variables live between the new places of their
 *     first and last instruction.
 * (3) All else is copied as it is. */
#include "sandbox/rewrite.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "sandbox/numbers.h"
#include "sandbox/replace.h"

enum {
    VARIABLE_KINDS = 7,
    FRAME_MAX = 250, /* slots of one function, as in LuaJIT */
};

/* A function on its way: where each old instruction went, and their number
 * behind the last. */
struct rewrite {
    const struct dump_proto *p;
    uint32_t *moved;
    uint32_t count;
    unsigned frame;
    struct replacing replacing;
    int added[OPERATION_COUNT]; /* whose names are added */
    unsigned added_count;
    bool bad; /* a jump or a variable leads outside */
    bool too_long;
};

static uint32_t instruction(unsigned op, unsigned a, unsigned d)
{
    return op | a << 8 | d << 16;
}

static void put_le(struct buf *out, uint32_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        buf_put_u8(out, (uint8_t)(value >> 8 * i));
}

static void put_uleb(struct buf *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_put_u8(out, (uint8_t)(value | 0x80));
    buf_put_u8(out, (uint8_t)value);
}

/* Jump number `i`, which led to `target`, and is the last of what stands for
 * it. */
static uint32_t move_jump(struct rewrite *w, uint32_t i, int64_t target)
{
    uint32_t code = dump_code(w->p, i);

    if (target < 0 || target > w->p->instructions) {
        w->bad = true;
        return code;
    }
    int64_t distance =
        (int64_t)w->moved[target] - w->moved[i + 1] + DUMP_JUMP_ZERO;
    if (distance < 0 || distance > UINT16_MAX) {
        w->too_long = true;
        return code;
    }
    return instruction(dump_op(code), dump_a(code), (unsigned)distance);
}

static void put_code(struct buf *out, struct rewrite *w)
{
    for (uint32_t i = 0; i < w->p->instructions; i++) {
        int64_t target = 0;
        struct replacement r = replace(&w->replacing, i);
        w->bad |= r.bad;
        if (dump_jump(w->p, i, &target))
            r.code[r.count - 1] = move_jump(w, i, target);
        for (unsigned k = 0; k < r.count; k++)
            put_le(out, r.code[k], 4);
    }
}

static void put_lines(struct buf *out, const struct rewrite *w)
{
    size_t width = dump_line_width(w->p);

    for (uint32_t i = 0; i < w->p->instructions; i++)
        for (uint32_t k = w->moved[i]; k < w->moved[i + 1]; k++)
            buf_put(out, w->p->debug_data + i * width, width);
}

/* The new place of a variable's bound, which counts the head as 0. */
static uint32_t move_bound(struct rewrite *w, uint64_t bound)
{
    if (bound == 0)
        return 0;
    if (bound - 1 > w->p->instructions) {
        w->bad = true;
        return 0;
    }
    return 1 + w->moved[bound - 1];
}

/* A name with its zero. */
static void copy_text(struct buf *out, struct dump_reader *r)
{
    uint8_t byte;

    do {
        byte = dump_u8(r);
        buf_put_u8(out, byte);
    } while (byte != 0 && !r->bad);
}

static void put_variables(struct buf *out, struct rewrite *w,
                          struct dump_reader *r)
{
    uint64_t old_start = 0;
    uint32_t new_start = 0;

    while (!r->bad) {
        uint8_t kind = r->at < r->end ? *r->at : 0;
        if (kind < VARIABLE_KINDS)
            buf_put_u8(out, dump_u8(r));
        else
            copy_text(out, r);
        if (kind == 0)
            break;
        old_start += dump_uleb(r);
        uint64_t old_end = old_start + dump_uleb(r);
        uint32_t start = move_bound(w, old_start);
        put_uleb(out, start - new_start);
        put_uleb(out, move_bound(w, old_end) - start);
        new_start = start;
    }
}

static void put_debug(struct buf *out, struct rewrite *w)
{
    const struct dump_proto *p = w->p;
    struct dump_reader r = {p->debug_data + p->lines_size,
                            p->debug_data + p->debug, false};

    put_lines(out, w);
    for (int i = 0; i < p->upvalues; i++)
        copy_text(out, &r);
    put_variables(out, w, &r);
    w->bad |= r.bad || r.at != r.end;
}

/* Upvalues, then constants with the added ones in front, then numbers. */
static void put_middle(struct buf *out, const struct rewrite *w)
{
    struct bytes middle = w->p->middle;
    size_t upvalues = (size_t)w->p->upvalues * 2;

    buf_put(out, middle.data, upvalues);
    for (unsigned k = w->added_count; k > 0; k--) {
        const char *name = operation_names[w->added[k - 1]];
        put_uleb(out, (uint32_t)(DUMP_TEXT + strlen(name)));
        buf_put_text(out, name);
    }
    buf_put(out, middle.data + upvalues, middle.len - upvalues);
}

static void put_proto(struct buf *out, struct rewrite *w)
{
    const struct dump_proto *p = w->p;
    struct buf debug = {0};

    if (p->debug > 0)
        put_debug(&debug, w);
    buf_put_u8(out, p->flags);
    buf_put_u8(out, p->parameters);
    buf_put_u8(out, (uint8_t)w->frame);
    buf_put_u8(out, p->upvalues);
    put_uleb(out, p->constants + w->added_count);
    put_uleb(out, p->numbers);
    put_uleb(out, w->count);
    put_uleb(out, (uint32_t)debug.len);
    if (p->debug > 0) {
        put_uleb(out, p->first_line);
        put_uleb(out, p->lines);
    }
    put_code(out, w);
    put_middle(out, w);
    buf_put_bytes(out, buf_bytes(&debug));
    buf_deinit(&debug);
}

static void add_name(struct rewrite *w, int operation)
{
    for (unsigned k = 0; k < w->added_count; k++)
        if (w->added[k] == operation)
            return;
    w->replacing.constants[operation] =
        (uint16_t)(w->p->constants + w->added_count);
    w->added[w->added_count++] = operation;
}

/* Where everything goes. False when all stays as it is. */
static bool plan(struct rewrite *w)
{
    uint32_t added = 0;
    const struct dump_proto *p = w->p;

    w->moved = mem_zero((size_t)p->instructions + 1, sizeof(*w->moved));
    w->replacing = (struct replacing){.p = p, .numbers = numbers_find(p)};
    w->frame = p->frame;
    for (uint32_t i = 0; i < p->instructions; i++) {
        struct replacement r = replace(&w->replacing, i);
        w->moved[i] = i + added;
        added += r.count - 1;
        if (p->frame + r.slots > w->frame)
            w->frame = p->frame + r.slots;
        if (r.calls >= 0)
            add_name(w, r.calls);
    }
    w->count = p->instructions + added;
    w->moved[p->instructions] = w->count;
    w->too_long =
        w->frame > FRAME_MAX || p->constants + w->added_count > UINT16_MAX;
    return added > 0;
}

/* Append one function to `out` with its length. */
static int rewrite_proto(struct buf *out, struct bytes bytes, const char *file,
                         struct err *err)
{
    struct dump_proto p;
    struct buf made = {0};

    if (!dump_proto_open(&p, bytes))
        return err_set(err, ATE_ECORRUPT, "%s: not a dump of a function", file);
    struct rewrite w = {.p = &p};
    bool changes = plan(&w);
    if (changes && !w.too_long)
        put_proto(&made, &w);
    else
        buf_put_bytes(&made, bytes);
    put_uleb(out, (uint32_t)made.len);
    buf_put_bytes(out, buf_bytes(&made));
    buf_deinit(&made);
    mem_free(w.moved);
    mem_free(w.replacing.numbers);
    dump_proto_close(&p);
    if (w.bad)
        return err_set(err, ATE_ECORRUPT, "%s: not a dump of a function", file);
    if (w.too_long)
        return err_set(err, ATE_ELIMIT,
                       "%s:%u: the function is too long: "
                       "make it two",
                       file, p.first_line);
    return 0;
}

int rewrite_dump(struct buf *out, struct bytes dump, const char *file,
                 struct err *err)
{
    struct dump_reader r = {dump.data, dump.data + dump.len, false};

    if (!dump_header(&r))
        return err_set(err, ATE_ECORRUPT, "%s: not a dump", file);
    buf_put(out, dump.data, (size_t)(r.at - dump.data));
    for (;;) {
        struct bytes proto = dump_next(&r);
        if (r.bad)
            return err_set(err, ATE_ECORRUPT, "%s: a torn dump", file);
        if (proto.len == 0)
            break;
        int rc = rewrite_proto(out, proto, file, err);
        if (rc != 0)
            return rc;
    }
    buf_put_u8(out, 0);
    return 0;
}
