#include "acceptance/engine_methods.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/bundle_events.h"
#include "acceptance/door.h"
#include "acceptance/engine_types.h"
#include "acceptance/trust_events.h"
#include "acceptance/work_methods.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"

/* ---- what their arguments are ---- */

enum { TEXT_ARG_MAX = 1024 };

static struct value_type text_item = {
    .kind = VALUE_TEXT,
    .min = INT64_MIN,
    .max = INT64_MAX,
    .len_max = LIMIT_KIND_NAME,
};
static struct value_type identity_item = {
    .kind = VALUE_IDENTITY,
    .min = INT64_MIN,
    .max = INT64_MAX,
    .len_max = KEY_ID_SIZE,
};

#define ARG(name_, kind_, optional_, doc_)                                     \
    ENGINE_ARG(name_, kind_, optional_, TEXT_ARG_MAX, doc_)
#define LIST_ARG(name_, item_, optional_, max_, doc_)                          \
    {                                                                          \
        .name = (char *)(name_), .doc = (char *)(doc_),                        \
        .type = {                                                              \
            .kind = VALUE_LIST,                                                \
            .optional = (optional_),                                           \
            .min = INT64_MIN,                                                  \
            .max = INT64_MAX,                                                  \
            .len_min = 1,                                                      \
            .len_max = (max_),                                                 \
            .item = (item_),                                                   \
        },                                                                     \
    }
#define FIELDS(list)                                                           \
    {                                                                          \
        .items = (list), .count = sizeof(list) / sizeof(*(list))               \
    }

static struct field grant_args[] = {
    ARG("act_for", VALUE_IDENTITY, true, "Whom to act for."),
    ARG("depth", VALUE_INTEGER, true, "How many may rest on it in a row."),
    ARG("object", VALUE_TEXT, true, "TYPE/KEY; without it, or /, the chain."),
    LIST_ARG("rights", &text_item, false, DELEGATION_RIGHTS_MAX,
             "Their names."),
    ARG("to", VALUE_IDENTITY, false, "Who gets them."),
    ARG("under", VALUE_TEXT, true, "The grant that it rests on."),
    ARG("until", VALUE_TIME, true, "When they end."),
};
static struct field revoke_args[] = {
    ARG("grant", VALUE_TEXT, false, "Its place, such as 12.0."),
};
static struct field activate_args[] = {
    ARG("bundle", VALUE_TEXT, true,
        "Its hash, next_bundle of info; no other is put in force then."),
};
static struct field bundle_args[] = {
    ENGINE_ARG("bundle", VALUE_BLOB, false, LIMIT_BUNDLE,
               "All Lua of the schema, as ate check makes it."),
};
static struct field order_args[] = {
    ARG("to", VALUE_IDENTITY, false, "The key that orders from now on."),
};
static struct field rotate_args[] = {
    LIST_ARG("keys", &identity_item, false, LIMIT_ROOT_KEYS,
             "The root keys from now on."),
    LIST_ARG("next", &identity_item, true, LIMIT_ROOT_KEYS,
             "The set that may follow."),
    ARG("next_threshold", VALUE_INTEGER, true, "How many of that agree."),
    ARG("threshold", VALUE_INTEGER, true, "How many have to agree."),
};
static struct value_type text_result = {
    .kind = VALUE_TEXT,
    .min = INT64_MIN,
    .max = INT64_MAX,
    .len_max = TEXT_ARG_MAX,
};

static int run_activate(struct call *c, struct err *err);
static int run_bundle(struct call *c, struct err *err);
static int run_grant(struct call *c, struct err *err);
static int run_revoke(struct call *c, struct err *err);
static int run_order(struct call *c, struct err *err);
static int run_rotate(struct call *c, struct err *err);

