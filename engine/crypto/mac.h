/* mac: tags by which this node knows again what it wrote for itself: files that
 * are never shown to others, as snapshots are.
 *
 * A tag is AES-256-GMAC under a key made of a key pair's secret and a salt that
 * is new for every file. It is no signature: who can check it can make it. */
#ifndef ATE_CRYPTO_MAC_H
#define ATE_CRYPTO_MAC_H

#include "crypto/key.h"

enum { MAC_TAG_SIZE = 16, MAC_SALT_SIZE = 16 };

/* Holds a secret; wipe it. */
struct mac_key {
    uint8_t bytes[32];
};

void mac_key_make(struct mac_key *key, const struct key_pair *pair,
                  const uint8_t salt[MAC_SALT_SIZE]);
void mac_key_wipe(struct mac_key *key);

/* `number` says which piece of the file this is: under one key none is used for
 * two different pieces. Any thread. */
void mac_tag(const struct mac_key *key, uint64_t number, struct bytes piece,
             uint8_t tag[MAC_TAG_SIZE]);
bool mac_check(const struct mac_key *key, uint64_t number, struct bytes piece,
               const uint8_t tag[MAC_TAG_SIZE]);
#endif
