/* value: stored values (canonical msgpack, docs/format.md section 7) against
 * their types. */
#ifndef ATE_SCHEMA_VALUE_H
#define ATE_SCHEMA_VALUE_H

#include "schema/schema.h"

/* Check one stored value. `path` names it in errors ("header.amount"). Refs are
 * checked for their shape only; whether they are live is the serializer's to
 * say. Errors: INVALID. */
int value_check(const struct schema *s, const struct value_type *type,
                struct bytes value, const char *path, struct err *err);

/* Check a map of fields: no unknown one, none missing that is not optional,
 * each fits its type. Errors: INVALID. */
int fields_check(const struct schema *s, const struct fields *fields,
                 struct bytes map, const char *path, struct err *err);

/* Check a stored body: the bytes of one text or blob, or a map of the type's
 * body fields. One that was stored under an earlier schema may lack what has a
 * default by now. Errors: INVALID. */
int body_fits(const struct schema *s, const struct event_type *type,
              struct bytes body, const char *path, struct err *err);

/* Call `ref` for every ref of a stored map of fields, at any depth, with its
 * target's qualified name and its 16 bytes; stops at the first that returns not
 * 0. */
int fields_each_ref(const struct fields *fields, struct bytes map,
                    int (*ref)(void *ctx, const char *path, const char *target,
                               const uint8_t *id, struct err *err),
                    void *ctx, struct err *err);

/* Append the ordered form (docs/format.md section 6) of a checked value.
 * Only types that may stand in keys. */
void value_put_ordered(struct buf *out, const struct value_type *type,
                       struct bytes value);
/* And back: read one from `at`, append it to `out` as msgpack; returns how many
 * bytes it took. */
size_t value_get_ordered(struct buf *out, const struct value_type *type,
                         struct bytes at);
bool value_kind_orders(enum value_kind kind);

/* The canonical map of `fields` out of a canonical map that may lack defaults:
 * adds them. */
void fields_add_defaults(struct buf *out, const struct fields *fields,
                         struct bytes map);
/* The same, without the entries that are none of `fields`. */
void fields_take(struct buf *out, const struct fields *fields,
                 struct bytes map);
/* How many entries of a canonical map are of `fields`. */
uint32_t fields_known(const struct fields *fields, struct bytes map);

bool date_valid(struct bytes text);  /* 2026-11-22, a day of the calendar */
bool month_valid(struct bytes text); /* 2026-11 */
#endif
