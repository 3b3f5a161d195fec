#include "rest/kept.h"

#include <stdlib.h>
#include <string.h>

/* h2o wants a time after which an answer goes, asked for or not. */
enum { KEPT_MS = 3600 * 1000 };

static void page_free(struct kept_page *page)
{
    buffer_free(&page->link);
    buffer_free(&page->body);
    free(page);
}

static void forget(h2o_iovec_t value)
{
    page_free((struct kept_page *)(void *)value.base);
}

void kept_open(struct kept *k)
{
    *k = (struct kept){
        .cache = h2o_cache_create(0, KEPT_BYTES, KEPT_MS, forget),
    };
}

void kept_close(struct kept *k)
{
    if (k->cache != NULL)
        h2o_cache_destroy(k->cache);
    buffer_free(&k->key);
    *k = (struct kept){0};
}

static bool is_named(const h2o_header_t *header, const char *name)
{
    return h2o_memis(header->name->base, header->name->len, name, strlen(name));
}

/* All that an answer depends on: the target, and headers that mean something to
 * a plan or a call. False: it is not to be kept. */
static bool compose_key(struct buffer *key, const h2o_req_t *req)
{
    if (req->entity.len > 0)
        return false;
    buffer_clear(key);
    buffer_put(key, req->path.base, req->path.len);
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        const h2o_iovec_t *name = header->name;
        if (is_named(header, "if-match") || is_named(header, "last-event-id"))
            return false;
        if (!is_named(header, "accept") &&
            (name->len < 4 || memcmp(name->base, "ate-", 4) != 0))
            continue;
        buffer_byte(key, '\n');
        buffer_put(key, name->base, name->len);
        buffer_byte(key, ':');
        buffer_put(key, header->value.base, header->value.len);
    }
    return true;
}

static h2o_iovec_t key_of(const struct kept *k)
{
    return h2o_iovec_init(k->key.data, k->key.len);
}

const struct kept_page *kept_page(const h2o_cache_ref_t *ref)
{
    return (const struct kept_page *)(const void *)ref->value.base;
}

void kept_release(struct kept *k, h2o_cache_ref_t *ref)
{
    h2o_cache_release(k->cache, ref);
}

h2o_cache_ref_t *kept_find(struct kept *k, const h2o_req_t *req, uint64_t now,
                           uint64_t generation)
{
    if (generation == 0 || !compose_key(&k->key, req))
        return NULL;
    h2o_cache_ref_t *ref = h2o_cache_fetch(k->cache, now, key_of(k), 0);
    if (ref != NULL && kept_page(ref)->generation != generation) {
        kept_release(k, ref);
        ref = NULL;
    }
    return ref;
}

void kept_put(struct kept *k, const h2o_req_t *req, uint64_t now,
              const struct kept_page *page)
{
    if (page->generation == 0 || page->body.len > KEPT_BODY_MAX ||
        !compose_key(&k->key, req))
        return;
    struct kept_page *copy = memory_new(sizeof(*copy));
    *copy = (struct kept_page){.generation = page->generation};
    memcpy(copy->etag, page->etag, sizeof(copy->etag));
    buffer_put(&copy->link, page->link.data, page->link.len);
    buffer_put(&copy->body, page->body.data, page->body.len);
    size_t size = sizeof(*copy) + sizeof(h2o_cache_ref_t) + k->key.len +
                  copy->link.room + copy->body.room;
    h2o_cache_set(k->cache, now, key_of(k), 0,
                  h2o_iovec_init((char *)copy, size));
}
