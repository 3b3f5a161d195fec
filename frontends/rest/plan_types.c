/* types/TYPE and types/TYPE/KEY, history/TYPE/KEY: the default methods. A verb
 * is there where its method is. */
#include "rest/plan_inside.h"

#include <stdlib.h>
#include <string.h>

/* What segment 1 names of the declared ones. */
static int find(struct planning *p, const char *what, json_t *things,
                const json_t **found)
{
    const char *name = segment(p, 1);
    *found = json_object_get(things, name);
    if (*found != NULL)
        return 0;
    not_there(p, what, name);
    return near_one(p, name, things, NULL);
}

static const char *name_of(const json_t *type)
{
    return model_text(type, "name");
}

static bool has(const struct planning *p, const json_t *type, const char *word)
{
    return model_default(p->model, name_of(type), word) != NULL;
}

/* The write TYPE.WORD, whose arguments are in the body. */
static int plan_write(struct planning *p, const json_t *type, const char *word)
{
    static const char *const names[] = {NULL};
    const json_t *method = model_default(p->model, name_of(type), word);
    const char *name = model_text(method, "name");
    if (want_parameters(p, names) != 0 ||
        want_accept(p, "application/json", false) != 0)
        return -1;
    static const struct problem_place place = {"", ""};
    json_t *body = arguments_body(p->ask, p->problem);
    if (body == NULL)
        return -1;
    json_decref(p->args);
    p->args = body;
    p->plan->shape = SHAPE_WRITE;
    p->plan->is_call = p->plan->is_write = true;
    p->plan->place = &place;
    p->plan->method = memory_text(name, strlen(name));
    return 0;
}

static int set_text(json_t *map, const char *name, const char *text)
{
    return json_object_set_new(map, name, json_string(text));
}

static int plan_list(struct planning *p, const json_t *type)
{
    static const char *const names[] = {"limit", "order", "cursor", "parent",
                                        NULL};
    const char *parent = target_parameter(p->ask->target, "parent");
    if (want_parameters(p, names) != 0 || want_no_body(p) != 0 ||
        want_accept(p, "application/json", true) != 0 ||
        take_page(p, "after") != 0)
        return -1;
    set_text(p->args, "type", name_of(type));
    if (parent != NULL)
        set_text(p->args, "parent", parent);
    p->plan->shape = SHAPE_ROWS;
    p->plan->page = PAGE_ID;
    p->plan->wants_position = true;
    p->plan->method = memory_text("list", 4);
    return 0;
}

static int plan_all(struct planning *p, const json_t *type)
{
    const char *make = model_is_object(type) ? "create" : "append";
    unsigned verbs = (has(p, type, "list") ? VERB_GET : 0) |
                     (has(p, type, make) ? VERB_POST : 0);
    if (want_verb(p, verbs) != 0)
        return -1;
    if (p->ask->verb == VERB_GET)
        return plan_list(p, type);
    p->plan->is_create = true;
    p->plan->type = name_of(type);
    return plan_write(p, type, make);
}

/* ---- one ---- */

static int plan_read_one(struct planning *p, const json_t *type,
                         const char *what, bool is_watched)
{
    static const char *const names[] = {NULL};
    char *key = segments_joined(p, 2);
    int rc = want_no_body(p);
    if (rc == 0 && strcmp(what, "get") == 0)
        rc = want_parameters(p, names);
    if (rc == 0)
        rc = want_accept(p, "application/json", is_watched);
    if (rc == 0) {
        set_text(p->args, "type", name_of(type));
        set_text(p->args, "key", key);
        p->plan->method = memory_text(what, strlen(what));
    }
    free(key);
    return rc;
}

/* A field of the key stands in the path; the body may say the same. */
static int same_or_set(struct planning *p, const json_t *field,
                       const char *text)
{
    const char *name = model_text(field, "name");
    const json_t *given = json_object_get(p->args, name);
    if (given == NULL)
        return arguments_text(p->args, field, text, p->problem);
    char number[32] = "";
    if (json_is_integer(given))
        snprintf(number, sizeof(number), "%lld",
                 (long long)json_integer_value(given));
    const char *said =
        json_is_string(given) ? json_string_value(given) : number;
    if (strcmp(said, text) == 0)
        return 0;
    return problem_field(p->problem, name,
                         "'%s' is '%.100s' in the body and "
                         "'%.100s' in the address",
                         name, said, text);
}

