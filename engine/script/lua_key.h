/* lua_key: what Lua says to name an object or a row, as an id or a row's key.
 *
 * An object is named by its ref, by a record, by its text key ("alice",
 * "project/7"), or by a table of its parent and key fields. A row is named by
 * one value, by a list in the order of its key, or by a table of its key
 * columns. As lua_value.h: errors are raised, gas is charged. */
#ifndef ATE_SCRIPT_LUA_KEY_H
#define ATE_SCRIPT_LUA_KEY_H

#include <lua.h>

#include "schema/schema.h"

/* The id that the value at `index` names; whether it is live is not looked at.
 */
void lua_key_object(lua_State *L, int index, const struct event_type *type,
                    uint8_t id[16], const char *path);

/* Append a row's whole key: view name 00, then all key columns. Who finds no
 * row there asks lua_key_check_absent() before he goes by that. */
void lua_key_row(lua_State *L, int index, const struct view *view,
                 struct buf *out, const char *path);

/* No row has this key: raise an error if that is so because a ref in it names
 * an object of another type than its column's. */
void lua_key_check_absent(lua_State *L, const struct view *view,
                          struct bytes key, const char *path);

/* Raise an error if `id` is known to be of another type than `type` says. */
void lua_key_check_type(lua_State *L, const struct value_type *type,
                        const uint8_t id[16], const char *path);

/* Append the ordered forms of the first columns of the order that rows are
 * walked in: as many as the value names; none for nil. With `all`, none may
 * be missing. Refs in them are of the right types. */
void lua_key_prefix(lua_State *L, int index, const struct view *view, bool all,
                    struct buf *out, const char *path);

#endif
