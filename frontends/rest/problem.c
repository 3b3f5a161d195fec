#include "rest/problem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ate.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "rest/wire.h"

struct meaning {
    const char *name;
    int status; /* 0: as the engine has it */
    const char *title;
};

static const struct meaning meanings[] = {
    /* The engine's. */
    {"IO", ATE_IO, "Input or output failed"},
    {"INVALID", ATE_INVALID, "Not a valid request"},
    {"DENIED", ATE_DENIED, "No right to do this"},
    {"REFUSED", ATE_REFUSED, "A rule refused it"},
    {"NOT_FOUND", ATE_NOT_FOUND, "Not found"},
    {"CONFLICT", ATE_CONFLICT, "In conflict with what is there"},
    {"CORRUPT", ATE_CORRUPT, "Verification failed"},
    {"UNAVAILABLE", ATE_UNAVAILABLE, "Not available now"},
    {"FULL", ATE_FULL, "No space left"},
    {"LIMIT", ATE_LIMIT, "Over a limit"},
    {"STALE", ATE_STALE, "Others were faster"},
    {"SCRIPT", ATE_SCRIPT, "The schema's Lua failed"},
    /* An answer that came too late is the gateway's matter, not the asker's. */
    {"CANCELED", 504, "Not done in time"},
    /* HTTP's. */
    {"UNAUTHORIZED", 401, "A bearer key is needed"},
    {"TIMEOUT", 408, "The request did not come in time"},
    {"METHOD_NOT_ALLOWED", 405, "Not a method of this resource"},
    {"NOT_ACCEPTABLE", 406, "There is no such representation"},
    {"PRECONDITION_FAILED", 412, "It is not what the request is based on"},
    {"TOO_LARGE", 413, "The request is too large"},
    {"URI_TOO_LONG", 414, "The address is too long"},
    {"UNSUPPORTED_MEDIA_TYPE", 415, "Not a content type that is taken here"},
    {"RANGE_NOT_SATISFIABLE", 416, "The file has no such range"},
    {"KEY_REUSED", 422, "The Idempotency-Key was used for another request"},
    {"TOO_MANY", 429, "Too many at a time"},
};

static const struct meaning *find(const char *name)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (strcmp(meanings[i].name, name) == 0)
            return &meanings[i];
    return &meanings[0];
}

static int status_of(const struct meaning *m)
{
    return m->status < 0 ? ate_code_http(m->status) : m->status;
}

const char *problem_meaning(const char *name, int *status)
{
    const struct meaning *m = find(name);
    if (strcmp(m->name, name) != 0)
        return NULL;
    *status = status_of(m);
    return m->title;
}

static void fill(struct problem *p, const char *name, const char *format,
                 va_list args)
{
    const struct meaning *m = find(name);
    *p = (struct problem){.status = status_of(m), .name = m->name};
    vsnprintf(p->detail, sizeof(p->detail), format, args);
    text_mend(p->detail);
}

int problem_set(struct problem *p, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(p, name, format, args);
    va_end(args);
    return -1;
}

int problem_field(struct problem *p, const char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(p, "INVALID", format, args);
    va_end(args);
    return problem_point(p, field);
}

int problem_point(struct problem *p, const char *field)
{
    snprintf(p->field, sizeof(p->field), "/%s", field);
    text_mend(p->field);
    return -1;
}

int problem_near(struct problem *p, const char *name, const char *const *names)
{
    size_t count = 0;
    size_t len = strlen(p->detail);
    while (names[count] != NULL)
        count++;
    const char *near = ate_near(name, names, count);
    if (near != NULL)
        snprintf(p->detail + len, sizeof(p->detail) - len,
                 "; did you mean '%s'?", near);
    text_mend(p->detail);
    return -1;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Does a word stand in a text by itself? */
static const char *find_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if ((at == text || !is_word(at[-1])) && !is_word(at[len]))
            return at;
    return NULL;
}

/* What stands in quotes is somebody's value, and no name of ours. */
static void blank_quoted(char *text)
{
    for (char *at = text; (at = strchr(at, '\'')) != NULL; at++) {
        char *end = strchr(at + 1, '\'');
        if (end == NULL)
            return;
        memset(at + 1, ' ', (size_t)(end - at - 1));
        at = end;
    }
}

/* "no field 'x'; did you mean 'y'?": x is meant, which nobody declared. */
static bool is_unknown(struct problem *p)
{
    static const char start[] = "no field '";
    size_t len = strlen(start);
    if (strncmp(p->detail, start, len) != 0)
        return false;
    size_t out = 0;
    p->field[out++] = '/';
    for (const char *at = p->detail + len; *at != '\'' && *at != '\0'; at++) {
        if (out + 3 > sizeof(p->field))
            break;
        if (*at == '~' || *at == '/') { /* RFC 6901 */
            p->field[out++] = '~';
            p->field[out++] = *at == '~' ? '0' : '1';
        } else {
            p->field[out++] = *at;
        }
    }
    p->field[out] = '\0';
    text_mend(p->field);
    return true;
}

