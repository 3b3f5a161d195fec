/* kept: answers of reads that are still true, so that a read that is repeated
 * costs no call. An answer is kept with the generation of what it was read from
 * (ate_generation()), and is given while that is the same: never is it older
 * than what asking would give. Those that were not asked for longest go first.
 */
#ifndef FRONTENDS_REST_KEPT_H
#define FRONTENDS_REST_KEPT_H

#include <h2o.h>

#include "base/buffer.h"
#include "rest/result.h"

enum { KEPT_BYTES = 8 << 20, KEPT_BODY_MAX = 64 << 10 };

struct kept_page {
    uint64_t generation;
    char etag[RESULT_ETAG]; /* or "" */
    struct buffer link;     /* or empty */
    struct buffer body;
};

struct kept {
    h2o_cache_t *cache;
    struct buffer key; /* composed here */
};

void kept_open(struct kept *k);
void kept_close(struct kept *k);

/* An answer that is true as of `generation`, to be released; or NULL. */
h2o_cache_ref_t *kept_find(struct kept *k, const h2o_req_t *req, uint64_t now,
                           uint64_t generation);
const struct kept_page *kept_page(const h2o_cache_ref_t *ref);
void kept_release(struct kept *k, h2o_cache_ref_t *ref);

/* Keep what a GET was answered with. `page` is copied; it may be too large. */
void kept_put(struct kept *k, const h2o_req_t *req, uint64_t now,
              const struct kept_page *page);
#endif
