/* replace: which instructions are replaced, and by which.
 *
 * A replacement works in the slots behind the function's frame, which are free
 * at any instruction but between one that gives as many values as there are
 * and the one that takes them; none of these is replaced by code that would
 * need them in between. */
#ifndef ATE_SANDBOX_REPLACE_H
#define ATE_SANDBOX_REPLACE_H

#include <stdbool.h>

#include "sandbox/dump.h"
#include "sandbox/operations.h"

enum { REPLACE_CODE_MAX = 256 + 6 };

struct replacement {
    uint32_t code[REPLACE_CODE_MAX];
    unsigned count; /* of instructions; 1: the instruction stays as it is */
    unsigned slots; /* that it needs behind the frame */
    int calls;      /* that it calls, or -1 */
    bool bad;       /* no such instruction is ever compiled */
};

/* One function, and what is known of it. */
struct replacing {
    const struct dump_proto *p;
    bool *numbers; /* see numbers.h */
    /* Where the name of each operation will stand among the text constants. */
    uint16_t constants[OPERATION_COUNT];
};

/* What stands for instruction `i`. Jumps within a replacement have their
 * distance already. */
struct replacement replace(const struct replacing *f, uint32_t i);
#endif
