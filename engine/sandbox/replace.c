/* R is the first slot behind the frame. A call takes its function in R and its
 * arguments from R + 2 on.
 *
 *     CALLT A D     CALL A 0 D      All results stand from A on, and RETM
 *                   RETM A 0        returns as many as came: the frame stays,
 *                                   and with it the place of an error of the
 *                                   called function. CALLMT likewise.
 *     LEN A D       GGET R "#"      What the operation answers goes to A. If it
 *                   MOV R+2 D       answers false, LEN is left to refuse D by
 *                   CALL R 2 2      the name of the variable it is in: the
 *                   IST R           error looks for who wrote D in what stands
 *                   JMP +1          before, so nothing there may write it.
 *                   LEN R D
 *                   MOV A R
 *     CAT A B C                     The same with "..", whose arguments are the
 *                                   slots B to C.
 *     ISLT A D      GGET R "<"      Unless one of them is surely a number. What
 *                   ISF R           stands there is false until the first long
 *                   JMP +3          text is made (lua_text.h), and the call is
 *                   MOV R+2 A       passed over. The jump that belongs to the
 *                   MOV R+3 D       comparison stays behind it. ISGE, ISLE and
 *                   CALL R 1 3      ISGT likewise.
 *                   ISLT A D
 *     ADDVV A B C   GGET R "+"      Unless both are surely numbers, and as with
 *                   ISF R           ISLT: false until there is a text that is
 *                   JMP +3          dear to read as a number. All arithmetic
 *                   MOV R+2 B       likewise, with one slot or two, and FORI,
 *                   MOV R+3 C       with three, whose jump is the last
 *                   CALL R 1 3      instruction. What follows may be that of
 *                   ADDVV A B C     MODVV:
 *     MODVV A B C   DIVVV R B C     x - floor(x / y) * y, one step at a time:
 *                   KSHORT R+1 1    on some machines MODVV multiplies and
 *                   MODVV R+1 R R+1 subtracts in one, without rounding in
 *                   SUBVV R R R+1   between. By 1 nothing has to be rounded,
 *                   MULVV R R C     and floor(q) is q - q % 1. MODVN, MODNV
 *                   SUBVV A B R     likewise.
 *     DIVVV A B C   KSHORT R 0      Some machines count whole numbers as such:
 *                   ADDVV R C R     0 * -1 is 0 there, and -0 where all are
 *                   DIVVV A B R     doubles. Only a division tells, by what
 *                                   it makes of 1 / -0; so it is given 0 + 0.
 *                                   DIVNV likewise. No constant is -0.
 *     VARG A 0 C    GGET R "..."    All there are, which may be thousands, go
 *                   VARG R+2 0 C    to the operation, too, which charges for
 *                   CALLM R 1 0     them.
 *                   VARG A 0 C */
#include "sandbox/replace.h"

#include <assert.h>

#include "sandbox/numbers.h"

static void put(struct replacement *r, unsigned op, unsigned a, unsigned d)
{
    assert(r->count < REPLACE_CODE_MAX);
    r->code[r->count++] = op | a << 8 | d << 16;
}

static void put_abc(struct replacement *r, unsigned op, unsigned a, unsigned b,
                    unsigned c)
{
    put(r, op, a, b << 8 | c);
}

/* The frame is large enough: the call's own slots were counted for both. */
static void replace_tail_call(struct replacement *r, uint32_t code, unsigned op)
{
    r->bad = dump_d(code) > 0xff; /* C has a byte; B = 0: all results */
    put_abc(r, op, dump_a(code), 0, dump_d(code));
    put(r, OP_RETM, dump_a(code), 0);
}

/* Call an operation with the `count` slots from `first` on. */
static void put_call(struct replacement *r, unsigned base, unsigned name,
                     unsigned first, unsigned count, unsigned results)
{
    put(r, OP_GGET, base, name);
    for (unsigned i = 0; i < count; i++)
        put(r, OP_MOV, base + 2 + i, first + i);
    put_abc(r, OP_CALL, base, results + 1, count + 1);
    r->slots = 2 + count;
}

/* Behind a call: its answer goes to `to`, or, where it is false, that of
 * `code`. */
static void put_answer(struct replacement *r, unsigned base, unsigned to,
                       uint32_t code)
{
    put(r, OP_IST, 0, base);
    put(r, OP_JMP, base, DUMP_JUMP_ZERO + 1);
    put(r, dump_op(code), base, dump_d(code));
    put(r, OP_MOV, to, base);
}

static void replace_length(struct replacement *r, uint32_t code, unsigned base,
                           unsigned name)
{
    r->calls = OPERATION_LENGTH;
    put_call(r, base, name, dump_d(code), 1, 1);
    put_answer(r, base, dump_a(code), code);
}

static void replace_concat(struct replacement *r, uint32_t code, unsigned base,
                           unsigned name)
{
    unsigned first = dump_b(code);
    unsigned last = dump_c(code);

    if (first >= last) {
        r->bad = true;
        put(r, OP_CAT, dump_a(code), dump_d(code));
        return;
    }
    r->calls = OPERATION_CONCAT;
    put_call(r, base, name, first, last - first + 1, 1);
    put_answer(r, base, dump_a(code), code);
}

