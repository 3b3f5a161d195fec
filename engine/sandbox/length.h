/* length: how long a list is, by what it holds alone.
 *
 * Lua promises of `#t` no more than some n with t[n] there and t[n + 1] not. In
 * a table with holes there are several; which one LuaJIT gives depends on how
 * the table was made and grew, which for tables with texts as keys differs
 * between two processes. Here it is the smallest one: what ipairs walks.
 * (docs/decisions/0018-length-by-content.md) */
#ifndef ATE_SANDBOX_LENGTH_H
#define ATE_SANDBOX_LENGTH_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum { LENGTH_STEP = 128 }; /* elements for one step of gas */

/* The smallest n >= 0 for which t[n + 1] is nil; metatables are not asked.
 * Charges a step, and one for each LENGTH_STEP elements. */
size_t length_of(lua_State *L, int index);

/* The same, and whether the table holds t[1] to t[n] and nothing else. Charges
 * a step for each entry besides. */
bool length_whole(lua_State *L, int index, size_t *n);

/* Is a table in memory laid out as length.c has it? Else elements are asked for
 * one by one, which gives the same and takes ten times as long. */
bool length_probe(lua_State *L);
#endif
