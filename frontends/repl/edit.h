/* edit: editing a line on a terminal, with history and completion. */
#ifndef FRONTENDS_REPL_EDIT_H
#define FRONTENDS_REPL_EDIT_H

#include <lua.h>

/* The module `ate.edit`: open(complete) -> editor. An editor has read(prompt)
 * -> line | nil at the end of the input | false after Ctrl-C, remember(line),
 * forget() and close(). In a prompt what stands between two bytes \1 is sent as
 * it is and takes no columns. `complete(line, cursor)` gives the candidates for
 * the word before the cursor and where it starts. */
int luaopen_ate_edit(lua_State *L);
#endif
