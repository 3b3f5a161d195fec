#include "rest/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "rest/problem.h"
#include "rest/wire.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode `len` bytes to *at, end them with NUL, move *at behind it. */
static const char *decode(char **at, const char *from, size_t len, bool plus,
                          struct problem *problem)
{
    char *start = *at;
    char *to = start;
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        if (c == '+' && plus)
            c = ' ';
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(from[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(from[i + 2]) : -1;
            if (high < 0 || low < 0) {
                problem_set(problem, "INVALID",
                            "the address has a '%%' that "
                            "two hexadecimal digits do not follow");
                return NULL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0') {
            problem_set(problem, "INVALID", "the address has a NUL in it");
            return NULL;
        }
        *to++ = c;
    }
    if (!text_is_utf8(start, (size_t)(to - start))) {
        problem_set(problem, "INVALID", "the address is no UTF-8");
        return NULL;
    }
    *to = '\0';
    *at = to + 1;
    return start;
}

static int add_segment(struct target *t, const char *text,
                       struct problem *problem)
{
    if (text[0] == '\0')
        return problem_set(problem, "INVALID", "the path has an empty segment");
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return problem_set(problem, "INVALID",
                           "the path has a segment '%s': paths here lead "
                           "nowhere but down",
                           text);
    if (t->segment_count == TARGET_SEGMENTS)
        return problem_set(problem, "URI_TOO_LONG",
                           "a path has at most %d segments", TARGET_SEGMENTS);
    t->segments[t->segment_count++] = text;
    return 0;
}

/* One '/' at the end is nothing. */
static int parse_path(struct target *t, char **at, const char *path, size_t len,
                      struct problem *problem)
{
    if (len > 1 && path[len - 1] == '/')
        len--;
    if (len > 1 && path[len - 1] == '/')
        return add_segment(t, "", problem);
    for (size_t i = 1; i < len;) {
        const char *slash = memchr(path + i, '/', len - i);
        size_t end = slash != NULL ? (size_t)(slash - path) : len;
        const char *text = decode(at, path + i, end - i, false, problem);
        if (text == NULL || add_segment(t, text, problem) != 0)
            return -1;
        i = end + 1;
    }
    return 0;
}

static int add_parameter(struct target *t, char **at, const char *text,
                         size_t len, struct problem *problem)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
    const char *name = decode(at, text, name_len, true, problem);
    if (name == NULL)
        return -1;
    const char *rest = equals != NULL ? equals + 1 : text + len;
    const char *value =
        decode(at, rest, (size_t)(text + len - rest), true, problem);
    if (value == NULL)
        return -1;
    if (target_parameter(t, name) != NULL)
        return problem_field(problem, name, "'%s' is in the query twice", name);
    if (t->parameter_count == TARGET_PARAMETERS)
        return problem_set(problem, "INVALID",
                           "a query has at most %d parameters",
                           TARGET_PARAMETERS);
    t->parameters[t->parameter_count++] = (struct parameter){name, value};
    return 0;
}

static int parse_query(struct target *t, char **at, const char *query,
                       size_t len, struct problem *problem)
{
    for (size_t i = 0; i < len;) {
        const char *amp = memchr(query + i, '&', len - i);
        size_t end = amp != NULL ? (size_t)(amp - query) : len;
        if (end > i && add_parameter(t, at, query + i, end - i, problem) != 0)
            return -1;
        i = end + 1;
    }
    return 0;
}

int target_parse(struct target *t, const char *path, size_t len,
                 struct problem *problem)
{
    *t = (struct target){0};
    if (len == 0 || path[0] != '/')
        return problem_set(problem, "INVALID", "a path begins with '/'");
    if (len > TARGET_BYTES)
        return problem_set(problem, "URI_TOO_LONG",
                           "an address has at most %d bytes", TARGET_BYTES);
    const char *mark = memchr(path, '?', len);
    size_t path_len = mark != NULL ? (size_t)(mark - path) : len;
    /* Each piece needs its bytes and a NUL, which its separator makes up for,
     * but for a parameter without '='. */
    t->room = memory_new(2 * len + 2);
    char *at = t->room;
    int rc = parse_path(t, &at, path, path_len, problem);
    if (rc == 0 && mark != NULL)
        rc = parse_query(t, &at, mark + 1, len - path_len - 1, problem);
    if (rc != 0)
        target_free(t);
    return rc;
}

void target_free(struct target *t)
{
    free(t->room);
    *t = (struct target){0};
}

const char *target_parameter(const struct target *t, const char *name)
{
    for (size_t i = 0; i < t->parameter_count; i++)
        if (strcmp(t->parameters[i].name, name) == 0)
            return t->parameters[i].value;
    return NULL;
}
