/* Calls of methods, by name or by the path of their annotation. */
#include "rest/plan_inside.h"

#include <stdlib.h>
#include <string.h>

/* The argument that is the body as it is, or NULL. */
static const char *content_of(const json_t *method)
{
    return model_text(method, "content");
}

static int take_content(struct planning *p, const json_t *method,
                        const char *name)
{
    const char *kind =
        model_text(model_field(json_object_get(method, "args"), name), "kind");
    const struct ask *ask = p->ask;
    if (kind != NULL && strcmp(kind, "blob") == 0) {
        struct buffer text = {0};
        buffer_hex(&text, ask->body, ask->body_len);
        json_object_set_new(p->args, name, json_stringn(text.data, text.len));
        buffer_free(&text);
        return 0;
    }
    json_t *text =
        json_stringn(ask->body_len > 0 ? ask->body : "", ask->body_len);
    if (text == NULL)
        return problem_field(p->problem, name, "the body is no UTF-8");
    return json_object_set_new(p->args, name, text);
}

/* A query is arguments where there is no body for them. */
static int take_query(struct planning *p, const json_t *method)
{
    json_t *fields = json_object_get(method, "args");
    const struct target *t = p->ask->target;
    for (size_t i = 0; i < t->parameter_count; i++) {
        const char *name = t->parameters[i].name;
        const json_t *field = model_field(fields, name);
        if (field == NULL) {
            problem_field(p->problem, name, "there is no argument '%.100s'",
                          name);
            return near_one(p, name, fields, NULL);
        }
        if (arguments_text(p->args, field, t->parameters[i].value,
                           p->problem) != 0)
            return -1;
    }
    return 0;
}

static int take_body(struct planning *p, const json_t *method)
{
    const char *content = method != NULL ? content_of(method) : NULL;
    bool has_body = p->ask->verb != VERB_GET && p->ask->verb != VERB_DELETE;
    if (!has_body)
        return want_no_body(p) != 0 ? -1 : take_query(p, method);
    if (content != NULL &&
        !is_content_type(p->ask->content_type, "application/json"))
        return take_content(p, method, content) != 0 ? -1
                                                     : take_query(p, method);
    json_t *body = arguments_body(p->ask, p->problem);
    if (body == NULL)
        return -1;
    json_object_update(body, p->args);
    json_decref(p->args);
    p->args = body;
    return take_query(p, method);
}

/* Default methods that read stream their rows. */
static bool streams(const json_t *method)
{
    const char *name = model_text(method, "name");
    const char *dot = name != NULL ? strrchr(name, '.') : NULL;
    return json_is_true(json_object_get(method, "default")) && dot != NULL &&
           (strcmp(dot, ".list") == 0 || strcmp(dot, ".history") == 0);
}

/* What reads is asked by the read `call` (exchange.c). */
static const struct problem_place of_read = {"/args", ""};
static const struct problem_place of_write = {"", ""};

int plan_call(struct planning *p, const json_t *method)
{
    bool reads = method != NULL && model_reads(method);
    if (want_accept(p, "application/json", reads && p->ask->verb == VERB_GET) !=
            0 ||
        take_body(p, method) != 0)
        return -1;
    p->plan->is_call = true;
    p->plan->is_write = !reads;
    p->plan->shape = reads ? SHAPE_VALUE : SHAPE_WRITE;
    p->plan->place = reads ? &of_read : &of_write;
    if (reads && streams(method)) {
        p->plan->shape = SHAPE_ROWS;
        p->plan->limit = PAGE_MOST;
    }
    return 0;
}

int plan_route(struct planning *p, const struct route *r)
{
    const char *name = model_text(r->method, "name");
    const json_t *fields = json_object_get(r->method, "args");
    int rc = 0;
    p->plan->method = memory_text(name, strlen(name));
    if (plan_call(p, r->method) != 0)
        rc = -1;
    for (size_t i = 0; i < r->count && rc == 0; i++)
        if (r->is_argument[i])
            rc = arguments_text(p->args, model_field(fields, r->parts[i]),
                                segment(p, i), p->problem);
    return rc;
}
