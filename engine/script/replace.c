/* R is the first slot behind the frame. A call takes its function in R and its
 * arguments from R + 2 on.
 *
 *     CALLT A D     CALL A 0 D      all results stand from A on, and RETM
 *                   RETM A 0        returns as many as came: the frame stays,
 *                                   and with it the place of an error of the
 *                                   called function. CALLMT likewise.
 *     LEN A D       GGET R "#"      what the operation answers goes to A. If it
 *                   MOV R+2 D       answers false, LEN says what D is and which
 *                   CALL R 2 2      variable it is in: the error looks for who
 *                   IST R           wrote D in what stands before, so nothing
 *                   JMP +1          there may write it.
 *                   LEN R D
 *                   MOV A R
 *     CAT A B C     the same with "..", whose arguments are the slots B to C */
#include "script/replace.h"

#include <assert.h>

enum { JUMP_ZERO = 0x8000 };

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

/* Behind a call: its answer goes to `to`; where it is false, `code` is done,
 * which raises the error. */
static void put_answer(struct replacement *r, unsigned base, unsigned to,
                       uint32_t code)
{
    put(r, OP_IST, 0, base);
    put(r, OP_JMP, base, JUMP_ZERO + 1);
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

struct replacement replace(const struct dump_proto *p, uint32_t i,
                           const uint16_t constants[OPERATION_COUNT])
{
    struct replacement r = {.calls = -1};
    uint32_t code = dump_code(p, i);

    switch (dump_op(code)) {
    case OP_CALLT:
        replace_tail_call(&r, code, OP_CALL);
        break;
    case OP_CALLMT:
        replace_tail_call(&r, code, OP_CALLM);
        break;
    case OP_LEN:
        replace_length(&r, code, p->frame, constants[OPERATION_LENGTH]);
        break;
    case OP_CAT:
        replace_concat(&r, code, p->frame, constants[OPERATION_CONCAT]);
        break;
    default:
        put(&r, dump_op(code), dump_a(code), dump_d(code));
        break;
    }
    return r;
}
