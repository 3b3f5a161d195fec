#include "sandbox/dump.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

static_assert(OP_POW == 37 && OP_GSET == 55 && OP_JMP == 88, "as lj_bc.h");

enum { FLAG_FFI = 4, FLAG_FR2 = 8 };
enum constant { KGC_CHILD, KGC_TAB, KGC_I64, KGC_U64, KGC_COMPLEX, KGC_STR };
static_assert((int)KGC_STR == (int)DUMP_TEXT, "what rewrite.c writes");
enum item { KTAB_NIL, KTAB_FALSE, KTAB_TRUE, KTAB_INT, KTAB_NUM, KTAB_STR };

uint8_t dump_u8(struct dump_reader *r)
{
    if (r->at == r->end) {
        r->bad = true;
        return 0;
    }
    assert(r->at != NULL);
    return *r->at++;
}

uint32_t dump_uleb(struct dump_reader *r)
{
    uint32_t value = 0;

    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = dump_u8(r);
        value |= (uint32_t)((uint64_t)(byte & 0x7f) << shift);
        if (byte < 0x80)
            return value;
    }
    r->bad = true;
    return 0;
}

/* The next `len` bytes; NULL when there are fewer. */
static const uint8_t *dump_bytes(struct dump_reader *r, size_t len)
{
    if (r->bad || len > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *bytes = r->at;
    r->at += len;
    return bytes;
}

static struct bytes read_text(struct dump_reader *r, size_t len,
                              struct dump_proto *p)
{
    struct bytes text = {dump_bytes(r, len), len};

    if (text.data != NULL)
        lua_text_measure(&p->lengths, text);
    return text;
}

static void read_item(struct dump_reader *r, struct dump_proto *p)
{
    uint32_t kind = dump_uleb(r);

    if (kind >= KTAB_STR)
        read_text(r, kind - KTAB_STR, p);
    else if (kind == KTAB_INT)
        dump_uleb(r);
    else if (kind == KTAB_NUM) {
        dump_uleb(r);
        dump_uleb(r);
    }
}

static void read_table(struct dump_reader *r, struct dump_proto *p)
{
    uint32_t array = dump_uleb(r);
    uint32_t hash = dump_uleb(r);

    for (uint32_t i = 0; i < array && !r->bad; i++)
        read_item(r, p);
    for (uint32_t i = 0; i < hash && !r->bad; i++) {
        read_item(r, p);
        read_item(r, p);
    }
}

static void read_constants(struct dump_reader *r, struct dump_proto *p)
{
    for (uint32_t i = 0; i < p->constants && !r->bad; i++) {
        uint32_t kind = dump_uleb(r);
        if (kind >= KGC_STR) {
            p->texts[i] = read_text(r, kind - KGC_STR, p);
        } else if (kind == KGC_TAB) {
            read_table(r, p);
        } else if (kind != KGC_CHILD) {
            p->cdata = true;
            for (int n = kind == KGC_COMPLEX ? 4 : 2; n > 0; n--)
                dump_uleb(r);
        }
    }
}

/* A number's first part is a ULEB128 of 33 bits, whose lowest bit says whether
 * another part follows. */
static void read_numbers(struct dump_reader *r, struct dump_proto *p)
{
    for (uint32_t i = 0; i < p->numbers && !r->bad; i++) {
        uint8_t first = dump_u8(r);
        for (int n = 0; r->at[-1] >= 0x80 && n < 4 && !r->bad; n++)
            dump_u8(r);
        if (first & 1)
            dump_uleb(r);
    }
}

size_t dump_line_width(const struct dump_proto *p)
{
    return p->lines < 256 ? 1 : p->lines < 65536 ? 2 : 4;
}

int dump_line(const struct dump_proto *p, uint32_t i)
{
    if (p->debug_data == NULL || i >= p->instructions)
        return (int)p->first_line;
    switch (dump_line_width(p)) {
    case 1:
        return (int)(p->first_line + p->debug_data[i]);
    case 2:
        return (int)(p->first_line + get_le16(p->debug_data + 2 * (size_t)i));
    default:
        return (int)(p->first_line + get_le32(p->debug_data + 4 * (size_t)i));
    }
}

/* Instructions count them from the end. */
struct bytes dump_text(const struct dump_proto *p, uint32_t index)
{
    if (index >= p->constants)
        return bytes_of(NULL, 0);
    return p->texts[p->constants - 1 - index];
}

uint32_t dump_code(const struct dump_proto *p, uint32_t i)
{
    return i < p->instructions ? get_le32(p->code + 4 * (size_t)i) : OP_COUNT;
}

bool dump_jump(const struct dump_proto *p, uint32_t i, int64_t *target)
{
    uint32_t code = dump_code(p, i);

    *target = (int64_t)i + 1 + (int64_t)dump_d(code) - DUMP_JUMP_ZERO;
    switch (dump_op(code)) {
    case OP_UCLO:
    case OP_ISNEXT:
    case OP_FORI:
    case OP_FORL:
    case OP_ITERL:
    case OP_LOOP:
    case OP_JMP:
        return true;
    default:
        return false;
    }
}

static void read_head(struct dump_reader *r, struct dump_proto *p)
{
    p->flags = dump_u8(r);
    p->parameters = dump_u8(r);
    p->frame = dump_u8(r);
    p->upvalues = dump_u8(r);
    p->constants = dump_uleb(r);
    p->numbers = dump_uleb(r);
    p->instructions = dump_uleb(r);
    p->debug = dump_uleb(r);
    if (p->debug > 0) {
        p->first_line = dump_uleb(r);
        p->lines = dump_uleb(r);
        p->lines_size = p->instructions * dump_line_width(p);
    }
    p->code = dump_bytes(r, (size_t)p->instructions * 4);
}

bool dump_proto_open(struct dump_proto *p, struct bytes bytes)
{
    struct dump_reader r = {bytes.data, bytes.data + bytes.len, false};

    *p = (struct dump_proto){0};
    read_head(&r, p);
    /* Each constant takes at least a byte. */
    if (r.bad || p->constants > (size_t)(r.end - r.at) ||
        p->lines_size > p->debug)
        return false;
    const uint8_t *middle = r.at;
    dump_bytes(&r, (size_t)p->upvalues * 2);
    p->texts = mem_zero(p->constants + 1, sizeof(*p->texts));
    read_constants(&r, p);
    read_numbers(&r, p);
    p->middle = bytes_of(middle, (size_t)(r.at - middle));
    if (p->debug > 0)
        p->debug_data = dump_bytes(&r, p->debug);
    if (!r.bad && r.at == r.end)
        return true;
    dump_proto_close(p);
    return false;
}

void dump_proto_close(struct dump_proto *p)
{
    mem_free(p->texts);
    p->texts = NULL;
}

bool dump_header(struct dump_reader *r)
{
    const uint8_t *magic = dump_bytes(r, 4);
    if (magic == NULL || memcmp(magic, "\x1bLJ\x02", 4) != 0)
        return false;
    uint32_t flags = dump_uleb(r);
    if ((flags & ~(uint32_t)FLAG_FFI) != FLAG_FR2)
        return false;
    dump_bytes(r, dump_uleb(r));
    return !r->bad;
}

struct bytes dump_next(struct dump_reader *r)
{
    uint32_t len = dump_uleb(r);
    const uint8_t *data = dump_bytes(r, len);
    if (len == 0 && r->at != r->end)
        r->bad = true;
    return bytes_of(data, r->bad ? 0 : len);
}
