/* Default methods that only read are queries under another name: what names
 * an object by fields becomes the key that doors write. */
#include <string.h>

#include "base/err.h"
#include "base/mapping.h"
#include "base/msgpack.h"
#include "node/inside.h"
#include "query/args.h"

enum { METHOD_ARGS_MAX = 64 };

static int check_args(const struct method *m, struct bytes args,
                      struct err *err)
{
    const char *names[METHOD_ARGS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < m->args.count && count < METHOD_ARGS_MAX; i++)
        names[count++] = m->args.items[i].name;
    names[count] = NULL;
    return args_check(args, names, err);
}

/* The text of one field of a key, a text or a number; with '/' in front of all
 * but the first. */
static int put_part(struct bytes args, const struct field *field,
                    struct buf *key, struct err *err)
{
    struct bytes raw =
        args.len > 0 ? mp_map_get(args, field->name) : bytes_of(NULL, 0);
    struct mp mp = mp_open(raw);
    struct bytes text;
    int64_t number;
    if (raw.data == NULL || mp_take_nil(&mp))
        return args_wrong(field->name, "is missing", err);
    if (key->len > 0)
        buf_put_u8(key, '/');
    if (mp_get_str(&mp, &text, NULL) == 0) {
        buf_put_bytes(key, text);
        return 0;
    }
    mp = mp_open(raw);
    if (mp_get_int(&mp, &number, NULL) != 0)
        return args_wrong(field->name, "has to be text or a number", err);
    buf_printf(key, "%lld", (long long)number);
    return 0;
}

static bool is_given(struct bytes args, const char *name)
{
    struct bytes raw =
        args.len > 0 ? mp_map_get(args, name) : bytes_of(NULL, 0);
    struct mp mp = mp_open(raw);
    return raw.data != NULL && !mp_take_nil(&mp);
}

/* The parent and the fields of the key. */
static int put_key(const struct event_type *type, struct bytes args,
                   struct buf *key, struct err *err)
{
    int rc = 0;
    if (type->key_count == 0)
        return args_wrong("id", "is missing", err);
    if (type->parent >= 0) {
        const struct field *parent = &type->header.items[type->parent];
        if (!parent->type.optional || is_given(args, parent->name))
            rc = put_part(args, parent, key, err);
    }
    for (size_t i = 0; i < type->key_count && rc == 0; i++)
        if (event_type_writes(type, i))
            rc = put_part(args, &type->header.items[type->key[i]], key, err);
    return rc;
}

static void copy_arg(struct mapping *mapping, const char *name,
                     struct bytes args, const char *arg)
{
    struct bytes raw = args.len > 0 ? mp_map_get(args, arg) : bytes_of(NULL, 0);
    if (raw.data != NULL)
        buf_put_bytes(mapping_key(mapping, name), raw);
}

static int one_args(const struct method *m, struct bytes args, struct buf *out,
                    struct err *err)
{
    struct mapping mapping = {0};
    struct buf key = {0};
    int rc = 0;
    mapping_text(&mapping, "type", m->type->name);
    if (is_given(args, "id")) {
        copy_arg(&mapping, "key", args, "id");
    } else {
        rc = put_key(m->type, args, &key, err);
        mapping_str(&mapping, "key", buf_bytes(&key));
    }
    mapping_put(&mapping, out);
    buf_deinit(&key);
    return rc;
}

static void list_args(const struct event_type *type, struct bytes args,
                      struct buf *out)
{
    struct mapping mapping = {0};
    mapping_text(&mapping, "type", type->name);
    copy_arg(&mapping, "after", args, "after");
    copy_arg(&mapping, "limit", args, "limit");
    if (type->parent >= 0) {
        const char *parent = type->header.items[type->parent].name;
        if (strcmp(parent, "after") != 0 && strcmp(parent, "limit") != 0)
            copy_arg(&mapping, "parent", args, parent);
    }
    mapping_put(&mapping, out);
}

int default_read(const struct core *core, const struct method *method,
                 struct bytes args, const char **query, struct buf *out,
                 struct err *err)
{
    const char *name = schema_short(core->schema, method->name);
    int rc = check_args(method, args, err);
    if (rc != 0)
        return err_wrap(err, "%s", name);
    switch (method->by_default) {
    case DEFAULT_LIST:
        *query = "list";
        list_args(method->type, args, out);
        return 0;
    case DEFAULT_GET:
        *query = "get";
        break;
    case DEFAULT_HISTORY:
        *query = "history";
        break;
    default:
        return err_set(err, ATE_EINVALID,
                       "%s: to see what comes, read 'tail' with follow", name);
    }
    rc = one_args(method, args, out, err);
    return rc == 0 ? 0 : err_wrap(err, "%s", name);
}
