/* signing: the signature of a batch, which another thread may make while the
 * chain goes on. */
#ifndef ATE_CHAIN_SIGNING_H
#define ATE_CHAIN_SIGNING_H

#include <stddef.h>
#include <stdint.h>

#include "base/task.h"
#include "crypto/key.h"
#include "event/ids.h"

struct signing;

/* Of a batch of these transactions. `ids` is taken over; the key pair and the
 * chain's id stay where they are. */
struct signing *signing_new(const struct key_pair *author,
                            const uint8_t *chain_id, uint8_t (*ids)[TX_ID_SIZE],
                            size_t count);

/* From now on the pool may work on it. Not needed. */
void signing_fork(struct signing *s, const struct pool *pool);

/* Wait until it is made, or make it here and now. Once. */
void signing_join(struct signing *s, const struct pool *pool);

/* Joined: SIGN_SIZE bytes, of `s`. */
const uint8_t *signing_signature(const struct signing *s);

void signing_free(struct signing *s); /* never forked, or joined */
#endif
