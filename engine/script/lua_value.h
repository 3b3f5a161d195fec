/* lua_value: stored values (docs/format.md section 7) as values of Lua.
 *
 *     text, name, enum, date, month, event type     a string
 *     integer, amount, time                         a number, at most 2^53
 *     blob                                          a string of bytes
 *     identity                                      a string of 32 bytes
 *     ref                                           a string: 00, then the id
 *     struct, list                                  a table
 *
 * All functions run inside a sandbox and charge gas for what they touch; they
 * raise Lua errors that begin with `path` ("transfer.amount: ..."), so their
 * caller may hold no resource: buffers are those of struct script_run. */
#ifndef ATE_SCRIPT_LUA_VALUE_H
#define ATE_SCRIPT_LUA_VALUE_H

#include <lua.h>

#include "schema/schema.h"

enum { LUA_REF_SIZE = 17, LUA_ID_SIZE = 16, LUA_IDENTITY_SIZE = 32 };

/* Push one stored value. */
void lua_value_push(lua_State *L, const struct value_type *type,
                    struct bytes value, const char *path);

/* Push any stored value without knowing its type: bytes of 16 are a ref. */
void lua_value_push_plain(lua_State *L, struct bytes value, const char *path);

/* Set the fields of the table on top of the stack that the stored map has. */
void lua_value_set_fields(lua_State *L, const struct fields *fields,
                          struct bytes map, const char *path);

/* Push a map of fields as a table of its shape. */
void lua_value_push_fields(lua_State *L, const struct fields *fields,
                           struct bytes map, const char *path);

void lua_value_push_ref(lua_State *L, const uint8_t id[LUA_ID_SIZE]);
/* Of a large body: {hash = 32 bytes, length = number}. */
struct handle;
void lua_value_push_handle(lua_State *L, const struct handle *handle);

/* Append the stored form of the value at `index`. Its kind has to fit and names
 * have to be known; bounds and what is missing are the caller's to check
 * (value_check). */
void lua_value_take(lua_State *L, int index, const struct value_type *type,
                    struct buf *out, const char *path);

/* Append the map that the table at `index` holds: fields that are not there are
 * left out. With `removes`, the value `ctx.none` is taken as nil. `word` is
 * "field", "column", "argument". */
void lua_value_take_fields(lua_State *L, int index, const struct fields *fields,
                           bool removes, struct buf *out, const char *path,
                           const char *word);

/* Append what the value at `index` looks like without a type: booleans, whole
 * numbers, refs, text (bytes if it is none), lists, maps. */
void lua_value_take_plain(lua_State *L, int index, struct buf *out,
                          const char *path);

/* The map of the table at `index`, of any names: those that are fields of one
 * of the lists by their types (the first that has it), others as they look.
 * Lists may be NULL. */
void lua_value_take_names(lua_State *L, int index, const struct fields *first,
                          const struct fields *second, struct buf *out,
                          const char *path);

/* Put "path.name" or "path[i]" into `room`, PATH_ROOM bytes; long ones are
 * cut. */
enum { PATH_ROOM = 256 };
const char *lua_path_field(char *room, const char *path, const char *name);
const char *lua_path_item(char *room, const char *path, size_t i);

/* Push the value that stands for "take it away" in a patch. */
void lua_value_push_none(lua_State *L);

#endif
