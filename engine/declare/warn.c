/* Warnings come from the text of the functions, found by file and lines, and of
 * the functions of the author's that these use as upvalues: which members of
 * `tx` they name. That is a guess, but one in the author's favour: a rule that
 * names `by` in a line that never runs is believed.
 *
 * A parameter that is shadowed by a local of the same name may be blamed for
 * the local's members; nothing but a warning depends on it. */
#include "declare/warn.h"

#include <assert.h>
#include <lua.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/near.h"
#include "declare/hidden.h"
#include "declare/tokens.h"
#include "event/bundle.h"
#include "sandbox/sandbox.h"
#include "schema/schema.h"

enum {
    VISITED_MAX = 64, /* functions that one function leads to */
    NAMES_MAX = 256,  /* that are looked at for a suggestion */
    PARAMETER_MAX = 64,
    WARNING_MAX = 512,
};

/* What rules ask a transaction. */
enum asked {
    ASKED_AUTHOR = 1, /* by, may, author, caller */
    ASKED_OTHERS = 2, /* each: what else is in the transaction */
};

/* What folds do with an object. */
enum folded {
    FOLDED_ADDS = 4,
    FOLDED_CHANGE = 8, /* change, before: what became of it */
};

struct warning {
    struct sandbox *s;
    const struct schema *schema;
    const struct bundle *bundle;
    struct buf *out;
    int count;
};

__attribute__((format(printf, 3, 4))) static void
warn(struct warning *w, const char *where, const char *format, ...)
{
    char text[WARNING_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_printf(w->out, "%s (%s)\n", text, where);
    w->count++;
}

/* ---- the source of a function ---- */

struct function {
    struct bytes
        source; /* of its whole file; empty when it is not the author's */
    char file[WARNING_MAX];
    int first, last;
};

static struct bytes source_of(const struct bundle *bundle, struct bytes file)
{
    struct bundle_cursor cursor = bundle_modules(bundle);
    struct bundle_module module;
    while (bundle_next(&cursor, &module))
        if (bytes_equal(module.file, file))
            return module.source;
    return bytes_of(NULL, 0);
}

/* Of the function on top of the stack, which is popped. */
static struct function function_of(struct warning *w, lua_State *L)
{
    lua_Debug info;
    struct function f = {.file = ""};
    lua_getinfo(L, ">S", &info);
    if (info.source[0] != '@')
        return f;
    snprintf(f.file, sizeof(f.file), "%s", info.source + 1);
    f.source = source_of(w->bundle, bytes_of_text(info.source + 1));
    f.first = info.linedefined;
    f.last = info.lastlinedefined;
    return f;
}

/* What `function` calls its parameter number `n`; false: it has none. */
static bool parameter_name(struct warning *w, int function, int n,
                           char name[PARAMETER_MAX], struct function *f)
{
    lua_State *L = sandbox_L(w->s);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    const char *found = lua_getlocal(L, NULL, n);
    if (found == NULL || strlen(found) >= PARAMETER_MAX) {
        lua_pop(L, 1);
        return false;
    }
    snprintf(name, PARAMETER_MAX, "%s", found);
    *f = function_of(w, L);
    return true;
}

/* ---- who is asked ---- */

struct looking {
    struct warning *w;
    const void *visited[VISITED_MAX];
    size_t count;
    int asked; /* enum asked, enum folded */
};

static void look_at_member(void *ctx, const struct token_member *member)
{
    static const char *const author[] = {"by", "may", "author", "caller",
                                         "worker"};
    struct looking *looking = ctx;
    for (size_t i = 0; i < sizeof(author) / sizeof(author[0]); i++)
        if (bytes_equal(member->member, bytes_of_text(author[i])))
            looking->asked |= ASKED_AUTHOR;
    if (bytes_equal(member->member, bytes_of_text("each")) &&
        !bytes_equal(member->object, bytes_of_text("ate")))
        looking->asked |= ASKED_OTHERS;
    if (bytes_equal(member->member, bytes_of_text("add")) &&
        member->object.len > 0 &&
        !bytes_equal(member->object, bytes_of_text("int")))
        looking->asked |= FOLDED_ADDS;
    if (bytes_equal(member->member, bytes_of_text("change")) ||
        bytes_equal(member->member, bytes_of_text("before")))
        looking->asked |= FOLDED_CHANGE;
}

/* The function on top of the stack, and those it has as upvalues. */
static void look(struct looking *looking, lua_State *L)
{
    const void *self = lua_topointer(L, -1);
    for (size_t i = 0; i < looking->count; i++)
        if (looking->visited[i] == self)
            return;
    if (looking->count == VISITED_MAX || !lua_checkstack(L, 4))
        return;
    looking->visited[looking->count++] = self;
    lua_pushvalue(L, -1);
    struct function f = function_of(looking->w, L);
    tokens_members(f.source, f.first, f.last, look_at_member, looking);
    for (int n = 1; lua_getupvalue(L, -1, n) != NULL; n++) {
        if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1))
            look(looking, L);
        lua_pop(L, 1);
    }
}

