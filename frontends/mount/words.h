/* words: what is written into a method's file, as calls.
 *
 * One line is one call: key=value words, where a value with blanks stands in
 * 'single' or "double" quotes; or one JSON object, which may span lines and
 * needs no newline behind it. Empty lines and those that begin with '#' say
 * nothing. */
#ifndef FRONTENDS_MOUNT_WORDS_H
#define FRONTENDS_MOUNT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct fields;
struct field;
struct buffer;

enum unit_kind {
    UNIT_NONE, /* what is there is not complete */
    UNIT_BLANK,
    UNIT_LINE,
    UNIT_JSON,
    UNIT_DOCUMENT, /* JSON as a file shows an object: `_` and `id` say nothing
                    */
};

/* What stands at the front, and how long it is with its newline. */
enum unit_kind unit_next(const char *data, size_t len, size_t *size);

/* Is the JSON object of a file all there, whatever stands behind it, or is it
 * none whatever follows? */
bool document_is_over(const char *data, size_t len);

/* An argument that is known from elsewhere, and its text. */
struct given {
    const char *name;
    const char *value;
};

/* On which terms a unit is taken; all of it is borrowed. */
struct unit_terms {
    const struct fields *fields; /* the arguments that there are */
    const struct given *given;   /* it may repeat them, but not change them */
    size_t given_count;
    struct buffer *why; /* gets what is wrong with it */
};

/* Arguments as a msgpack map: of a unit that unit_next() told, and those that
 * are given. 0, or -1 and `why`. */
int unit_args(struct buffer *out, enum unit_kind kind, const char *data,
              size_t len, const struct unit_terms *terms);

/* Append one argument's value, from text; 0, or -1 and `why`. */
int word_value(struct buffer *out, const struct field *field, const char *value,
               size_t len, struct buffer *why);
#endif
