/* A dump of LuaJIT 2.1 (dump version 2), as lj_bcdump.h describes it:
 *
 *     dump   = 1B 'L' 'J' 02 flags name { proto } 00
 *     name   = length, bytes                             (not when stripped)
 *     proto  = length of what follows,
 *              flags u8, parameters u8, frame u8, upvalues u8,
 *              constants, numbers, instructions, debug length,
 *              first line, lines                         (if debug length > 0)
 *              instructions x u32, upvalues x u16,
 *              constants { kind ... }, numbers, debug
 *     debug  = instructions x line offset of 1, 2 or 4 bytes, names
 *
 * Every number without a width is a ULEB128. Inner functions stand before the
 * one that holds them.
 *
 * (1) We only ever scan what our own compiler wrote, yet nothing here trusts a
 *     length: each is checked against what is left.
 * (2) Instructions are allowed by name; what this file does not know is
 *     refused, so another LuaJIT cannot slip something in.
 * (3) A literal such as 1LL shows as a constant of cdata kind; folded powers
 *     show nowhere, which is why compile.c looks for `^` in the source. */
#include "script/scan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"

/* In the order of lj_bc.h; the second column says whether it may appear. */
#define OPCODES(X)                                                             \
    X(ISLT, 1)                                                                 \
    X(ISGE, 1)                                                                 \
    X(ISLE, 1)                                                                 \
    X(ISGT, 1)                                                                 \
    X(ISEQV, 1)                                                                \
    X(ISNEV, 1)                                                                \
    X(ISEQS, 1)                                                                \
    X(ISNES, 1)                                                                \
    X(ISEQN, 1)                                                                \
    X(ISNEN, 1)                                                                \
    X(ISEQP, 1)                                                                \
    X(ISNEP, 1)                                                                \
    X(ISTC, 1)                                                                 \
    X(ISFC, 1)                                                                 \
    X(IST, 1)                                                                  \
    X(ISF, 1)                                                                  \
    X(ISTYPE, 0)                                                               \
    X(ISNUM, 0)                                                                \
    X(MOV, 1)                                                                  \
    X(NOT, 1)                                                                  \
    X(UNM, 1)                                                                  \
    X(LEN, 1)                                                                  \
    X(ADDVN, 1)                                                                \
    X(SUBVN, 1)                                                                \
    X(MULVN, 1)                                                                \
    X(DIVVN, 1)                                                                \
    X(MODVN, 1)                                                                \
    X(ADDNV, 1)                                                                \
    X(SUBNV, 1)                                                                \
    X(MULNV, 1)                                                                \
    X(DIVNV, 1)                                                                \
    X(MODNV, 1)                                                                \
    X(ADDVV, 1)                                                                \
    X(SUBVV, 1)                                                                \
    X(MULVV, 1)                                                                \
    X(DIVVV, 1)                                                                \
    X(MODVV, 1)                                                                \
    X(POW, 0)                                                                  \
    X(CAT, 1)                                                                  \
    X(KSTR, 1)                                                                 \
    X(KCDATA, 0)                                                               \
    X(KSHORT, 1)                                                               \
    X(KNUM, 1)                                                                 \
    X(KPRI, 1)                                                                 \
    X(KNIL, 1)                                                                 \
    X(UGET, 1)                                                                 \
    X(USETV, 1)                                                                \
    X(USETS, 1)                                                                \
    X(USETN, 1)                                                                \
    X(USETP, 1)                                                                \
    X(UCLO, 1)                                                                 \
    X(FNEW, 1)                                                                 \
    X(TNEW, 1)                                                                 \
    X(TDUP, 1)                                                                 \
    X(GGET, 1)                                                                 \
    X(GSET, 0)                                                                 \
    X(TGETV, 1)                                                                \
    X(TGETS, 1)                                                                \
    X(TGETB, 1)                                                                \
    X(TGETR, 0)                                                                \
    X(TSETV, 1)                                                                \
    X(TSETS, 1)                                                                \
    X(TSETB, 1)                                                                \
    X(TSETM, 1)                                                                \
    X(TSETR, 0)                                                                \
    X(CALLM, 1)                                                                \
    X(CALL, 1)                                                                 \
    X(CALLMT, 1)                                                               \
    X(CALLT, 1)                                                                \
    X(ITERC, 1)                                                                \
    X(ITERN, 1)                                                                \
    X(VARG, 1)                                                                 \
    X(ISNEXT, 1)                                                               \
    X(RETM, 1)                                                                 \
    X(RET, 1)                                                                  \
    X(RET0, 1)                                                                 \
    X(RET1, 1)                                                                 \
    X(FORI, 1)                                                                 \
    X(JFORI, 0)                                                                \
    X(FORL, 1)                                                                 \
    X(IFORL, 0)                                                                \
    X(JFORL, 0)                                                                \
    X(ITERL, 1)                                                                \
    X(IITERL, 0)                                                               \
    X(JITERL, 0)                                                               \
    X(LOOP, 1)                                                                 \
    X(ILOOP, 0)                                                                \
    X(JLOOP, 0)                                                                \
    X(JMP, 1)