static size_t count_pieces(const char *key)
{
    size_t count = key[0] != '\0';
    for (; *key != '\0'; key++)
        count += *key == '/';
    return count;
}

static int refuse_pieces(struct planning *p)
{
    return problem_set(p->problem, "NOT_FOUND",
                       "no key of a '%s' has so many segments", segment(p, 1));
}

/* Cut the last pieces off the key, and give them to a field. */
static int give_pieces(struct planning *p, const json_t *field, size_t count,
                       char *key)
{
    char *at = key + strlen(key);
    if (count == 0 || count > count_pieces(key))
        return refuse_pieces(p);
    for (; count > 0; count--)
        do
            at--;
        while (at > key && *at != '/');
    int rc = same_or_set(p, field, at > key ? at + 1 : at);
    *at = '\0';
    return rc;
}

/* A ref in a key whose own key varies in length has to stand in the body. */
static size_t pieces_of(const struct planning *p, const json_t *field)
{
    const char *target = model_text(field, "target");
    const char *name = model_text(field, "name");
    if (target == NULL)
        return 1;
    const json_t *type = json_object_get(p->model->types, target);
    json_int_t always = json_integer_value(json_object_get(type, "pieces"));
    if (always > 0)
        return (size_t)always;
    size_t count = 0;
    const char *said = json_string_value(json_object_get(p->args, name));
    for (const char *c = said; c != NULL && *c != '\0'; c++)
        count += *c == '/';
    return said != NULL ? count + 1 : 0;
}

/* Give all of the key to the fields that name an object. */
static int give_fields(struct planning *p, const json_t *type, char *key)
{
    const json_t *header = json_object_get(type, "header");
    const char *parent = model_text(type, "parent");
    const char *name;
    for (size_t i = json_array_size(json_object_get(type, "key")); i-- > 0;) {
        if (!model_key_field(type, i, &name))
            continue;
        const json_t *field = model_field(header, name);
        if (give_pieces(p, field, pieces_of(p, field), key) != 0)
            return -1;
    }
    if (parent != NULL && key[0] != '\0')
        return give_pieces(p, model_field(header, parent), count_pieces(key),
                           key);
    return key[0] == '\0' ? 0 : refuse_pieces(p);
}

/* A slash that is encoded parts the pieces of a key, too, as in reads. */
static int give_key(struct planning *p, const json_t *type)
{
    char *key = segments_joined(p, 2);
    size_t len = strlen(key);
    bool has_empty = len == 0 || key[0] == '/' || key[len - 1] == '/' ||
                     strstr(key, "//") != NULL;
    int rc = has_empty ? problem_set(p->problem, "INVALID",
                                     "the path has an empty segment")
                       : give_fields(p, type, key);
    free(key);
    return rc;
}

/* The places of versions that the strong ETags of a list begin with, commas
 * between. How a version is told, which stands behind a dash, is no matter;
 * other ETags are of none. The list was found well-formed (headers_check). */
static void put_versions(struct buffer *out, const char *list)
{
    for (const char *at = list; (at = strchr(at, '"')) != NULL;) {
        bool is_weak = at > list && at[-1] == '/';
        size_t len = strcspn(++at, "\"");
        size_t place = strspn(at, "0123456789.");
        if (!is_weak && place > 0 && (place == len || at[place] == '-')) {
            if (out->len > 0)
                buffer_byte(out, ',');
            buffer_put(out, at, place);
        }
        at += len + (at[len] == '"');
    }
}

