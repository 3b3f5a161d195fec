#include "mount/fail.h"

#include <stdarg.h>
#include <stdio.h>

#include "ate.h"

int mount_fail(struct ate_error *error, int code, const char *format, ...)
{
    va_list args;
    *error = (struct ate_error){.code = code};
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}
