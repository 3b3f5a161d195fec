/* What is in a file: made by a read of the engine or of what is known here, and
 * kept until it no longer holds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"

/* ---- what is known here ---- */

static void put_known(struct door *d, struct inode *node, struct buffer *out)
{
    if (node->kind == NODE_DAMAGED) {
        buffer_printf(out, "%s\n",
                      node->chain->damage != NULL ? node->chain->damage
                                                  : "not damaged any more");
        return;
    }
    if (node->kind == NODE_REPLY) {
        struct buffer method = {0};
        const struct content *reply =
            name_of_reply(node->name, &method)
                ? reply_find(d, node->parent, method.data)
                : NULL;
        if (reply != NULL)
            buffer_put(out, reply->data, reply->len);
        buffer_free(&method);
        return;
    }
    render_doc(out, node);
}

/* Log time stands still for up to a second, and a new version is newer. */
static void set_time(struct inode *node, int64_t time_ms)
{
    bool newer = time_ms > node->before_ms;
    node->mtime_ms = newer ? time_ms : node->before_ms + 1;
}

/* ---- what came: this version, or the next one ---- */

static struct inode *take_content(struct door *d, struct inode *node,
                                  const struct buffer *text)
{
    uint64_t hash = bytes_hash(text->data, text->len);
    bool same = node->is_known && node->error == 0 && node->size == text->len &&
                node->hash == hash;
    if (!same && node->is_known && node->is_current) {
        int64_t before_ms = node->mtime_ms;
        node = inode_replace(d, node);
        node->before_ms = before_ms;
        set_time(node, node->chain->time_ms);
    }
    same = same || !node->is_known;
    if (!same)
        return node; /* of a version that is gone */
    node->error = 0;
    if (node->content == NULL)
        inode_set_content(d, node, content_new(text->data, text->len));
    return node;
}

static void take_meta(struct inode *node, const struct pack *object)
{
    size_t len;
    struct pack meta = pack_find(object, "_");
    const char *time = pack_find_text(&meta, "time", &len);
    if (time != NULL)
        set_time(node, time_of(time, len));
    if (!node->is_current)
        return; /* what came is of the next version */
    const char *at = pack_find_text(&meta, "at", &len);
    snprintf(node->version, sizeof(node->version), "%.*s", (int)len,
             at != NULL ? at : "");
}

static int refuse_content(struct door *d, struct inode *node, int code)
{
    if (node->is_known && node->is_current)
        node = inode_replace(d, node);
    inode_set_content(d, node, content_new("", 0));
    node->error = code;
    return 0;
}

/* Why the method of a file failed stands beside it, until it succeeds: a reader
 * gets a number and no more. What was written there has its own reply. */
static void tell_why(struct door *d, struct inode *node,
                     const struct method *method, int code, const char *why)
{
    struct ate_error error = {.code = code};
    struct buffer text = {0};
    snprintf(error.text, sizeof(error.text), "%s", why != NULL ? why : "");
    render_problem(&text, node, method, &error);
    reply_set(d, node, &text);
    buffer_free(&text);
}

static void free_node_fetch(struct door *d, struct fetch *f)
{
    struct inode *node = f->node;
    f->node = NULL;
    inode_unref(d, node);
}

/* A file whose method fails is there and says so when it is read; of one that
 * is not there, or whose name fits no argument, there is none. */
static int content_done(struct door *d, struct fetch *f, int code,
                        const char *why, const struct pack *value)
{
    struct inode *node = f->node;
    const struct source *source = node->route->reader;
    struct buffer text = {0};
    int rc = 0;
    if (code == ATE_CORRUPT)
        chain_damaged(d, f->chain, why);
    if (f->is_over) {
        rc = refuse_content(d, node, EFBIG);
    } else if (code == ATE_NOT_FOUND || code == ATE_INVALID) {
        rc = ENOENT;
    } else if (code == ATE_SCRIPT || code == ATE_LIMIT || code == ATE_REFUSED ||
               code == ATE_DENIED) {
        rc = refuse_content(d, node, errno_of(code));
        if (source->kind == SOURCE_METHOD)
            tell_why(d, node, &node->shape->methods[source->index], code, why);
    } else if (code != 0) {
        rc = errno_of(code);
    } else {
        const struct view *view = node->shape->views;
        if (source->kind == SOURCE_OBJECT) {
            render_object(&text, value);
            take_meta(take_content(d, node, &text), value);
        } else if (source->kind == SOURCE_METHOD) {
            if (f->count > 0)
                buffer_put(&text, f->rows.data, f->rows.len);
            else
                render_result(&text, value,
                              node->shape->methods[source->index].returns);
            node = take_content(d, node, &text);
        } else if (view[source->index].sorted_here) {
            render_sorted(&text, &view[source->index], &f->rows,
                          source->kind == SOURCE_CSV);
            node = take_content(d, node, &text);
        } else {
            node = take_content(d, node, &f->rows);
        }
    }
    buffer_free(&text);
    if (rc == 0 && node->chain->changes == f->from) {
        if (source->kind == SOURCE_OBJECT)
            node->is_fresh = true;
        else
            inode_is_derived(node);
    }
    if (code == 0 && rc == 0 && inode_writer(node) == NULL)
        reply_end(d, node); /* it failed before, and does no more */
    free_node_fetch(d, f);
    return rc;
}