/* If-Match: "12.0", several, or *: the version that a write is based on. */
static int take_match(struct planning *p)
{
    const char *match = p->ask->if_match;
    struct buffer versions = {0};
    int rc = 0;
    if (match[0] == '\0')
        return 0;
    if (strcmp(match, "*") == 0)
        buffer_byte(&versions, '*');
    else
        put_versions(&versions, match);
    if (versions.len > 0)
        set_text(p->args, "before", buffer_string(&versions));
    else
        rc = problem_set(p->problem, "PRECONDITION_FAILED",
                         "If-Match takes ETags of an object, such as \"12.0\", "
                         "and none that is weak");
    p->plan->is_based = true;
    buffer_free(&versions);
    return rc;
}

static int plan_put(struct planning *p, const json_t *type)
{
    bool creates = strcmp(p->ask->if_none_match, "*") == 0;
    if (creates && p->ask->if_match[0] != '\0')
        return problem_field(p->problem, "If-None-Match",
                             "If-Match wants that there is one, and "
                             "If-None-Match: * that there is none");
    if (creates && !has(p, type, "create"))
        return problem_set(p->problem, "METHOD_NOT_ALLOWED",
                           "a '%s' is not created by itself", name_of(type));
    p->plan->creates_alone = creates;
    if (plan_write(p, type, creates ? "create" : "put") != 0 ||
        give_key(p, type) != 0)
        return -1;
    return take_match(p);
}

/* What a PATCH or DELETE changes is there, or is not found. */
static int check_none_match(struct planning *p)
{
    if (strcmp(p->ask->if_none_match, "*") != 0)
        return 0;
    return problem_set(p->problem, "PRECONDITION_FAILED",
                       "If-None-Match: * wants that there is none, and there "
                       "has to be one to change");
}

static int plan_change(struct planning *p, const json_t *type, const char *word)
{
    if (check_none_match(p) != 0)
        return -1;
    if (plan_write(p, type, word) != 0)
        return -1;
    if (json_object_get(p->args, "id") != NULL)
        return problem_field(p->problem, "id",
                             "'id' is in the address; it does "
                             "not stand in the body, too");
    char *key = segments_joined(p, 2);
    set_text(p->args, "id", key);
    free(key);
    return take_match(p);
}

static int plan_one(struct planning *p, const json_t *type)
{
    unsigned verbs = (has(p, type, "get") ? VERB_GET : 0) |
                     (has(p, type, "put") ? VERB_PUT : 0) |
                     (has(p, type, "patch") ? VERB_PATCH : 0) |
                     (has(p, type, "delete") ? VERB_DELETE : 0);
    if (want_verb(p, verbs) != 0)
        return -1;
    switch (p->ask->verb) {
    case VERB_PUT:
        return plan_put(p, type);
    case VERB_PATCH:
        return plan_change(p, type, "patch");
    case VERB_DELETE:
        return want_no_body(p) != 0 ? -1 : plan_change(p, type, "delete");
    default:
        p->plan->shape = SHAPE_OBJECT;
        return plan_read_one(p, type, "get", true);
    }
}

/* What is declared, as it is. */
static int plan_declared(struct planning *p, const char *key)
{
    static const char *const names[] = {NULL};
    if (want_verb(p, VERB_GET) != 0 || want_parameters(p, names) != 0 ||
        want_no_body(p) != 0 || want_accept(p, "application/json", false) != 0)
        return -1;
    char *text = json_dumps(json_object_get(p->model->schema, key),
                            JSON_COMPACT | JSON_SORT_KEYS);
    p->plan->shape = SHAPE_HERE;
    buffer_printf(&p->plan->body, "{\"items\":%s,\"next\":null}", text);
    free(text);
    return 0;
}

int plan_types(struct planning *p)
{
    const json_t *type;
    if (segments(p) == 1)
        return plan_declared(p, "types");
    if (find(p, "type", p->model->types, &type) != 0)
        return -1;
    return segments(p) == 2 ? plan_all(p, type) : plan_one(p, type);
}