#define METHOD(name_, doc_, args_, returns_, default_)                         \
    {                                                                          \
        .name = (char *)(name_), .schema = (char *)"ate",                      \
        .doc = (char *)(doc_), .where = (char *)"engine",                      \
        .mode = METHOD_WRITE, .args = FIELDS(args_), .returns = (returns_),    \
        .by_default = (default_),                                              \
    }

/* Sorted by name. */
static const struct method methods[] = {
    METHOD("ate.activate", "Put the bundle that came last in force.",
           activate_args, NULL, DEFAULT_ACTIVATE),
    METHOD("ate.answer", "Journal what a service answered.", work_answer_args,
           NULL, DEFAULT_ANSWER),
    METHOD("ate.ask", "Journal what a worker asks a service.", work_ask_args,
           NULL, DEFAULT_ASK),
    METHOD("ate.bundle", "Bring a bundle that may be activated.", bundle_args,
           NULL, DEFAULT_BUNDLE),
    METHOD("ate.drop", "Never work what is parked.", work_parked_args, NULL,
           DEFAULT_DROP),
    METHOD("ate.grant", "Give rights to somebody.", grant_args, &text_result,
           DEFAULT_GRANT),
    METHOD("ate.order", "Let another key order the chain.", order_args, NULL,
           DEFAULT_ORDER),
    METHOD("ate.park", "Set aside what a worker cannot do.", work_park_args,
           NULL, DEFAULT_PARK),
    METHOD("ate.retry", "Work what is parked.", work_parked_args, NULL,
           DEFAULT_RETRY),
    METHOD("ate.revoke", "Take back what was granted.", revoke_args, NULL,
           DEFAULT_REVOKE),
    METHOD("ate.rotate", "Put other root keys in place.", rotate_args, NULL,
           DEFAULT_ROTATE),
    METHOD("ate.work", "Run a worker.", work_item_args, NULL, DEFAULT_WORK),
};

const struct method *engine_method(struct bytes name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (bytes_equal(name, bytes_of_text(methods[i].name)))
            return &methods[i];
    return NULL;
}

int engine_method_run(struct call *c, struct err *err)
{
    switch (c->method->by_default) {
    case DEFAULT_ACTIVATE:
        return run_activate(c, err);
    case DEFAULT_BUNDLE:
        return run_bundle(c, err);
    case DEFAULT_GRANT:
        return run_grant(c, err);
    case DEFAULT_REVOKE:
        return run_revoke(c, err);
    case DEFAULT_ORDER:
        return run_order(c, err);
    case DEFAULT_ROTATE:
        return run_rotate(c, err);
    default:
        return work_method_run(c, err);
    }
}

/* ---- arguments ---- */

static const uint8_t *arg_bin(const struct call *c, const char *name,
                              size_t len)
{
    const uint8_t *bin = NULL;
    struct bytes value = mp_map_get(c->args, name);
    struct mp mp = mp_open(value);
    if (value.data != NULL)
        state_own(mp_get_bin_of(&mp, len, &bin, NULL));
    return bin;
}

struct bytes engine_arg_text(const struct call *c, const char *name)
{
    struct bytes text = {NULL, 0};
    struct bytes value = mp_map_get(c->args, name);
    struct mp mp = mp_open(value);
    if (value.data != NULL)
        state_own(mp_get_str(&mp, &text, NULL));
    return text;
}

struct bytes engine_arg_bytes(const struct call *c, const char *name)
{
    struct bytes bytes = {NULL, 0};
    struct bytes value = mp_map_get(c->args, name);
    struct mp mp = mp_open(value);
    if (value.data != NULL)
        state_own(mp_get_bin(&mp, &bytes, NULL));
    return bytes;
}

int64_t engine_arg_int(const struct call *c, const char *name,
                       int64_t otherwise)
{
    struct bytes value = mp_map_get(c->args, name);
    struct mp mp = mp_open(value);
    if (value.data != NULL)
        state_own(mp_get_int(&mp, &otherwise, NULL));
    return otherwise;
}

