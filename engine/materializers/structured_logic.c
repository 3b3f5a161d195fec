/* Rules are asked in the order in which the schema declares them: the first
 * that refuses is told. A rule about an event sees the state before it, a rule
 * about the transaction the state after all of it; the latter is asked once,
 * however many of its events occur. */
#include <assert.h>
#include <string.h>

#include "acceptance/logic.h"
#include "acceptance/trial.h"
#include "base/err.h"
#include "materializers/materializers.h"

static bool is_about(const struct rule *rule, const struct event_type *type)
{
    size_t low = 0;
    size_t high = rule->on.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rule->on.items[middle], type->name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static size_t place_of(const struct trial *trial,
                       const struct trial_event *event)
{
    size_t n = trial->count;
    while (n > 0 && trial->events[n - 1] != event)
        n--;
    assert(n > 0);
    return n - 1;
}

static enum answer accept(struct trial *trial, const struct trial_event *event,
                          struct err *err)
{
    const struct core *core = trial->core;
    if (event->type == NULL)
        return ANSWER_ABSTAIN;
    size_t n = place_of(trial, event);
    for (size_t i = 0; i < core->schema->rule_count; i++) {
        const struct rule *rule = &core->schema->rules[i];
        if (rule->per_transaction || !is_about(rule, event->type))
            continue;
        if (core->logic->check(core->logic, trial, rule, n, err) != 0)
            return ANSWER_NO;
    }
    return ANSWER_ABSTAIN;
}

static bool has_type(const struct trial *trial, const char *name)
{
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_type *type = trial->events[i]->type;
        if (type != NULL && strcmp(type->name, name) == 0)
            return true;
    }
    return false;
}

static bool is_about_any(const struct rule *rule, const struct trial *trial)
{
    for (size_t i = 0; i < trial->count; i++)
        if (trial->events[i]->type != NULL &&
            is_about(rule, trial->events[i]->type))
            return true;
    return false;
}

static int check_company(const struct trial *trial, struct err *err)
{
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_type *type = trial->events[i]->type;
        if (type == NULL || type->with == NULL || has_type(trial, type->with))
            continue;
        return err_set(err, ATE_EREFUSED,
                       "%s never comes without %s: emit both in one "
                       "transaction",
                       type->name, type->with);
    }
    return 0;
}

static enum answer accept_whole(struct trial *trial, struct err *err)
{
    const struct core *core = trial->core;
    if (check_company(trial, err) != 0)
        return ANSWER_NO;
    for (size_t i = 0; i < core->schema->rule_count; i++) {
        const struct rule *rule = &core->schema->rules[i];
        if (!rule->per_transaction || !is_about_any(rule, trial))
            continue;
        if (core->logic->check(core->logic, trial, rule, SIZE_MAX, err) != 0)
            return ANSWER_NO;
    }
    return ANSWER_ABSTAIN;
}

const struct materializer structured_logic = {
    .name = "structured-logic",
    .accept = accept,
    .accept_whole = accept_whole,
};
