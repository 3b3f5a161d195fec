/* scratch: a resource of C that survives a Lua error.
 *
 * An error of Lua jumps over C; what it jumps over has to hang on a value
 * that the collector frees. */
#ifndef FRONTENDS_LUA_SCRATCH_H
#define FRONTENDS_LUA_SCRATCH_H

#include <lua.h>

struct scratch {
    void *resource; /* NULL: nothing to free */
    void (*release)(void *resource);
};

/* Push a holder and return it; fill in `resource` when there is one. */
struct scratch *scratch_push(lua_State *L, void (*release)(void *resource));

/* Free the resource now; harmless when there is none. */
void scratch_release(struct scratch *scratch);
#endif
