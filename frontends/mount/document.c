/* Files that are the argument of a method, or an object: one edits a copy that
 * belongs to the descriptor; fsync(2) and close(2) make the call. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"

/* ---- the copy ---- */

const struct method *document_method(const struct inode *node, const char *verb)
{
    const struct source *source =
        node->route->writer != NULL ? node->route->writer : node->route->reader;
    if (source->kind == SOURCE_METHOD)
        return &node->shape->methods[source->index];
    struct buffer name = {0};
    buffer_printf(&name, "%s.%s", node->shape->types[source->index].name, verb);
    int found = shape_method(node->shape, name.data);
    buffer_free(&name);
    return found >= 0 ? &node->shape->methods[found] : NULL;
}

int document_load(struct door *d, struct op *op, struct handle *h)
{
    if (h->is_loaded)
        return 0;
    int rc = content_need(d, op, h->node);
    if (rc != 0)
        return rc;
    buffer_put(&h->data, h->node->content->data, h->node->content->len);
    h->is_loaded = true;
    return 0;
}

static bool is_blank(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] == '\0' || strchr(" \t\r\n", data[i]) == NULL)
            return false;
    return true;
}

static int take_piece(struct door *d, struct op *op, struct handle *h)
{
    int rc = document_load(d, op, h);
    if (rc != 0)
        return rc;
    uint64_t at = (h->flags & O_APPEND) != 0 ? h->data.len : op->ask.offset;
    if (at > DOOR_CALL_MAX || at + op->ask.size > DOOR_CALL_MAX) {
        op_problem(d, op, h->node, document_method(h->node, "put"), ATE_LIMIT,
                   "a file that is written has at most 16 MiB");
        return -EFBIG;
    }
    h->is_in_order = h->is_in_order && at == h->data.len;
    if (at + op->ask.size > h->data.len)
        buffer_resize(&h->data, (size_t)at + op->ask.size);
    if (op->ask.size > 0)
        memcpy(h->data.data + at, op->ask.data, op->ask.size);
    h->is_called =
        h->is_called && h->is_in_order && is_blank(op->ask.data, op->ask.size);
    h->is_dirty = !h->is_called;
    h->is_cut = false;
    op->has_taken = true;
    op->judges = h->is_dirty && h->is_in_order && !h->node->is_gone &&
                 inode_writer(h->node)->kind == SOURCE_OBJECT &&
                 document_is_over(h->data.data, h->data.len);
    return 0;
}

/* Whoever writes a whole object hears at once what became of it: a shell looks
 * at write(2) and at nothing behind it. What was refused is not taken. */
int document_write(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    int rc = op->has_taken ? 0 : take_piece(d, op, h);
    if (rc == 0 && op->judges) {
        h->is_dirty = false; /* it is not judged twice */
        rc = document_judge(d, op, h);
        if (rc < 0 && h->data.len >= op->ask.size) /* nobody else cut it */
            buffer_resize(&h->data, h->data.len - op->ask.size);
        h->is_called = rc == 0;
    }
    struct told told = {.len = op->ask.size};
    return rc != 0 ? rc : op_tell(d, op, &told);
}

int document_read(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    int rc = document_load(d, op, h);
    if (rc != 0)
        return rc;
    size_t at =
        op->ask.offset < h->data.len ? (size_t)op->ask.offset : h->data.len;
    size_t left = h->data.len - at;
    struct told told = {
        .data = buffer_string(&h->data) + at,
        .len = left < op->ask.size ? left : op->ask.size,
    };
    return op_tell(d, op, &told);
}

/* ---- the call ---- */

static size_t pieces_of(const struct shape *shape, const struct field *field)
{
    int type = field != NULL ? shape_type(shape, field->target) : -1;
    size_t pieces = type >= 0 ? shape->types[type].pieces : 1;
    return pieces > 0 ? pieces : 1;
}

