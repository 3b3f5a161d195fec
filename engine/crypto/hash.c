/* SHA-256 from libcrypto, without an allocation or a fetch for each hash.
 *
 * (1) Each thread fetches the algorithm once and keeps a few contexts; a hash
 *     takes one and gives it back. Nothing is shared, so nothing locks.
 * (2) A hasher copies what comes into its buffer until that is full, and takes
 *     a context only then: one call into libcrypto is dearer than the copy, and
 *     almost everything we hash is small.
 * (3) context == NULL: all input so far is in the buffer. context != NULL: it
 *     is all in the context but for the `len` bytes in the buffer.
 * (4) A context that is given back on another thread than it was taken on
 *     joins that thread's; each is owned by one hasher or one thread at a
 *     time. */
#include "crypto/hash.h"

#include <assert.h>
#include <string.h>

#include <openssl/evp.h>

enum { CONTEXTS_KEPT = 8 };

struct contexts {
    EVP_MD *sha256;
    EVP_MD_CTX *kept[CONTEXTS_KEPT];
    size_t count;
};

static __thread struct contexts contexts;

const char *label_text(enum label label)
{
    static const char *const texts[LABEL_COUNT] = {
#define X(name, text) [LABEL_##name] = text,
        LABEL_TABLE(X)
#undef X
    };
    assert((unsigned)label < LABEL_COUNT);
    return texts[label];
}

/* A context that has begun a hash. */
static EVP_MD_CTX *context_take(void)
{
    struct contexts *c = &contexts;
    if (c->sha256 == NULL)
        c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    assert(c->sha256 != NULL);
    EVP_MD_CTX *ctx = c->count > 0 ? c->kept[--c->count] : EVP_MD_CTX_new();
    assert(ctx != NULL);
    int ok = EVP_DigestInit_ex2(ctx, c->sha256, NULL);
    assert(ok == 1);
    return ctx;
}

static void context_give(EVP_MD_CTX *ctx)
{
    struct contexts *c = &contexts;
    if (c->count == CONTEXTS_KEPT)
        EVP_MD_CTX_free(ctx);
    else
        c->kept[c->count++] = ctx;
}

static void context_add(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    int ok = EVP_DigestUpdate(ctx, data, len);
    assert(ok == 1);
}

static void context_end(EVP_MD_CTX *ctx, uint8_t out[HASH_SIZE])
{
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex(ctx, out, &len);
    assert(ok == 1 && len == HASH_SIZE);
    context_give(ctx);
}

void hash_thread_end(void)
{
    struct contexts *c = &contexts;
    while (c->count > 0)
        EVP_MD_CTX_free(c->kept[--c->count]);
    EVP_MD_free(c->sha256);
    c->sha256 = NULL;
}

/* Move what the buffer holds into the context (3). */
static void spill(struct hasher *h)
{
    if (h->context == NULL)
        h->context = context_take();
    context_add(h->context, h->buffer, h->len);
    h->len = 0;
}

static void add(struct hasher *h, const void *data, size_t len)
{
    if (len == 0)
        return;
    if (len > HASHER_BUFFER - h->len)
        spill(h);
    if (len > HASHER_BUFFER) {
        context_add(h->context, data, len);
        return;
    }
    memcpy(h->buffer + h->len, data, len);
    h->len += len;
    assert(h->len <= HASHER_BUFFER);
}

void hash_begin_bare(struct hasher *h)
{
    h->context = NULL;
    h->len = 0;
}

void hash_bare(struct hasher *h, struct bytes bytes)
{
    add(h, bytes.data, bytes.len);
}

void hash_begin(struct hasher *h, enum label label)
{
    const char *text = label_text(label);
    size_t len = strlen(text);
    assert(len > 0 && len <= UINT8_MAX);
    hash_begin_bare(h);
    uint8_t head = (uint8_t)len;
    add(h, &head, 1);
    add(h, text, len);
}

void hash_part_of(struct hasher *h, const uint8_t *data, size_t len)
{
    if (data == NULL)
        len = 0;
    assert(len <= UINT32_MAX);
    uint8_t head[4];
    put_be32(head, (uint32_t)len);
    add(h, head, sizeof(head));
    add(h, data, len);
}

void hash_part(struct hasher *h, struct bytes part)
{
    hash_part_of(h, part.data, part.len);
}

void hash_u8(struct hasher *h, uint8_t value)
{
    hash_part_of(h, &value, 1);
}

void hash_u64(struct hasher *h, uint64_t value)
{
    uint8_t bytes[8];
    put_be64(bytes, value);
    hash_part_of(h, bytes, sizeof(bytes));
}

void hash_end(struct hasher *h, uint8_t out[HASH_SIZE])
{
    spill(h);
    context_end(h->context, out);
    h->context = NULL;
}

void hash_drop(struct hasher *h)
{
    if (h->context != NULL)
        context_give(h->context);
    h->context = NULL;
    h->len = 0;
}

void sha256(struct bytes bytes, uint8_t out[HASH_SIZE])
{
    EVP_MD_CTX *ctx = context_take();
    context_add(ctx, bytes.data, bytes.len);
    context_end(ctx, out);
}

void hash_of(enum label label, struct bytes part, uint8_t out[HASH_SIZE])
{
    struct hasher h;
    hash_begin(&h, label);
    hash_part(&h, part);
    hash_end(&h, out);
}

void hash_leaf(struct bytes leaf, uint8_t out[HASH_SIZE])
{
    static const uint8_t leaf_mark = 0x00;
    struct hasher h;
    hash_begin_bare(&h);
    add(&h, &leaf_mark, 1);
    hash_bare(&h, leaf);
    hash_end(&h, out);
}

void hash_node(const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
               uint8_t out[HASH_SIZE])
{
    uint8_t both[1 + 2 * HASH_SIZE];
    both[0] = 0x01;
    memcpy(both + 1, left, HASH_SIZE);
    memcpy(both + 1 + HASH_SIZE, right, HASH_SIZE);
    sha256(bytes_of(both, sizeof(both)), out);
}
