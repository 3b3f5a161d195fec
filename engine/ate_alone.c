/* What ate.h does without a data folder: schemas from files, hashes of bodies,
 * proofs. Nothing here waits for anybody but for the files it reads. */
#include <errno.h>
#include <unistd.h>

#include "ate_inside.h"
#include "base/limits.h"
#include "base/lines.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "crypto/sign.h"
#include "declare/bundle_load.h"
#include "event/body.h"
#include "event/proof_report.h"
#include "io/http_rules.h"
#include "io/source_files.h"
#include "schema/describe.h"
#include "schema/schema.h"

/* ---- schemas ---- */

/* Each warning is a line of its own. */
static void put_warnings(struct mapping *m, struct bytes lines)
{
    struct buf *out = mapping_key(m, "warnings");
    uint32_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.data[i] == '\n';
    mp_put_array(out, count);
    struct bytes line;
    while (line_take(&lines, &line))
        mp_put_str(out, line);
}

static void put_report(const struct schema *schema, struct bytes bundle,
                       struct bytes warnings, struct buf *out)
{
    struct mapping m = {0};
    uint8_t hash[HASH_SIZE];
    body_hash(bundle, hash);
    mapping_hex(&m, "hash", bytes_of(hash, HASH_SIZE));
    schema_describe(schema, mapping_key(&m, "schema"));
    put_warnings(&m, warnings);
    mapping_put(&m, out);
}

static int build(const char *path, struct buf *bundle, struct buf *report,
                 struct err *err)
{
    struct source_files files = {0};
    struct schema schema = {0};
    struct buf warnings = {0};
    bool is_standard = bundle_is_standard(path);
    int rc = crypto_init(err);
    if (rc == 0 && !is_standard)
        rc = source_files_open(&files, path, err);
    if (rc != 0)
        return rc;
    if (is_standard)
        rc = bundle_build(bundle, path, NULL, NULL, &schema, &warnings, err);
    else
        rc = bundle_build(bundle, files.main_module, source_files_read, &files,
                          &schema, &warnings, err);
    if (rc == 0 && report != NULL)
        put_report(&schema, buf_bytes(bundle), buf_bytes(&warnings), report);
    schema_deinit(&schema);
    buf_deinit(&warnings);
    source_files_close(&files);
    return rc;
}

int ate_bundle(const char *path, struct ate_bytes *bundle,
               struct ate_bytes *report, struct ate_error *error)
{
    struct err err = {0};
    struct buf bytes = {0};
    struct buf described = {0};
    *bundle = (struct ate_bytes){0};
    if (report != NULL)
        *report = (struct ate_bytes){0};
    int rc = build(path, &bytes, report != NULL ? &described : NULL, &err);
    if (rc == 0) {
        *bundle = give_buf(&bytes);
        if (report != NULL)
            *report = give_buf(&described);
    }
    buf_deinit(&bytes);
    buf_deinit(&described);
    return told(error, rc, &err);
}

/* ---- bodies ---- */

/* Bytes read, 0 at the end, or -1 and errno. */
static ssize_t read_some(int fd, uint8_t *out, size_t len)
{
    ssize_t n;
    do {
        n = read(fd, out, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

int ate_body_hash(int fd, int sealed, uint8_t hash[32], uint64_t *length,
                  struct ate_error *error)
{
    enum { STEP = 64 << 10 };
    struct err err = {0};
    struct body_hasher h;
    uint8_t *bytes = mem_alloc(STEP);
    ssize_t n = 0;
    body_hasher_init(&h, sealed != 0);
    while (h.length <= LIMIT_BODY && (n = read_some(fd, bytes, STEP)) > 0)
        body_hasher_put(&h, bytes_of(bytes, (size_t)n));
    if (n < 0)
        err_errno(&err, errno, "body: reading");
    else if (h.length > LIMIT_BODY)
        err_set(&err, ATE_ELIMIT, "body: more than %llu bytes",
                (unsigned long long)LIMIT_BODY);
    else
        body_hasher_end(&h, hash);
    *length = h.length;
    body_hasher_deinit(&h);
    mem_free(bytes);
    return told(error, err.code, &err);
}

/* ---- proofs ---- */

int ate_proof(const void *text, size_t len, const char *vkey,
              struct ate_bytes *report, struct ate_error *error)
{
    struct err err = {0};
    struct buf map = {0};
    *report = (struct ate_bytes){0};
    int rc = crypto_init(&err);
    if (rc == 0)
        rc = proof_report(bytes_of(text, len), text_or_none(vkey), &map, &err);
    if (rc == 0)
        *report = give_buf(&map);
    buf_deinit(&map);
    return told(error, rc, &err);
}

/* ---- names ---- */

const char *ate_near(const char *name, const char *const *candidates,
                     size_t count)
{
    return near_name(bytes_of_text(name), candidates, count);
}

/* ---- configurations ---- */

int ate_http_check(const void *config, size_t len, struct ate_error *error)
{
    struct http_rules rules;
    struct err err = {0};
    int rc = http_rules_get(&rules, bytes_of(config, len), &err);
    if (rc == 0)
        http_rules_deinit(&rules);
    return told(error, rc, &err);
}
