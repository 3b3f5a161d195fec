/* bundle_load: from source files to a stored bundle, and from a bundle to a
 * schema in a sandbox. */
#ifndef ATE_DECLARE_BUNDLE_LOAD_H
#define ATE_DECLARE_BUNDLE_LOAD_H

#include "base/bytes.h"
#include "event/bundle.h"
#include "sandbox/sandbox.h"

struct schema;

/* Give the source of a module that the schema's author wrote: append it to
 * `source`, and what errors call the file ("bank.lua") to `file`. Modules that
 * are in the binary (`ate`, `ate.*`, `ate:*`) are never asked for. Errors:
 * NOT_FOUND, IO, ... */
typedef int (*bundle_source)(void *ctx, const char *module, struct buf *file,
                             struct buf *source, struct err *err);

/* Does it name a standard schema, `ate:ledger`, whether there is one or not? */
bool bundle_is_standard(const char *module);

/* Is it the text that this binary has under that name, or of a module of the
 * engine's own that an earlier version had? A name alone says nothing: a bundle
 * may hold another's text as `ate:ledger`. */
bool bundle_knows(struct bytes module, struct bytes source);

/* Load `main_module` and all it requires in a sandbox of its own, and append
 * the stored bundle to `out`: every module that was loaded, those of the
 * engine's own Lua too. A standard schema is a module, too; where nothing else
 * is required, `source` may be NULL. Unless NULL, `schema` gets what was
 * declared (its function numbers mean nothing) and `warnings` one line for each
 * warning. Errors: those of declare_load and bundle_put, what `source` gave,
 * NOT_FOUND (no such standard schema). */
int bundle_build(struct buf *out, const char *main_module, bundle_source source,
                 void *ctx, struct schema *schema, struct buf *warnings,
                 struct err *err);

/* A sandbox_find over a stored bundle; ctx is a `const struct bundle *` that
 * has to stay until loading ends. Nothing but the bundle is looked at, so that
 * a chain means the same under every version of the engine. Modules named `ate`
 * or `ate.*` see more than others, so they have to be sources that this version
 * or an earlier one calls its own (lua/ate.released). Errors: NOT_FOUND,
 * INVALID, UNAVAILABLE (not known: from a later version, or no engine's). */
int bundle_find_module(void *ctx, const char *name,
                       struct sandbox_module *found, struct err *err);
#endif
