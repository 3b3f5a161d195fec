#include "crypto/sign.h"

#include <assert.h>

#include <sodium.h>

#include "base/err.h"

static_assert(SIGN_SEED_SIZE == crypto_sign_SEEDBYTES, "libsodium's sizes");
static_assert(SIGN_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "");
static_assert(SIGN_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "");
static_assert(SIGN_SIZE == crypto_sign_BYTES, "");

int crypto_init(struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, ATE_EUNAVAILABLE,
                       "libsodium could not start: no source of randomness");
    return 0;
}

void sign_pair(const uint8_t seed[SIGN_SEED_SIZE],
               uint8_t public_key[SIGN_PUBLIC_SIZE],
               uint8_t secret[SIGN_SECRET_SIZE])
{
    int rc = crypto_sign_seed_keypair(public_key, secret, seed);
    assert(rc == 0);
}

void sign_bytes(const uint8_t secret[SIGN_SECRET_SIZE], struct bytes message,
                uint8_t signature[SIGN_SIZE])
{
    int rc = crypto_sign_detached(signature, NULL, message.data, message.len,
                                  secret);
    assert(rc == 0);
}

bool sign_verify(const uint8_t public_key[SIGN_PUBLIC_SIZE],
                 struct bytes message, const uint8_t signature[SIGN_SIZE])
{
    return crypto_sign_verify_detached(signature, message.data, message.len,
                                       public_key) == 0;
}
