/* lua_program: a Lua file that does much with little sense, the same for the
 * same seed.
 *
 * It returns a function that gives a text, in which everything shows that it
 * came upon, or ends in an error. It goes where two runs may differ: tables of
 * mixed keys that grow and lose entries, numbers as texts, comparisons, sorting
 * by functions that lie, lists with holes, variables outside of functions. */
#ifndef ATE_SIM_LUA_PROGRAM_H
#define ATE_SIM_LUA_PROGRAM_H

#include "base/bytes.h"

/* Append the source. */
void lua_program(struct buf *out, uint64_t seed);

#endif
