/* Genesis: an array of fifteen.
 *
 *     format, suite, nonce, log time, name, partition, [root key record, ...],
 *     k, digest of the next root key set or nil, order key record,
 *     [materializer, ...], limits, engine version, bundle hash, bundle length
 *
 * (1) Canonical as a whole: one genesis, one chain id.
 * (2) Root keys all differ as key ids, and so do signing keys among them: k of
 *     n means k holders, not one key wrapped in k records.
 * (3) A check of root signatures counts different key ids, never signatures.
 * (4) Writing checks by reading back what it wrote: there is one set of rules.
 */
#include "event/genesis.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "event/ids.h"
#include "event/parts.h"

enum { GENESIS_PARTS = 15, PAYLOAD_PARTS = 2 };

static_assert(LIMIT_ROOT_KEYS <= LIMIT_TX_SIGNATURES, "all can sign");

bool chain_name_valid(struct bytes name)
{
    if (name.len == 0 || name.len > LIMIT_CHAIN_NAME)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.data[i] != '/')
            continue;
        if (!name_valid(bytes_of(name.data + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

/* As a pipeline names a stage. */
static bool materializer_name_valid(struct bytes name)
{
    return word_valid(name, LIMIT_TYPE_NAME, "_.-");
}

/* ---- Writing. ---- */

static void put_parts(struct buf *out, const struct genesis *g)
{
    mp_put_array(out, GENESIS_PARTS);
    mp_put_uint(out, g->format);
    mp_put_uint(out, g->suite);
    mp_put_bin(out, bytes_of(g->nonce, GENESIS_NONCE_SIZE));
    mp_put_uint(out, g->log_time);
    mp_put_str(out, g->name);
    mp_put_str(out, g->partition);
    mp_put_array(out, (uint32_t)g->root_count);
    for (size_t i = 0; i < g->root_count; i++)
        key_record_put(out, &g->roots[i]);
    mp_put_uint(out, g->threshold);
    mp_put_id(out, g->next, HASH_SIZE);
    key_record_put(out, &g->order);
    mp_put_array(out, (uint32_t)g->pipeline_count);
    for (size_t i = 0; i < g->pipeline_count; i++)
        mp_put_str(out, g->pipeline[i]);
    buf_put_bytes(out, g->limits);
    mp_put_str(out, g->engine);
    mp_put_bin(out, bytes_of(g->bundle_hash, HASH_SIZE));
    mp_put_uint(out, g->bundle_length);
}

/* What the writer of msgpack would assert, and the sizes of the arrays. */
static int check_writable(const struct genesis *g, struct err *err)
{
    if (!utf8_valid(g->name) || !utf8_valid(g->partition) ||
        !utf8_valid(g->engine))
        return err_set(err, ATE_EINVALID, "a name that is not UTF-8");
    if (g->root_count > LIMIT_ROOT_KEYS)
        return err_set(err, ATE_ELIMIT, "%zu root keys, at most %d",
                       g->root_count, LIMIT_ROOT_KEYS);
    if (g->pipeline_count > GENESIS_PIPELINE_MAX)
        return err_set(err, ATE_ELIMIT, "%zu materializers, at most %d",
                       g->pipeline_count, GENESIS_PIPELINE_MAX);
    for (size_t i = 0; i < g->pipeline_count; i++)
        if (!materializer_name_valid(g->pipeline[i]))
            return err_set(err, ATE_EINVALID, "materializer %zu has no name",
                           i);
    return 0;
}

int genesis_put(struct buf *out, const struct genesis *genesis, struct err *err)
{
    size_t start = out->len;
    struct genesis check;
    int rc = check_writable(genesis, err);
    if (rc != 0) {
        err_wrap(err, "genesis");
        return rc;
    }
    put_parts(out, genesis);
    rc = genesis_get(bytes_of(out->data + start, out->len - start), &check,
                     err); /* (4) */
    if (rc != 0)
        out->len = start;
    return rc;
}

/* ---- Reading. ---- */

static int get_between(struct mp *mp, uint64_t min, uint64_t max,
                       uint64_t *value, struct err *err)
{
    int rc = mp_get_uint(mp, value, err);
    if (rc == 0 && (*value < min || *value > max))
        return err_set(err, ATE_EINVALID, "%llu, want %llu to %llu",
                       (unsigned long long)*value, (unsigned long long)min,
                       (unsigned long long)max);
    return rc;
}

static int get_suite(struct mp *mp, uint8_t *suite, struct err *err)
{
    uint64_t value = 0;
    int rc = get_between(mp, SUITE_1, SUITE_1, &value, err);
    *suite = (uint8_t)value;
    return rc;
}

static int get_path(struct mp *mp, struct bytes *path, struct err *err)
{
    int rc = mp_get_str(mp, path, err);
    if (rc == 0 && !chain_name_valid(*path))
        return err_set(err, ATE_EINVALID,
                       "not names joined by '/', at most %d bytes",
                       LIMIT_CHAIN_NAME);
    return rc;
}

/* (2) */
static int check_roots_differ(const struct genesis *g, struct err *err)
{
    for (size_t i = 0; i < g->root_count; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(g->roots[i].sign, g->roots[j].sign, SIGN_PUBLIC_SIZE) ==
                0)
                return err_set(err, ATE_EINVALID,
                               "numbers %zu and %zu are the same key", j, i);
    return 0;
}

static int get_roots(struct mp *mp, struct genesis *g, struct err *err)
{
    uint32_t count = 0;
    int rc = mp_get_array(mp, &count, err);
    if (rc == 0 && count == 0)
        rc = err_set(err, ATE_EINVALID, "there are none");
    if (rc == 0 && count > LIMIT_ROOT_KEYS)
        rc = err_set(err, ATE_ELIMIT, "%u of them, at most %d", (unsigned)count,
                     LIMIT_ROOT_KEYS);
    for (uint32_t i = 0; rc == 0 && i < count; i++)
        rc = key_record_get(mp, &g->roots[i], err);
    g->root_count = count;
    return rc == 0 ? check_roots_differ(g, err) : rc;
}

static int get_pipeline(struct mp *mp, struct genesis *g, struct err *err)
{
    uint32_t count = 0;
    int rc = mp_get_array(mp, &count, err);
    if (rc == 0 && count == 0)
        return err_set(err, ATE_EINVALID, "empty: it could accept nothing");
    if (rc == 0 && count > GENESIS_PIPELINE_MAX)
        return err_set(err, ATE_ELIMIT, "%u materializers, at most %d",
                       (unsigned)count, GENESIS_PIPELINE_MAX);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        rc = mp_get_str(mp, &g->pipeline[i], err);
        if (rc == 0 && !materializer_name_valid(g->pipeline[i]))
            return err_set(err, ATE_EINVALID, "number %u is no name",
                           (unsigned)i);
        for (uint32_t j = 0; rc == 0 && j < i; j++)
            if (bytes_equal(g->pipeline[i], g->pipeline[j]))
                return err_set(err, ATE_EINVALID, "%.*s is there twice",
                               (int)g->pipeline[i].len,
                               (const char *)g->pipeline[i].data);
    }
    g->pipeline_count = count;
    return rc;
}

/* Whoever reads a chain runs its Lua: what genesis allows a run has an end. */
static int check_limit(struct bytes name, uint64_t value, struct err *err)
{
    static const struct {
        const char *name;
        uint64_t most;
    } bounded[] = {
        {"gas", LIMIT_RUN_GAS},
        {"memory", LIMIT_RUN_MEMORY},
    };
    if (name.len == 0 || name.len > LIMIT_KIND_NAME)
        return err_set(err, ATE_EINVALID, "a name of %zu bytes", name.len);
    for (size_t i = 0; i < sizeof(bounded) / sizeof(*bounded); i++) {
        if (!bytes_equal(name, bytes_of_text(bounded[i].name)))
            continue;
        if (value == 0 || value > bounded[i].most)
            return err_set(err, ATE_ELIMIT, "'%s' is %llu, want 1 to %llu",
                           bounded[i].name, (unsigned long long)value,
                           (unsigned long long)bounded[i].most);
    }
    return 0;
}

static int get_limits(struct mp *mp, struct bytes *limits, struct err *err)
{
    uint32_t count = 0;
    const uint8_t *start = mp->at;
    int rc = mp_get_map(mp, &count, err);
    if (rc == 0 && count > GENESIS_LIMITS_MAX)
        return err_set(err, ATE_ELIMIT, "%u of them, at most %d",
                       (unsigned)count, GENESIS_LIMITS_MAX);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        struct bytes name = {0};
        uint64_t value = 0;
        mp_get_str(mp, &name, err);
        rc = mp_get_uint(mp, &value, err);
        if (rc == 0)
            rc = check_limit(name, value, err);
    }
    *limits = bytes_of(start, (size_t)(mp->at - start));
    return rc;
}

static int get_engine(struct mp *mp, struct bytes *engine, struct err *err)
{
    int rc = mp_get_str(mp, engine, err);
    if (rc == 0 && (!name_valid(*engine) || engine->len > LIMIT_KIND_NAME))
        return err_set(err, ATE_EINVALID, "not a version of 1 to %d bytes",
                       LIMIT_KIND_NAME);
    return rc;
}

/* The parts in order; *part is the name of the one that was read last. */
static int get_parts(struct mp *mp, struct genesis *g, const char **part,
                     struct err *err)
{
    int rc;
    PART("shape", mp_get_array_of(mp, GENESIS_PARTS, err));
    PART("format",
         get_between(mp, GENESIS_FORMAT, GENESIS_FORMAT, &g->format, err));
    PART("suite", get_suite(mp, &g->suite, err));
    PART("nonce", mp_get_bin_of(mp, GENESIS_NONCE_SIZE, &g->nonce, err));
    PART("log time", get_between(mp, 0, INT64_MAX, &g->log_time, err));
    PART("name", get_path(mp, &g->name, err));
    PART("partition", get_path(mp, &g->partition, err));
    PART("root keys", get_roots(mp, g, err));
    PART("k", get_between(mp, 1, g->root_count, &g->threshold, err));
    PART("next root keys", mp_get_bin_or_nil(mp, HASH_SIZE, &g->next, err));
    PART("order key", key_record_get(mp, &g->order, err));
    PART("pipeline", get_pipeline(mp, g, err));
    PART("limits", get_limits(mp, &g->limits, err));
    PART("engine version", get_engine(mp, &g->engine, err));
    PART("bundle hash", mp_get_bin_of(mp, HASH_SIZE, &g->bundle_hash, err));
    PART("bundle length",
         get_between(mp, 1, LIMIT_BUNDLE, &g->bundle_length, err));
    PART("end", mp_done(mp, err));
    return 0;
}

int genesis_get(struct bytes raw, struct genesis *genesis, struct err *err)
{
    if (raw.len > LIMIT_GENESIS)
        return err_set(err, ATE_ELIMIT, "genesis of %zu bytes, at most %d",
                       raw.len, LIMIT_GENESIS);
    *genesis = (struct genesis){0};
    struct mp mp = mp_open(raw);
    const char *part = "encoding";
    int rc = mp_check(raw, err); /* (1) */
    if (rc == 0)
        rc = get_parts(&mp, genesis, &part, err);
    if (rc != 0)
        err_wrap(err, "genesis, %s", part);
    return rc;
}

uint64_t genesis_limit(const struct genesis *genesis, const char *name,
                       uint64_t otherwise)
{
    struct bytes raw = mp_map_get(genesis->limits, name);
    struct mp mp = mp_open(raw);
    uint64_t value = otherwise;
    if (raw.data != NULL)
        mp_get_uint(&mp, &value, NULL);
    return value;
}

/* ---- The first frame. ---- */

void genesis_payload_put(struct buf *out, struct bytes genesis,
                         const struct further_sig *sigs, size_t count)
{
    mp_put_array(out, PAYLOAD_PARTS);
    mp_put_bin(out, genesis);
    sigs_put(out, sigs, count);
}

int genesis_payload_get(struct bytes raw, struct genesis_payload *payload,
                        struct err *err)
{
    struct mp mp = mp_open(raw);
    *payload = (struct genesis_payload){0};
    int rc = mp_get_array_of(&mp, PAYLOAD_PARTS, err);
    if (rc == 0)
        rc = mp_get_bin(&mp, &payload->genesis, err);
    if (rc == 0)
        rc = sigs_get(&mp, &payload->sigs, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    if (rc != 0)
        err_wrap(err, "frame of genesis");
    return rc;
}

/* Number of the root key with this id; root_count when there is none. */
static size_t find_root(const struct genesis *g, const uint8_t *id)
{
    uint8_t root_id[KEY_ID_SIZE];
    for (size_t i = 0; i < g->root_count; i++) {
        key_id(&g->roots[i], root_id);
        if (memcmp(root_id, id, KEY_ID_SIZE) == 0)
            return i;
    }
    return g->root_count;
}

static bool is_by_root(const struct genesis *g, const struct further_sig *sig,
                       const uint8_t *chain_id, bool signed_by[LIMIT_ROOT_KEYS])
{
    size_t root = find_root(g, sig->key_id);
    if (root == g->root_count ||
        !bytes_equal(sig->purpose, bytes_of_text(PURPOSE_ROOT)) ||
        !further_sig_verify(sig, &g->roots[root], chain_id, chain_id))
        return false;
    signed_by[root] = true;
    return true;
}

int genesis_verify(const struct genesis *genesis, const struct sigs *sigs,
                   const uint8_t chain_id[HASH_SIZE], struct err *err)
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    bool signed_by[LIMIT_ROOT_KEYS] = {false};
    size_t count = sigs_list(sigs, list);
    for (size_t i = 0; i < count; i++)
        if (!is_by_root(genesis, &list[i], chain_id, signed_by))
            return err_set(err, ATE_ECORRUPT,
                           "genesis: signature %zu is not a root key's", i);
    uint64_t holders = 0; /* (3) */
    for (size_t i = 0; i < genesis->root_count; i++)
        holders += signed_by[i];
    if (holders < genesis->threshold)
        return err_set(err, ATE_ECORRUPT,
                       "genesis: %llu root keys signed, it takes %llu",
                       (unsigned long long)holders,
                       (unsigned long long)genesis->threshold);
    return 0;
}

void genesis_leaf(uint8_t suite, const uint8_t chain_id[HASH_SIZE],
                  const struct sigs *sigs, uint8_t *out)
{
    uint8_t sigs_digest[HASH_SIZE];
    uint8_t verdict_digest[HASH_SIZE];
    struct verdict v;
    sigs_hash(NULL, sigs, sigs_digest);
    verdict_begin(&v);
    verdict_end(&v, verdict_digest);
    log_leaf(suite, 0, chain_id, sigs_digest, verdict_digest, out);
}
