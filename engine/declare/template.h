/* template: texts with {names} in them. */
#ifndef ATE_DECLARE_TEMPLATE_H
#define ATE_DECLARE_TEMPLATE_H

#include "declare/declaring.h"

/* Call `visit` for each {name} of `text`; braces that do not match are told. */
void template_each(struct declaring *d, const struct place *place,
                   const char *text,
                   void (*visit)(void *ctx, const struct place *place,
                                 const char *name),
                   void *ctx);
#endif
