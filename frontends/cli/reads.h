/* reads: io.read and its like, which a signal ends as it ends Lua that
 * computes. */
#ifndef FRONTENDS_CLI_READS_H
#define FRONTENDS_CLI_READS_H

#include <lua.h>

/* Wrap those of io and of its files that may wait for somebody. */
void reads_install(lua_State *L);

/* What a signal handler does after host_interrupt(). */
void reads_interrupt(void);
#endif
