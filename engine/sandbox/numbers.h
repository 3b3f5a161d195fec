/* numbers: where compiled Lua compares, and counts with, what can be no text.
 *
 * A text and a number have no order, so of what is compared one operand that is
 * surely a number is enough: the other one is, too, or there is an error.
 * Arithmetic reads a text as a number, so there all have to be. */
#ifndef ATE_SANDBOX_NUMBERS_H
#define ATE_SANDBOX_NUMBERS_H

#include "sandbox/dump.h"

/* Is it `<` or the like? */
bool numbers_compares(uint32_t code);

/* Slots whose values an instruction counts with; none for one that does not. */
struct slots {
    unsigned at[3];
    unsigned count;
};
struct slots numbers_counts(uint32_t code);

/* For each instruction: does it compare or count, and surely numbers? The
 * caller frees the array. */
bool *numbers_find(const struct dump_proto *p);

#endif
