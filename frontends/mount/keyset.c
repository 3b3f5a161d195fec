/* The keys of a type: read once, then kept by what its chain says. They are
 * sorted by bytes, so that those below a prefix stand together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"

size_t keyset_from(const struct keyset *keys, const char *key)
{
    size_t low = 0;
    size_t high = keys->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(keys->items[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool keyset_have(const struct keyset *keys, const char *key)
{
    size_t at = keyset_from(keys, key);
    return at < keys->count && strcmp(keys->items[at], key) == 0;
}

static char *copy_of(const char *key, size_t len)
{
    struct buffer copy = {0};
    buffer_put(&copy, key, len);
    return copy.data;
}

void keyset_add(struct keyset *keys, const char *key, size_t len)
{
    if (!keys->is_ready && keys->fetch == NULL)
        return;
    if (keys->count == DOOR_KEYS_MAX) {
        keys->is_full = true;
        return;
    }
    char *item = copy_of(key, len);
    size_t at = keyset_from(keys, item);
    if (at < keys->count && strcmp(keys->items[at], item) == 0) {
        free(item);
        return;
    }
    if (keys->count == keys->room) {
        keys->room = keys->room == 0 ? 64 : keys->room * 2;
        keys->items = memory_grow(keys->items, keys->room * sizeof(char *));
    }
    memmove(keys->items + at + 1, keys->items + at,
            (keys->count - at) * sizeof(char *));
    keys->items[at] = item;
    keys->count++;
}

void keyset_remove(struct keyset *keys, const char *key, size_t len)
{
    char *item = copy_of(key, len);
    size_t at = keyset_from(keys, item);
    if (at < keys->count && strcmp(keys->items[at], item) == 0) {
        free(keys->items[at]);
        keys->count--;
        memmove(keys->items + at, keys->items + at + 1,
                (keys->count - at) * sizeof(char *));
    }
    free(item);
}

static void empty(struct keyset *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        free(keys->items[i]);
    free(keys->items);
    *keys = (struct keyset){0};
}

void keyset_clear(struct door *d, struct keyset *keys)
{
    struct fetch *fetch = keys->fetch;
    empty(keys);
    if (fetch != NULL)
        op_wake(d, fetch, ESTALE);
    fetch_cancel(d, fetch);
}

static void keyset_row(struct door *d, struct fetch *f, const struct pack *row)
{
    size_t len;
    const char *key = pack_find_text(row, "id", &len);
    (void)d;
    if (key != NULL)
        keyset_add(&f->chain->keys[f->type], key, len);
}

static int keyset_done(struct door *d, struct fetch *f, int code,
                       const char *why, const struct pack *value)
{
    struct keyset *keys = &f->chain->keys[f->type];
    (void)value;
    if (code == ATE_CORRUPT)
        chain_damaged(d, f->chain, why);
    if (code != 0)
        empty(keys);
    keys->fetch = NULL;
    keys->is_ready = code == 0;
    return code != 0 ? errno_of(code) : 0;
}

/* No deadline: a long list goes on coming after the first who wanted it gave
 * up, so that it is there for the next. */
int keyset_need(struct door *d, struct op *op, struct chain *chain, int type)
{
    struct keyset *keys = &chain->keys[type];
    if (keys->is_ready)
        return keys->is_full ? -EOVERFLOW : 0;
    if (keys->fetch == NULL) {
        struct buffer args = {0};
        pack_put_map(&args, 1);
        pack_put_string(&args, "type");
        pack_put_string(&args, chain->shape->types[type].name);
        keys->fetch = fetch_start(d, false, chain, "list", &args, 0);
        keys->fetch->type = type;
        keys->fetch->row = keyset_row;
        keys->fetch->done = keyset_done;
        buffer_free(&args);
    }
    return op_wait(op, keys->fetch);
}
