#include "rest/origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "base/buffer.h"

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* "https://a.example:8443", in small letters, with nothing behind it: as a
 * browser writes it (RFC 6454, 6.2). */
static bool is_origin(const char *text, size_t len)
{
    char one[256];
    if (len >= sizeof(one))
        return false;
    memcpy(one, text, len);
    one[len] = '\0';
    const char *at = one + strspn(one, SMALL DIGITS "+-.");
    if (at == one || strncmp(at, "://", 3) != 0)
        return false;
    at += 3;
    size_t host =
        *at == '[' ? strcspn(at, "]") + 1 : strspn(at, SMALL DIGITS "-._");
    bool is_address = *at == '[' && host > 2 && host <= strlen(at) &&
                      strspn(at + 1, "0123456789abcdef:.") == host - 2;
    if (host == 0 || (*at == '[' && !is_address))
        return false;
    at += host;
    if (*at == '\0')
        return true;
    size_t digits = *at == ':' ? strspn(at + 1, DIGITS) : 0;
    return digits > 0 && digits <= 5 && at[1 + digits] == '\0';
}

int origins_check(const char *origins, struct ate_error *error)
{
    for (const char *at = origins; at != NULL && origins[0] != '\0';) {
        size_t len = strcspn(at, ",");
        if (!is_origin(at, len)) {
            *error = (struct ate_error){.code = ATE_INVALID};
            snprintf(error->text, sizeof(error->text),
                     "cors: an origin is as browsers send it, such as "
                     "https://app.example or http://localhost:5173, not "
                     "'%.*s'",
                     (int)(len < 200 ? len : 200), at);
            return ATE_INVALID;
        }
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    return 0;
}

bool origins_have(const char *origins, const char *origin, size_t len)
{
    for (const char *at = origins; *at != '\0';) {
        size_t one = strcspn(at, ",");
        if (one == len && memcmp(at, origin, len) == 0)
            return true;
        at += one + (at[one] == ',');
    }
    return false;
}

void origins_tell(const char *origins, const char *origin, size_t len,
                  void (*put)(void *ctx, const char *name, const char *value),
                  void *ctx)
{
    if (origins[0] == '\0')
        return;
    put(ctx, "vary", "Origin");
    if (origin == NULL || !origins_have(origins, origin, len))
        return;
    char *copy = memory_text(origin, len);
    put(ctx, "access-control-allow-origin", copy);
    put(ctx, "access-control-expose-headers",
        "Content-Range, ETag, Link, Location, Retry-After, X-Request-Id");
    free(copy);
}
