/* SHA-256 from libcrypto, by its plain functions: OpenSSL 3 calls them
 * deprecated, but its EVP ones take 0.1 us longer for each hash, which is as
 * much as a small hash itself (decision 0055). They choose the same code for
 * the CPU. Nothing is allocated, and nothing belongs to a thread. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <assert.h>
#include <string.h>

#include <openssl/sha.h>

static_assert(sizeof(SHA256_CTX) <= sizeof(((struct hasher *)0)->state),
              "a hasher has room for libcrypto's state");
static_assert(SHA256_DIGEST_LENGTH == HASH_SIZE, "one hash, one size");

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

static SHA256_CTX *state_of(struct hasher *h)
{
    return (SHA256_CTX *)(void *)h->state;
}

static void give(struct hasher *h, const void *data, size_t len)
{
    int ok = SHA256_Update(state_of(h), data, len);
    assert(ok == 1);
}

static void give_pending(struct hasher *h)
{
    if (h->count > 0)
        give(h, h->pending, h->count);
    h->count = 0;
}

static inline void add(struct hasher *h, const void *data, size_t len)
{
    if (len > sizeof(h->pending) - h->count)
        give_pending(h);
    if (len > sizeof(h->pending)) {
        give(h, data, len);
    } else if (len > 0) {
        memcpy(h->pending + h->count, data, len);
        h->count += (uint32_t)len;
    }
}

void hash_begin_bare(struct hasher *h)
{
    h->count = 0;
    int ok = SHA256_Init(state_of(h));
    assert(ok == 1);
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
    give_pending(h);
    int ok = SHA256_Final(out, state_of(h));
    assert(ok == 1);
}

void hash_drop(struct hasher *h)
{
    *h = (struct hasher){0};
}

void sha256(struct bytes bytes, uint8_t out[HASH_SIZE])
{
    struct hasher h;
    hash_begin_bare(&h);
    hash_bare(&h, bytes);
    hash_end(&h, out);
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
    static const uint8_t node_mark = 0x01;
    struct hasher h;
    hash_begin_bare(&h);
    add(&h, &node_mark, 1);
    add(&h, left, HASH_SIZE);
    add(&h, right, HASH_SIZE);
    hash_end(&h, out);
}
