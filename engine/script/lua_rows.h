/* lua_rows: what a fold writes by.
 *
 *     rows:add(key, {column = more})     rows:get(key)
 *     rows:set(key, {column = value})    rows:delete(key)
 *
 * Keys as in lua_key.h. */
#ifndef ATE_SCRIPT_LUA_ROWS_H
#define ATE_SCRIPT_LUA_ROWS_H

#include <lua.h>

#include "base/bytes.h"

struct box;
struct view;

/* In sandbox_setup: leaves a reference in box->rows. */
void lua_rows_setup(lua_State *L, struct box *b);

/* Push the row behind a key (view name 00, key columns): as it stands in the
 * state, or of its defaults when every column outside the key has one, or
 * nil. What is absent has been asked for by refs of the right types, or an
 * error is raised, which begins with `path`. */
void lua_rows_push(lua_State *L, const struct view *view, struct bytes key,
                   const char *path);
/* Push a row from its key and columns. */
void lua_rows_push_row(lua_State *L, const struct view *view, struct bytes key,
                       struct bytes columns);

#endif