enum opcode {
#define X(name, allowed) OP_##name,
    OPCODES(X)
#undef X
        OP_COUNT,
};

static const bool allowed[OP_COUNT] = {
#define X(name, allowed) allowed,
    OPCODES(X)
#undef X
};

static_assert(OP_POW == 37 && OP_GSET == 55 && OP_JMP == 88, "as lj_bc.h");

enum { DUMP_VERSION = 2, FLAG_STRIP = 2, FLAG_FFI = 4, FLAG_FR2 = 8 };
enum { PROTO_FFI = 4 };
enum constant { KGC_CHILD, KGC_TAB, KGC_I64, KGC_U64, KGC_COMPLEX, KGC_STR };
enum item { KTAB_NIL, KTAB_FALSE, KTAB_TRUE, KTAB_INT, KTAB_NUM, KTAB_STR };

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* sticks: reads then give zeros */
};

struct scan {
    const char *file;
    scan_visit visit;
    void *ctx;
    struct err *err;
};

/* One function while it is looked at; text constants by their order. */
struct proto {
    uint32_t constants;
    uint32_t numbers;
    uint32_t instructions;
    uint32_t debug;
    uint32_t first_line;
    uint32_t lines;
    const uint8_t *code;
    const uint8_t *line_info; /* NULL without debug data */
    struct bytes *texts;      /* data NULL for constants of other kinds */
    bool cdata;
};

static uint8_t read_u8(struct reader *r)
{
    if (r->at == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->at++;
}

static uint32_t read_uleb(struct reader *r)
{
    uint32_t value = 0;

    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = read_u8(r);
        value |= (uint32_t)((uint64_t)(byte & 0x7f) << shift);
        if (byte < 0x80)
            return value;
    }
    r->bad = true;
    return 0;
}

/* The next `len` bytes; NULL when there are fewer. */
static const uint8_t *read_bytes(struct reader *r, size_t len)
{
    if (r->bad || len > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *bytes = r->at;
    r->at += len;
    return bytes;
}

static void read_item(struct reader *r)
{
    uint32_t kind = read_uleb(r);

    if (kind >= KTAB_STR)
        read_bytes(r, kind - KTAB_STR);
    else if (kind == KTAB_INT)
        read_uleb(r);
    else if (kind == KTAB_NUM) {
        read_uleb(r);
        read_uleb(r);
    }
}

static void read_table(struct reader *r)
{
    uint32_t array = read_uleb(r);
    uint32_t hash = read_uleb(r);

    for (uint32_t i = 0; i < array && !r->bad; i++)
        read_item(r);
    for (uint32_t i = 0; i < hash && !r->bad; i++) {
        read_item(r);
        read_item(r);
    }
}

static void read_constants(struct reader *r, struct proto *p)
{
    for (uint32_t i = 0; i < p->constants && !r->bad; i++) {
        uint32_t kind = read_uleb(r);
        if (kind >= KGC_STR) {
            size_t len = kind - KGC_STR;
            p->texts[i] = bytes_of(read_bytes(r, len), len);
        } else if (kind == KGC_TAB) {
            read_table(r);
        } else if (kind != KGC_CHILD) {
            p->cdata = true;
            for (int n = kind == KGC_COMPLEX ? 4 : 2; n > 0; n--)
                read_uleb(r);
        }
    }
}

/* A number's first part is a ULEB128 of 33 bits, whose lowest bit says whether
 * another part follows. */
static void read_numbers(struct reader *r, struct proto *p)
{
    for (uint32_t i = 0; i < p->numbers && !r->bad; i++) {
        uint8_t first = read_u8(r);
        for (int n = 0; r->at[-1] >= 0x80 && n < 4 && !r->bad; n++)
            read_u8(r);
        if (first & 1)
            read_uleb(r);
    }
}

/* The offsets that say which line an instruction came from. */
static size_t line_width(const struct proto *p)
{
    return p->lines < 256 ? 1 : p->lines < 65536 ? 2 : 4;
}

static int line_of(const struct proto *p, uint32_t instruction)
{
    if (p->line_info == NULL)
        return (int)p->first_line;
    switch (line_width(p)) {
    case 1:
        return (int)(p->first_line + p->line_info[instruction]);
    case 2:
        return (int)(p->first_line + get_le16(p->line_info + 2 * instruction));
    default:
        return (int)(p->first_line + get_le32(p->line_info + 4 * instruction));
    }
}

/* Text constant number `index` as an instruction counts them, from the end. */
static struct bytes text_of(const struct proto *p, uint32_t index)
{
    if (index >= p->constants)
        return bytes_of(NULL, 0);
    return p->texts[p->constants - 1 - index];
}

static void copy_name(char name[SCAN_NAME_MAX], struct bytes text)
{
    snprintf(name, SCAN_NAME_MAX, "%.*s",
             (int)(text.len < 256 ? text.len : 256),
             text.data == NULL ? "" : (const char *)text.data);
}

static uint32_t code_at(const struct proto *p, uint32_t i)
{
    return i < p->instructions ? get_le32(p->code + 4 * i) : OP_COUNT;
}

/* GGET r, name; and when TGETS x, r, member follows, both in one. */
static int visit_global(const struct scan *s, const struct proto *p, uint32_t i)
{
    uint32_t get = code_at(p, i);
    uint32_t next = code_at(p, i + 1);
    char name[SCAN_NAME_MAX], member[SCAN_NAME_MAX] = "";

    if (s->visit == NULL)
        return 0;
    copy_name(name, text_of(p, get >> 16));
    if ((next & 0xff) == OP_TGETS && next >> 24 == (get >> 8 & 0xff))
        copy_name(member, text_of(p, next >> 16 & 0xff));
    struct scan_global global = {name, member, line_of(p, i)};
    return s->visit(s->ctx, &global, s->err);
}

static int refuse(const struct scan *s, const struct proto *p, uint32_t i)
{
    uint32_t code = code_at(p, i);
    int line = line_of(p, i);
    char name[SCAN_NAME_MAX];

    switch (code & 0xff) {
    case OP_POW:
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: `^` is not available here: use ate.int.pow",
                       s->file, line);
    case OP_KCDATA:
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: numbers that end in LL, ULL or i are not "
                       "available here: write the plain number",
                       s->file, line);
    case OP_GSET:
        copy_name(name, text_of(p, code >> 16));
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: `%s` is not declared, and globals can't be "
                       "set here: write `local %s`",
                       s->file, line, name, name);
    default:
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: instruction %u is not known here", s->file, line,
                       code & 0xff);
    }
}

