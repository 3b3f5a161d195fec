/* args: the arguments of a request, a canonical map in door form; len 0: none.
 *
 * Texts and bytes that are taken are borrowed of the map. Nil counts as absent,
 * and what is absent and not needed is empty (data NULL), false, not there. */
#ifndef ATE_QUERY_ARGS_H
#define ATE_QUERY_ARGS_H

#include "base/bytes.h"

struct err;

/* "'NAME' is missing": an error about that argument. Returns INVALID. */
int args_wrong(const char *name, const char *how, struct err *err);

/* No other names than these (NULL ends the list). Errors: INVALID, with the
 * name that was probably meant. */
int args_check(struct bytes map, const char *const *names, struct err *err);

/* Errors: INVALID (another kind of value, or it is needed and absent). */
int args_text(struct bytes map, const char *name, bool needed,
              struct bytes *text, struct err *err);
int args_bytes(struct bytes map, const char *name, bool needed,
               struct bytes *bytes, struct err *err);
int args_bool(struct bytes map, const char *name, bool *value, struct err *err);
int args_int(struct bytes map, const char *name, bool *there, int64_t *value,
             struct err *err);
/* A list of at most `max` texts, `*count` of them. Errors: INVALID, LIMIT. */
int args_texts(struct bytes map, const char *name, struct bytes *texts,
               size_t max, size_t *count, struct err *err);
#endif
