#include "rest/message.h"

#include <string.h>

#include "base/pack.h"
#include "rest/limits.h"
#include "rest/problem.h"
#include "rest/wire.h"

enum { CREDIT_MOST = 4096 };

static int take_id(struct message *m, struct problem *problem)
{
    const json_t *id = json_object_get(m->json, "id");
    m->id = json_integer_value(id);
    m->has_id = json_is_integer(id) && m->id >= 0 && m->id <= INT64_C(1) << 53;
    if (m->has_id)
        return 0;
    return problem_field(problem, "id",
                         "'id' is a whole number from 0 to 2^53");
}

static int take_text(const struct message *m, const char *name,
                     const char **text, struct problem *problem)
{
    const json_t *value = json_object_get(m->json, name);
    *text = json_string_value(value);
    if (value == NULL || json_is_string(value))
        return 0;
    return problem_field(problem, name, "'%s' is a text", name);
}

/* Who asks: a name, or the entry is left out, which means `none`. */
static int take_name(const struct message *m, const char *name,
                     const char *none, const char **text,
                     struct problem *problem)
{
    if (take_text(m, name, text, problem) != 0)
        return -1;
    if (*text == NULL || (*text)[0] != '\0')
        return 0;
    return problem_field(problem, name, "'%s' is empty; leave it out %s", name,
                         none);
}

/* Nothing there leaves `out` empty. */
static int take_object(const struct message *m, const char *name,
                       struct buffer *out, struct problem *problem)
{
    json_t *object = json_object_get(m->json, name);
    if (object == NULL)
        return 0;
    if (!json_is_object(object))
        return problem_field(problem, name, "'%s' is an object", name);
    return wire_pack(out, object, name, problem);
}

static int take_credit(struct message *m, struct problem *problem)
{
    const json_t *credit = json_object_get(m->json, "credit");
    json_int_t number = json_integer_value(credit);
    if (credit == NULL)
        return 0;
    if (!json_is_integer(credit) || number < 1 || number > CREDIT_MOST)
        return problem_field(problem, "credit",
                             "'credit' is a whole number from 1 to %d",
                             CREDIT_MOST);
    m->credit = (uint32_t)number;
    return 0;
}

/* Whose it is was taken before. */
static int take_key(struct message *m, struct problem *problem)
{
    const char *key;
    if (take_text(m, "key", &key, problem) != 0)
        return -1;
    m->has_key = key != NULL;
    if (key == NULL || call_id_take(key, strlen(key), m->as, m->act_for,
                                    m->call_id, problem) == 0)
        return 0;
    return problem_field(problem, "key", "'key' has 1 to %d bytes", LIMIT_KEY);
}

/* No entry that nobody looks at: it would be a mistake that nobody sees. */
static int check_names(struct message *m, const char *const *names,
                       struct problem *problem)
{
    const char *name;
    json_t *unused;
    json_object_foreach(m->json, name, unused)
    {
        size_t k = 0;
        while (names[k] != NULL && strcmp(names[k], name) != 0)
            k++;
        if (names[k] != NULL)
            continue;
        problem_field(problem, name, "there is no '%.100s' in such a message",
                      name);
        return problem_near(problem, name, names);
    }
    return 0;
}

static int take_question(struct message *m, const char *method,
                         struct problem *problem)
{
    static const char *const names[] = {"id",     "chain",   "call",    "read",
                                        "as",     "args",    "act_for", "key",
                                        "credit", "context", NULL};
    m->method = method;
    if (check_names(m, names, problem) != 0 ||
        take_text(m, "chain", &m->chain, problem) != 0 ||
        take_name(m, "as", "to sign as 'me'", &m->as, problem) != 0 ||
        take_name(m, "act_for", "to act for yourself", &m->act_for, problem) !=
            0 ||
        take_key(m, problem) != 0 ||
        take_object(m, "args", &m->args, problem) != 0 ||
        take_object(m, "context", &m->context, problem) != 0)
        return -1;
    return m->chain != NULL
               ? 0
               : problem_field(problem, "chain", "'chain' is missing");
}

static int take(struct message *m, struct problem *problem)
{
    static const char *const names[] = {"id", "cancel", "credit", NULL};
    const char *call, *read;
    if (!json_is_object(m->json))
        return problem_set(problem, "INVALID", "a message is a JSON object");
    if (take_id(m, problem) != 0 || take_text(m, "call", &call, problem) != 0 ||
        take_text(m, "read", &read, problem) != 0 ||
        take_credit(m, problem) != 0)
        return -1;
    if (call != NULL && read != NULL)
        return problem_field(problem, "read",
                             "a message is a 'call' or a "
                             "'read', not both");
    if (call != NULL || read != NULL) {
        m->kind = call != NULL ? MESSAGE_CALL : MESSAGE_READ;
        return take_question(m, call != NULL ? call : read, problem);
    }
    bool cancels = json_is_true(json_object_get(m->json, "cancel"));
    m->kind = cancels ? MESSAGE_CANCEL : MESSAGE_CREDIT;
    if (!cancels && m->credit == 0)
        return problem_set(problem, "INVALID",
                           "a message is a 'call', a "
                           "'read', 'credit' or 'cancel'");
    return check_names(m, names, problem);
}

int message_take(struct message *m, const char *text, size_t len,
                 struct problem *problem)
{
    *m = (struct message){0};
    m->json = wire_parse(text, len, problem);
    return m->json == NULL ? -1 : take(m, problem);
}

void message_free(struct message *m)
{
    json_decref(m->json);
    buffer_free(&m->args);
    buffer_free(&m->context);
    *m = (struct message){0};
}
