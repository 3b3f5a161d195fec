/* amount: scaled integers as text. */
#ifndef ATE_SCHEMA_AMOUNT_H
#define ATE_SCHEMA_AMOUNT_H

#include "schema/schema.h"

/* 1250 with scale 2 is "12.50"; and back. Who has more digits than there are
 * numbers is told the bound of `type`, unless NULL; the caller compares others
 * with it. */
void amount_put(struct buf *text, int64_t amount, int scale);
int amount_get(struct bytes text, int scale, const struct value_type *type,
               int64_t *amount, struct err *err);
#endif