/* Cut `count` pieces off the front of a key, in place. */
static char *cut_pieces(char **key, size_t count)
{
    char *front = *key;
    char *at = front;
    while (count > 1 && strchr(at, '/') != NULL) {
        at = strchr(at, '/') + 1;
        count--;
    }
    char *slash = strchr(at, '/');
    *key = slash != NULL ? slash + 1 : at + strlen(at);
    if (slash != NULL)
        *slash = '\0';
    return front;
}

/* The fields that the key in a path says: the parent, then the key's own. */
static size_t take_key(const struct inode *node, const struct type *type,
                       char *key, struct given *given)
{
    size_t own = 0;
    size_t pieces = 1;
    size_t count = 0;
    for (const char *c = key; *c != '\0'; c++)
        pieces += *c == '/';
    for (size_t i = 0; i < type->key_count; i++)
        if (type->parent == NULL || strcmp(type->parent, type->key[i]) != 0)
            own +=
                pieces_of(node->shape, fields_get(&type->header, type->key[i]));
    if (type->parent != NULL && pieces > own)
        given[count++] =
            (struct given){type->parent, cut_pieces(&key, pieces - own)};
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = fields_get(&type->header, type->key[i]);
        if (type->parent != NULL && strcmp(type->parent, type->key[i]) == 0)
            continue;
        given[count++] = (struct given){
            type->key[i], cut_pieces(&key, pieces_of(node->shape, field))};
    }
    return count;
}

static int object_args(struct buffer *args, const struct inode *node,
                       const struct method *method, const void *data,
                       size_t len, struct buffer *why)
{
    const struct source *source = node->route->writer;
    const struct type *type = &node->shape->types[source->index];
    char *key = binding_text(node, &source->bindings[0]);
    struct given *given = memory_new((type->key_count + 1) * sizeof(*given));
    size_t count = take_key(node, type, key, given);
    int rc = unit_args(args, UNIT_DOCUMENT, data, len,
                       &(struct unit_terms){&method->args, given, count, why});
    free(given);
    free(key);
    return rc;
}

static int content_args(struct buffer *args, const struct inode *node,
                        const struct method *method, const void *data,
                        size_t len, struct buffer *why)
{
    const struct source *source = node->route->writer;
    const struct field *content = fields_get(&method->args, method->content);
    struct buffer pairs = {0};
    int rc = 0;
    for (size_t i = 0; i < source->binding_count && rc == 0; i++) {
        const struct binding *binding = &source->bindings[i];
        char *text = binding_text(node, binding);
        pack_put_string(&pairs, binding->name);
        rc = word_value(&pairs, fields_get(&method->args, binding->name), text,
                        strlen(text), why);
        free(text);
    }
    pack_put_string(&pairs, method->content);
    if (rc == 0)
        rc = word_value(&pairs, content, len > 0 ? data : "", len, why);
    pack_put_map(args, source->binding_count + 1);
    buffer_put(args, pairs.data, pairs.len);
    buffer_free(&pairs);
    return rc;
}

/* The engine compares it at the place that the call gets. */
static void put_base(struct buffer *args, const char *version)
{
    struct buffer with = {0};
    struct pack map = pack_open(args->data, args->len);
    if (pack_find(&map, "before").kind == PACK_NONE) {
        pack_put_map(&with, map.count + 1);
        pack_put_string(&with, "before");
        pack_put_string(&with, version);
        buffer_put(&with, map.data, (size_t)(map.end - map.data));
        buffer_free(args);
        *args = with;
    }
}

int document_call(struct door *d, struct op *op, struct inode *node,
                  const char *version, const void *data, size_t len)
{
    const struct method *method = document_method(node, "put");
    struct buffer args = {0};
    struct buffer why = {0};
    bool is_object = node->route->writer->kind == SOURCE_OBJECT;
    if (method == NULL)
        return -EPERM;
    int rc = (is_object ? object_args : content_args)(&args, node, method, data,
                                                      len, &why);
    if (rc == 0 && is_object && version[0] != '\0')
        put_base(&args, version);
    if (rc == 0) {
        rc = op_call(d, op, node, method, &args);
    } else {
        op_problem(d, op, node, method, ATE_INVALID, buffer_string(&why));
        rc = -EINVAL;
    }
    buffer_free(&args);
    buffer_free(&why);
    return rc;
}

