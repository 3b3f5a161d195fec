/* Rules. */
#include "declare/declaring.h"

#include <assert.h>
#include <lauxlib.h>

#include "declare/declare_value.h"
#include "declare/template.h"
#include "declare/vocabulary.h"

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
    if (rule->per_transaction) {
        wrong(d, place,
              "{%s} needs its type in says: a rule about whole transactions "
              "has no event at hand",
              name);
        return;
    }
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
    read_types(d, &place, options, "on", &rule->on);
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
