/* dump: compiled Lua as lua_dump writes it (LuaJIT 2.1, dump version 2).
 *
 *     dump   = 1B 'L' 'J' 02 flags name { proto } 00
 *     name   = length, bytes
 *     proto  = length of what follows,
 *              flags u8, parameters u8, frame u8, upvalues u8,
 *              constants, numbers, instructions, debug length,
 *              first line, lines                         (if debug length > 0)
 *              instructions x u32, upvalues x u16,
 *              constants { kind ... }, numbers, debug
 *     debug  = instructions x line offset of 1, 2 or 4 bytes,
 *              upvalues x name with a zero,
 *              { variable: name with a zero or a kind < 7, start, length } 00
 *
 * Every number without a width is a ULEB128. Inner functions stand before the
 * one that holds them. A variable's start counts from the start of the one
 * before, in instructions, the function's head being number 0.
 *
 * We only read what our own compiler wrote, yet no length is trusted. */
#ifndef ATE_SANDBOX_DUMP_H
#define ATE_SANDBOX_DUMP_H

#include "base/bytes.h"
#include "sandbox/lua_text.h"

/* In the order of lj_bc.h; the second column says whether it may appear. */
#define DUMP_OPCODES(X)                                                        \
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

enum dump_opcode {
#define X(name, allowed) OP_##name,
    DUMP_OPCODES(X)
#undef X
        OP_COUNT,
};

/* Instructions hold the opcode, then A in the next byte, then either C and B in
 * a byte each or D in two. */
static inline unsigned dump_op(uint32_t code)
{
    return code & 0xff;
}
static inline unsigned dump_a(uint32_t code)
{
    return code >> 8 & 0xff;
}
static inline unsigned dump_b(uint32_t code)
{
    return code >> 24;
}
static inline unsigned dump_c(uint32_t code)
{
    return code >> 16 & 0xff;
}
static inline unsigned dump_d(uint32_t code)
{
    return code >> 16;
}

enum {
    DUMP_TEXT = 5, /* the kind of a text constant, its length added */
    DUMP_JUMP_ZERO = 0x8000,
};

/* Reads never pass the end; the first that would makes all later ones fail. */
struct dump_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* reads give zeros and NULL */
};

uint8_t dump_u8(struct dump_reader *r);
uint32_t dump_uleb(struct dump_reader *r);

/* One function. Borrowed from the dump but for `texts`. */
struct dump_proto {
    uint8_t flags, parameters, frame, upvalues;
    uint32_t constants, numbers, instructions;
    uint32_t debug; /* bytes, of which the lines take lines_size */
    uint32_t first_line, lines;
    size_t lines_size;
    const uint8_t *code;
    struct bytes middle; /* upvalues, constants and numbers, as they are */
    const uint8_t *debug_data; /* NULL when debug is 0 */
    struct bytes *texts;       /* of the constants; data NULL for other kinds */
    struct text_lengths lengths; /* of all texts, those inside tables too */
    bool cdata;                  /* one is a 64 bit or imaginary number */
};

/* False when the bytes are no function; then there is nothing to close. */
bool dump_proto_open(struct dump_proto *p, struct bytes bytes);
void dump_proto_close(struct dump_proto *p);

/* Instruction number `i` from 0; OP_COUNT as an opcode beyond the last. */
uint32_t dump_code(const struct dump_proto *p, uint32_t i);
int dump_line(const struct dump_proto *p, uint32_t i);
/* Is it a jump? *target is the instruction it leads to, which counts from the
 * one behind; it may be outside of the function. */
bool dump_jump(const struct dump_proto *p, uint32_t i, int64_t *target);
/* Bytes of one line offset: 1, 2 or 4. */
size_t dump_line_width(const struct dump_proto *p);
/* Text constant `index` as instructions number them; data NULL: none. */
struct bytes dump_text(const struct dump_proto *p, uint32_t index);

/* Pass what precedes the functions. False: not a dump, or a stripped one. */
bool dump_header(struct dump_reader *r);
/* The next function's bytes; len 0 at the end, which is when r->at == r->end.
 * A torn dump makes `r` bad. */
struct bytes dump_next(struct dump_reader *r);
#endif