/* "account/alice": a type's short name, and the text of a ref; "/": none. */
static int arg_object(const struct call *c, uint8_t id[OBJECT_ID_SIZE],
                      bool *given, struct err *err)
{
    struct bytes text = engine_arg_text(c, "object");
    *given = text.data != NULL && !bytes_equal(text, bytes_of_text("/"));
    if (!*given)
        return 0;
    const uint8_t *slash = memchr(text.data, '/', text.len);
    struct bytes type_name = text;
    if (slash != NULL)
        type_name.len = (size_t)(slash - text.data);
    const struct event_type *type = schema_type(c->core->schema, type_name);
    if (slash == NULL || type == NULL) {
        err_set(err, ATE_EINVALID,
                "object '%.*s': want TYPE/KEY, such as account/alice, "
                "or / for the whole chain",
                (int)text.len, (const char *)text.data);
        return err_at(err, "object");
    }
    struct door door = {
        .core = c->core,
        .version = c->version,
        .names = c->core->names,
    };
    size_t used = type_name.len + 1;
    int rc = door_get_ref(&door, type,
                          bytes_of(text.data + used, text.len - used), id, err);
    if (rc == 0)
        return 0;
    err_at(err, "object");
    return err_wrap(err, "object");
}

static int find_record(const struct call *c, const uint8_t id[KEY_ID_SIZE],
                       struct key_record *record, struct err *err)
{
    struct author author;
    struct buf name = {0};
    if (state_author(c->version, id, &author))
        return key_record_decode(author.record, record, err);
    if (c->core->names->record != NULL &&
        c->core->names->record(c->core->names->ctx, id, record))
        return 0;
    struct door door = {.core = c->core, .names = c->core->names};
    door_put_identity(&door, id, &name);
    err_set(err, ATE_ENOT_FOUND,
            "neither the log nor this data folder has the public key of %s",
            buf_text(&name));
    buf_deinit(&name);
    return err_reason(err, "no_public_key");
}

/* A list of identities to key records. */
static int arg_records(const struct call *c, const char *name,
                       struct key_record records[LIMIT_ROOT_KEYS],
                       size_t *count, struct err *err)
{
    struct bytes value = mp_map_get(c->args, name);
    struct mp mp = mp_open(value);
    uint32_t n = 0;
    int rc = 0;
    *count = 0;
    if (value.data == NULL)
        return 0;
    state_own(mp_get_array(&mp, &n, NULL));
    assert(n <= LIMIT_ROOT_KEYS);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const uint8_t *id = NULL;
        state_own(mp_get_bin_of(&mp, KEY_ID_SIZE, &id, NULL));
        rc = find_record(c, id, &records[i], err);
        if (rc != 0) {
            err_at_item(err, i);
            err_at(err, name);
        }
    }
    *count = n;
    return rc;
}

int engine_arg_bundle(const struct call *c, uint8_t room[HASH_SIZE],
                      const uint8_t **bundle, struct err *err)
{
    struct bytes text = engine_arg_text(c, "bundle");
    *bundle = text.data != NULL ? room : NULL;
    if (text.data == NULL || (text.len == 2 * (size_t)HASH_SIZE &&
                              hex_get((const char *)text.data, text.len, room)))
        return 0;
    err_set(err, ATE_EINVALID,
            TYPE_ACTIVATE ": bundle is %d hexadecimal digits, as info has "
                          "next_bundle",
            2 * HASH_SIZE);
    return err_at(err, "bundle");
}

bool engine_place_get(struct bytes text, uint64_t *index, uint64_t *n)
{
    char room[48] = "";
    char *end = NULL;
    if (text.len > 0 && text.len < sizeof(room))
        memcpy(room, text.data, text.len);
    *index = strtoull(room, &end, 10);
    if (end == room || *end != '.')
        return false;
    char *from = end + 1;
    *n = strtoull(from, &end, 10);
    return end != from && *end == '\0';
}

