/* source_files: a schema's Lua as it stands in files: FILE.lua, and beside it
 * what it requires (`a.b` is a/b.lua). */
#ifndef ATE_IO_SOURCE_FILES_H
#define ATE_IO_SOURCE_FILES_H

#include "base/bytes.h"

struct err;

struct source_files {
    char *folder;      /* "" or with a slash behind it */
    char *main_module; /* of FILE.lua: FILE */
};

/* Looks whether FILE.lua can be read. Errors: INVALID (no name for a module),
 * NOT_FOUND, DENIED, IO, LIMIT. */
int source_files_open(struct source_files *files, const char *path,
                      struct err *err);
void source_files_close(struct source_files *files); /* safe twice */

/* A bundle_source (declare/bundle_load.h); ctx is the struct. Errors:
 * NOT_FOUND, DENIED, IO, INVALID, LIMIT. */
int source_files_read(void *ctx, const char *module, struct buf *file,
                      struct buf *source, struct err *err);
#endif
