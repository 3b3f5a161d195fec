/* lib: the library that Lua sees in a sandbox, all of it metered and bounded.
 *
 * Globals: type error assert ipairs tonumber tostring select unpack require,
 * string, table, math, bit. The module `ate.lib` holds each, int, date, time,
 * hash, text; `ate.int`, `ate.date`, ... are modules too. `ate` is what the
 * loader finds under that name, or else `ate.lib`. */
#ifndef ATE_SCRIPT_LIB_H
#define ATE_SCRIPT_LIB_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LIB_TEXT_MAX = 64 << 10, /* bytes of a text that a function makes */
    LIB_UNPACK_MAX = 200,
};

#define LIB_INTEGER_MAX ((int64_t)1 << 53)

/* Each leaves one table on the stack; they run while a sandbox is made. */
void lib_push_globals(lua_State *L);
void lib_push_string(lua_State *L);
void lib_push_table(lua_State *L);
void lib_push_math(lua_State *L);
void lib_push_bit(lua_State *L);
void lib_push_int(lua_State *L);
void lib_push_date(lua_State *L);
void lib_push_time(lua_State *L);
void lib_push_hash(lua_State *L);
void lib_push_text(lua_State *L);
int lib_each(lua_State *L);

/* Arguments of C functions: raise errors that name function and argument, at
 * the place of the caller. */
int64_t lib_arg_integer(lua_State *L, int arg, const char *function);
const char *lib_arg_text(lua_State *L, int arg, const char *function,
                         size_t *len);
void lib_arg_table(lua_State *L, int arg, const char *function);
void lib_push_integer(lua_State *L, int64_t value, const char *function);

/* An integer argument of |x| <= 2^53? */
bool lib_to_integer(lua_State *L, int index, int64_t *value);
#endif
