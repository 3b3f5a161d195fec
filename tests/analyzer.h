/* What clang-tidy has to be told, as it looks at one file at a time: err_set,
 * err_wrap and err_errno return what is below 0; what raises a Lua error does
 * not return. `make check` has it included before each file but err.c. */
#ifndef ATE_TESTS_ANALYZER_H
#define ATE_TESTS_ANALYZER_H

#include "base/err.h"

struct fields;
struct lua_State;

#define FAILED(call)                                                           \
    ({                                                                         \
        int failed = (call);                                                   \
        if (failed >= 0)                                                       \
            __builtin_unreachable();                                           \
        failed;                                                                \
    })
#define err_set(...) FAILED((err_set)(__VA_ARGS__))
#define err_wrap(...) FAILED((err_wrap)(__VA_ARGS__))
#define err_errno(...) FAILED((err_errno)(__VA_ARGS__))

int sandbox_error(struct lua_State *L, const char *format, ...)
    __attribute__((noreturn));
int sandbox_raise(struct lua_State *L, const struct err *err)
    __attribute__((noreturn));
int shape_unknown(struct lua_State *L, const char *what, const char *word,
                  const struct fields *fields, const struct fields *more,
                  const char *name) __attribute__((noreturn));
#endif