static int asked_by(struct warning *w, int function)
{
    struct looking looking = {.w = w};
    lua_State *L = sandbox_L(w->s);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    look(&looking, L);
    lua_pop(L, 1);
    return looking.asked;
}

static bool judges(const struct rule *rule, const struct event_type *type)
{
    for (size_t i = 0; i < rule->on.count; i++)
        if (strcmp(rule->on.items[i], type->name) == 0)
            return true;
    return false;
}

/* A rule of one event that looks at the others of its transaction ties it to
 * them; one of a transaction does so anyway. */
static bool author_matters(struct warning *w, const struct event_type *type)
{
    for (size_t i = 0; i < w->schema->rule_count; i++) {
        const struct rule *rule = &w->schema->rules[i];
        if (!judges(rule, type))
            continue;
        int asked = asked_by(w, rule->function);
        if ((asked & ASKED_AUTHOR) != 0)
            return true;
        if ((asked & ASKED_OTHERS) != 0 && !rule->per_transaction &&
            !type->is_object)
            return true;
    }
    return false;
}

/* What may happen to an object that is there; NULL: nothing. */
static const char *fate_of(const struct event_type *type, const char *both,
                           const char *changes, const char *deletes)
{
    bool may_change = type->is_object && (type->off & OFF_PATCH) == 0;
    bool may_delete = type->is_object && (type->off & OFF_DELETE) == 0;

    if (may_change)
        return may_delete ? both : changes;
    return may_delete ? deletes : NULL;
}

static void check_author(struct warning *w, const struct event_type *type)
{
    const char *name = schema_short(w->schema, type->name);
    const char *fate =
        fate_of(type, "changes or deletes", "changes", "deletes");
    if ((type->is_object && fate == NULL) || author_matters(w, type))
        return;
    if (!type->is_object)
        warn(w, type->where,
             "%s: no rule looks at who writes one: whoever holds a key may",
             name);
    else
        warn(w, type->where,
             "%s: no rule looks at who %s one: whoever holds a key may; write "
             "a rule, or say off = {'patch', 'delete'}",
             name, fate);
}

/* ---- objects that are taken over ---- */

/* What one rule says of the object that it judges. */
struct judging {
    const struct event_type *type;
    char name[PARAMETER_MAX];  /* of the parameter */
    const struct field *fresh; /* names whom it belongs to, and may change */
    bool stays;                /* there is one that may not */
    bool past; /* before, change, id: what it was is looked at */
};

static bool is_fixed(const struct event_type *type, const struct field *field)
{
    size_t position = (size_t)(field - type->header.items);
    if (field->type.once || (int)position == type->parent)
        return true;
    for (size_t i = 0; i < type->key_count; i++)
        if (type->key[i] == position)
            return true;
    return false;
}

