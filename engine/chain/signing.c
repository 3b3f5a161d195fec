#include "chain/signing.h"

#include <string.h>

#include "base/memory.h"
#include "event/batch.h"

struct signing {
    struct forked forked; /* first, so that one pointer is the other */
    bool is_forked;
    const struct key_pair *author;
    const uint8_t *chain_id;
    uint8_t (*ids)[TX_ID_SIZE];
    size_t count;
    uint8_t signature[SIGN_SIZE];
};

static void sign(struct forked *forked)
{
    struct signing *s = (struct signing *)forked;
    batch_sign(s->author, s->chain_id, (const uint8_t(*)[TX_ID_SIZE])s->ids,
               s->count, s->signature);
}

struct signing *signing_new(const struct key_pair *author,
                            const uint8_t *chain_id, uint8_t (*ids)[TX_ID_SIZE],
                            size_t count)
{
    struct signing *s = mem_zero(1, sizeof(*s));
    s->forked.work = sign;
    s->author = author;
    s->chain_id = chain_id;
    s->ids = ids;
    s->count = count;
    return s;
}

void signing_fork(struct signing *s, const struct pool *pool)
{
    s->is_forked = true;
    pool_fork(pool, &s->forked);
}

void signing_join(struct signing *s, const struct pool *pool)
{
    if (s->is_forked)
        pool_join(pool, &s->forked);
    else
        sign(&s->forked);
}

const uint8_t *signing_signature(const struct signing *s)
{
    return s->signature;
}

void signing_free(struct signing *s)
{
    mem_free(s->ids);
    mem_free(s);
}
