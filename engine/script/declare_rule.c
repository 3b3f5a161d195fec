/* Rules, and workers, which are checked and not kept. */
#include "script/declaring.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "script/declare_value.h"
#include "script/template.h"
#include "script/vocabulary.h"

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The types of `on`, by their full names, sorted; appended to `out`. */
static void read_on(struct declaring *d, const struct place *place, int options,
                    struct text_list *out)
{
    struct place at = place_in(place, "on");
    const struct text_list *names = read_texts(d, place, options, "on");
    if (names == NULL)
        return;
    out->items = mem_zero(names->count, sizeof(out->items[0]));
    if (names->count == 0)
        wrong(d, &at, "names no type");
    for (size_t i = 0; i < names->count; i++) {
        const struct event_type *type = find_type(d, &at, names->items[i]);
        bool twice = false;
        for (size_t j = 0; type != NULL && j < out->count; j++)
            twice = twice || strcmp(out->items[j], type->name) == 0;
        if (twice)
            wrong(d, &at, "names '%s' twice", type->name);
        else if (type != NULL)
            out->items[out->count++] = mem_text(type->name);
    }
    if (out->count > 0)
        qsort(out->items, out->count, sizeof(out->items[0]), compare_texts);
}

/* What one value in the text of a rule is checked against. */
struct text_check {
    struct declaring *d;
    const struct rule *rule;
};

static void unknown_value(const struct text_check *check,
                          const struct place *place,
                          const struct event_type *type, const char *name)
{
    const struct rule *rule = check->rule;
    const char *names[128];
    size_t count = 0;
    for (size_t i = 0; i < rule->says.count && count < 128; i++)
        names[count++] = rule->says.items[i].name;
    for (size_t i = 0; i < type->header.count && count < 128; i++)
        names[count++] = type->header.items[i].name;
    const char *near = suggest(check->d, name, names, count);
    wrong(check->d, place, "{%s} is no field of '%s'%s", name, type->name,
          near[0] != '\0' ? near
                          : "; if ate.deny gives it, name its type in says");
}

static void check_value(void *ctx, const struct place *place, const char *name)
{
    const struct text_check *check = ctx;
    struct declaring *d = check->d;
    const struct rule *rule = check->rule;
    struct bytes field = bytes_of_text(name);
    if (fields_find(&rule->says, field) != NULL)
        return;
    for (size_t i = 0; i < rule->on.count; i++) {
        const struct event_type *type =
            schema_type(d->out, bytes_of_text(rule->on.items[i]));
        if (fields_find(&type->header, field) != NULL)
            continue;
        if (fields_find(&type->body, field) != NULL)
            wrong(d, place,
                  "{%s} is in the body of '%s', which rules do not "
                  "see",
                  name, type->name);
        else
            unknown_value(check, place, type, name);
        return;
    }
}

void declare_rule(struct declaring *d, const struct record *record,
                  struct rule *rule)
{
    static const char *const keys[] = {"doc",  "on",    "per", "text",
                                       "says", "check", NULL};
    static const char *const per[] = {"event", "transaction", NULL};
    struct place place = place_at(record->where, record->name);
    int options = lua_gettop(d->L);
    read_keys(d, &place, options, keys);
    rule->doc = read_doc(d, &place, options);
    read_on(d, &place, options, &rule->on);
    if (!read_push(d, options, "on")) {
        struct place on = place_in(&place, "on");
        wrong(d, &on,
              "is missing: name the types it judges, such as on = "
              "{'transfer'}");
    } else {
        lua_pop(d->L, 1);
    }
    rule->per_transaction = read_word(d, &place, options, "per", per, 0) == 1;
    if (read_push(d, options, "says")) {
        struct place says = place_in(&place, "says");
        const struct event_type *type =
            rule->on.count == 0
                ? NULL
                : schema_type(d->out, bytes_of_text(rule->on.items[0]));
        read_fields(d, &says, USE_SAYS, type == NULL ? NULL : &type->header,
                    &rule->says);
        lua_pop(d->L, 1);
    }
    rule->text = read_text(d, &place, options, "text");
    if (rule->text != NULL) {
        struct place text = place_in(&place, "text");
        struct text_check check = {.d = d, .rule = rule};
        template_each(d, &text, rule->text, check_value, &check);
    }
    rule->function = read_function(d, &place, options, "check", true);
    assert(lua_gettop(d->L) == options);
}

static void check_due(struct declaring *d, const struct place *place,
                      int options)
{
    struct place at = place_in(place, "due");
    const struct text_list *due = read_texts(d, place, options, "due");
    if (due == NULL)
        return;
    if (due->count != 2) {
        wrong(d, &at,
              "want a view and a column of it, such as {'open', "
              "'deadline'}");
        return;
    }
    const struct view *view = find_view(d, &at, due->items[0]);
    if (view == NULL)
        return;
    const struct field *column =
        fields_find(&view->columns, bytes_of_text(due->items[1]));
    if (column == NULL)
        wrong(d, &at, "the view '%s' has no column '%s'", view->name,
              due->items[1]);
    else if (column->type.kind != VALUE_TIME)
        wrong(d, &at, "the column '%s' is no time", column->name);
}

void declare_worker(struct declaring *d, const struct record *record)
{
    static const char *const keys[] = {"doc", "on", "due", "run", NULL};
    struct place place = place_at(record->where, record->name);
    struct text_list on = {0};
    int options = lua_gettop(d->L);
    read_keys(d, &place, options, keys);
    mem_free(read_doc(d, &place, options));
    bool has_on = read_push(d, options, "on");
    bool has_due = read_push(d, options, "due");
    lua_settop(d->L, options);
    if (has_on == has_due)
        wrong(d, &place,
              "has either on, the types it waits for, or due, a "
              "view and its column of times");
    read_on(d, &place, options, &on);
    for (size_t i = 0; i < on.count; i++)
        mem_free(on.items[i]);
    mem_free(on.items);
    check_due(d, &place, options);
    int run = read_function(d, &place, options, "run", true);
    luaL_unref(d->L, LUA_REGISTRYINDEX, run == 0 ? LUA_NOREF : run);
    assert(lua_gettop(d->L) == options);
}
