/* sign: Ed25519 as libsodium judges it.
 *
 * Which signatures count is a rule that every node has to agree on:
 * cofactorless verification; S below the group order; no small-order key or R;
 * no key in a non-canonical encoding. tests/unit/test_sign.c pins it with
 * vectors. */
#ifndef ATE_CRYPTO_SIGN_H
#define ATE_CRYPTO_SIGN_H

#include "base/bytes.h"

struct err;

enum {
    SIGN_SEED_SIZE = 32,
    SIGN_PUBLIC_SIZE = 32,
    SIGN_SECRET_SIZE = 64,
    SIGN_SIZE = 64,
};

/* Once per process before anything of crypto/ is used; again is harmless.
 * Errors: UNAVAILABLE. */
int crypto_init(struct err *err);

/* The pair of a seed. The caller wipes seed and secret (sodium_memzero). */
void sign_pair(const uint8_t seed[SIGN_SEED_SIZE],
               uint8_t public_key[SIGN_PUBLIC_SIZE],
               uint8_t secret[SIGN_SECRET_SIZE]);

void sign_bytes(const uint8_t secret[SIGN_SECRET_SIZE], struct bytes message,
                uint8_t signature[SIGN_SIZE]);

bool sign_verify(const uint8_t public_key[SIGN_PUBLIC_SIZE],
                 struct bytes message, const uint8_t signature[SIGN_SIZE]);
#endif
