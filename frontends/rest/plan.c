#include "rest/plan_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rest/openapi.h"

/* ---- what the kinds share ---- */

size_t segments(const struct planning *p)
{
    return p->ask->target->segment_count - p->ask->first;
}

const char *segment(const struct planning *p, size_t i)
{
    return i < segments(p) ? p->ask->target->segments[p->ask->first + i] : NULL;
}

char *segments_joined(const struct planning *p, size_t first)
{
    struct buffer text = {0};
    for (size_t i = first; i < segments(p); i++) {
        if (i > first)
            buffer_byte(&text, '/');
        buffer_text(&text, segment(p, i));
    }
    buffer_string(&text);
    return text.data;
}

int want_verb(struct planning *p, unsigned verbs)
{
    char allowed[80];
    p->plan->verbs = verbs;
    if ((p->ask->verb & verbs) != 0)
        return 0;
    verbs_text(verbs, allowed, sizeof(allowed));
    return problem_set(p->problem, "METHOD_NOT_ALLOWED", "this resource has %s",
                       allowed);
}

int want_parameters(struct planning *p, const char *const *names)
{
    const struct target *t = p->ask->target;
    for (size_t i = 0; i < t->parameter_count; i++) {
        const char *name = t->parameters[i].name;
        size_t k = 0;
        while (names[k] != NULL && strcmp(names[k], name) != 0)
            k++;
        if (names[k] != NULL)
            continue;
        problem_field(p->problem, name, "there is no parameter '%.100s' here",
                      name);
        return problem_near(p->problem, name, names);
    }
    return 0;
}

int want_no_body(struct planning *p)
{
    if (p->ask->body_len == 0)
        return 0;
    return problem_set(p->problem, "INVALID",
                       "a request of this kind has no "
                       "body; what it asks for stands in the address");
}

int want_accept(struct planning *p, const char *type, bool may_watch)
{
    const char *accept = p->ask->accept;
    if (accepts(accept, type) ||
        (may_watch && accepts_by_name(accept, "text/event-stream")))
        return 0;
    return problem_set(p->problem, "NOT_ACCEPTABLE",
                       "this is %s%s, and not "
                       "'%.200s'",
                       type, may_watch ? " or text/event-stream" : "", accept);
}

int not_there(struct planning *p, const char *what, const char *name)
{
    return problem_set(p->problem, "NOT_FOUND", "%s has no %s '%.200s'",
                       p->ask->chain, what, name);
}

int near_one(struct planning *p, const char *name, json_t *things,
             const char *const *more)
{
    const char **names = model_names(things, more);
    int rc = problem_near(p->problem, name, names);
    free(names);
    return rc;
}

static int take_limit(struct planning *p)
{
    json_int_t limit = PAGE_DEFAULT;
    const char *text = target_parameter(p->ask->target, "limit");
    if (text != NULL &&
        arguments_number(text, "limit", 1, PAGE_MOST, &limit, p->problem) != 0)
        return -1;
    p->plan->limit = (size_t)limit;
    /* One more, to know whether there is another page. */
    return json_object_set_new(p->args, "limit", json_integer(limit + 1));
}

int take_page(struct planning *p, const char *after)
{
    const char *cursor = target_parameter(p->ask->target, "cursor");
    const char *order = target_parameter(p->ask->target, "order");
    json_t *value = NULL;
    p->plan->position = POSITION_NONE;
    if (take_limit(p) != 0)
        return -1;
    if (order != NULL)
        json_object_set_new(p->args, "order", json_string(order));
    if (cursor == NULL)
        return 0;
    if (cursor_get(cursor, &p->plan->position, &value, p->problem) != 0)
        return -1;
    p->plan->has_after = true;
    return json_object_set_new(p->args, after, value);
}

/* ---- the chain itself ---- */

static int plan_info(struct planning *p)
{
    static const char *const names[] = {NULL};
    if (want_verb(p, VERB_GET) != 0 || want_parameters(p, names) != 0 ||
        want_no_body(p) != 0 || want_accept(p, "application/json", true) != 0)
        return -1;
    p->plan->method = memory_text("info", 4);
    return 0;
}

static int plan_openapi(struct planning *p)
{
    static const char *const names[] = {NULL};
    if (want_verb(p, VERB_GET) != 0 || want_parameters(p, names) != 0 ||
        want_accept(p, "application/json", false) != 0)
        return -1;
    p->plan->shape = SHAPE_HERE;
    openapi_put_chain(&p->plan->body, p->ask->chain, p->model);
    return 0;
}

/* ---- which resource ---- */

static bool fits(const struct planning *p, const struct route *r)
{
    if (segments(p) != r->count)
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (!r->is_argument[i] && strcmp(r->parts[i], segment(p, i)) != 0)
            return false;
    return true;
}

