/* vocabulary: what trusted Lua (lua/ate) is made of: it writes down what a
 * schema declares, and knows types and refusals when it sees them.
 *
 * A type is a userdata, so that nobody but C sees or changes what is in it: a
 * table {kind =, exact =, where =, [1] =, [2] =}, the name of its constructor,
 * whether its numbers end where Lua's do and its refs are of one type also as
 * keys of rows (those of bundles from before that was asked are not), the place
 * of the call, the arguments (the tables among which are their author's). A
 * declaration is a table {kind =, schema =, name =, where =, options =} in the
 * list that vocabulary_push_list gives; `schema` is the name of the schema it
 * was made for. Nothing is checked here but what would make the rest
 * impossible. */
#ifndef ATE_DECLARE_VOCABULARY_H
#define ATE_DECLARE_VOCABULARY_H

#include <lua.h>
#include <stdbool.h>

struct err;
struct sandbox;

/* Fill `host`: type(name) gives a constructor, exact_type(name) one of
 * exact numbers and refs, declare(kind) a function that writes a declaration
 * down, deny the maker of refusals, strict(module, name) makes reading what is
 * not in a module an error. Before anything is loaded. Errors: those of
 * sandbox_setup. */
int vocabulary_setup(struct sandbox *s, struct err *err);

/* The list of declarations, in the order made. */
void vocabulary_push_list(lua_State *L);

/* Forget the list: what is declared from now on is an error. */
void vocabulary_close(lua_State *L);

bool vocabulary_is_type(lua_State *L, int index);
/* Push the table of the type at `index`. */
void vocabulary_push_type(lua_State *L, int index);
bool vocabulary_is_schema(lua_State *L, int index);

/* Push the name of a schema object; false, and nothing pushed, for what is
 * none. */
bool vocabulary_push_name(lua_State *L, int index);

/* Is the value what ate.deny() gave? Then push its table of values. */
bool vocabulary_refusal(lua_State *L, int index);

/* Did ate.deny() make one since the image was put back? Never, as bundles of
 * before have it. */
bool vocabulary_denied(lua_State *L);
#endif