int plan_history(struct planning *p)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    const json_t *type;
    if (segments(p) < 3)
        return problem_set(p->problem, "NOT_FOUND",
                           "the history of an object is history/TYPE/KEY");
    if (find(p, "type", p->model->types, &type) != 0 ||
        want_verb(p, has(p, type, "history") ? VERB_GET : 0) != 0 ||
        want_parameters(p, names) != 0 || take_page(p, "after") != 0)
        return -1;
    p->plan->shape = SHAPE_ROWS;
    p->plan->page = PAGE_AT;
    return plan_read_one(p, type, "history", true);
}

/* ---- views, methods ---- */

static int no_column(struct planning *p, const char *name, json_t *columns,
                     const char *const *own)
{
    problem_field(p->problem, name, "there is no column '%.100s'", name);
    return near_one(p, name, columns, own);
}

/* COLUMN, or where.COLUMN for one that is called like a parameter. */
static int take_where(struct planning *p, const json_t *view)
{
    static const char *const own[] = {"limit", "order", "cursor", "sum", NULL};
    json_t *columns = json_object_get(view, "columns");
    const struct target *t = p->ask->target;
    json_t *where = json_object();
    int rc = 0;
    for (size_t i = 0; i < t->parameter_count && rc == 0; i++) {
        const char *name = t->parameters[i].name;
        bool is_own = false;
        for (size_t k = 0; own[k] != NULL; k++)
            is_own = is_own || strcmp(own[k], name) == 0;
        if (is_own)
            continue;
        if (strncmp(name, "where.", 6) == 0)
            name += 6;
        const json_t *column = model_field(columns, name);
        rc = column == NULL
                 ? no_column(p, name, columns, own)
                 : arguments_text(where, column, t->parameters[i].value,
                                  p->problem);
    }
    if (rc == 0 && json_object_size(where) > 0)
        json_object_set(p->args, "where", where);
    json_decref(where);
    return rc;
}

/* The columns that tell a row's place: those of order and key. */
static int plan_rows(struct planning *p)
{
    if (take_page(p, "after") != 0)
        return -1;
    p->plan->shape = SHAPE_ROWS;
    p->plan->page = PAGE_ROW;
    p->plan->wants_position = true;
    p->plan->method = memory_text("view", 4);
    return 0;
}

static int plan_sum(struct planning *p, const char *column)
{
    static const char *const of_pages[] = {"limit", "order", "cursor"};
    for (size_t i = 0; i < sizeof(of_pages) / sizeof(*of_pages); i++)
        if (target_parameter(p->ask->target, of_pages[i]) != NULL)
            return problem_field(p->problem, of_pages[i],
                                 "'%s' is of pages, and a sum has none",
                                 of_pages[i]);
    set_text(p->args, "column", column);
    p->plan->method = memory_text("sum", 3);
    return 0;
}

int plan_views(struct planning *p)
{
    if (segments(p) == 1)
        return plan_declared(p, "views");
    static const struct problem_place place = {"/where", ""};
    const json_t *view;
    if (segments(p) > 2)
        return not_there(p, "view", segment(p, 2));
    if (find(p, "view", p->model->views, &view) != 0)
        return -1;
    const char *column = target_parameter(p->ask->target, "sum");
    if (want_verb(p, VERB_GET) != 0 || want_no_body(p) != 0 ||
        want_accept(p, "application/json", true) != 0 ||
        take_where(p, view) != 0)
        return -1;
    p->plan->place = &place;
    p->plan->columns = view;
    set_text(p->args, "view", segment(p, 1));
    return column != NULL ? plan_sum(p, column) : plan_rows(p);
}

int plan_methods(struct planning *p)
{
    if (segments(p) == 1)
        return plan_declared(p, "methods");
    const char *name = segment(p, 1);
    const json_t *method = NULL;
    bool is_engine = strncmp(name, "ate.", 4) == 0; /* it knows them itself */
    if (segments(p) > 2)
        return not_there(p, "method", segment(p, 2));
    if (!is_engine && find(p, "method", p->model->methods, &method) != 0)
        return -1;
    unsigned verbs = VERB_POST;
    if (method != NULL && model_reads(method))
        verbs |= VERB_GET;
    if (want_verb(p, verbs) != 0)
        return -1;
    p->plan->method = memory_text(name, strlen(name));
    return plan_call(p, method);
}
