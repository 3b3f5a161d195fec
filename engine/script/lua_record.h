/* lua_record: events and objects as tables: their fields, and `id`, `type` (the
 * full name), `change` and `before`. */
#ifndef ATE_SCRIPT_LUA_RECORD_H
#define ATE_SCRIPT_LUA_RECORD_H

#include <lua.h>

#include "acceptance/trial.h"

struct shape;

/* Event `n` of a trial, as rules and folds get it. A deletion shows the fields
 * of what it deletes. `bodies`: with the body's fields, where it is at hand. */
void lua_record_push_event(lua_State *L, const struct trial *trial, size_t n,
                           bool bodies);

/* A live object. In a method, its body's fields are read when they are first
 * touched; that may end the run with NEED. */
void lua_record_push_object(lua_State *L, const struct event_type *type,
                            const uint8_t id[16], const struct object *o);

/* An event as it was when it came, and perhaps is no more: `o` says where it
 * stands. Of an object it has `change`. Bodies as above. */
void lua_record_push_past(lua_State *L, const struct event_type *type,
                          const struct object *o);

/* What a field of the body that is not in the table reads as: pushed. `index`
 * is the record's; errors say why a body is not to be seen here. */
void lua_record_push_body_field(lua_State *L, int index,
                                const struct shape *shape, const char *name);

#endif
