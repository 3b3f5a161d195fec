/* sandbox: one Lua state that runs the code of a bundle, within bounds.
 *
 * The life of one: sandbox_new; bindings are added with sandbox_setup; modules
 * are loaded with sandbox_load; sandbox_seal ends loading and takes the image.
 * Then, for each run: sandbox_begin puts the image back and gives fresh limits,
 * sandbox_run or sandbox_call run code, as often as the run needs. Nothing that
 * Lua does in one run is seen by the next; references of luaL_ref() taken
 * before the seal stay good for ever, others until the next sandbox_begin.
 *
 * Only text is compiled (compile.h), only what scan.h passes is run, the JIT
 * compiler is off. Garbage is collected while loading, at fixed steps, and not
 * in runs. Two environments: chunks of users see the library alone; chunks of
 * the engine's own Lua (`trusted`) see `host` too, a table that C fills.
 *
 * Gas counts steps: 1000 for each 1000 instructions, and what C functions
 * charge, and large blocks of memory; more, when keys of a table collide
 * (collisions.h). The same run uses the same gas in every process.
 *
 * A run needs nothing of the chain it is for but what `run` points to, so
 * chains with the same bundle can share a sandbox; it keeps about a megabyte.
 * A sandbox belongs to one thread at a time. Others may stop a run by its watch
 * (watch.h). */
#ifndef ATE_SANDBOX_SANDBOX_H
#define ATE_SANDBOX_SANDBOX_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "sandbox/arena.h"
#include "sandbox/collisions.h"
#include "sandbox/lua_text.h"

enum {
    SANDBOX_STEP = 1000,    /* instructions between two looks at the budget */
    SANDBOX_NEST_MAX = 60,  /* C functions that call Lua inside each other */
    SANDBOX_FILE_MAX = 200, /* bytes of a file name */
};

struct sandbox_limits {
    uint64_t gas;  /* steps of one run */
    size_t memory; /* bytes one run may use beyond the image */
};

#define SANDBOX_GAS_DEFAULT 100000
#define SANDBOX_MEMORY_DEFAULT ((size_t)1 << 20)
#define SANDBOX_LOAD_GAS 10000000 /* of loading a whole bundle */
/* Bytes that loading may allocate, all together. The largest bundles that are
 * written by hand take a third. */
#define SANDBOX_LOAD_MEMORY ((size_t)32 << 20)
/* A run can be given as much as this, and 16 times what the limits say. */
#define SANDBOX_MEMORY_MAX ((size_t)LIMIT_RUN_MEMORY)

/* What stands behind a module's name. Borrowed while it is being loaded. */
struct sandbox_module {
    const char *file; /* as errors name it: "bank.lua" */
    struct bytes source;
    bool trusted;                /* the engine's own Lua: it sees `host` */
    char room[SANDBOX_FILE_MAX]; /* for a `file` that has no other place */
};

/* Find a module for `require`. Errors: NOT_FOUND (require then says what it
 * looks for), all others end the loading. */
typedef int (*sandbox_find)(void *ctx, const char *name,
                            struct sandbox_module *found, struct err *err);

struct sandbox {
    void *run; /* the caller's, per run: C functions get it from sandbox_of() */
    void *bind; /* the caller's, for good: what sandbox_setup wants kept */
    struct watch *watch; /* the caller's; NULL: nobody stops a run */

    /* The rest is the sandbox's own: use the functions below. */
    lua_State *lua;
    struct arena arena;
    struct sandbox_limits limits; /* of a run, unless it is given others */
    struct sandbox_limits now;    /* in force */
    uint64_t gas_used;
    size_t loaded;             /* bytes allocated before the seal */
    size_t collect_at;         /* that many: garbage is worth a collection */
    struct text_lengths texts; /* that there are in this run */
    struct text_lengths image_texts; /* and that stand in the image */
    struct collisions tables;        /* that are large, in this run */
    struct collisions image_tables;  /* and in the image */
    sandbox_find find;
    void *find_ctx;
    bool sealed;
    bool collects;    /* garbage, now */
    bool sees_arrays; /* length.c knows where elements are */
    bool dead;        /* a limit is passed: nothing runs until the next begin */
    bool raised;      /* `error` is what the Lua error under way means */
    int active;       /* sandbox_run and sandbox_call in progress */
    int nest;         /* C functions that call Lua, inside each other */
    lua_CFunction entry; /* what sandbox_run runs, on its way in */
    void *entry_arg;
    struct err error;
    struct err limit_error;            /* why it is dead */
    char place[SANDBOX_FILE_MAX + 64]; /* where memory ran out, or "" */
    struct sandbox_refs {              /* in Lua's registry */
        int handler, trampoline;       /* of protected calls */
        int public, trusted;           /* environments */
        int host, modules, frozen;
    } refs;
};

/* `find` may be NULL: then nothing but the library can be required.
 * Limits of 0 mean the defaults; memory is cut to SANDBOX_MEMORY_MAX. Never
 * fails. */
struct sandbox *sandbox_new(struct sandbox_limits limits, sandbox_find find,
                            void *find_ctx);
void sandbox_free(struct sandbox *s); /* NULL is harmless */

