/* place: the folder that a mount takes: one that is empty, or one that is made
 * for as long. */
#ifndef FRONTENDS_MOUNT_PLACE_H
#define FRONTENDS_MOUNT_PLACE_H

#include <stdbool.h>

struct ate_error;

/* Whether place_take() would take it, as far as that shows without doing it.
 * Errors: NOT_FOUND (no folder to make it in), INVALID (not a folder, not
 * empty), DENIED. */
int place_check(const char *dir, struct ate_error *error);

/* Has somebody mounted a file system of FUSE there? */
bool place_is_mounted(const char *dir);

/* Take it: `real`, which is to be freed, is its path without links. `made`: it
 * goes with the mount. Errors: those of place_check(), and IO. */
int place_take(const char *dir, char **real, bool *made,
               struct ate_error *error);

/* Unmount what a process left there that died. */
void place_clear(const char *dir);
#endif
