/* bundle: all Lua that a chain's schema loads, as one body.
 *
 * [main module, [[module, file name, source], ...] sorted by module]. */
#ifndef ATE_EVENT_BUNDLE_H
#define ATE_EVENT_BUNDLE_H

#include "base/msgpack.h"

struct err;

struct bundle_module {
    struct bytes name;   /* as `require` names it */
    struct bytes file;   /* as error messages name it */
    struct bytes source; /* text, valid UTF-8 */
};

/* Append a bundle; sorts `modules` by name. After an error `out` is as before.
 * Errors: INVALID (a module twice, no main module, not UTF-8, a name that is
 * empty or too long), LIMIT. */
int bundle_put(struct buf *out, struct bytes main_module,
               struct bundle_module *modules, size_t count, struct err *err);

/* A checked bundle inside the bytes it was read from. */
struct bundle {
    struct bytes main_module;
    uint32_t count;
    struct bytes modules; /* encoded array */
};

/* Checks all of it: order, names, bounds, that the main module is there.
 * `raw` has to outlive the bundle. Errors: INVALID, LIMIT. */
int bundle_get(struct bytes raw, struct bundle *bundle, struct err *err);

/* The modules in order. */
struct bundle_cursor {
    struct mp mp;
    uint32_t left;
};
struct bundle_cursor bundle_modules(const struct bundle *bundle);
bool bundle_next(struct bundle_cursor *cursor, struct bundle_module *module);

/* False: there is none of that name. */
bool bundle_find(const struct bundle *bundle, struct bytes name,
                 struct bundle_module *module);

/* Have both the same sources, whatever their modules are called? */
bool bundle_same_sources(const struct bundle *a, const struct bundle *b);
#endif