int document_delete(struct door *d, struct op *op, struct inode *node,
                    const char *version)
{
    const struct source *source = inode_reader(node);
    bool is_object = source != NULL && source->kind == SOURCE_OBJECT;
    const struct method *method =
        is_object && node->shape->types[source->index].can_delete
            ? document_method(node, "delete")
            : NULL;
    if (method == NULL)
        return -EPERM;
    struct buffer args = {0};
    char *key = binding_text(node, &source->bindings[0]);
    pack_put_map(&args, 1);
    pack_put_string(&args, "id");
    pack_put_string(&args, key);
    if (version[0] != '\0' && fields_get(&method->args, "before") != NULL)
        put_base(&args, version);
    int rc = op_call(d, op, node, method, &args);
    free(key);
    buffer_free(&args);
    return rc;
}

/* ---- judging what was written ---- */

static bool is_based(const struct handle *h)
{
    return h->has_base && !h->node->is_pending && !h->node->is_moved;
}

/* Is what the descriptor began with still what is there? The call asks once
 * more, where the engine can: see put_base(). */
static int check_base(struct door *d, struct op *op, struct handle *h)
{
    if (h->moves != h->node->moves)
        return -ESTALE; /* it lost its name since, and may have it again */
    if (!is_based(h))
        return 0;
    if (!h->node->is_current)
        return -ESTALE;
    inode_ref(h->node);
    int rc = content_refresh(d, op, h->node);
    bool same = h->node->is_current;
    inode_unref(d, h->node);
    if (rc == -ENOENT || (rc == 0 && !same))
        return -ESTALE;
    return rc;
}

static bool is_the_same(const struct handle *h)
{
    const struct inode *node = h->node;
    return h->has_base && !node->is_pending && inode_reader(node) != NULL &&
           node->is_known && node->size == h->data.len &&
           node->hash == bytes_hash(h->data.data, h->data.len);
}

/* The version that the call made is what the descriptor stands on now. */
static int renew_base(struct door *d, struct op *op, struct handle *h)
{
    struct inode *node = h->node;
    node->is_pending = false;
    inode_ref(node);
    int rc = node->is_current ? content_refresh(d, op, node) : 0;
    struct inode *now = inode_find(d, node->parent, node->name);
    if (rc != DOOR_WAIT && now != NULL && now != node) {
        h->node = now;
        h->moves = now->moves;
        now->handles++;
        node->handles--;
    }
    inode_unref(d, node);
    return rc == DOOR_WAIT ? rc : 0;
}

static int look(struct door *d, struct op *op, struct handle *h)
{
    int rc = check_base(d, op, h);
    if (rc == 0)
        rc = document_load(d, op, h);
    if (rc == -ESTALE) {
        const struct method *method = document_method(h->node, "put");
        if (method != NULL)
            op_problem(d, op, h->node, method, ATE_STALE,
                       "somebody else wrote the file, removed or renamed it "
                       "after it was opened; open it again");
    }
    if (rc != 0)
        return rc;
    if (is_the_same(h)) {
        h->is_dirty = false;
        return 0;
    }
    op->stage = STAGE_CALL;
    h->was_judged = true;
    return document_call(d, op, h->node, is_based(h) ? h->node->version : "",
                         h->data.data, h->data.len);
}

int document_judge(struct door *d, struct op *op, struct handle *h)
{
    int rc = 0;
    if (op->stage == STAGE_BEGIN)
        return look(d, op, h);
    if (op->stage == STAGE_CALL) {
        rc = call_end(op);
        if (rc != 0)
            return rc;
        h->is_dirty = false;
        h->has_base = true;
        if (h->node->is_pending)
            scratch_drop(h->node);
        h->node->is_pending = false;
        op->stage = STAGE_SETTLE;
    }
    if (op->stage == STAGE_SETTLE) {
        if (command_settle(d, op) == DOOR_WAIT)
            return DOOR_WAIT;
        op->has_fetched = false;
        op->stage = STAGE_RENEW;
    }
    return renew_base(d, op, h);
}
