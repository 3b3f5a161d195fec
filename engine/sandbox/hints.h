/* hints: what to use instead of Lua that is not available here. */
#ifndef ATE_SANDBOX_HINTS_H
#define ATE_SANDBOX_HINTS_H

#include <stddef.h>

struct hint {
    const char *name; /* "pairs", "string.gsub" */
    const char *text; /* why not, and what instead: "its order differs ..." */
};

const struct hint *hint_find(const char *name); /* NULL: none */

/* "pairs is not available here: <hint>", or without a hint for an unknown name.
 * `member` may be NULL or "". Returns `text`. */
const char *hint_sentence(char *text, size_t cap, const char *name,
                          const char *member);
#endif