/* "12.0": the event of a grant. */
static int arg_grant(const struct call *c, const char *name,
                     uint8_t id[EVENT_ID_SIZE], struct err *err)
{
    uint64_t index = 0;
    uint64_t n = 0;
    struct bytes given = engine_arg_text(c, name);
    if (!engine_place_get(given, &index, &n))
        err_set(err, ATE_EINVALID,
                "%s '%.*s': want the place of a grant, such as 12.0", name,
                (int)given.len, (const char *)given.data);
    else if (!delegation_at(c->version, index, n, id))
        err_set(err, ATE_ENOT_FOUND, "%s: there is none at '%.*s'", name,
                (int)given.len, (const char *)given.data);
    else
        return 0;
    return err_at(err, name);
}

/* ---- making events ---- */

int engine_emit(struct call *c, const char *type, struct bytes fields,
                const uint8_t *auth_ref, struct bytes body, struct err *err)
{
    int rc = trial_add_own(&c->trial, type, fields, auth_ref, body, err);
    c->version = state_head(&c->core->state);
    return rc;
}

static int emit(struct call *c, const char *type, const struct buf *fields,
                const uint8_t *auth_ref, struct err *err)
{
    return engine_emit(c, type, buf_bytes(fields), auth_ref, bytes_of(NULL, 0),
                       err);
}

static int run_bundle(struct call *c, struct err *err)
{
    static const uint8_t no_fields = 0x80;
    return engine_emit(c, TYPE_BUNDLE, bytes_of(&no_fields, 1), NULL,
                       engine_arg_bytes(c, "bundle"), err);
}

/* The core of that bundle is in place: this is its state before. Where a
 * proposal is going to stand, nobody knows yet. */
