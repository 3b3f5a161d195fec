/* lua_text: every text that Lua gets from C goes through here, as long ones
 * cost more than the instructions that look at them.
 *
 * Two things a run may do with a text take time by its length and call nothing
 * of ours: comparing it with `<` and the like, and counting with it, for Lua
 * takes '12' for a number. Neither is worth a call each time. So it is noted
 * when a text longer than LUA_TEXT_LONG comes to be, and of these the longest
 * that reads as a number. From then on, in this run,
 *
 *     comparisons of two values that may be texts are charged by length
 *     (replace.h asks for that), and
 *     each step counts 1 + that length / LUA_TEXT_LONG times. */
#ifndef ATE_SCRIPT_LUA_TEXT_H
#define ATE_SCRIPT_LUA_TEXT_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { LUA_TEXT_LONG = 256 };

/* The longest texts there are. */
struct text_lengths {
    size_t any;    /* 0: none is longer than LUA_TEXT_LONG */
    size_t number; /* of those that read as a number */
};

/* Push a text. */
void lua_text_push(lua_State *L, const char *text, size_t len);

/* There is a text that C did not push: a constant of a file. */
void lua_text_note(lua_State *L, const struct text_lengths *lengths);

/* Add one text, or others, to what is known. */
void lua_text_measure(struct text_lengths *lengths, struct bytes text);
void lua_text_add(struct text_lengths *lengths,
                  const struct text_lengths *more);

#endif
