/* From a name in a folder to a node, and all names of a folder. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"
#include "mount/names.h"

/* ---- which values there are ---- */

/* The key whose last known piece is `value`, seen from `folder`. */
static char *key_up_to(const struct inode *folder, const struct domain *domain,
                       const char *value)
{
    struct buffer key = {0};
    for (size_t i = 0; i < domain->piece; i++) {
        buffer_text(&key, inode_value(folder, domain->depth + i));
        buffer_byte(&key, '/');
    }
    buffer_text(&key, value);
    return key.data;
}

static int key_checked(struct door *d, struct fetch *f, int code,
                       const char *why, const struct pack *value)
{
    (void)value;
    if (code == ATE_CORRUPT)
        chain_damaged(d, f->chain, why);
    bool no = code == ATE_NOT_FOUND || code == ATE_INVALID;
    if (f->check != NULL)
        f->check->is_there = code == 0;
    return code == 0 || no ? 0 : errno_of(code);
}

/* Ask the engine for one key, where not all of them are known. */
static int check_key(struct door *d, struct op *op, struct chain *chain,
                     int type, const char *key)
{
    const char *name = chain->shape->types[type].name;
    struct buffer question = {0};
    buffer_printf(&question, "%s/%s", name, key);
    if (op->checked != NULL && strcmp(op->checked, question.data) == 0) {
        buffer_free(&question);
        return op->is_there ? 1 : 0;
    }
    free(op->checked);
    op->checked = question.data;
    op->is_there = false;
    struct buffer args = {0};
    pack_put_map(&args, 2);
    pack_put_string(&args, "key");
    pack_put_string(&args, key);
    pack_put_string(&args, "type");
    pack_put_string(&args, name);
    struct fetch *fetch =
        fetch_start(d, false, chain, "get", &args, d->options.deadline_ms);
    fetch->done = key_checked;
    fetch->check = op;
    buffer_free(&args);
    return op_wait(op, fetch) == DOOR_WAIT ? -EINPROGRESS : -EIO;
}

/* 1, 0, -EINPROGRESS: wait, -errno. */
static int has_key(struct door *d, struct op *op, const struct inode *folder,
                   const struct domain *domain, const char *value)
{
    struct chain *chain = folder->chain;
    char *key = key_up_to(folder, domain, value);
    struct keyset *keys = &chain->keys[domain->type];
    bool is_last = domain->piece + 1 == domain->pieces;
    int rc;
    if (is_last) {
        rc = keys->is_ready && !keys->is_full
                 ? keyset_have(keys, key)
                 : check_key(d, op, chain, domain->type, key);
    } else {
        rc = keyset_need(d, op, chain, domain->type);
        if (rc == 0) {
            struct buffer prefix = {0};
            buffer_printf(&prefix, "%s/", key);
            size_t at = keyset_from(keys, prefix.data);
            rc = at < keys->count &&
                 strncmp(keys->items[at], prefix.data, prefix.len) == 0;
            buffer_free(&prefix);
        } else if (rc == DOOR_WAIT) {
            rc = -EINPROGRESS;
        }
    }
    free(key);
    return rc;
}

/* Could a value of a field without a list of them look like this? In a file of
 * that name: `sed.tmp.md` is no scratch file, though `sed.tmp` is one. */
static bool fits(const struct field *field, const char *value, const char *name)
{
    static const struct {
        const char *kind, *shape;
    } kinds[] = {{"date", "dddd-dd-dd"}, {"month", "dddd-dd"}};
    if (strcmp(field->kind, "integer") == 0) {
        value += *value == '-';
        return *value != '\0' && strspn(value, "0123456789") == strlen(value);
    }
    if (strcmp(field->kind, "boolean") == 0)
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const char *c = kinds[i].shape;
        if (strcmp(field->kind, kinds[i].kind) != 0)
            continue;
        for (; *c != '\0' && *value != '\0'; c++, value++)
            if (*c == 'd' ? !isdigit((unsigned char)*value) : *c != *value)
                return false;
        return *c == *value;
    }
    return !name_is_scratch(name);
}