static int run_activate(struct call *c, struct err *err)
{
    uint8_t root[HASH_SIZE];
    struct buf fields = {0};
    struct activate_fields f = {.bundle = c->core->loaded};
    if (!c->proposes) {
        core_root(c->core, c->version, root);
        f.state = root;
    }
    activate_fields_put(&fields, &f);
    int rc = emit(c, TYPE_ACTIVATE, &fields, NULL, err);
    buf_deinit(&fields);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Sorted, none twice; true: act_for is among them. */
static bool take_rights(const struct call *c, struct buf *out)
{
    struct mp mp = mp_open(mp_map_get(c->args, "rights"));
    struct bytes names[DELEGATION_RIGHTS_MAX];
    uint32_t count = 0;
    uint32_t distinct = 0;
    bool acts = false;
    state_own(mp_get_array(&mp, &count, NULL));
    assert(count <= DELEGATION_RIGHTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        state_own(mp_get_str(&mp, &names[i], NULL));
        acts |= bytes_equal(names[i], bytes_of_text(RIGHT_ACT_FOR));
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || !bytes_equal(names[i], names[distinct - 1]))
            names[distinct++] = names[i];
    mp_put_array(out, distinct);
    for (uint32_t i = 0; i < distinct; i++)
        mp_put_str(out, names[i]);
    return acts;
}

/* What the grant rests on: as asked for, else what allows it. True: found. */
static int find_under(struct call *c, const struct delegation_fields *f,
                      uint8_t id[EVENT_ID_SIZE], bool *found, struct err *err)
{
    struct object o;
    struct spot spot = {.object = f->object};
    *found = mp_map_get(c->args, "under").data != NULL;
    if (*found)
        return arg_grant(c, "under", id, err);
    if (f->object != NULL && state_object(c->version, f->object, &o))
        spot.parent = o.header.parent;
    if (f->act_for == NULL)
        *found = !authority_is_root(&c->trial) &&
                 authority_find(&c->trial, RIGHT_DELEGATE, &spot, id);
    else if (memcmp(f->act_for, c->author, KEY_ID_SIZE) != 0)
        *found = authority_find_act_for(&c->trial, f->act_for, &spot, id);
    return 0;
}

static int run_grant(struct call *c, struct err *err)
{
    uint8_t object[OBJECT_ID_SIZE];
    uint8_t under[EVENT_ID_SIZE];
    bool given = false;
    bool rests = false;
    struct buf rights = {0};
    struct buf fields = {0};
    struct delegation_fields f = {
        .to = arg_bin(c, "to", KEY_ID_SIZE),
        .act_for = arg_bin(c, "act_for", KEY_ID_SIZE),
        .until = engine_arg_int(c, "until", INT64_MAX),
    };
    int64_t depth = engine_arg_int(c, "depth", 0);
    int rc = arg_object(c, object, &given, err);
    if (rc == 0 && (depth < 0 || depth > DELEGATION_DEPTH_MAX)) {
        rc = err_set(err, ATE_EINVALID, "depth is from 0 to %d",
                     DELEGATION_DEPTH_MAX);
        err_at(err, "depth");
    }
    if (take_rights(c, &rights) && f.act_for == NULL)
        f.act_for = c->caller;
    f.object = given ? object : NULL;
    f.rights = buf_bytes(&rights);
    f.depth = (uint64_t)depth;
    f.has_record = find_record(c, f.to, &f.record, NULL) == 0;
    if (rc == 0)
        rc = find_under(c, &f, under, &rests, err);
    uint64_t n = c->trial.count;
    if (rc == 0) {
        delegation_fields_put(&fields, &f);
        rc = emit(c, TYPE_DELEGATION, &fields, rests ? under : NULL, err);
    }
    if (rc == 0) {
        struct buf place = {0};
        buf_printf(&place, "%llu.%llu", (unsigned long long)c->trial.index,
                   (unsigned long long)n);
        mp_put_str(&c->result, buf_bytes(&place));
        buf_deinit(&place);
    }
    buf_deinit(&rights);
    buf_deinit(&fields);
    return rc;
}

static int run_revoke(struct call *c, struct err *err)
{
    uint8_t id[EVENT_ID_SIZE];
    struct buf fields = {0};
    int rc = arg_grant(c, "grant", id, err);
    if (rc == 0) {
        revocation_fields_put(&fields, id);
        rc = emit(c, TYPE_REVOCATION, &fields, NULL, err);
    }
    buf_deinit(&fields);
    return rc;
}

static int run_order(struct call *c, struct err *err)
{
    struct term term;
    struct order_fields f;
    struct buf fields = {0};
    term_get(c->version, &term);
    f.term = term.number + 1;
    int rc = find_record(c, arg_bin(c, "to", KEY_ID_SIZE), &f.record, err);
    if (rc == 0) {
        order_fields_put(&fields, &f);
        rc = emit(c, TYPE_ORDER, &fields, NULL, err);
    } else {
        err_at(err, "to");
    }
    buf_deinit(&fields);
    return rc;
}

static int run_rotate(struct call *c, struct err *err)
{
    struct roots_fields f = {0};
    struct key_record next[LIMIT_ROOT_KEYS];
    uint8_t digest[HASH_SIZE];
    size_t next_count = 0;
    struct buf fields = {0};
    int rc = arg_records(c, "keys", f.records, &f.count, err);
    if (rc == 0)
        rc = arg_records(c, "next", next, &next_count, err);
    if (rc != 0)
        return rc;
    f.threshold = (uint64_t)engine_arg_int(c, "threshold", (int64_t)f.count);
    if (next_count > 0) {
        uint64_t k =
            (uint64_t)engine_arg_int(c, "next_threshold", (int64_t)next_count);
        rc = roots_check(next, next_count, k, err);
        if (rc != 0) {
            err_at(err, "next");
            return err_wrap(err, "next");
        }
        roots_digest(next, next_count, k, digest);
        f.next = digest;
    }
    roots_fields_put(&fields, &f);
    rc = emit(c, TYPE_ROOTS, &fields, NULL, err);
    buf_deinit(&fields);
    return rc;
}
