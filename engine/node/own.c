/* What the node itself answers, and its keys. */
#include <assert.h>
#include <string.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "node/inside.h"
#include "query/args.h"

/* ---- keys ---- */

static void put_key(const struct key_entry *entry, struct buf *out)
{
    struct mapping m = {0};
    mapping_text(&m, "name", entry->name);
    if (entry->why != NULL) {
        mapping_text(&m, "error", entry->why->text);
    } else {
        const struct key_record *record = &entry->pair.record;
        mapping_hex(&m, "id", bytes_of(entry->pair.id, KEY_ID_SIZE));
        mapping_hex(&m, "sign", bytes_of(record->sign, SIGN_PUBLIC_SIZE));
        mapping_hex(&m, "box", bytes_of(record->box, BOX_PUBLIC_SIZE));
        mapping_bool(&m, "signs", !entry->is_public && !entry->is_exposed);
        struct buf text = {0};
        key_record_write(&text, record);
        mapping_str(&m, "public", buf_bytes(&text));
        buf_deinit(&text);
    }
    mapping_put(&m, out);
}

static int take_name(struct asked *a, struct bytes *name, struct err *err)
{
    static const char *const names[] = {"name", NULL};
    static const char *const added[] = {"name", "public", NULL};
    struct bytes args = buf_bytes(&a->args);
    bool adds = bytes_equal(a->request->method, bytes_of_text("key.add"));
    int rc = args_check(args, adds ? added : names, err);
    if (rc == 0)
        rc = args_text(args, "name", true, name, err);
    return rc == 0 ? 0
                   : err_wrap(err, "%.*s", (int)a->request->method.len,
                              (const char *)a->request->method.data);
}

static void end_with_key(struct asked *a, struct bytes name)
{
    const struct key_entry *entry;
    struct err err = {0};
    struct buf out = {0};
    if (keys_entry(&a->node->keys, name, &entry, &err) != 0) {
        err_at(&err, "name");
        asked_fail(a, &err);
        return;
    }
    put_key(entry, &out);
    asked_end(a, 0, &err, buf_bytes(&out));
    buf_deinit(&out);
}

static void key_made(void *ctx, int code, const struct err *err)
{
    struct asked *a = ctx;
    a->node->making_keys--;
    if (code != 0) {
        struct err why = *err;
        if (code == ATE_EINVALID || code == ATE_ECONFLICT)
            err_at(&why, "name");
        asked_fail(a, &why);
        return;
    }
    struct bytes name;
    struct err none;
    int rc = take_name(a, &name, &none);
    assert(rc == 0);
    end_with_key(a, name);
}

static void key_new(struct asked *a)
{
    struct bytes name;
    struct err err;
    int rc = take_name(a, &name, &err);
    if (rc == 0 && asked_is_read_only(a))
        rc = err_set(&err, ATE_EUNAVAILABLE,
                     "key.new: the data folder is open for reading only");
    if (rc != 0) {
        asked_fail(a, &err);
        return;
    }
    a->node->making_keys++;
    keys_make(&a->node->keys, name, key_made, a);
}

/* Somebody else's. */
static void key_add(struct asked *a)
{
    struct bytes name;
    struct bytes text;
    struct key_record record;
    struct err err;
    int rc = take_name(a, &name, &err);
    if (rc == 0)
        rc = args_text(buf_bytes(&a->args), "public", true, &text, &err);
    if (rc == 0)
        rc = key_record_read(text, &record, &err);
    if (rc == 0 && asked_is_read_only(a))
        rc = err_set(&err, ATE_EUNAVAILABLE,
                     "the data folder is open for reading only");
    if (rc != 0) {
        err_wrap(&err, "key.add");
        asked_fail(a, &err);
        return;
    }
    a->node->making_keys++;
    keys_add(&a->node->keys, name, &record, key_made, a);
}

static void key_show(struct asked *a)
{
    struct bytes name;
    struct err err;
    if (take_name(a, &name, &err) != 0)
        asked_fail(a, &err);
    else
        end_with_key(a, name);
}

/* The node's own key is listed when `all` are asked for. */
static void key_ls(struct asked *a)
{
    static const char *const names[] = {"all", NULL};
    const struct keys *keys = &a->node->keys;
    struct err err = {0};
    struct buf list = {0};
    struct buf out = {0};
    uint32_t count = 0;
    bool all = false;
    int rc = args_check(buf_bytes(&a->args), names, &err);
    if (rc == 0)
        rc = args_bool(buf_bytes(&a->args), "all", &all, &err);
    for (size_t i = 0; i < keys->count && rc == 0; i++) {
        if (!all && strcmp(keys->entries[i]->name, KEY_NAME_NODE) == 0)
            continue;
        put_key(keys->entries[i], &list);
        count++;
    }
    mp_put_array(&out, count);
    buf_put_bytes(&out, buf_bytes(&list));
    if (rc != 0)
        err_wrap(&err, "key.ls");
    asked_end(a, rc, &err, rc == 0 ? buf_bytes(&out) : bytes_of(NULL, 0));
    buf_deinit(&list);
    buf_deinit(&out);
}

/* ---- which ---- */

static const struct own_method {
    const char *name;
    void (*run)(struct asked *a);
} methods[] = {
    {"chain.create", create_ask},
    {"chain.ls", listing_ask},
    {"key.add", key_add},
    {"key.ls", key_ls},
    {"key.new", key_new},
    {"key.show", key_show},
    {"proposal.sign", proposal_sign_ask},
};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

void own_ask(struct asked *a)
{
    struct bytes method = a->request->method;
    const char *names[METHODS];
    struct err err;
    if (a->request->kind == REQUEST_READ) {
        err_set(&err, ATE_EINVALID,
                "%.*s: a read needs the name of a chain; the node's own "
                "methods are called",
                (int)method.len, (const char *)method.data);
        asked_fail(a, &err);
        return;
    }
    for (size_t i = 0; i < METHODS; i++) {
        names[i] = methods[i].name;
        if (!bytes_equal(method, bytes_of_text(names[i])))
            continue;
        methods[i].run(a);
        return;
    }
    err_set(&err, ATE_ENOT_FOUND, "the node has no method '%.*s'",
            (int)method.len, (const char *)method.data);
    near_tell(&err, method, names, METHODS, "");
    asked_fail(a, &err);
}