/* The declared field that is named first in a text; NULL: none is. */
static const char *named_first(const char *text, const json_t *fields)
{
    const char *first = NULL, *found = NULL;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(fields, i), "name"));
        const char *at = name != NULL ? find_word(text, name) : NULL;
        if (at == NULL || (first != NULL && at >= first))
            continue;
        first = at;
        found = name;
    }
    return found;
}

/* Does "NAME (" stand in a text before `end`? */
static bool is_listed(const char *text, const char *end, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++)
        if ((at == text || !is_word(at[-1])) && at < end && at[len] == ' ' &&
            at[len + 1] == '(')
            return true;
    return false;
}

/* "from (ref account), to (ref account): are missing": the others, too. */
static void find_missing(struct problem *p, const json_t *fields)
{
    const char *end = strstr(p->detail, "): are missing");
    size_t len = 0;
    for (size_t i = 0; end != NULL && i < json_array_size(fields); i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(fields, i), "name"));
        if (name == NULL || strcmp(p->field + 1, name) == 0 ||
            !is_listed(p->detail, end, name) ||
            len + strlen(name) + 3 > sizeof(p->also))
            continue;
        len += (size_t)snprintf(p->also + len, sizeof(p->also) - len, "/%s\n",
                                name);
    }
}

/* Errors of arguments name them: the first that is named is meant. */
static void find_field(struct problem *p, const json_t *fields)
{
    char text[sizeof(p->detail)];
    if (is_unknown(p))
        return;
    memcpy(text, p->detail, sizeof(text));
    blank_quoted(text);
    const char *name = named_first(text, fields);
    if (name == NULL)
        name = named_first(p->detail, fields);
    if (name != NULL)
        snprintf(p->field, sizeof(p->field), "/%s", name);
    find_missing(p, fields);
}

/* Advice of the engine's that is for programs and command lines, and what who
 * asks by HTTP does instead. */
static const struct {
    const char *engine;
    const char *here;
} advice[] = {
    {"; chain.ls lists those there are", "; GET /v1 lists those there are"},
    {"; the read 'files' lists them", "; GET files lists them"},
    {" (make one with `ate key new`, or give key:<hex>)",
     " (any other is key:<hex>)"},
    {"; key.new makes one", ""},
    {", or make it with key.new", ""},
    {"; `ate key add` takes it in", ""},
};

static void put_advice(char *text, size_t size)
{
    for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++) {
        char rest[sizeof(((struct problem *)NULL)->detail)];
        char *at = strstr(text, advice[i].engine);
        if (at == NULL)
            continue;
        snprintf(rest, sizeof(rest), "%s", at + strlen(advice[i].engine));
        snprintf(at, size - (size_t)(at - text), "%s%s", advice[i].here, rest);
        text_mend(at);
    }
}

void problem_of_error(struct problem *p, const struct ate_error *error,
                      const json_t *fields)
{
    problem_set(p, ate_code_name(error->code), "%s", error->text);
    put_advice(p->detail, sizeof(p->detail));
    snprintf(p->rule, sizeof(p->rule), "%s", error->rule);
    if (strncmp(error->text, "context: ", 9) == 0)
        return; /* it is beside the arguments */
    if (error->code == ATE_INVALID || error->code == ATE_NOT_FOUND)
        find_field(p, fields);
}

/* Whether asking again later may help. */
static bool problem_retryable(const struct problem *p)
{
    return p->status == 503 || p->status == 504 || p->status == 429 ||
           strcmp(p->name, "STALE") == 0;
}

static void put_pointer(const struct problem *p, const char *pointer,
                        size_t len, struct buffer *out)
{
    buffer_text(out, "{\"pointer\":");
    json_put_text(out, pointer, len);
    buffer_text(out, ",\"detail\":");
    json_put_text(out, p->detail, strlen(p->detail));
    buffer_byte(out, '}');
}

static void put_pointers(const struct problem *p, struct buffer *out)
{
    buffer_text(out, ",\"errors\":[");
    put_pointer(p, p->field, strlen(p->field), out);
    for (const char *at = p->also; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        buffer_byte(out, ',');
        put_pointer(p, at, len, out);
        at += len + 1;
    }
    buffer_byte(out, ']');
}

void problem_put(const struct problem *p, const char *request_id,
                 struct buffer *out)
{
    const struct meaning *m = find(p->name);
    buffer_printf(out,
                  "{\"type\":\"/problems/%s\",\"title\":\"%s\","
                  "\"status\":%d,\"code\":\"%s\",\"detail\":",
                  p->name, m->title, p->status, p->name);
    json_put_text(out, p->detail, strlen(p->detail));
    if (p->rule[0] != '\0') {
        buffer_text(out, ",\"rule\":");
        json_put_text(out, p->rule, strlen(p->rule));
    }
    if (p->field[0] != '\0')
        put_pointers(p, out);
    buffer_printf(out, ",\"retryable\":%s",
                  problem_retryable(p) ? "true" : "false");
    if (request_id != NULL) {
        buffer_text(out, ",\"request_id\":");
        json_put_text(out, request_id, strlen(request_id));
    }
    buffer_byte(out, '}');
}
