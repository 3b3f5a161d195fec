/* Chains: found by name, opened when somebody goes into one, followed from then
 * on. What its log says next tells what no longer holds. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"
#include "mount/names.h"

/* ---- which there are ---- */

struct chain *chain_find(const struct door *d, const char *name)
{
    struct chain *at = d->chains;
    while (at != NULL && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

/* The folder of a chain, and those above it. */
static struct inode *make_folders(struct door *d, const char *name)
{
    struct inode *at = d->root;
    for (const char *c = name; *c != '\0';) {
        struct buffer piece = {0};
        size_t len = strcspn(c, "/");
        buffer_put(&piece, c, len);
        struct inode *next = inode_find(d, at, piece.data);
        if (next == NULL)
            next = inode_new(d, NODE_ABOVE, at, piece.data);
        buffer_free(&piece);
        at = next;
        c += len + (c[len] == '/');
    }
    return at;
}

static void chain_add(struct door *d, char *name)
{
    if (name == NULL || name[0] == '\0' || chain_find(d, name) != NULL) {
        free(name);
        return;
    }
    struct chain *chain = memory_new(sizeof(*chain));
    chain->name = name;
    chain->next = d->chains;
    chain->root = make_folders(d, name);
    chain->root->kind = NODE_FOLDER;
    chain->root->chain = chain;
    inode_ref(chain->root);
    d->chains = chain;
}

static int listing_done(struct door *d, struct fetch *f, int code,
                        const char *why, const struct pack *value)
{
    (void)f;
    (void)why;
    d->listing = NULL;
    if (code != 0)
        return errno_of(code);
    struct pack at = pack_first(value);
    for (size_t i = 0; i < value->count && at.kind == PACK_MAP; i++) {
        chain_add(d, pack_copy_text(&at, "name"));
        at = pack_next(&at);
    }
    d->chains_ms = d->now_ms;
    return 0;
}

int chains_need(struct door *d, struct op *op)
{
    if (op->has_listed ||
        (d->chains_ms > 0 && d->now_ms - d->chains_ms < DOOR_CHAINS_MS &&
         op->ask.kind != ASK_OPENDIR))
        return 0;
    op->has_listed = true;
    if (d->listing == NULL) {
        d->listing = fetch_start(d, true, NULL, "chain.ls", NULL,
                                 d->options.deadline_ms);
        d->listing->done = listing_done;
    }
    return op_wait(op, d->listing);
}

/* ---- what no longer holds ---- */

/* Current nodes of a chain that stand for something in it; each is referred to
 * once more. */
static struct inode **collect(struct door *d, const struct chain *chain,
                              size_t *count)
{
    struct inode **nodes = memory_new((d->node_count + 1) * sizeof(*nodes));
    *count = 0;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        for (struct inode *n = d->inos[i]; n != NULL; n = n->ino_next) {
            if (n->chain != chain || n == chain->root || !n->is_current ||
                n->kind == NODE_SCRATCH || n->is_pending)
                continue;
            inode_ref(n);
            nodes[(*count)++] = n;
        }
    return nodes;
}

static void drop_collected(struct door *d, struct inode **nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        inode_unref(d, nodes[i]);
    free(nodes);
}

/* Folders have other names in them. */
static void forget_listings(struct door *d, struct chain *chain)
{
    while (chain->listed != NULL)
        inode_unlist(d, chain->listed);
}

/* Results of methods, and views. */
static void forget_derived(struct door *d, struct chain *chain)
{
    while (chain->fresh != NULL)
        inode_went_stale(d, chain->fresh);
}

static void detach(struct door *d, struct inode *node)
{
    if (node->is_current)
        scratch_leave(node);
    inode_detach(d, node);
}

static void forget_all(struct door *d, struct chain *chain)
{
    size_t count;
    chain->changes++;
    forget_listings(d, chain);
    struct inode **nodes = collect(d, chain, &count);
    for (size_t i = 0; i < count; i++)
        detach(d, nodes[i]);
    drop_collected(d, nodes, count);
}

static void chain_unready(struct door *d, struct chain *chain)
{
    held_finish(d, chain); /* their nodes are about to go */
    for (size_t i = 0; chain->shape != NULL && i < chain->shape->type_count;
         i++)
        keyset_clear(d, &chain->keys[i]);
    forget_all(d, chain);
    free(chain->keys);
    chain->keys = NULL;
    shape_unref(chain->root->shape);
    chain->root->shape = NULL;
    chain->root->route = NULL;
    shape_unref(chain->shape);
    chain->shape = NULL;
    chain->is_ready = false;
}

/* ---- what happened ---- */

static bool names_type(const struct inode *node, int type)
{
    const struct route *route = node->route;
    for (size_t i = 0; route != NULL && i < route->domain_count; i++)
        if (route->domains[i].type == type)
            return true;
    return false;
}

/* Is it, or a folder that it is in, no more? */
static bool is_cut_off(const struct inode *node)
{
    while (node != NULL && node->is_current)
        node = node->parent;
    return node != NULL;
}

/* Folders and methods that stand below the name of what is gone. */
static void forget_key(struct door *d, struct chain *chain, int type)
{
    size_t count;
    struct inode **nodes = collect(d, chain, &count);
    for (size_t i = 0; i < count; i++)
        if (names_type(nodes[i], type))
            detach(d, nodes[i]);
    for (size_t i = 0; i < count; i++)
        if (is_cut_off(nodes[i]))
            detach(d, nodes[i]);
    drop_collected(d, nodes, count);
}

/* types/<type>/<key>.json, if anybody asked for it. */
static struct inode *object_node(struct door *d, struct chain *chain,
                                 const struct type *type, const char *key,
                                 size_t len)
{
    struct inode *at = inode_find(d, chain->root, "types");
    at = at != NULL ? inode_find(d, at, type->name) : NULL;
    for (size_t i = 0; at != NULL && i <= len;) {
        struct buffer name = {0};
        const char *slash =
            type->pieces == 0 ? NULL : memchr(key + i, '/', len - i);
        size_t size = slash != NULL ? (size_t)(slash - key) - i : len - i;
        name_put(&name, key + i, size);
        if (slash == NULL)
            buffer_text(&name, ".json");
        at = inode_find(d, at, name.data);
        buffer_free(&name);
        i += size + 1;
    }
    return at;
}

static void take_event(struct door *d, struct chain *chain,
                       const struct pack *event, bool *lists)
{
    size_t len;
    struct pack change = pack_find(event, "change");
    char *name = pack_copy_text(event, "type");
    const char *key = pack_find_text(event, "id", &len);
    int type = shape_type(chain->shape, name);
    if (type >= 0 && key != NULL) {
        struct inode *node =
            object_node(d, chain, &chain->shape->types[type], key, len);
        bool gone = pack_is(&change, "delete");
        if (node != NULL)
            inode_went_stale(d, node);
        if (gone)
            keyset_remove(&chain->keys[type], key, len);
        else if (!pack_is(&change, "edit"))
            keyset_add(&chain->keys[type], key, len);
        if (gone)
            forget_key(d, chain, type);
        *lists = *lists || !pack_is(&change, "edit");
    }
    free(name);
}

void chain_doubts(struct door *d, struct chain *chain, int type)
{
    size_t count;
    struct inode **nodes = collect(d, chain, &count);
    chain->changes++;
    forget_derived(d, chain);
    forget_listings(d, chain);
    for (size_t i = 0; i < count; i++)
        if (names_type(nodes[i], type))
            inode_forget_entry(d, nodes[i]);
    drop_collected(d, nodes, count);
}

static bool is_activation(const struct pack *event)
{
    struct pack type = pack_find(event, "type");
    return pack_is(&type, "ate.activate");
}

static void follow_row(struct door *d, struct fetch *f, const struct pack *row)
{
    struct chain *chain = f->chain;
    struct pack events = pack_find(row, "events");
    size_t len;
    const char *time = pack_find_text(row, "time", &len);
    bool lists = false;
    bool activates = false;
    if (time != NULL)
        chain->time_ms = time_of(time, len);
    struct pack at = pack_first(&events);
    for (size_t i = 0; chain->shape && i < events.count && at.kind; i++) {
        take_event(d, chain, &at, &lists);
        activates = activates || is_activation(&at);
        at = pack_next(&at);
    }
    chain->changes++;
    forget_derived(d, chain);
    if (lists)
        forget_listings(d, chain);
    chain->seen = (uint64_t)pack_find_integer(row, "index", 0) + 1;
    lines_row(d, chain, row);
    watch_row(d, chain, row);
    if (activates)
        chain_unready(d, chain);
    ops_news(d, chain);
}

/* The engine does not tell us any more what happens. */
static int follow_done(struct door *d, struct fetch *f, int code,
                       const char *why, const struct pack *value)
{
    struct chain *chain = f->chain;
    (void)value;
    chain->follow = NULL;
    chain_unready(d, chain);
    if (code == ATE_CORRUPT)
        chain_damaged(d, chain, why);
    ops_news(d, chain);
    return 0;
}

/* ---- opening ---- */

static int fail_opening(struct door *d, struct chain *chain, int code,
                        const char *why)
{
    chain->opening = NULL;
    if (code == ATE_CORRUPT)
        chain_damaged(d, chain, why);
    return errno_of(code);
}

/* Does an open file wait for its news, or an ask for anything of it? */
static bool is_awaited(const struct door *d, const struct chain *chain)
{
    for (const struct handle *h = d->handles; h != NULL; h = h->next)
        if (h->watches && h->node->chain == chain)
            return true;
    for (const struct op *op = d->ops; op != NULL; op = op->next)
        if (op->node->chain == chain)
            return true;
    return held_has(d, chain);
}

/* A chain that is followed is open in the engine: not too many at a time. The
 * one that was asked for longest ago goes, and is read anew when somebody asks
 * again. */
static void rest_one(struct door *d)
{
    struct chain *oldest = NULL;
    size_t count = 0;
    for (struct chain *c = d->chains; c != NULL; c = c->next) {
        count += c->follow != NULL;
        bool rests = c->follow != NULL && c->is_ready && !is_awaited(d, c);
        if (rests && (oldest == NULL || c->used < oldest->used))
            oldest = c;
    }
    if (count < d->options.chains_max || oldest == NULL)
        return;
    fetch_cancel(d, oldest->follow);
    oldest->follow = NULL;
    chain_unready(d, oldest);
}

static void follow(struct door *d, struct chain *chain)
{
    struct buffer args = {0};
    if (chain->follow != NULL)
        return;
    rest_one(d);
    pack_put_map(&args, 2);
    pack_put_string(&args, "follow");
    pack_put_boolean(&args, true);
    pack_put_string(&args, "from");
    pack_put_unsigned(&args, chain->seen);
    chain->follow = fetch_start(d, false, chain, "tail", &args, 0);
    chain->follow->row = follow_row;
    chain->follow->done = follow_done;
    buffer_free(&args);
}

static int schema_done(struct door *d, struct fetch *f, int code,
                       const char *why, const struct pack *value)
{
    struct chain *chain = f->chain;
    if (code != 0)
        return fail_opening(d, chain, code, why);
    chain->opening = NULL;
    chain->shape = shape_new(value);
    if (chain->shape == NULL)
        return EIO;
    chain->keys =
        memory_new((chain->shape->type_count + 1) * sizeof(*chain->keys));
    chain->root->shape = shape_ref(chain->shape);
    chain->root->route = chain->shape->root;
    chain->is_ready = true;
    return 0;
}

static int info_done(struct door *d, struct fetch *f, int code, const char *why,
                     const struct pack *value)
{
    struct chain *chain = f->chain;
    size_t len;
    struct pack state = pack_find(value, "state");
    if (code != 0)
        return fail_opening(d, chain, code, why);
    const char *time = pack_find_text(value, "time", &len);
    if (time != NULL)
        chain->time_ms = time_of(time, len);
    if (chain->follow == NULL)
        chain->seen = (uint64_t)pack_find_integer(value, "size", 0);
    char *error = pack_copy_text(value, "error");
    free(chain->damage);
    chain->damage = NULL;
    if (pack_is(&state, "damaged"))
        chain_damaged(d, chain, error != NULL ? error : "damaged");
    free(error);
    follow(d, chain);
    struct fetch *schema =
        fetch_start(d, false, chain, "schema", NULL, d->options.deadline_ms);
    schema->done = schema_done;
    chain->opening = schema;
    op_move(d, f, schema);
    return 0;
}

void chain_damaged(struct door *d, struct chain *chain, const char *why)
{
    free(chain->damage);
    chain->damage = memory_string(why);
    chain->damaged_ms = d->now_ms;
    struct inode *told = inode_find(d, chain->root, "damaged.txt");
    if (told != NULL)
        inode_detach(d, told);
    inode_unlist(d, chain->root);
}

/* A damaged chain that can't be read is tried again, for it may have been
 * repaired; not at every look, for that reads its log. */
int chain_need(struct door *d, struct op *op, struct chain *chain)
{
    chain->used = ++d->uses;
    if (chain->is_ready)
        return 0;
    if (chain->damage != NULL && d->now_ms - chain->damaged_ms < DOOR_CHAINS_MS)
        return -EIO;
    if (chain->opening == NULL) {
        chain->opening =
            fetch_start(d, false, chain, "info", NULL, d->options.deadline_ms);
        chain->opening->done = info_done;
    }
    return op_wait(op, chain->opening);
}

void chains_end(struct door *d)
{
    while (d->chains != NULL) {
        struct chain *chain = d->chains;
        d->chains = chain->next;
        for (size_t i = 0; chain->shape && i < chain->shape->type_count; i++) {
            chain->keys[i].fetch = NULL; /* all are canceled */
            keyset_clear(d, &chain->keys[i]);
        }
        lines_clear(d, &chain->log);
        shape_unref(chain->shape);
        free(chain->keys);
        free(chain->damage);
        free(chain->name);
        free(chain);
    }
}
