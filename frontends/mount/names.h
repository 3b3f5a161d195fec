/* names: values as names of files, and back.
 *
 * A name of a file may hold every byte but '/' and NUL, and is neither "." nor
 * "..". What a value has beyond that, control characters and a dot in front are
 * written "%XX", two capital hexadecimal digits; so is a '%' that would be read
 * as such. Each value has one name, and each name at most one value. */
#ifndef FRONTENDS_MOUNT_NAMES_H
#define FRONTENDS_MOUNT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;

enum { NAMES_MAX = 255 }; /* bytes of a name */

/* Append the name of a value; an empty value is "%". */
void name_put(struct buffer *out, const char *value, size_t len);

/* Append the value of a name; false, and nothing appended, when no value has
 * that name. */
bool name_take(struct buffer *out, const char *name, size_t len);

/* Does the name of a file look like what an editor or a copying tool makes for
 * a moment: .x.swp, x~, sedAZj3Kq, #x#, x.tmp? */
bool name_is_scratch(const char *name);
#endif
