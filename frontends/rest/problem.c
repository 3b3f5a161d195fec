#include "rest/problem.h"

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
    p->at[0] = '\0';
    if (strchr(field, '\n') == NULL) /* which would be two */
        snprintf(p->at, sizeof(p->at), "/%s", field);
    text_mend(p->at);
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

/* What who asks by HTTP can do about it, behind the text. */
static const struct {
    const char *reason;
    const char *advice;
} advice[] = {
    {"no_chain", "; GET /v1 lists those there are"},
    {"no_file", "; GET files lists them"},
    {"no_key", " (any other is key:<hex>)"},
};

static const char *advice_of(const char *reason)
{
    for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++)
        if (strcmp(advice[i].reason, reason) == 0)
            return advice[i].advice;
    return "";
}

/* Take over the pointers that lie in `from`, as pointers in `to`. */
static void take_pointers(struct problem *p, const char *at,
                          const struct problem_place *place)
{
    size_t out = 0;
    size_t from = strlen(place->from);
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        bool lies_in = len > from && strncmp(at, place->from, from) == 0 &&
                       at[from] == '/';
        if (lies_in && out + len + strlen(place->to) + 2 < sizeof(p->at))
            out += (size_t)snprintf(p->at + out, sizeof(p->at) - out,
                                    "%s%s%.*s", out > 0 ? "\n" : "", place->to,
                                    (int)(len - from), at + from);
        at += len + (at[len] == '\n');
    }
}

void problem_of_error(struct problem *p, const struct ate_error *error,
                      const struct problem_place *place)
{
    problem_set(p, ate_code_name(error->code), "%s%s", error->text,
                advice_of(error->reason));
    snprintf(p->rule, sizeof(p->rule), "%s", error->rule);
    snprintf(p->reason, sizeof(p->reason), "%s", error->reason);
    if (place != NULL)
        take_pointers(p, error->at, place);
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
    for (const char *at = p->at; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if (at > p->at)
            buffer_byte(out, ',');
        put_pointer(p, at, len, out);
        at += len + (at[len] == '\n');
    }
    buffer_byte(out, ']');
}

/* One that may be none. */
static void put_member(struct buffer *out, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    buffer_printf(out, ",\"%s\":", name);
    json_put_text(out, text, strlen(text));
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
    put_member(out, "rule", p->rule);
    put_member(out, "reason", p->reason);
    if (p->at[0] != '\0')
        put_pointers(p, out);
    buffer_printf(out, ",\"retryable\":%s",
                  problem_retryable(p) ? "true" : "false");
    put_member(out, "request_id", request_id);
    buffer_byte(out, '}');
}