/* Call the operation with some slots, unless it is false. */
static void put_charge(struct replacement *r, unsigned base, unsigned name,
                       const struct slots *slots)
{
    put(r, OP_GGET, base, name);
    put(r, OP_ISF, 0, base);
    put(r, OP_JMP, base, DUMP_JUMP_ZERO + slots->count + 1);
    for (unsigned i = 0; i < slots->count; i++)
        put(r, OP_MOV, base + 2 + i, slots->at[i]);
    put_abc(r, OP_CALL, base, 1, slots->count + 1);
    r->slots = 2 + slots->count;
}

static void replace_compare(struct replacement *r, uint32_t code, unsigned base,
                            unsigned name)
{
    struct slots slots = {{dump_a(code), dump_d(code)}, 2};
    r->calls = OPERATION_COMPARE;
    put_charge(r, base, name, &slots);
    put(r, dump_op(code), dump_a(code), dump_d(code));
}

/* The same of two variables, of one and a constant, or the other way round. */
static void replace_modulo(struct replacement *r, uint32_t code, unsigned base)
{
    unsigned op = dump_op(code), b = dump_b(code), c = dump_c(code);
    bool reversed = op == OP_MODNV; /* the constant, C, comes first */

    put_abc(r,
            op == OP_MODVN   ? OP_DIVVN
            : op == OP_MODNV ? OP_DIVNV
                             : OP_DIVVV,
            base, b, c);
    put(r, OP_KSHORT, base + 1, 1);
    put_abc(r, OP_MODVV, base + 1, base, base + 1);
    put_abc(r, OP_SUBVV, base, base, base + 1);
    if (op == OP_MODVN)
        put_abc(r, OP_MULVN, base, base, c);
    else
        put_abc(r, OP_MULVV, base, base, reversed ? b : c);
    if (reversed)
        put_abc(r, OP_SUBNV, dump_a(code), base, c);
    else
        put_abc(r, OP_SUBVV, dump_a(code), b, base);
    r->slots = r->slots > 2 ? r->slots : 2;
}

/* By 0 where it is -0. */
static void replace_division(struct replacement *r, uint32_t code,
                             unsigned base)
{
    bool reversed = dump_op(code) == OP_DIVNV;
    unsigned divisor = reversed ? dump_b(code) : dump_c(code);

    put(r, OP_KSHORT, base, 0);
    put_abc(r, OP_ADDVV, base, divisor, base);
    if (reversed)
        put_abc(r, OP_DIVNV, dump_a(code), base, dump_c(code));
    else
        put_abc(r, OP_DIVVV, dump_a(code), dump_b(code), base);
    r->slots = r->slots > 1 ? r->slots : 1;
}

static void replace_varargs(struct replacement *r, uint32_t code, unsigned base,
                            unsigned name)
{
    r->calls = OPERATION_VARARGS;
    put(r, OP_GGET, base, name);
    put_abc(r, OP_VARG, base + 2, 0, dump_c(code));
    put_abc(r, OP_CALLM, base, 1, 0);
    put(r, OP_VARG, dump_a(code), dump_d(code));
    r->slots = 3;
}

/* Arithmetic, or an instruction that stays as it is. */
static void replace_arithmetic(struct replacement *r, const struct replacing *f,
                               uint32_t i)
{
    uint32_t code = dump_code(f->p, i);
    unsigned op = dump_op(code);
    unsigned base = f->p->frame;
    struct slots slots = numbers_counts(code);

    if (slots.count > 0 && !f->numbers[i]) {
        r->calls = OPERATION_ARITHMETIC;
        put_charge(r, base, f->constants[OPERATION_ARITHMETIC], &slots);
    }
    if (op == OP_MODVV || op == OP_MODVN || op == OP_MODNV)
        replace_modulo(r, code, base);
    else if (op == OP_DIVVV || op == OP_DIVNV)
        replace_division(r, code, base);
    else
        put(r, op, dump_a(code), dump_d(code));
}

struct replacement replace(const struct replacing *f, uint32_t i)
{
    struct replacement r = {.calls = -1};
    uint32_t code = dump_code(f->p, i);
    unsigned op = dump_op(code);
    unsigned base = f->p->frame;

    if (op == OP_CALLT)
        replace_tail_call(&r, code, OP_CALL);
    else if (op == OP_CALLMT)
        replace_tail_call(&r, code, OP_CALLM);
    else if (op == OP_LEN)
        replace_length(&r, code, base, f->constants[OPERATION_LENGTH]);
    else if (op == OP_CAT)
        replace_concat(&r, code, base, f->constants[OPERATION_CONCAT]);
    else if (numbers_compares(code) && !f->numbers[i])
        replace_compare(&r, code, base, f->constants[OPERATION_COMPARE]);
    else if (op == OP_VARG && dump_b(code) == 0)
        replace_varargs(&r, code, base, f->constants[OPERATION_VARARGS]);
    else
        replace_arithmetic(&r, f, i);
    return r;
}