static void look_at_owner(void *ctx, const struct token_member *member)
{
    static const char *const past[] = {"before", "change", "id"};
    struct judging *j = ctx;
    if (!bytes_equal(member->object, bytes_of_text(j->name)))
        return;
    for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
        j->past |= bytes_equal(member->member, bytes_of_text(past[i]));
    const struct field *field = fields_find(&j->type->header, member->member);
    if (field == NULL ||
        (field->type.kind != VALUE_IDENTITY && field->type.kind != VALUE_REF))
        return;
    if (is_fixed(j->type, field))
        j->stays = true;
    else if (j->fresh == NULL)
        j->fresh = field;
}

/* In a rule a change is what it shall be: asked whether the owner signed, it
 * answers for the one who is written there just now. */
static void check_owner(struct warning *w, const struct event_type *type)
{
    const struct rule *taken_by = NULL;
    const struct field *field = NULL;
    if (!type->is_object || (type->off & OFF_PATCH) != 0)
        return;
    for (size_t i = 0; i < w->schema->rule_count; i++) {
        const struct rule *rule = &w->schema->rules[i];
        struct judging j = {.type = type};
        struct function f;
        if (!judges(rule, type) || rule->per_transaction ||
            !parameter_name(w, rule->function, 2, j.name, &f))
            continue;
        tokens_members(f.source, f.first, f.last, look_at_owner, &j);
        if (j.past)
            return;
        if (j.fresh == NULL || j.stays ||
            (asked_by(w, rule->function) & ASKED_AUTHOR) == 0)
            continue;
        taken_by = rule;
        field = j.fresh;
    }
    if (taken_by != NULL)
        warn(w, type->where,
             "%s: rule %s asks for the %s that a change writes, not for the "
             "one there was: say t.once(...), or look at 'before'",
             schema_short(w->schema, type->name),
             schema_short(w->schema, taken_by->name), field->name);
}

/* ---- what comes with what ---- */

/* One is enough for any number: which one it has to be, only rules say. */
static void check_with(struct warning *w, const struct event_type *type)
{
    if (type->with == NULL)
        return;
    const struct event_type *other =
        schema_type(w->schema, bytes_of_text(type->with));
    assert(other != NULL);
    for (size_t i = 0; i < w->schema->rule_count; i++) {
        const struct rule *rule = &w->schema->rules[i];
        if ((judges(rule, type) || judges(rule, other)) &&
            (asked_by(w, rule->function) & ASKED_OTHERS) != 0)
            return;
    }
    const char *name = schema_short(w->schema, type->name);
    const char *with = schema_short(w->schema, type->with);
    warn(w, type->where,
         "%s: one %s is enough for any number that come with it, whatever it "
         "is about: say which in a rule, with tx:each('%s')",
         name, with, with);
}

/* ---- scales that change ---- */

static bool scales_by(const struct fields *fields, const char *type);

/* Is there an amount in it whose scale an object of `type` has? `beside` are
 * the fields that it stands among. */
static bool value_scales_by(const struct value_type *value,
                            const struct fields *beside, const char *type)
{
    if (value->kind == VALUE_LIST)
        return value_scales_by(value->item, beside, type);
    if (value->kind == VALUE_STRUCT)
        return scales_by(&value->fields, type);
    if (value->kind != VALUE_AMOUNT || value->of == NULL)
        return false;
    const struct field *of = fields_find(beside, bytes_of_text(value->of));
    return of != NULL && of->type.target != NULL &&
           strcmp(of->type.target, type) == 0;
}

static bool scales_by(const struct fields *fields, const char *type)
{
    for (size_t i = 0; i < fields->count; i++)
        if (value_scales_by(&fields->items[i].type, fields, type))
            return true;
    return false;
}

/* What is stored in smallest units means another sum when these change. */
static void check_scale(struct warning *w, const struct event_type *type)
{
    const struct schema *s = w->schema;
    const struct field *scale =
        fields_find(&type->header, bytes_of_text("scale"));
    bool used = false;
    if (scale == NULL || scale->type.once || !type->is_object ||
        (type->off & OFF_PATCH) != 0)
        return;
    for (size_t i = 0; i < s->type_count; i++)
        used |= scales_by(&s->types[i].header, type->name) ||
                scales_by(&s->types[i].body, type->name);
    for (size_t i = 0; i < s->view_count; i++)
        used |= scales_by(&s->views[i].columns, type->name);
    if (used)
        warn(w, type->where,
             "%s.scale: amounts are stored in units of it, so it must never "
             "change: say t.once(t.integer(...))",
             schema_short(s, type->name));
}