static void content_row(struct door *d, struct fetch *f, const struct pack *row)
{
    const struct source *source = f->node->route->reader;
    const struct view *view = &f->node->shape->views[source->index];
    (void)d;
    f->count++;
    if (source->kind == SOURCE_METHOD)
        render_jsonl_row(&f->rows, row);
    else if (view->sorted_here)
        buffer_put(&f->rows, row->start, pack_size(row));
    else if (source->kind == SOURCE_CSV)
        render_csv_row(&f->rows, view, row);
    else
        render_jsonl_row(&f->rows, row);
    f->is_over = f->rows.len > DOOR_CONTENT_MAX;
}

/* ---- asking ---- */

static void put_method_args(struct buffer *args, const struct inode *node)
{
    const struct source *source = node->route->reader;
    const struct method *method = &node->shape->methods[source->index];
    struct buffer pairs = {0};
    struct buffer why = {0};
    size_t count = 0;
    for (size_t i = 0; i < source->binding_count; i++) {
        const struct binding *binding = &source->bindings[i];
        const struct field *field = fields_get(&method->args, binding->name);
        char *text = binding_text(node, binding);
        struct buffer value = {0};
        if (word_value(&value, field, text, strlen(text), &why) != 0)
            pack_put_string(&value, text); /* the engine says what is wrong */
        pack_put_string(&pairs, binding->name);
        buffer_put(&pairs, value.data, value.len);
        count++;
        buffer_free(&value);
        free(text);
    }
    pack_put_map(args, count);
    buffer_put(args, pairs.data, pairs.len);
    buffer_free(&pairs);
    buffer_free(&why);
}

static struct fetch *ask_engine(struct door *d, struct inode *node)
{
    const struct source *source = node->route->reader;
    const struct shape *shape = node->shape;
    uint32_t deadline_ms = d->options.deadline_ms;
    struct buffer args = {0};
    struct fetch *f;
    if (source->kind == SOURCE_METHOD) {
        put_method_args(&args, node);
        f = fetch_start(d, true, node->chain,
                        shape->methods[source->index].name, &args, deadline_ms);
    } else if (source->kind == SOURCE_OBJECT) {
        char *key = binding_text(node, &source->bindings[0]);
        pack_put_map(&args, 2);
        pack_put_string(&args, "key");
        pack_put_string(&args, key);
        pack_put_string(&args, "type");
        pack_put_string(&args, shape->types[source->index].name);
        f = fetch_start(d, false, node->chain, "get", &args, deadline_ms);
        free(key);
    } else {
        const struct view *view = &shape->views[source->index];
        pack_put_map(&args, 1);
        pack_put_string(&args, "view");
        pack_put_string(&args, view->name);
        f = fetch_start(d, false, node->chain, "view", &args, deadline_ms);
        if (source->kind == SOURCE_CSV && !view->sorted_here)
            render_csv_title(&f->rows, view);
    }
    buffer_free(&args);
    return f;
}

static bool is_known_here(const struct inode *node)
{
    return node->kind == NODE_DAMAGED || node->kind == NODE_REPLY ||
           node->route->reader == NULL;
}

static bool has_no_content(const struct inode *node)
{
    const struct source *reader = inode_reader(node);
    if (node->kind != NODE_FILE && node->kind != NODE_REPLY &&
        node->kind != NODE_DAMAGED)
        return true;
    return node->is_pending ||
           (reader != NULL &&
            (reader->kind == SOURCE_EVENTS || reader->kind == SOURCE_WATCH));
}

static int fetch_content(struct door *d, struct op *op, struct inode *node)
{
    if (is_known_here(node)) {
        struct buffer text = {0};
        put_known(d, node, &text);
        struct inode *next = take_content(d, node, &text);
        next->is_fresh = true;
        buffer_free(&text);
        return 0;
    }
    struct fetch *f = NULL;
    for (struct fetch *at = d->fetches; at != NULL; at = at->next)
        if (at->node == node)
            f = at;
    if (f == NULL) {
        f = ask_engine(d, node);
        f->node = node;
        f->from = node->chain->changes;
        f->row = content_row;
        f->done = content_done;
        inode_ref(node);
    }
    op->fetched = node->ino;
    op->has_fetched = true;
    return op_wait(op, f);
}

/* Asked once for an op: what came is good for it, even when something has
 * happened meanwhile. */
int content_refresh(struct door *d, struct op *op, struct inode *node)
{
    if (has_no_content(node) || node->is_fresh)
        return 0;
    if (op->found_none) {
        op->found_none = false;
        return -ENOENT;
    }
    if (op->has_fetched && (node->content != NULL || node->is_known))
        return 0;
    if (is_known_here(node) || node->shape == node->chain->shape)
        return fetch_content(d, op, node);
    return -ESTALE;
}

int content_need(struct door *d, struct op *op, struct inode *node)
{
    if (node->error != 0)
        return -node->error;
    inode_use(d, node);
    if (has_no_content(node) || node->content != NULL)
        return 0;
    bool again = op->has_fetched && op->fetched == node->ino;
    if (again || !node->is_current ||
        (node->shape != node->chain->shape && !is_known_here(node)))
        return -ESTALE; /* the path is looked up again, and found anew */
    int rc = fetch_content(d, op, node);
    if (rc == 0 && node->content == NULL)
        rc = -ESTALE;
    return rc;
}
