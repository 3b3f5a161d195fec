/* hidden: what a source holds that who reads it is not shown. */
#ifndef ATE_DECLARE_HIDDEN_H
#define ATE_DECLARE_HIDDEN_H

#include "base/bytes.h"

/* Call `visit` with what it is, at most once for each kind and in the order of
 * lines within one: characters that nobody sees or that turn text round,
 * control characters, names with letters that look like others. */
void hidden_find(struct bytes source,
                 void (*visit)(void *ctx, int line, const char *what),
                 void *ctx);
#endif
