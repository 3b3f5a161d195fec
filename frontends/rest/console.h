/* console: the web console's files, which are part of the program.
 *
 * They are told to everybody: what they show, they ask the door for, with the
 * key of whoever looks at them. */
#ifndef FRONTENDS_REST_CONSOLE_H
#define FRONTENDS_REST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct exchange;

/* One file, as tools/embed_console.sh makes it. */
struct console_file {
    const char *path; /* below /console/: "" or <hash of all>/app.mjs */
    const char *media;
    const char *etag; /* with its quotes */
    const char *data;
    size_t len;
};

extern const struct console_file console_files[];
extern const size_t console_file_count;

/* Is the request for the console, or for / by a browser? */
bool console_is_asked(const struct exchange *x);
void console_reply(struct exchange *x);
#endif
