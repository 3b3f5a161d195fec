/* text: what counts as text: UTF-8 of Unicode's own characters. */
#ifndef FRONTENDS_BASE_TEXT_H
#define FRONTENDS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* How many of the `left` bytes at `at`, one at least, are its first character;
 * 0: they begin with none. */
size_t text_step(const char *at, size_t left);

bool text_is_utf8(const char *text, size_t len);

/* Cut what a bounded print left of a character at the end. */
void text_mend(char *text);
#endif