/* ---- fields that are not there ---- */

/* What the members of one parameter are checked against. */
struct parameter {
    struct warning *w;
    char name[PARAMETER_MAX];
    const char *of;                 /* "bank.too_deep", as warnings call it */
    const char *file;               /* of the function */
    const struct fields *fields[2]; /* or NULL */
    const struct fields *hidden;    /* there, but not to be seen; or NULL */
    const char *const *more;        /* further members; ends with NULL */
};

static const char *nearest(const struct parameter *p, struct bytes name)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (int f = 0; f < 2; f++)
        for (size_t i = 0; p->fields[f] != NULL && i < p->fields[f]->count; i++)
            if (count < NAMES_MAX)
                names[count++] = p->fields[f]->items[i].name;
    return near_name(name, names, count);
}

static void check_member(void *ctx, const struct token_member *member)
{
    const struct parameter *p = ctx;
    char where[WARNING_MAX];
    if (!bytes_equal(member->object, bytes_of_text(p->name)))
        return;
    for (int f = 0; f < 2; f++)
        if (p->fields[f] != NULL &&
            fields_find(p->fields[f], member->member) != NULL)
            return;
    for (const char *const *more = p->more; *more != NULL; more++)
        if (bytes_equal(member->member, bytes_of_text(*more)))
            return;
    snprintf(where, sizeof(where), "%s:%d", p->file, member->line);
    const char *near = nearest(p, member->member);
    int len = (int)member->member.len;
    const char *text = (const char *)member->member.data;
    if (p->hidden != NULL && fields_find(p->hidden, member->member) != NULL)
        warn(p->w, where, "%s: '%.*s' is in the body, which is not seen here",
             p->of, len, text);
    else
        warn(p->w, where, "%s: '%s' has no field '%.*s'%s%s%s", p->of, p->name,
             len, text, near == NULL ? "" : "; did you mean '",
             near == NULL ? "" : near, near == NULL ? "" : "'?");
}

/* Check what `function` does with its parameter number `n`. */
static void check_parameter(struct parameter *p, int function, int n)
{
    struct function f;
    if (!parameter_name(p->w, function, n, p->name, &f))
        return;
    p->file = f.file;
    tokens_members(f.source, f.first, f.last, check_member, p);
}

/* ---- views and types that are not there ---- */

/* What a function names of the chain: state.NAME, ctx.state.NAME and
 * ctx:emit('NAME'). */
struct naming {
    struct warning *w;
    char name[PARAMETER_MAX]; /* of the parameter */
    bool is_ctx;              /* it is a ctx; else it is a state */
    const char *of;           /* "bank.too_deep", as warnings call it */
    const char *schema;       /* whose names go without it */
    const char *file;
};

/* "item" of "shop.item", when that is of this schema. */
static bool is_own(const char *full, const char *schema, struct bytes name)
{
    size_t len = strlen(schema);
    return strncmp(full, schema, len) == 0 && full[len] == '.' &&
           bytes_equal(bytes_of_text(full + len + 1), name);
}

static bool has_type(const struct naming *n, struct bytes name)
{
    const struct schema *s = n->w->schema;
    for (size_t i = 0; i < s->type_count; i++)
        if (is_own(s->types[i].name, n->schema, name) ||
            bytes_equal(bytes_of_text(s->types[i].name), name))
            return true;
    return false;
}

static bool has_state(const struct naming *n, struct bytes name)
{
    const struct schema *s = n->w->schema;
    for (size_t i = 0; i < s->view_count; i++)
        if (is_own(s->views[i].name, n->schema, name))
            return true;
    for (size_t i = 0; i < s->part_count; i++)
        if (bytes_equal(bytes_of_text(s->parts[i].name), name))
            return true;
    return has_type(n, name);
}

