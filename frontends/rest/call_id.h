/* call_id: from an Idempotency-Key to the call id that the engine keeps.
 *
 * A UUID or 32 hexadecimal digits are the 16 bytes that they say; any other
 * text is hashed to them, together with who asks: two who both count their
 * orders do not use each other's keys. */
#ifndef FRONTENDS_REST_CALL_ID_H
#define FRONTENDS_REST_CALL_ID_H

#include <stddef.h>
#include <stdint.h>

struct problem;

enum { CALL_ID = 16 };

/* `key` may stand in quotes; `as` and `act_for` as in ate_request, NULL or "":
 * nobody was named. Errors: INVALID, by its length. */
int call_id_take(const char *key, size_t len, const char *as,
                 const char *act_for, uint8_t id[CALL_ID],
                 struct problem *problem);
#endif
