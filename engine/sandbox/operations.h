/* operations: what Lua's own instructions leave to functions of ours.
 *
 * Some instructions take time that grows with a text, or give what differs
 * between two runs. rewrite.h puts a call of one of these before them, or in
 * their place. They stand among the globals under names that no source can
 * write. */
#ifndef ATE_SANDBOX_OPERATIONS_H
#define ATE_SANDBOX_OPERATIONS_H

#include "sandbox/lib.h"

enum operation {
    OPERATION_LENGTH,  /* #: of a list or text; false for what has none */
    OPERATION_CONCAT,  /* ..: of texts and numbers; false for anything else */
    OPERATION_COMPARE, /* charges for <, <=, >, >= of two texts */
    OPERATION_ARITHMETIC, /* charges for +, -, *, /, %, for of texts */
    OPERATION_VARARGS, /* charges for ..., which may be thousands of values */
    OPERATION_COUNT,
};

extern const char *const operation_names[OPERATION_COUNT];

/* The functions, each under its name. Instead of the two below stands false,
 * until there is a text that they would charge for (lua_text.h). */
extern const struct library lib_operations;
int operation_compare(lua_State *L);
int operation_arithmetic(lua_State *L);
#endif