static bool has_value(const struct field *field, const char *value,
                      const char *name)
{
    for (size_t i = 0; i < field->word_count; i++)
        if (strcmp(field->words[i], value) == 0)
            return true;
    return field->word_count == 0 && fits(field, value, name);
}

/* May `value` stand at this route, in that name? As has_key(). */
static int admits(struct door *d, struct op *op, const struct inode *folder,
                  const struct route *route, const char *value,
                  const char *name)
{
    if (!route->is_variable)
        return 1;
    for (size_t i = 0; i < route->domain_count; i++) {
        const struct domain *domain = &route->domains[i];
        int rc = domain->type >= 0 ? has_key(d, op, folder, domain, value)
                                   : has_value(domain->field, value, name);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- one name ---- */

/* The value that a name has on a route: NULL when it does not fit. A word has
 * the value "". */
static char *value_on(const struct route *route, const char *name)
{
    size_t len = strlen(name);
    size_t before = strlen(route->prefix);
    size_t after = strlen(route->suffix);
    if (!route->is_variable)
        return strcmp(route->prefix, name) == 0 ? memory_string("") : NULL;
    if (len <= before + after || strncmp(name, route->prefix, before) != 0 ||
        strcmp(name + len - after, route->suffix) != 0)
        return NULL;
    struct buffer value = {0};
    if (!name_take(&value, name + before, len - before - after) ||
        (value.len > 0 && memchr(value.data, '\0', value.len) != NULL)) {
        buffer_free(&value);
        return NULL;
    }
    buffer_text(&value, "");
    return value.data;
}

/* Do names open here that are in no list? */
static bool is_unlisted(const struct route *route)
{
    for (size_t i = 0; i < route->domain_count; i++)
        if (route->domains[i].type < 0 &&
            route->domains[i].field->word_count == 0)
            return true;
    return false;
}

/* Before it writes, vim looks for a number that is no file, to try whether it
 * can make one: 4913, 5036, and so on in steps of 123. Where every number opens
 * it would go on for ever. So who walks like that, and asks for nothing in
 * between, comes to an end; a number by itself is a name as others. */
static bool ends_walk(struct door *d, const struct op *op,
                      const struct inode *folder, const char *name)
{
    enum { FIRST = 4913, STEP = 123, STEPS = 3, DIGITS = 18 };
    struct walk *w = &d->walk;
    const struct ask *a = &op->ask;
    size_t len = strlen(name);
    bool makes = a->kind == ASK_CREATE && (a->flags & O_EXCL) != 0;
    if (a->kind != ASK_LOOKUP && !makes)
        return false;
    bool is_number = len <= DIGITS && strspn(name, "0123456789") == len;
    uint64_t number = is_number ? strtoull(name, NULL, 10) : 0;
    bool is_step = number >= FIRST && (number - FIRST) % STEP == 0;
    bool is_his = w->pid == a->pid && w->folder == folder->ino;
    bool goes_on = is_step && is_his && number == w->number + STEP;
    if (goes_on && w->steps == STEPS)
        return true;
    if (is_step && !(is_his && number == w->number)) /* not once more */
        *w = (struct walk){a->pid, folder->ino, number,
                           goes_on ? w->steps + 1 : 0};
    else if (!is_step && is_his)
        *w = (struct walk){0};
    return false;
}

static bool has_missed(const struct op *op, const struct route *route)
{
    for (size_t i = 0; i < op->missed_count; i++)
        if (op->missed[i] == route)
            return true;
    return false;
}

static void miss(struct op *op, const struct route *route)
{
    size_t most = sizeof(op->missed) / sizeof(*op->missed);
    if (op->missed_count < most)
        op->missed[op->missed_count++] = route;
}

static struct inode *make_node(struct door *d, struct inode *folder,
                               const struct route *route, const char *name,
                               const char *value)
{
    enum node_kind kind = route_is_folder(route) ? NODE_FOLDER : NODE_FILE;
    struct inode *node = inode_new(d, kind, folder, name);
    node->route = route;
    node->shape = shape_ref(folder->shape);
    if (route->is_variable)
        node->value = memory_string(value);
    if (folder->chain->time_ms > 0)
        node->mtime_ms = folder->chain->time_ms;
    return node;
}

/* A file that is made by asking is there when what it reads is there; one that
 * is only written, when its name may stand there. */
static int try_route(struct door *d, struct op *op, struct inode *folder,
                     const struct route *route, const char *name,
                     const char *value, struct inode **found)
{
    bool asks = !route_is_folder(route) && route->reader != NULL;
    bool opens = route->writer != NULL && !route->writer->is_command;
    if (!asks) {
        int rc = admits(d, op, folder, route, value, name);
        if (rc <= 0)
            return rc == -EINPROGRESS ? DOOR_WAIT : rc == 0 ? -ENOENT : rc;
        if (!route_is_folder(route) && opens && route->is_variable)
            return -ENOENT; /* nobody can tell */
    }
    *found = make_node(d, folder, route, name, value);
    int rc = content_refresh(d, op, *found);
    if (rc < 0) {
        inode_detach(d, *found);
        *found = NULL;
    } else if (route_is_folder(route)) {
        scratch_adopt(d, *found);
    }
    return rc;
}

static int find_route(struct door *d, struct op *op, struct inode *folder,
                      const char *name, bool ends, struct inode **found)
{
    for (const struct route *r = folder->route->first; r; r = r->next) {
        bool skips = has_missed(op, r) || (ends && is_unlisted(r));
        char *value = skips ? NULL : value_on(r, name);
        if (value == NULL)
            continue;
        int rc = try_route(d, op, folder, r, name, value, found);
        free(value);
        if (rc != -ENOENT)
            return rc;
        miss(op, r);
    }
    return -ENOENT;
}

bool name_of_reply(const char *name, struct buffer *method)
{
    size_t len = strlen(name);
    if (len <= 6 || strcmp(name + len - 6, ".reply") != 0)
        return false;
    buffer_put(method, name, len - 6);
    return true;
}

/* transfer.reply beside transfer, once there was one; damaged.txt. */
static struct inode *find_special(struct door *d, struct inode *folder,
                                  const char *name)
{
    struct buffer method = {0};
    struct inode *node = NULL;
    struct chain *chain = folder->chain;
    if (folder == chain->root && chain->damage != NULL &&
        strcmp(name, "damaged.txt") == 0)
        return inode_new(d, NODE_DAMAGED, folder, name);
    if (name_of_reply(name, &method) &&
        reply_find(d, folder, method.data) != NULL)
        node = inode_new(d, NODE_REPLY, folder, name);
    buffer_free(&method);
    return node;
}

static int find_current(struct door *d, struct op *op, struct inode *node,
                        const char *name, struct inode **found)
{
    *found = node;
    bool made = node->kind == NODE_FILE || node->kind == NODE_REPLY ||
                node->kind == NODE_DAMAGED;
    if (!made || node->is_pending)
        return 0;
    struct inode *parent = node->parent;
    int rc = content_refresh(d, op, node);
    if (rc == 0)
        *found = inode_find(d, parent, name);
    return rc;
}

int find_name(struct door *d, struct op *op, struct inode *folder,
              const char *name, struct inode **found)
{
    *found = NULL;
    if (strlen(name) > NAMES_MAX)
        return -ENAMETOOLONG;
    if (folder->kind == NODE_ABOVE) {
        *found = inode_find(d, folder, name);
        int rc = *found == NULL ? chains_need(d, op) : 0;
        if (rc != 0)
            return rc;
        *found = inode_find(d, folder, name);
        return *found != NULL ? 0 : -ENOENT;
    }
    if (folder->kind != NODE_FOLDER)
        return -ENOTDIR;
    bool ends = ends_walk(d, op, folder, name);
    int rc = chain_need(d, op, folder->chain);
    struct inode *node = inode_find(d, folder, name);
    if (node == NULL && rc <= 0)
        node = find_special(d, folder, name);
    if (rc != 0 && (rc > 0 || node == NULL || node->kind != NODE_DAMAGED))
        return rc;
    if (node != NULL && node->is_moved)
        return -ENOENT;
    if (node != NULL) {
        const struct route *route = node->route;
        rc = find_current(d, op, node, name, found);
        if (rc != -ENOENT || route == NULL)
            return rc;
        node = inode_find(d, folder, name);
        if (node != NULL)
            inode_detach(d, node);
        miss(op, route);
        *found = NULL;
    }
    if (folder->shape != folder->chain->shape)
        return -ESTALE; /* of another schema: look the path up again */
    return find_route(d, op, folder, name, ends, found);
}

const struct route *find_writer(const struct inode *folder, const char *name,
                                char **value)
{
    *value = NULL;
    if (folder->kind != NODE_FOLDER || folder->route == NULL)
        return NULL;
    for (const struct route *r = folder->route->first; r; r = r->next) {
        if (r->writer == NULL || r->writer->is_command || route_is_folder(r))
            continue;
        *value = value_on(r, name);
        if (*value != NULL && !(r->is_variable && name_is_scratch(name)))
            return r;
        free(*value);
        *value = NULL;
    }
    return NULL;
}

bool find_takes_scratch(const struct inode *folder, const char *name)
{
    if (name_is_scratch(name))
        return true;
    if (folder->kind != NODE_FOLDER || folder->route == NULL)
        return false;
    for (const struct route *r = folder->route->first; r; r = r->next)
        if (r->writer != NULL && !r->writer->is_command && !route_is_folder(r))
            return true;
    return false;
}

/* ---- all names ---- */

static void add_name(struct door *d, struct handle *h, struct inode *folder,
                     const char *name, bool is_folder)
{
    if (strlen(name) > NAMES_MAX)
        return; /* no file can be named so; methods/ reaches it */
    if (h->name_count == h->name_room) {
        h->name_room = h->name_room == 0 ? 64 : h->name_room * 2;
        h->names = memory_grow(h->names, h->name_room * sizeof(*h->names));
    }
    struct inode *node = inode_find(d, folder, name);
    if (node != NULL && node->is_moved)
        return;
    h->names[h->name_count++] = (struct listed){
        .name = memory_string(name),
        .ino = node != NULL ? node->ino : DOOR_UNKNOWN,
        .is_folder = is_folder,
    };
}

static void add_value(struct door *d, struct handle *h, struct inode *folder,
                      const struct route *route, const char *value, size_t len)
{
    struct buffer name = {0};
    buffer_text(&name, route->prefix);
    name_put(&name, value, len);
    buffer_text(&name, route->suffix);
    add_name(d, h, folder, name.data, route_is_folder(route));
    buffer_free(&name);
}

/* The pieces that follow on those that the folder stands for, once each. */
static void add_keys(struct door *d, struct handle *h, struct inode *folder,
                     const struct route *route, const struct domain *domain)
{
    const struct keyset *keys = &folder->chain->keys[domain->type];
    bool whole = folder->chain->shape->types[domain->type].pieces == 0;
    char *prefix = key_up_to(folder, domain, "");
    size_t skip = strlen(prefix);
    const char *last = NULL;
    size_t last_len = 0;
    for (size_t i = keyset_from(keys, prefix); i < keys->count; i++) {
        const char *key = keys->items[i];
        if (strncmp(key, prefix, skip) != 0)
            break;
        size_t len = whole ? strlen(key + skip) : strcspn(key + skip, "/");
        bool same = last != NULL && last_len == len &&
                    memcmp(last, key + skip, len) == 0;
        if (!same)
            add_value(d, h, folder, route, key + skip, len);
        last = key + skip;
        last_len = len;
    }
    free(prefix);
}

static int list_route(struct door *d, struct op *op, struct inode *folder,
                      const struct route *route)
{
    for (size_t i = 0; i < route->domain_count; i++)
        if (route->domains[i].type >= 0) {
            int rc = keyset_need(d, op, folder->chain, route->domains[i].type);
            if (rc != 0)
                return rc;
        }
    return 0;
}

static void add_route(struct door *d, struct handle *h, struct inode *folder,
                      const struct route *route)
{
    if (!route->is_variable) {
        add_name(d, h, folder, route->prefix, route_is_folder(route));
        return;
    }
    for (size_t i = 0; i < route->domain_count; i++) {
        const struct domain *domain = &route->domains[i];
        if (domain->type >= 0) {
            add_keys(d, h, folder, route, domain);
            continue;
        }
        for (size_t k = 0; k < domain->field->word_count; k++)
            add_value(d, h, folder, route, domain->field->words[k],
                      strlen(domain->field->words[k]));
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name,
                  ((const struct listed *)b)->name);
}

static void sort_names(struct handle *h)
{
    size_t kept = 0;
    if (h->name_count > 0)
        qsort(h->names, h->name_count, sizeof(*h->names), by_name);
    for (size_t i = 0; i < h->name_count; i++) {
        if (kept > 0 && strcmp(h->names[kept - 1].name, h->names[i].name) == 0)
            free((char *)h->names[i].name);
        else
            h->names[kept++] = h->names[i];
    }
    h->name_count = kept;
}

static int list_above(struct door *d, struct op *op, struct inode *folder,
                      struct handle *h)
{
    int rc = chains_need(d, op);
    if (rc != 0)
        return rc;
    listing_clear(h);
    for (size_t i = 0; i < TABLE_SIZE; i++)
        for (struct inode *n = d->inos[i]; n != NULL; n = n->ino_next)
            if (n->parent == folder && n->is_current)
                add_name(d, h, folder, n->name, true);
    sort_names(h);
    return 0;
}

/* Those of the commands that are listed. */
static void add_replies(struct door *d, struct handle *h, struct inode *folder)
{
    size_t count = h->name_count;
    for (size_t i = 0; i < count; i++) {
        struct inode *node = inode_find(d, folder, h->names[i].name);
        if (node == NULL || !is_command(node) ||
            reply_find(d, folder, node->name) == NULL)
            continue;
        struct buffer name = {0};
        buffer_printf(&name, "%s.reply", node->name);
        add_name(d, h, folder, name.data, false);
        buffer_free(&name);
    }
}

int list_names(struct door *d, struct op *op, struct inode *folder,
               struct handle *h)
{
    struct chain *chain = folder->chain;
    if (folder->kind == NODE_ABOVE)
        return list_above(d, op, folder, h);
    int rc = chain_need(d, op, chain);
    if (rc == DOOR_WAIT || (rc != 0 && chain->damage == NULL) ||
        (rc != 0 && folder != chain->root))
        return rc;
    if (rc == 0 && folder->shape != chain->shape)
        return -ESTALE;
    const struct route *first = rc == 0 ? folder->route->first : NULL;
    for (const struct route *r = first; r != NULL; r = r->next)
        if ((rc = list_route(d, op, folder, r)) != 0)
            return rc;
    listing_clear(h);
    for (const struct route *r = first; r != NULL; r = r->next)
        if (!r->is_hidden)
            add_route(d, h, folder, r);
    add_replies(d, h, folder);
    for (struct inode *n = folder->scratch; n != NULL; n = n->scratch_next)
        add_name(d, h, folder, n->name, false);
    if (folder == chain->root && chain->damage != NULL)
        add_name(d, h, folder, "damaged.txt", false);
    sort_names(h);
    return 0;
}