/* The sandbox a C function runs in; costs two loads. */
struct sandbox *sandbox_of(lua_State *L);
lua_State *sandbox_L(struct sandbox *s);

/* Before the seal: run `fn` protected with `arg` as a light userdata at
 * index 1. It pushes functions and tables, keeps references with luaL_ref, and
 * fills `host` (sandbox_push_host). Errors: SCRIPT, LIMIT. */
int sandbox_setup(struct sandbox *s, lua_CFunction fn, void *arg,
                  struct err *err);

/* Push the table that trusted Lua knows as `host`. Before the seal, in
 * sandbox_setup. The kernel puts there: setmetatable, getmetatable, rawget,
 * rawset, rawequal, next, freeze(t) -> t (nobody may have changed t when
 * loading ends), and where(level) -> 'file:line' of the level-th caller outside
 * trusted files. */
void sandbox_push_host(lua_State *L);

/* Before the seal: load a module as `require` would, and keep a reference to
 * what it returns in *ref (unless ref is NULL). Errors: SCRIPT, LIMIT,
 * NOT_FOUND, and what `find` gave. */
int sandbox_load(struct sandbox *s, const char *name, int *ref,
                 struct err *err);

/* Load one module that `find` need not know, under the name `name`. */
int sandbox_load_source(struct sandbox *s, const char *name,
                        const struct sandbox_module *module, int *ref,
                        struct err *err);

/* From C functions that load, where no value is held that Lua cannot see:
 * collect garbage if there may be much. */
void sandbox_collect(lua_State *L);

/* End loading: check frozen tables, collect garbage, take the image.
 * Errors: SCRIPT (a library table was changed), LIMIT. */
int sandbox_seal(struct sandbox *s, struct err *err);

/* Put the image back; gas and memory are full again. Not from inside a run. */
void sandbox_begin(struct sandbox *s);

/* As sandbox_begin, under other limits for this run (replay: 16 times both). */
void sandbox_begin_within(struct sandbox *s, struct sandbox_limits limits);

/* Put the image back within a run: memory is full again, gas goes on as it
 * stands; a run without gas stays dead. */
void sandbox_begin_again(struct sandbox *s);

/* Run the C function `fn` protected, with `arg` as a light userdata at index 1.
 * This is the way to call Lua with arguments made from outside bytes: pushing
 * them may run out of memory, which needs the protection. Inside, use
 * lua_rawgeti(L, LUA_REGISTRYINDEX, ref), push, lua_call, and store results
 * through `arg`. No resource may be held in `fn` when Lua can raise an error.
 * May be nested. Errors: SCRIPT, LIMIT, UNAVAILABLE (stopped by its watch), or
 * what sandbox_raise gave. */
int sandbox_run(struct sandbox *s, lua_CFunction fn, void *arg,
                struct err *err);

/* Call the function behind `ref` with the `nargs` values on top of the stack,
 * protected. On success they are replaced by `nresults` values, on failure
 * removed. The caller sees to it that pushing the arguments is protected (it
 * runs inside sandbox_run or a C function) or small. May be nested. Errors as
 * above. */
int sandbox_call(struct sandbox *s, int ref, int nargs, int nresults,
                 struct err *err);

/* From C functions: take `steps` from the budget; raises a Lua error when it is
 * gone. Work that grows with its input charges before it is done, about a step
 * for 16 bytes or one element. */
void sandbox_charge(lua_State *L, uint64_t steps);
enum { SANDBOX_BYTES_STEP = 16 };
void sandbox_charge_bytes(lua_State *L, size_t len);

/* From C functions: end the run, or the innermost sandbox_run or sandbox_call
 * of it, with exactly this error (REFUSED with its rule, NEED, ...). Does not
 * return. */
int sandbox_raise(lua_State *L, const struct err *err);

/* From C functions: a Lua error with file and line of the nearest caller
 * outside trusted files. Does not return. */
int sandbox_error(lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Push what the function on top of the stack, one of the library's, is called:
 * "ate.int.add", "select"; nil when it is none of these. */
void sandbox_push_name(lua_State *L);

/* Write "file:line" of the level-th caller outside trusted files (1 = nearest);
 * "" when there is none. False then. */
bool sandbox_where(lua_State *L, int level, char *place, size_t cap);

/* Around each lua_call in a C function: bounds how deep C and Lua nest. What an
 * error skips is put right by sandbox_run and sandbox_call. */
void sandbox_nest(lua_State *L);
void sandbox_unnest(lua_State *L);

/* Scratch memory of a C function, counted as the run's. Freed with exactly the
 * same size, or given up when an error passes (the image takes it back). Raises
 * a Lua error when memory is out. */
void *sandbox_scratch(lua_State *L, size_t size);
void sandbox_scratch_free(lua_State *L, void *scratch, size_t size);

/* Since sandbox_begin: did gas or memory run out, or was it stopped? */
bool sandbox_is_dead(const struct sandbox *s);

uint64_t sandbox_gas_used(const struct sandbox *s);  /* since sandbox_begin */
size_t sandbox_memory_used(const struct sandbox *s); /* beyond the image */
#endif