static int scan_code(const struct scan *s, const struct proto *p)
{
    for (uint32_t i = 0; i < p->instructions; i++) {
        uint32_t op = code_at(p, i) & 0xff;
        if (op >= OP_COUNT || !allowed[op])
            return refuse(s, p, i);
        int rc = op == OP_GGET ? visit_global(s, p, i) : 0;
        if (rc != 0)
            return rc;
    }
    if (p->cdata)
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%u: a constant that is not available here", s->file,
                       p->first_line);
    return 0;
}

static int corrupt(const struct scan *s)
{
    return err_set(s->err, ATE_ECORRUPT,
                   "%s: not a dump of the LuaJIT this was built for", s->file);
}

/* What precedes the constants. */
static void read_head(struct reader *r, struct proto *p)
{
    read_u8(r); /* flags: what they say shows in the constants */
    read_u8(r); /* parameters */
    read_u8(r); /* frame size */
    uint32_t upvalues = read_u8(r);
    p->constants = read_uleb(r);
    p->numbers = read_uleb(r);
    p->instructions = read_uleb(r);
    p->debug = read_uleb(r);
    if (p->debug > 0) {
        p->first_line = read_uleb(r);
        p->lines = read_uleb(r);
    }
    p->code = read_bytes(r, (size_t)p->instructions * 4);
    read_bytes(r, (size_t)upvalues * 2);
}

static int scan_proto(const struct scan *s, struct bytes bytes)
{
    struct reader r = {bytes.data, bytes.data + bytes.len, false};
    struct proto p = {0};

    read_head(&r, &p);
    /* Each constant takes at least a byte. */
    if (r.bad || p.constants > (size_t)(r.end - r.at))
        return corrupt(s);
    p.texts = mem_zero(p.constants + 1, sizeof(*p.texts));
    read_constants(&r, &p);
    read_numbers(&r, &p);
    if (p.debug > 0)
        p.line_info = read_bytes(&r, p.debug);
    bool fits = p.debug == 0 || p.debug / line_width(&p) >= p.instructions;
    int rc = r.bad || !fits || r.at != r.end ? corrupt(s) : scan_code(s, &p);
    mem_free(p.texts);
    return rc;
}

static bool read_header(struct reader *r)
{
    const uint8_t *magic = read_bytes(r, 4);
    if (magic == NULL || memcmp(magic, "\x1bLJ\x02", 4) != 0)
        return false;
    uint32_t flags = read_uleb(r);
    if ((flags & ~(uint32_t)FLAG_FFI) != FLAG_FR2)
        return false;
    read_bytes(r, read_uleb(r));
    return !r->bad;
}

int scan_dump(struct bytes dump, const char *file, scan_visit visit, void *ctx,
              struct err *err)
{
    struct scan s = {file, visit, ctx, err};
    struct reader r = {dump.data, dump.data + dump.len, false};

    if (!read_header(&r))
        return corrupt(&s);
    for (;;) {
        uint32_t len = read_uleb(&r);
        const uint8_t *data = read_bytes(&r, len);
        if (r.bad)
            return corrupt(&s);
        if (len == 0)
            return r.at == r.end ? 0 : corrupt(&s);
        int rc = scan_proto(&s, bytes_of(data, len));
        if (rc != 0)
            return rc;
    }
}
