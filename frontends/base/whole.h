/* whole: whole numbers, as people write them and as JSON does. */
#ifndef FRONTENDS_BASE_WHOLE_H
#define FRONTENDS_BASE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHOLE_MAX (INT64_C(1) << 53) /* beyond it doubles skip numbers */

/* Words are digits, perhaps with a minus, and of 64 bits: no point and no
 * exponent, as in the text of an amount. */
bool whole_text(const char *text, size_t len, int64_t *number);

/* A number of JSON is what it comes to, `1e3` as `1000`: is it whole, as it is
 * written, and at most WHOLE_MAX? `len` bytes that are a number of JSON. */
bool whole_json(const char *text, size_t len, int64_t *number);
#endif
