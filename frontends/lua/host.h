/* host: what trusted Lua may do with this machine beyond its own library:
 * terminals, folders, waiting, and the width of texts. */
#ifndef FRONTENDS_LUA_HOST_H
#define FRONTENDS_LUA_HOST_H

#include <stdbool.h>
#include <lua.h>

/* Push the table `host`. */
int host_push(lua_State *L);

/* Push the table `text`: width, printable, valid. */
int text_push(lua_State *L);

/* What a signal handler may do: note that the user wants to stop. A waiting
 * call of Lua returns, and Lua that computes ends with an error. Safe to call
 * in a handler; it concerns the state that host_push() was called with last. */
void host_interrupt(void);

/* The same, and host_ending() from now on: the user wants all of it to end. */
void host_terminate(void);
bool host_ending(void);

/* Who waits was told of it by an answer that did not come, and says so: what
 * waits for that is not ended where it stands as well, unless all has to end.
 */
void host_told(lua_State *L);

/* Does host_interrupt() end Lua that computes, just now? Safe in a handler. */
bool host_catches(void);
/* It was called, and Lua has not ended yet. */
bool host_is_stopping(lua_State *L);
/* End it: the error that Lua which computes gets. */
int host_stop(lua_State *L);

/* The descriptor that is readable after host_interrupt(), or -1. */
int host_interrupt_fd(void);
#endif
