/* One walk through the function. Where nothing jumps to, what the instruction
 * before left in the slots is still there; what can be said of them is lost
 * where a jump leads, and behind a call, which may set variables that inner
 * functions share. So `best < 10`, `n + 1 <= n * 2` and `1 + n * 2` are seen,
 * and `a.n < b.n` is not. */
#include "sandbox/numbers.h"

#include <string.h>

#include "base/memory.h"

enum { SLOTS = 256, LOOP_VARIABLE = 3 /* behind where a loop stands */ };

bool numbers_compares(uint32_t code)
{
    unsigned op = dump_op(code);
    return op == OP_ISLT || op == OP_ISGE || op == OP_ISLE || op == OP_ISGT;
}

struct slots numbers_counts(uint32_t code)
{
    unsigned op = dump_op(code), a = dump_a(code);

    if (op == OP_UNM)
        return (struct slots){{dump_d(code)}, 1};
    if (op == OP_FORI)
        return (struct slots){{a, a + 1, a + 2}, 3};
    if (op >= OP_ADDVN && op <= OP_MODNV)
        return (struct slots){{dump_b(code)}, 1};
    if (op >= OP_ADDVV && op <= OP_MODVV)
        return (struct slots){{dump_b(code), dump_c(code)}, 2};
    return (struct slots){.count = 0};
}

static bool surely(const bool numbers[SLOTS], const struct slots *slots)
{
    bool all = slots->count > 0;

    for (unsigned i = 0; i < slots->count; i++)
        all &= slots->at[i] < SLOTS && numbers[slots->at[i]];
    return all;
}

/* The end of a loop over numbers leads back behind its FORI, where its variable
 * is a number again. */
static bool goes_round(const struct dump_proto *p, uint32_t i, int64_t target)
{
    return dump_op(dump_code(p, i)) == OP_FORL && target > 0 && target <= i &&
           dump_op(dump_code(p, (uint32_t)target - 1)) == OP_FORI;
}

/* For each instruction: does a jump lead there? */
static bool *find_targets(const struct dump_proto *p)
{
    bool *targets = mem_zero((size_t)p->instructions + 1, sizeof(*targets));

    for (uint32_t i = 0; i < p->instructions; i++) {
        int64_t target = 0;
        if (dump_jump(p, i, &target) && target >= 0 &&
            target <= p->instructions && !goes_round(p, i, target))
            targets[target] = true;
    }
    return targets;
}

/* What an instruction leaves: `numbers` says which slots hold one. */
static void pass(uint32_t code, bool numbers[SLOTS])
{
    unsigned a = dump_a(code);

    switch (dump_op(code)) {
    case OP_KSHORT:
    case OP_KNUM:
    case OP_UNM:
    case OP_LEN:
        numbers[a] = true;
        return;
    case OP_MOV:
        numbers[a] = dump_d(code) < SLOTS && numbers[dump_d(code)];
        return;
    case OP_NOT:
    case OP_CAT:
    case OP_KSTR:
    case OP_KPRI:
    case OP_UGET:
    case OP_GGET:
    case OP_TGETV:
    case OP_TGETS:
    case OP_TGETB:
    case OP_FNEW:
    case OP_TNEW:
    case OP_TDUP:
    case OP_ISTC:
    case OP_ISFC:
        numbers[a] = false;
        return;
    case OP_USETV:
    case OP_USETS:
    case OP_USETN:
    case OP_USETP:
    case OP_TSETV:
    case OP_TSETS:
    case OP_TSETB:
    case OP_IST:
    case OP_ISF:
    case OP_JMP:
        return;
    case OP_FORI:
        memset(numbers, 0, SLOTS * sizeof(*numbers));
        if (a + LOOP_VARIABLE < SLOTS)
            numbers[a + LOOP_VARIABLE] = true;
        return;
    default:
        if (dump_op(code) >= OP_ADDVN && dump_op(code) <= OP_MODVV)
            numbers[a] = true;
        else if (dump_op(code) > OP_ISNEP) /* comparisons leave all as it is */
            memset(numbers, 0, SLOTS * sizeof(*numbers));
        return;
    }
}

bool *numbers_find(const struct dump_proto *p)
{
    bool numbers[SLOTS] = {false};
    bool *found = mem_zero((size_t)p->instructions + 1, sizeof(*found));
    bool *targets = find_targets(p);

    for (uint32_t i = 0; i < p->instructions; i++) {
        uint32_t code = dump_code(p, i);
        struct slots slots = numbers_counts(code);
        if (targets[i])
            memset(numbers, 0, sizeof(numbers));
        found[i] = surely(numbers, &slots);
        if (numbers_compares(code))
            found[i] = numbers[dump_a(code)] ||
                       (dump_d(code) < SLOTS && numbers[dump_d(code)]);
        pass(code, numbers);
    }
    mem_free(targets);
    return found;
}
