/* lua_text: every text that Lua gets from C goes through here, as long ones
 * cost more than the instructions that look at them.
 *
 * Two things a run may do with a text take time by its length and call nothing
 * of ours: comparing it with `<` and the like, and counting with it, for Lua
 * takes '12' for a number. Reading that is dear: its digits take time by the
 * square of how many there are, and an exponent counts as some hundred of them.
 * Neither is worth a call each time. So it is noted when a text comes to be
 * that is longer than LUA_TEXT_LONG, or reads as a number that takes long. From
 * then on, in this run,
 *
 *     comparisons of two values that may be texts are charged by length, and
 *     arithmetic with values that may be texts by what reading them takes
 *     (replace.h asks for both). */
#ifndef ATE_SANDBOX_LUA_TEXT_H
#define ATE_SANDBOX_LUA_TEXT_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { LUA_TEXT_LONG = 256 };

/* What texts there are. */
struct text_lengths {
    bool is_long; /* one is longer than LUA_TEXT_LONG */
    bool counts;  /* reading one as a number is charged */
};

/* The steps that reading it as a number takes; 0: few, or it is none. */
uint64_t lua_text_number_gas(struct bytes text);

/* Could a text that begins so be a number? */
bool lua_text_may_count(const char *text, size_t len);

/* Push a text. */
void lua_text_push(lua_State *L, const char *text, size_t len);

/* There is a text that C did not push: a constant of a file. */
void lua_text_note(lua_State *L, const struct text_lengths *lengths);

/* Add one text, or others, to what is known. */
void lua_text_measure(struct text_lengths *lengths, struct bytes text);
void lua_text_add(struct text_lengths *lengths,
                  const struct text_lengths *more);

#endif
