/* manager: what a service manager such as systemd and this program tell each
 * other, by its environment. */
#ifndef FRONTENDS_CLI_MANAGER_H
#define FRONTENDS_CLI_MANAGER_H

#include <lua.h>

/* The module `ate.manager`:
 *
 *     notify(text)  -> true | false where nobody wants to know | nil, text
 *                   sd_notify(3): `READY=1` and the like
 *     sockets()     -> list of {fd, name, unix}: those handed over
 *                   (sd_listen_fds_with_names(3)), each once, the caller's
 *     hangups()     -> a descriptor that is readable after SIGHUP, which from
 *                   now on does not end the program; read 8 bytes from it */
int luaopen_ate_manager(lua_State *L);
#endif
