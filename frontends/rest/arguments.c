#include "rest/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/whole.h"
#include "rest/ask.h"
#include "rest/model.h"
#include "rest/problem.h"
#include "rest/wire.h"

json_t *arguments_body(const struct ask *ask, struct problem *problem)
{
    if (ask->body_len == 0)
        return json_object();
    if (!is_content_type(ask->content_type, "application/json") &&
        !(ask->verb == VERB_PATCH &&
          is_content_type(ask->content_type, "application/merge-patch+json"))) {
        problem_set(problem, "UNSUPPORTED_MEDIA_TYPE",
                    "a body here is application/json, not '%.100s'; "
                    "curl says so with --json",
                    ask->content_type);
        return NULL;
    }
    json_t *body = wire_parse(ask->body, ask->body_len, problem);
    if (body == NULL || json_is_object(body))
        return body;
    json_decref(body);
    problem_set(problem, "INVALID", "the body is a JSON object of arguments");
    return NULL;
}

int arguments_context(const char *text, size_t len, struct buffer *out,
                      struct problem *problem)
{
    struct problem why;
    json_t *context = wire_parse(text, len, &why);
    int rc = -1;
    if (context == NULL)
        problem_set(problem, "INVALID", "Ate-Context: %s", why.detail);
    else if (!json_is_object(context))
        problem_set(problem, "INVALID",
                    "Ate-Context is a JSON object, as {\"lang\":\"en\"}");
    else
        rc = wire_pack(out, context, "Ate-Context", problem);
    json_decref(context);
    return rc;
}

int arguments_number(const char *text, const char *name, json_int_t least,
                     json_int_t most, json_int_t *number,
                     struct problem *problem)
{
    int64_t whole;
    if (whole_text(text, strlen(text), &whole) && whole >= least &&
        whole <= most) {
        *number = whole;
        return 0;
    }
    return problem_field(problem, name,
                         "'%s' is a whole number from %lld to "
                         "%lld, not '%.50s'",
                         name, (long long)least, (long long)most, text);
}

int arguments_behind(json_int_t index, const char *name,
                     struct problem *problem)
{
    problem_set(problem, "NOT_FOUND",
                "'%s' is %lld, and the log ends before that: what you had is "
                "of another log, or of one that was put back from a copy; "
                "begin anew, without it",
                name, (long long)index);
    return problem_point(problem, name);
}

static json_t *of_boolean(const char *text, const char *name,
                          struct problem *problem)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    problem_field(problem, name, "'%s' is true or false, not '%.50s'", name,
                  text);
    return NULL;
}

static json_t *of_text(const json_t *field, const char *text, const char *name,
                       struct problem *problem);

/* JSON, or values with commas between. */
static json_t *of_list(const json_t *field, const char *text, const char *name,
                       struct problem *problem)
{
    if (text[0] == '[')
        return wire_parse(text, strlen(text), problem);
    json_t *list = json_array();
    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, ",");
        char *one = memory_text(at, len);
        json_t *item =
            of_text(json_object_get(field, "item"), one, name, problem);
        free(one);
        if (item == NULL) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
        at += len + (at[len] == ',');
    }
    return list;
}

/* What is no whole number, where one is wanted, goes as a text: the engine says
 * what is wrong with it. */
static json_t *of_text(const json_t *field, const char *text, const char *name,
                       struct problem *problem)
{
    const char *kind = model_text(field, "kind");
    int64_t number;
    if (kind == NULL)
        return json_string(text);
    if (strcmp(kind, "integer") == 0 && whole_text(text, strlen(text), &number))
        return json_integer(number);
    if (strcmp(kind, "boolean") == 0)
        return of_boolean(text, name, problem);
    if (strcmp(kind, "list") == 0)
        return of_list(field, text, name, problem);
    if (strcmp(kind, "struct") == 0)
        return wire_parse(text, strlen(text), problem);
    return json_string(text);
}

int arguments_text(json_t *args, const json_t *field, const char *text,
                   struct problem *problem)
{
    const char *name = model_text(field, "name");
    if (json_object_get(args, name) != NULL)
        return problem_field(problem, name,
                             "'%s' is in the address; it does "
                             "not stand in the body, too",
                             name);
    json_t *value = of_text(field, text, name, problem);
    if (value == NULL)
        return -1;
    return json_object_set_new(args, name, value);
}
