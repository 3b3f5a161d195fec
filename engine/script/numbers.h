/* numbers: where compiled Lua compares what can be no text.
 *
 * A text and a number have no order, so one operand that is surely a number is
 * enough: the other one is, too, or there is an error. */
#ifndef ATE_SCRIPT_NUMBERS_H
#define ATE_SCRIPT_NUMBERS_H

#include "script/dump.h"

/* Is it `<` or the like? */
bool numbers_compares(uint32_t code);

/* For each instruction: does it compare, and surely numbers? The caller frees
 * the array. */
bool *numbers_find(const struct dump_proto *p);

#endif
