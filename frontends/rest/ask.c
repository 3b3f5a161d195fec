#include "rest/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum verb verb;
} verbs[] = {
    {"GET", VERB_GET},         {"HEAD", VERB_GET},    {"POST", VERB_POST},
    {"PUT", VERB_PUT},         {"PATCH", VERB_PATCH}, {"DELETE", VERB_DELETE},
    {"OPTIONS", VERB_OPTIONS},
};
enum { VERBS = sizeof(verbs) / sizeof(*verbs) };

enum verb verb_of(const char *name, size_t len)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strlen(verbs[i].name) == len &&
            memcmp(verbs[i].name, name, len) == 0)
            return verbs[i].verb;
    return 0;
}

void verbs_text(unsigned set, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    set |= VERB_OPTIONS;
    for (size_t i = 0; i < VERBS && len < size; i++)
        if ((set & verbs[i].verb) != 0)
            len += (size_t)snprintf(out + len, size - len, "%s%s",
                                    len > 0 ? ", " : "", verbs[i].name);
}

static size_t trim(const char **at, size_t len)
{
    while (len > 0 && (**at == ' ' || **at == '\t')) {
        (*at)++;
        len--;
    }
    while (len > 0 && ((*at)[len - 1] == ' ' || (*at)[len - 1] == '\t'))
        len--;
    return len;
}

/* "application/json; q=0" -> the type, and whether it is refused. */
static size_t media(const char **at, size_t len, bool *is_refused)
{
    const char *semicolon = memchr(*at, ';', len);
    size_t type = semicolon != NULL ? (size_t)(semicolon - *at) : len;
    *is_refused = false;
    for (const char *p = semicolon; p != NULL;) {
        const char *from = p + 1;
        size_t left = (size_t)(*at + len - from);
        p = memchr(from, ';', left);
        size_t one = trim(&from, p != NULL ? (size_t)(p - from) : left);
        if (one >= 3 && strncasecmp(from, "q=", 2) == 0 && from[2] == '0')
            *is_refused = strspn(from + 2, "0.") >= one - 2;
    }
    return trim(at, type);
}

/* How well a range fits: 3 by name, 2 by "text/ *", 1 by the star, 0 not. */
static int fits(const char *range, size_t len, const char *type)
{
    size_t head = strcspn(type, "/") + 1;
    if (len == strlen(type) && strncasecmp(range, type, len) == 0)
        return 3;
    if (len == 3 && memcmp(range, "*/*", 3) == 0)
        return 1;
    return len == head + 1 && strncasecmp(range, type, head) == 0 &&
                   range[head] == '*'
               ? 2
               : 0;
}

/* The best fit of a header; 0 when there is none, or it is refused. */
static int best(const char *accept, const char *type)
{
    int found = 0;
    bool is_refused = false;
    for (const char *at = accept; *at != '\0';) {
        size_t len = strcspn(at, ",");
        const char *range = at;
        bool refused;
        size_t range_len = media(&range, len, &refused);
        int fit = fits(range, range_len, type);
        if (fit > found) {
            found = fit;
            is_refused = refused;
        }
        at += len + (at[len] == ',');
    }
    return is_refused ? 0 : found;
}

bool accepts(const char *accept, const char *type)
{
    return accept[0] == '\0' || best(accept, type) > 0;
}

bool accepts_by_name(const char *accept, const char *type)
{
    return best(accept, type) == 3;
}

bool is_content_type(const char *header, const char *type)
{
    bool unused;
    size_t len = media(&header, strlen(header), &unused);
    return len == strlen(type) && strncasecmp(header, type, len) == 0;
}
