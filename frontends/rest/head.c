#include "rest/head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "rest/problem.h"

/* ---- lines ---- */

/* One line, without its end. False: it is not there, whole. */
static bool next_line(struct head *h, const char **line, size_t *len)
{
    if (h->at == h->end) /* NULL, where nothing has come */
        return false;
    const char *feed = memchr(h->at, '\n', (size_t)(h->end - h->at));
    if (feed == NULL)
        return false;
    *line = h->at;
    *len = (size_t)(feed - h->at);
    if (*len > 0 && feed[-1] == '\r')
        --*len;
    h->at = feed + 1;
    return true;
}

/* The first line that is not empty is the request's. */
void head_begin(struct head *h, const char *bytes, size_t size)
{
    const char *line;
    size_t len = 0;
    *h = (struct head){.at = bytes, .end = bytes + size};
    while (len == 0 && next_line(h, &line, &len))
        continue;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool head_next(struct head *h)
{
    const char *line;
    size_t len;
    if (h->is_whole || !next_line(h, &line, &len))
        return false;
    if (len == 0) {
        h->is_whole = true;
        return false;
    }
    const char *colon = memchr(line, ':', len);
    const char *end = line + len;
    h->name = line;
    h->name_len = colon != NULL ? (size_t)(colon - line) : len;
    h->value = colon != NULL ? colon + 1 : end;
    while (h->value < end && is_blank(*h->value))
        h->value++;
    while (end > h->value && is_blank(end[-1]))
        end--;
    h->value_len = (size_t)(end - h->value);
    return true;
}

bool head_is(const struct head *h, const char *name)
{
    return h->name_len == strlen(name) &&
           strncasecmp(h->name, name, h->name_len) == 0;
}

/* ---- hosts ---- */

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) ||
           (c != '\0' && strchr("-._~!$&'()*+,;=%", c) != NULL);
}

static bool is_of_address(char c)
{
    return isxdigit((unsigned char)c) || c == ':' || c == '.';
}

/* uri-host [":" port], and no user in front. */
static bool is_host(const char *text, size_t len)
{
    size_t i = 0;
    if (len > 0 && text[0] == '[') {
        for (i = 1; i < len && is_of_address(text[i]);)
            i++;
        if (i == len || text[i++] != ']')
            return false;
    }
    while (i < len && text[0] != '[' && is_of_name(text[i]))
        i++;
    if (i < len && text[i] == ':')
        for (i++; i < len && isdigit((unsigned char)text[i]);)
            i++;
    return i == len;
}

int head_check_host(const char *bytes, size_t size, bool has_to,
                    struct problem *problem)
{
    struct head h;
    size_t count = 0;
    head_begin(&h, bytes, size);
    while (head_next(&h)) {
        if (!head_is(&h, "host"))
            continue;
        if (++count > 1)
            return problem_field(problem, "Host",
                                 "a request has one Host, not several");
        if (!is_host(h.value, h.value_len))
            return problem_field(
                problem, "Host", "Host is HOST or HOST:PORT, not '%.*s'",
                (int)(h.value_len < 100 ? h.value_len : 100), h.value);
    }
    if (count == 0 && has_to)
        return problem_field(problem, "Host",
                             "a request of HTTP/1.1 has a Host; send "
                             "'Host: HOST:PORT' of this address");
    return 0;
}

int head_check_body(const char *bytes, size_t size, struct problem *problem)
{
    struct head h;
    size_t count = 0;
    head_begin(&h, bytes, size);
    while (head_next(&h)) {
        if (h.name_len > 0 && is_blank(h.name[0]))
            return problem_set(problem, "INVALID",
                               "a header line begins with its name, not with a "
                               "blank");
        if (head_is(&h, "content-length") || head_is(&h, "transfer-encoding"))
            count++;
    }
    return count <= 1
               ? 0
               : problem_field(problem, "Content-Length",
                               "a request has one Content-Length or one "
                               "Transfer-Encoding, not several and not both");
}

size_t head_origin(const char *target, size_t len)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t at = strlen(schemes[i]);
        if (len < at || strncasecmp(target, schemes[i], at) != 0)
            continue;
        size_t end = at;
        while (end < len && target[end] != '/' && target[end] != '?')
            end++;
        return end > at && is_host(target + at, end - at) ? end : 0;
    }
    return 0;
}
