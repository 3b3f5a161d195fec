/* time_text: times as text. */
#ifndef ATE_SCHEMA_TIME_TEXT_H
#define ATE_SCHEMA_TIME_TEXT_H

#include "base/bytes.h"
#include "base/err.h"

/* Milliseconds since 1970 as "2026-11-22T11:18:53.123Z" (".000" left out); and
 * back, also from a date alone. */
void time_put(struct buf *text, int64_t ms);
int time_get(struct bytes text, int64_t *ms, struct err *err);
#endif
