/* fields: canonical maps of fields, put together. */
#ifndef ATE_SCHEMA_FIELDS_H
#define ATE_SCHEMA_FIELDS_H

#include "base/bytes.h"

/* Append the canonical map of `below` with the entries of `above` over it;
 * where `above` has nil the entry is left out. `above` data NULL: nothing. */
void fields_merge(struct buf *out, struct bytes below, struct bytes above);
#endif