/* The route of an annotation; where only the verb is another, *verbs are
 * those that there are. */
static const struct route *find_route(const struct planning *p, unsigned *verbs)
{
    *verbs = 0;
    for (size_t i = 0; i < p->model->route_count; i++) {
        const struct route *r = &p->model->routes[i];
        if (!fits(p, r))
            continue;
        enum verb verb = verb_of(r->verb, strlen(r->verb));
        if (verb == p->ask->verb)
            return r;
        *verbs |= verb;
    }
    return NULL;
}

static unsigned all_verbs(const struct planning *p)
{
    unsigned verbs = 0;
    for (size_t i = 0; i < p->model->route_count; i++)
        if (fits(p, &p->model->routes[i]))
            verbs |= verb_of(p->model->routes[i].verb,
                             strlen(p->model->routes[i].verb));
    return verbs;
}

static const struct kind {
    const char *word;
    int (*plan)(struct planning *p);
    bool alone; /* there is nothing below it */
} kinds[] = {
    {"types", plan_types, false},         {"history", plan_history, false},
    {"views", plan_views, false},         {"methods", plan_methods, false},
    {"events", plan_events, false},       {"checkpoint", plan_checkpoint, true},
    {"tile", plan_tile, false},           {"proof", plan_proof, false},
    {"files", plan_files, false},         {"source", plan_source, false},
    {"openapi.json", plan_openapi, true},
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

const char *plan_word(size_t i)
{
    return i < KINDS ? kinds[i].word : NULL;
}

static int plan_annotated(struct planning *p)
{
    unsigned verbs;
    const char *words[KINDS + 1] = {NULL};
    const struct route *r = find_route(p, &verbs);
    if (r != NULL) {
        p->plan->verbs = all_verbs(p);
        return plan_route(p, r);
    }
    if (verbs != 0)
        return want_verb(p, verbs);
    for (size_t i = 0; i < KINDS; i++)
        words[i] = kinds[i].word;
    char *path = segments_joined(p, 0);
    not_there(p, "path", path);
    free(path);
    return problem_near(p->problem, segment(p, 0), words);
}

static int plan_any(struct planning *p)
{
    if (segments(p) == 0)
        return plan_info(p);
    for (const struct kind *k = kinds; k < kinds + KINDS; k++)
        if (strcmp(k->word, segment(p, 0)) == 0 &&
            (!k->alone || segments(p) == 1))
            return k->plan(p);
    return plan_annotated(p);
}

/* ---- preconditions ---- */

/* A precondition that nobody judges would be none: what was to happen never, or
 * of one version alone, would happen. Reads are judged by their ETag, when that
 * is known; of what writes a kind has said what it judges. */
static int check_guards(struct planning *p)
{
    const struct plan *plan = p->plan;
    bool has_match = p->ask->if_match[0] != '\0' && !plan->is_based;
    bool has_none = p->ask->if_none_match[0] != '\0' && !plan->creates_alone;
    if (p->ask->verb == VERB_GET)
        return 0;
    if (has_match)
        return problem_field(p->problem, "If-Match",
                             "If-Match is for a PUT, PATCH or DELETE of an "
                             "object and for GET: what this is has no version");
    if (has_none)
        return problem_field(p->problem, "If-None-Match",
                             "If-None-Match is for GET, and as '*' for a PUT "
                             "of an object");
    return 0;
}

/* See ate_generation(): what the engine tells of its work is not of that kind.
 */
static bool keeps(const struct plan *p)
{
    static const char *const reads[] = {"get", "list", "history", "view",
                                        "sum"};
    if (p->method == NULL || p->is_write)
        return false;
    if (p->is_call)
        return strncmp(p->method, "ate.", 4) != 0;
    for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++)
        if (strcmp(p->method, reads[i]) == 0)
            return true;
    return false;
}

/* ---- life ---- */

int plan_make(struct plan *plan, const struct model *m, const struct ask *ask,
              struct problem *problem)
{
    struct planning p = {.plan = plan,
                         .model = m,
                         .ask = ask,
                         .problem = problem,
                         .args = json_object()};
    *plan = (struct plan){.shape = SHAPE_VALUE, .position = POSITION_NONE};
    int rc = plan_any(&p);
    if (rc == 0)
        rc = check_guards(&p);
    if (rc == 0)
        rc = wire_pack(&plan->args, p.args, "", problem);
    plan->keeps = rc == 0 && keeps(plan);
    json_decref(p.args);
    if (rc == 0)
        return 0;
    unsigned verbs = plan->verbs;
    plan_free(plan);
    plan->verbs = verbs;
    return -1;
}

void plan_free(struct plan *p)
{
    free(p->method);
    free(p->file);
    buffer_free(&p->args);
    buffer_free(&p->body);
    *p = (struct plan){0};
}
