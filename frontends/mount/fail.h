/* fail: why there is no mount. */
#ifndef FRONTENDS_MOUNT_FAIL_H
#define FRONTENDS_MOUNT_FAIL_H

struct ate_error;

/* Fill `error`; returns the code. Long texts are cut. */
int mount_fail(struct ate_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
