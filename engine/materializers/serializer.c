/* What an event holds, against its type.
 *
 * The trial has seen to it that ids, parent and key are what they have to be,
 * and that a deletion repeats the last fields. Judged here:
 *
 * Texts begin with the field, or with what is wrong of the whole; the trial
 * puts the object in front.
 *
 * (1) The type has not turned this kind of event off.
 * (2) The header's fields are those of the type.
 * (3) A body is there when the type needs one, and only where it has one; what
 *     it holds is judged where it is at hand. Who holds no body cannot judge
 *     it: nothing about a body may be refused here that its author, who always
 *     has it at hand, could not have seen, and nothing that depends on state.
 * (4) A field that is `once` never differs from the version before.
 * (5) Each ref of the header names what is live over the state before this
 *     event and after the earlier ones of its transaction. */
#include <string.h>

#include "acceptance/door.h"
#include "acceptance/trial.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "event/body.h"
#include "materializers/materializers.h"
#include "schema/value.h"

/* ---- (1) ---- */

static const struct {
    enum change change;
    unsigned bit;
    const char *word;
    const char *what;
} turned_off[] = {
    {CHANGE_NEW, OFF_CREATE, "create", "is not made"},
    {CHANGE_EDIT, OFF_PATCH, "patch", "is not changed"},
    {CHANGE_DELETE, OFF_DELETE, "delete", "is not deleted"},
    {CHANGE_FACT, OFF_APPEND, "append", "is not appended"},
};

static int check_off(const struct trial_event *event, struct err *err)
{
    for (size_t i = 0; i < sizeof(turned_off) / sizeof(turned_off[0]); i++)
        if (event->change == turned_off[i].change &&
            (event->type->off & turned_off[i].bit) != 0)
            return err_set(
                err, ATE_EDENIED, "%s, as its type turns '%s' off (%s)",
                turned_off[i].what, turned_off[i].word, event->type->where);
    return 0;
}

/* ---- (3) ---- */

static bool needs_body(const struct event_type *type)
{
    if (type->raw_body != NULL)
        return !type->raw_body->optional && type->raw_body->len_min > 0;
    for (size_t i = 0; i < type->body.count; i++)
        if (!type->body.items[i].type.optional)
            return true;
    return false;
}

static int check_no_body(const struct event_type *type, struct err *err)
{
    if (!needs_body(type))
        return 0;
    return err_set(err, ATE_EINVALID, "has a body by its type, got none");
}

/* Never at hand, so nothing is asked of it but its length. */
static int check_large(const struct event_type *type, uint64_t length,
                       struct err *err)
{
    if (type->raw_body == NULL || !type->raw_body->large)
        return err_set(err, ATE_EINVALID,
                       "body: %llu bytes, at most %d for fields and text",
                       (unsigned long long)length, LIMIT_BODY_PIECE);
    if (length >= type->raw_body->len_min && length <= type->raw_body->len_max)
        return 0;
    err_set(err, ATE_EINVALID, "body: %llu bytes, want %llu to %llu",
            (unsigned long long)length,
            (unsigned long long)type->raw_body->len_min,
            (unsigned long long)type->raw_body->len_max);
    return err_at(err, "body");
}

static int check_body(const struct schema *schema,
                      const struct trial_event *event, struct err *err)
{
    const struct event_type *type = event->type;
    if (event->header.body_length == 0)
        return check_no_body(type, err);
    if (type->raw_body == NULL && type->body.count == 0)
        return err_set(err, ATE_EINVALID, "has no body by its type");
    const struct schema_part *part = schema_part(schema, type->schema);
    if (part != NULL && part->sealed && event->header.seal.data == NULL)
        return err_set(err, ATE_EINVALID,
                       "bodies of its schema are sealed, got an open one");
    if (body_home_of(&event->header) == BODY_LARGE)
        return check_large(type, event->header.body_length, err);
    if (event->body.data == NULL || event->header.seal.data != NULL)
        return 0; /* not at hand */
    if (type->raw_body == NULL)
        return fields_check(schema, &type->body, event->body, "body", err);
    int rc = body_fits(schema, type, event->body, "body", err);
    return rc == 0 ? 0 : err_at(err, "body");
}

/* ---- (4) ---- */

static int check_once(const struct trial_event *event, struct err *err)
{
    const struct fields *fields = &event->type->header;
    if (event->change != CHANGE_EDIT)
        return 0;
    for (size_t i = 0; i < fields->count; i++) {
        const char *name = fields->items[i].name;
        if (!fields->items[i].type.once)
            continue;
        struct bytes before = mp_map_get(event->before_header.fields, name);
        struct bytes now = mp_map_get(event->header.fields, name);
        if ((before.data == NULL) == (now.data == NULL) &&
            bytes_equal(before, now))
            continue;
        err_set(err, ATE_EINVALID,
                "%s: is set once, no later version changes it", name);
        return err_at(err, name);
    }
    return 0;
}

/* ---- (5) ---- */

static int say_deleted(const struct trial *trial, const char *target,
                       const uint8_t *id, struct err *err)
{
    struct door door = {
        .core = trial->core,
        .version = state_head(&trial->core->state),
        .names = trial->core->names,
    };
    const struct event_type *type =
        schema_type(trial->core->schema, bytes_of_text(target));
    return door_check_ref(&door, type, id, err);
}

static int check_ref(void *ctx, const char *path, const char *target,
                     const uint8_t *id, struct err *err)
{
    const struct trial *trial = ctx;
    struct object object;
    enum object_life life =
        state_object(state_head(&trial->core->state), id, &object);
    if (life == OBJECT_ABSENT)
        return err_set(err, ATE_ENOT_FOUND, "%s: no such %s", path, target);
    if (life == OBJECT_SPENT) {
        int rc = say_deleted(trial, target, id, err);
        err_wrap(err, "%s", path);
        return rc;
    }
    if (!bytes_equal(object.header.type, bytes_of_text(target)))
        return err_set(err, ATE_EINVALID, "%s: names a %.*s, want a %s", path,
                       (int)object.header.type.len,
                       (const char *)object.header.type.data, target);
    return 0;
}

/* ---- the stage ---- */

static int judge(struct trial *trial, const struct trial_event *event,
                 struct err *err)
{
    const struct schema *schema = trial->core->schema;
    const struct event_type *type = event->type;
    int rc = check_off(event, err);
    if (rc != 0 || event->change == CHANGE_DELETE)
        return rc;
    rc = fields_check(schema, &type->header, event->header.fields, "", err);
    if (rc == 0)
        rc = check_body(schema, event, err);
    if (rc == 0 && !trial->core->unconverted)
        rc = check_once(event, err);
    if (rc == 0)
        rc = fields_each_ref(&type->header, event->header.fields, check_ref,
                             trial, err);
    return rc;
}

static enum answer accept(struct trial *trial, const struct trial_event *event,
                          struct err *err)
{
    if (event->type == NULL)
        return ANSWER_ABSTAIN; /* the engine's own */
    return judge(trial, event, err) == 0 ? ANSWER_ABSTAIN : ANSWER_NO;
}

const struct materializer serializer = {
    .name = "serializer",
    .accept = accept,
};
