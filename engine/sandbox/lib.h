/* lib: the library that Lua sees in a sandbox, all of it metered and bounded.
 *
 * Globals: type error assert ipairs tonumber tostring select unpack require,
 * string, table, math, bit. The module `ate.lib` holds each, int, date, time,
 * hash, text; `ate.int`, `ate.date`, ... are modules too. `ate` is what the
 * loader finds under that name, or else `ate.lib`. */
#ifndef ATE_SANDBOX_LIB_H
#define ATE_SANDBOX_LIB_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LIB_TEXT_MAX = 64 << 10, /* bytes of a text that a function makes */
    LIB_LIST_MAX = 8000,     /* elements of a list that a function makes */
    LIB_UNPACK_MAX = 200,    /* values that unpack returns */
    LIB_NUMBER_TEXT = 32,    /* room for any number as text */
};

#define LIB_INTEGER_MAX ((int64_t)1 << 53)

struct lib_constant {
    const char *name;
    double value;
};

/* A table of functions and numbers; both lists end with a NULL name. */
struct library {
    const char *name; /* as a module: "string", "ate.int" */
    const luaL_Reg *functions;
    const struct lib_constant *constants; /* or NULL */
};

extern const struct library lib_base; /* the functions among the globals */
extern const struct library lib_string;
extern const struct library lib_table;
extern const struct library lib_math;
extern const struct library lib_bit;
extern const struct library lib_int;
extern const struct library lib_date;
extern const struct library lib_time;
extern const struct library lib_hash;
extern const struct library lib_text;
extern const struct library lib_ate; /* ate.lib: the functions of it alone */

/* Put a library's functions and constants into a new table, on the stack. */
void lib_push(lua_State *L, const struct library *library);

/* Is there a global `name`, and a `member` in it (unless "")? Members of what
 * is not a library table count as there. */
bool lib_has(const char *name, const char *member);

/* Arguments of C functions: raise errors that name function and argument, at
 * the place of the caller in the bundle. Numbers are not texts here. */
int64_t lib_arg_integer(lua_State *L, int arg, const char *function);
double lib_arg_number(lua_State *L, int arg, const char *function);
const char *lib_arg_text(lua_State *L, int arg, const char *function,
                         size_t *len);
void lib_arg_table(lua_State *L, int arg, const char *function);
/* The text at `index` as a name; "?", which nothing is called, for what is
 * none: no text, or one with a zero byte in it, where names of C would end. */
const char *lib_name(lua_State *L, int index);
/* An integer argument that may be absent or nil. */
int64_t lib_arg_or(lua_State *L, int arg, const char *function,
                   int64_t otherwise);

/* Raises an error beyond 2^53. */
void lib_push_integer(lua_State *L, int64_t value, const char *function);

/* Is it an integer of |x| <= 2^53? */
bool lib_to_integer(lua_State *L, int index, int64_t *value);

/* A number as tostring, `..` and format write it: whole ones below 10^18 in
 * full, others as C's %.14g; nan, inf, -inf; -0 as 0. Returns the length. */
size_t lib_number_text(char text[LIB_NUMBER_TEXT], double number);

/* The text of a text, number or boolean; `room` is for numbers. Raises an
 * error for anything else. */
const char *lib_any_text(lua_State *L, int arg, const char *function,
                         char room[LIB_NUMBER_TEXT], size_t *len);

/* Raise an error when a text of `len` bytes is more than a function may make;
 * else charge for it. */
void lib_charge_text(lua_State *L, size_t len, const char *function);

/* One thing that is put in order: a number, or a text when `text` is set. */
struct lib_item {
    double number;
    const char *text; /* borrowed: whoever sorts keeps it alive */
    size_t len;
    uint32_t index; /* the caller's */
};

/* Sort items: numbers by value before texts by bytes; stable. Charges as it
 * goes, which depends on the order they come in; `L` NULL: the caller has
 * charged. `spare` has room for as many. */
void lib_sort_items(lua_State *L, struct lib_item *items,
                    struct lib_item *spare, size_t count);
#endif
