#include "crypto/mac.h"

#include <assert.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

enum { NONCE_SIZE = 12 };

void mac_key_make(struct mac_key *key, const struct key_pair *pair,
                  const uint8_t salt[MAC_SALT_SIZE])
{
    struct hasher h;
    uint8_t message[HASH_SIZE];
    crypto_auth_hmacsha256_state state;
    static_assert(sizeof(key->bytes) == crypto_auth_hmacsha256_BYTES, "a key");
    hash_begin(&h, LABEL_OWN);
    hash_part(&h, bytes_of(salt, MAC_SALT_SIZE));
    hash_end(&h, message);
    crypto_auth_hmacsha256_init(&state, pair->secret, sizeof(pair->secret));
    crypto_auth_hmacsha256_update(&state, message, sizeof(message));
    crypto_auth_hmacsha256_final(&state, key->bytes);
    sodium_memzero(&state, sizeof(state));
}

void mac_key_wipe(struct mac_key *key)
{
    sodium_memzero(key, sizeof(*key));
}

void mac_tag(const struct mac_key *key, uint64_t number, struct bytes piece,
             uint8_t tag[MAC_TAG_SIZE])
{
    uint8_t nonce[NONCE_SIZE] = {0};
    char cipher[] = "AES-256-GCM";
    size_t len = 0;
    put_be64(nonce + NONCE_SIZE - 8, number);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, nonce,
                                          sizeof(nonce)),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *gmac = EVP_MAC_fetch(NULL, "GMAC", NULL);
    EVP_MAC_CTX *ctx = gmac != NULL ? EVP_MAC_CTX_new(gmac) : NULL;
    bool ok = ctx != NULL &&
              EVP_MAC_init(ctx, key->bytes, sizeof(key->bytes), params) == 1 &&
              EVP_MAC_update(ctx, piece.data, piece.len) == 1 &&
              EVP_MAC_final(ctx, tag, &len, MAC_TAG_SIZE) == 1 &&
              len == MAC_TAG_SIZE;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(gmac);
    assert(ok); /* libcrypto without GMAC, or no memory: ends the process */
}

bool mac_check(const struct mac_key *key, uint64_t number, struct bytes piece,
               const uint8_t tag[MAC_TAG_SIZE])
{
    uint8_t good[MAC_TAG_SIZE];
    mac_tag(key, number, piece, good);
    return sodium_memcmp(good, tag, sizeof(good)) == 0;
}
