/* collisions: tables in which many keys come to one place.
 *
 * LuaJIT hashes texts with a number that is drawn for each state, but numbers
 * in a way that everybody knows. Whoever chooses them, such as the author of a
 * body, can choose some thousand that come to one place of a table; each is
 * then looked for behind all the others, in one instruction. So large tables
 * are looked at now and then, and once such a chain is found, all steps of the
 * run cost more. (docs/decisions/0101-keys-that-collide.md) */
#ifndef ATE_SANDBOX_COLLISIONS_H
#define ATE_SANDBOX_COLLISIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    COLLISIONS_LARGE = 256, /* places of a table that is looked at */
    COLLISIONS_LONG = 128,  /* keys of a chain that is found */
    COLLISIONS_PRICE = 16,  /* of a step then: as much more as replay has */
};

struct places {
    const void *at;
    size_t count;
};

/* The large tables that there are. The caller keeps it, zeroed at first. */
struct collisions {
    struct places *tables;
    size_t count;
    size_t cap;
    size_t places; /* of all of them */
    size_t table;  /* where looking goes on */
    size_t place;
    bool found;
};

void collisions_deinit(struct collisions *c);

/* Lua took a block of memory, or gave it back: is it a large table's? */
void collisions_take(struct collisions *c, const void *block, size_t size);
void collisions_give(struct collisions *c, const void *block, size_t size);

/* Look at a share of the places; `found` stays set. */
void collisions_look(struct collisions *c);

/* Make `to` equal to `from`. */
void collisions_copy(struct collisions *to, const struct collisions *from);

/* Are places in memory as collisions.c has it? `c` is the one that is told of
 * the state's memory. */
bool collisions_probe(lua_State *L, struct collisions *c);
#endif