static void warn_naming(const struct naming *n, int line, const char *what,
                        struct bytes name)
{
    char where[WARNING_MAX];
    snprintf(where, sizeof(where), "%s:%d", n->file, line);
    warn(n->w, where, "%s: there is no %s '%.*s'", n->of, what, (int)name.len,
         (const char *)name.data);
}

static bool is_write(struct bytes member)
{
    static const char *const words[] = {"emit", "create", "put", "patch",
                                        "delete"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (bytes_equal(member, bytes_of_text(words[i])))
            return true;
    return false;
}

static void check_naming(void *ctx, const struct token_member *m)
{
    const struct naming *n = ctx;
    struct bytes name = bytes_of_text(n->name);
    bool is_ours = bytes_equal(m->object, name);
    bool of_state = n->is_ctx
                        ? bytes_equal(m->path[0], name) &&
                              bytes_equal(m->path[1], bytes_of_text("state"))
                        : is_ours;
    if (of_state && !has_state(n, m->member))
        warn_naming(n, m->line, "view and no type", m->member);
    else if (n->is_ctx && is_ours && is_write(m->member) &&
             m->argument.len > 0 && !has_type(n, m->argument))
        warn_naming(n, m->line, "type", m->argument);
}

/* Check what `function` makes of its first parameter. */
static void check_names(struct naming *n, int function)
{
    struct function f;
    if (!parameter_name(n->w, function, 1, n->name, &f))
        return;
    n->file = f.file;
    tokens_members(f.source, f.first, f.last, check_naming, n);
}

static const char *const record_members[] = {
    "id", "type", "change", "before", "index", "time", NULL};
static const char *const no_members[] = {NULL};

/* With several types each has to be told apart by the rule itself. */
static void check_rule(struct warning *w, const struct rule *rule)
{
    struct naming n = {
        .w = w,
        .of = schema_short(w->schema, rule->name),
        .schema = rule->schema,
    };
    check_names(&n, rule->function);
    if (rule->per_transaction || rule->on.count != 1)
        return;
    const struct event_type *type =
        schema_type(w->schema, bytes_of_text(rule->on.items[0]));
    assert(type != NULL);
    struct parameter p = {
        .w = w,
        .of = schema_short(w->schema, rule->name),
        .fields = {&type->header},
        .hidden = &type->body,
        .more = record_members,
    };
    check_parameter(&p, rule->function, 2);
}

/* ---- what folds take and add ---- */

/* What is added once is added again with each version, and with the end. */
static void check_versions(struct warning *w, const struct view *view,
                           const struct fold *fold,
                           const struct event_type *type)
{
    const char *fate = fate_of(type, "edited or deleted", "edited", "deleted");
    int asked = asked_by(w, fold->function);
    if (fate != NULL && (asked & FOLDED_ADDS) != 0 &&
        (asked & FOLDED_CHANGE) == 0)
        warn(w, view->where,
             "%s: the fold of %s adds, and looks at no change: what is %s is "
             "added again",
             schema_short(w->schema, view->name),
             schema_short(w->schema, type->name), fate);
}

/* A number of which nobody said how small it may be. */
static bool may_be_negative(const struct value_type *value)
{
    return (value->kind == VALUE_AMOUNT || value->kind == VALUE_INTEGER) &&
           value->min <= -SCHEMA_EXACT_MAX;
}

/* The field that `object.member` is: of the event itself, or, for any other
 * name, of what stands in a list of it. */
static const struct field *field_of(const struct parameter *p,
                                    const struct token_member *member)
{
    const struct fields *fields = p->fields[0];
    if (bytes_equal(member->object, bytes_of_text(p->name)))
        return fields_find(fields, member->member);
    for (size_t i = 0; i < fields->count; i++) {
        const struct value_type *type = &fields->items[i].type;
        const struct field *found =
            type->kind == VALUE_LIST && type->item->kind == VALUE_STRUCT
                ? fields_find(&type->item->fields, member->member)
                : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void check_subtracted(void *ctx, const struct token_member *member)
{
    const struct parameter *p = ctx;
    const struct field *field = member->subtracted ? field_of(p, member) : NULL;
    if (field != NULL && may_be_negative(&field->type)) {
        char where[WARNING_MAX];
        snprintf(where, sizeof(where), "%s:%d", p->file, member->line);
        warn(
            p->w, where,
            "%s: '%s' is taken away and may be below zero, which adds: say its "
            "min",
            p->of, field->name);
    }
}

/* Of a fact: what is taken away must not be less than nothing. */
static void check_amounts(struct parameter *p, const struct event_type *type,
                          const struct fold *fold)
{
    struct function f;
    if (type->is_object ||
        !parameter_name(p->w, fold->function, 2, p->name, &f))
        return;
    p->file = f.file;
    tokens_members(f.source, f.first, f.last, check_subtracted, p);
}

static void check_fold(struct warning *w, const struct view *view,
                       const struct fold *fold)
{
    const struct event_type *type =
        schema_type(w->schema, bytes_of_text(fold->type));
    assert(type != NULL);
    check_versions(w, view, fold, type);
    if (type->raw_body != NULL)
        return;
    struct parameter p = {
        .w = w,
        .of = schema_short(w->schema, view->name),
        .fields = {&type->header, view->reads_bodies ? &type->body : NULL},
        .hidden = &type->body,
        .more = record_members,
    };
    check_parameter(&p, fold->function, 2);
    check_amounts(&p, type, fold);
}

static void check_method(struct warning *w, const struct method *method)
{
    struct parameter p = {
        .w = w,
        .of = schema_short(w->schema, method->name),
        .fields = {&method->args},
        .more = no_members,
    };
    struct naming n = {
        .w = w, .is_ctx = true, .of = p.of, .schema = method->schema};
    check_parameter(&p, method->function, 2);
    check_names(&n, method->function);
}

/* ---- what is not shown ---- */

struct source {
    struct warning *w;
    const struct bundle_module *module;
};

static void warn_hidden(void *ctx, int line, const char *what)
{
    const struct source *source = ctx;
    char where[WARNING_MAX];
    snprintf(where, sizeof(where), "%.*s:%d", (int)source->module->file.len,
             (const char *)source->module->file.data, line);
    warn(source->w, where, "%s", what);
}

static void check_sources(struct warning *w)
{
    struct bundle_cursor cursor = bundle_modules(w->bundle);
    struct bundle_module module;
    struct source source = {w, &module};
    while (bundle_next(&cursor, &module))
        hidden_find(module.source, warn_hidden, &source);
}

static int walk(lua_State *L)
{
    struct warning *w = lua_touserdata(L, 1);
    const struct schema *s = w->schema;
    check_sources(w);
    for (size_t i = 0; i < s->type_count; i++)
        check_author(w, &s->types[i]);
    for (size_t i = 0; i < s->type_count; i++)
        check_owner(w, &s->types[i]);
    for (size_t i = 0; i < s->type_count; i++)
        check_with(w, &s->types[i]);
    for (size_t i = 0; i < s->type_count; i++)
        check_scale(w, &s->types[i]);
    for (size_t i = 0; i < s->rule_count; i++)
        check_rule(w, &s->rules[i]);
    for (size_t i = 0; i < s->view_count; i++)
        for (size_t j = 0; j < s->views[i].fold_count; j++)
            check_fold(w, &s->views[i], &s->views[i].folds[j]);
    for (size_t i = 0; i < s->method_count; i++)
        if (s->methods[i].by_default == DEFAULT_NONE)
            check_method(w, &s->methods[i]);
    return 0;
}

int schema_warnings(struct sandbox *s, const struct schema *schema,
                    const struct bundle *bundle, struct buf *out)
{
    struct err err;
    struct warning w = {.s = s, .schema = schema, .bundle = bundle, .out = out};
    int rc = sandbox_run(s, walk, &w, &err);
    if (rc != 0)
        warn(&w, schema->main, "warnings are incomplete: %s", err.text);
    return w.count;
}
