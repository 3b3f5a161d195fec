/* declare_default: the value of t.default(type, value), in stored form. */
#ifndef ATE_DECLARE_DECLARE_DEFAULT_H
#define ATE_DECLARE_DECLARE_DEFAULT_H

#include "declare/declaring.h"

/* Read the Lua value on top of the stack as `type` wants it, and keep it as the
 * type's default. What does not fit is told. The stack stays. */
void read_default_value(struct declaring *d, const struct place *place,
                        struct value_type *type);
#endif
