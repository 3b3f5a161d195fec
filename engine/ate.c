/* What ate.h declares, over io/loop.h or io/remote.h, io/port.h and the loader
 * of bundles. A call is one allocation: the request and copies of all it points
 * to. It goes to the engine's thread, or through a socket, and is freed with
 * the final answer. */
#include "ate.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/version.h"
#include "chain/describe.h"
#include "chain/mapping.h"
#include "chain/proof_report.h"
#include "chain/schema.h"
#include "crypto/sign.h"
#include "event/body.h"
#include "io/http.h"
#include "io/http_rules.h"
#include "io/loop.h"
#include "io/port.h"
#include "io/remote.h"
#include "io/source_files.h"
#include "node/service.h"
#include "script/bundle_load.h"

#define SAME(name)                                                             \
    static_assert((int)ATE_##name == (int)ATE_E##name, "codes are one table")
SAME(IO);
SAME(INVALID);
SAME(DENIED);
SAME(REFUSED);
SAME(NOT_FOUND);
SAME(CONFLICT);
SAME(CORRUPT);
SAME(UNAVAILABLE);
SAME(FULL);
SAME(LIMIT);
SAME(STALE);
SAME(SCRIPT);
SAME(CANCELED);
static_assert(sizeof(ATE_VERSION) == sizeof(ENGINE_VERSION), "one version");
static_assert(sizeof(((struct ate_error *)0)->text) >= ERR_TEXT_MAX &&
                  sizeof(((struct ate_error *)0)->rule) >= ERR_RULE_MAX,
              "texts are copied whole");

const char *ate_version(void)
{
    return ATE_VERSION;
}

/* ---- codes and errors ---- */

const char *ate_code_name(int code)
{
    return code == 0 ? "OK" : err_name(code);
}

int ate_code_exit(int code)
{
    return code == 0 ? 0 : err_exit(code);
}

int ate_code_http(int code)
{
    return code == 0 ? 200 : err_http(code);
}

int ate_code_errno(int code)
{
    return code == 0 ? 0 : err_posix(code);
}

static void give_error(struct ate_error *out, const struct err *err)
{
    out->code = err->code;
    memcpy(out->rule, err->rule, ERR_RULE_MAX);
    memcpy(out->text, err->text, ERR_TEXT_MAX);
}

/* Tell the caller, who may not want to know; returns the code. */
static int fail(struct ate_error *out, const struct err *err)
{
    if (out != NULL)
        give_error(out, err);
    return err->code;
}

void ate_free(struct ate_bytes *bytes)
{
    if (bytes == NULL)
        return;
    mem_free(bytes->data);
    *bytes = (struct ate_bytes){0};
}

static struct ate_bytes give_buf(struct buf *buf)
{
    struct ate_bytes bytes = {.data = buf->data, .len = buf->len};
    *buf = (struct buf){0};
    return bytes;
}

/* ---- a data folder ---- */

struct ate {
    struct loop *loop; /* one of these two */
    struct remote *remote;
    _Atomic uint64_t calls; /* numbers given out */
};

static int check_flags(const char *path, unsigned flags, struct err *err)
{
    const unsigned known =
        ATE_READ_ONLY | ATE_CREATE | ATE_MEMORY | ATE_FOLDER | ATE_LOCAL;
    if ((flags & ~known) != 0)
        return err_set(err, ATE_EINVALID, "open: unknown flags");
    if ((flags & ATE_MEMORY) != 0)
        return (flags & (ATE_READ_ONLY | ATE_FOLDER)) == 0
                   ? 0
                   : err_set(err, ATE_EINVALID,
                             "open: what is in memory only is written to");
    if ((flags & ATE_CREATE) != 0 &&
        (flags & (ATE_READ_ONLY | ATE_FOLDER)) != 0)
        return err_set(err, ATE_EINVALID,
                       "open: a folder opened for reading is not made");
    if (path == NULL || path[0] == '\0')
        return err_set(err, ATE_EINVALID, "open: no folder is named");
    return 0;
}

static int open_loop(struct ate *ate, const char *path, unsigned flags,
                     struct err *err)
{
    struct loop_options options = {
        .path = (flags & ATE_MEMORY) != 0 ? NULL : path,
        .read_only = (flags & ATE_READ_ONLY) != 0,
        .create = (flags & ATE_CREATE) != 0,
        .folder = (flags & ATE_FOLDER) != 0,
    };
    return loop_open(&ate->loop, &options, err);
}

/* Through the process that serves the folder, if there is one. */
static int open_either(struct ate *ate, const char *path, unsigned flags,
                       uint32_t wait_ms, struct err *err)
{
    struct remote_options options = {
        .path = path,
        .read_only = (flags & ATE_READ_ONLY) != 0,
        .wait_ms = wait_ms,
    };
    if ((flags & (ATE_MEMORY | ATE_FOLDER | ATE_LOCAL)) != 0)
        return open_loop(ate, path, flags, err);
    int rc = remote_open(&ate->remote, &options, err);
    if (rc == ATE_ENOT_FOUND) {
        *err = (struct err){0};
        rc = open_loop(ate, path, flags, err);
    }
    return rc;
}

int ate_open(struct ate **out, const char *path, unsigned flags,
             struct ate_error *error)
{
    return ate_open_within(out, path, flags, 0, error);
}

int ate_open_within(struct ate **out, const char *path, unsigned flags,
                    uint32_t wait_ms, struct ate_error *error)
{
    struct err err = {0};
    *out = NULL;
    if (error != NULL)
        *error = (struct ate_error){0};
    int rc = check_flags(path, flags, &err);
    if (rc != 0)
        return fail(error, &err);
    struct ate *ate = mem_zero(1, sizeof(*ate));
    rc = open_either(ate, path, flags, wait_ms, &err);
    if (rc != 0) {
        mem_free(ate);
        return fail(error, &err);
    }
    *out = ate;
    return 0;
}

void ate_close(struct ate *ate)
{
    if (ate == NULL)
        return;
    loop_close(ate->loop);
    remote_close(ate->remote);
    mem_free(ate);
}

int ate_is_remote(const struct ate *ate)
{
    return ate->remote != NULL;
}

static int listen_by(struct ate *ate, int fd, struct ate_error *error)
{
    struct err err = {0};
    if (error != NULL)
        *error = (struct ate_error){0};
    if (ate->remote == NULL) {
        int rc = loop_listen(ate->loop, fd, &err);
        return rc != 0 ? fail(error, &err) : 0;
    }
    if (fd >= 0)
        close(fd);
    err_set(&err, ATE_EUNAVAILABLE,
            "listen: another process serves the data folder");
    return fail(error, &err);
}

int ate_listen(struct ate *ate, struct ate_error *error)
{
    return listen_by(ate, -1, error);
}

int ate_listen_at(struct ate *ate, int fd, struct ate_error *error)
{
    struct err err = {0};
    if (fd >= 0)
        return listen_by(ate, fd, error);
    err_set(&err, ATE_EINVALID, "listen: %d is no descriptor", fd);
    return fail(error, &err);
}

int ate_callers(struct ate *ate, unsigned most, struct ate_error *error)
{
    struct err err = {0};
    if (error != NULL)
        *error = (struct ate_error){0};
    if (most < 1 || most > LIMIT_NET_PEERS_MAX)
        err_set(&err, ATE_EINVALID, "callers: 1 to %d may be, not %u",
                LIMIT_NET_PEERS_MAX, most);
    else if (ate->remote != NULL)
        err_set(&err, ATE_EUNAVAILABLE,
                "callers: another process serves the data folder");
    else
        loop_callers(ate->loop, most);
    return err.code != 0 ? fail(error, &err) : 0;
}

int ate_set_clock(struct ate *ate, int64_t time_ms, struct ate_error *error)
{
    struct err err = {0};
    int rc = ate->remote != NULL
                 ? err_set(&err, ATE_EINVALID,
                           "the clock is set by hand only in memory")
                 : loop_set_clock(ate->loop, time_ms, &err);
    return rc != 0 ? fail(error, &err) : 0;
}

/* ---- ports ---- */

/* The one is the other: nothing is ever seen through this type. */
static struct port *port_of(const struct ate_port *port)
{
    return (struct port *)(uintptr_t)port;
}

struct ate_port *ate_port_new(void)
{
    return (struct ate_port *)port_new();
}

void ate_port_free(struct ate_port *port)
{
    port_close(port_of(port));
}

int ate_port_fd(const struct ate_port *port)
{
    return port_fd(port_of(port));
}

void ate_port_gather(struct ate_port *port)
{
    port_gather(port_of(port));
}

int ate_port_next(struct ate_port *port, struct ate_answer *answer,
                  int timeout_ms)
{
    *answer = (struct ate_answer){0};
    struct answer *next = port_next(port_of(port), timeout_ms);
    if (next == NULL)
        return 0;
    answer->call = next->call;
    answer->kind = next->is_asked   ? ATE_ANSWER_ASKED
                   : next->is_event ? ATE_ANSWER_EVENT
                   : next->is_final ? ATE_ANSWER_FINAL
                                    : ATE_ANSWER_DATA;
    if (next->err != NULL)
        give_error(&answer->error, next->err);
    answer->value = give_buf(&next->value);
    answer_free(next);
    return 1;
}

/* ---- calls ---- */

struct call_under_way {
    struct loop_request request; /* first, so that one pointer is the other */
    struct ate *ate;
    struct port *port;
};

static struct call_under_way *under_way(struct node_request *request)
{
    return (struct call_under_way *)(void *)request;
}

static void chunk(struct node_request *request, struct bytes value)
{
    struct call_under_way *c = under_way(request);
    port_push(c->port, answer_new(c->request.number, false, 0, NULL, value));
}

static void final(struct node_request *request, int code, const struct err *err,
                  struct bytes result)
{
    static const uint8_t nil = 0xc0;
    struct call_under_way *c = under_way(request);
    if (code == 0 && result.len == 0)
        result = bytes_of(&nil, 1);
    port_push(c->port, answer_new(c->request.number, true, code, err, result));
    port_unref(c->port);
    if (c->ate->loop != NULL)
        loop_forget(c->ate->loop, &c->request);
    mem_free(c);
}

static struct bytes text_or_none(const char *text)
{
    return text != NULL ? bytes_of_text(text) : bytes_of(NULL, 0);
}

/* Copy to `*at`, and move it on. */
static struct bytes keep(uint8_t **at, struct bytes bytes)
{
    struct bytes kept = bytes_of(*at, bytes.len);
    if (bytes.len > 0)
        memcpy(*at, bytes.data, bytes.len);
    *at += bytes.len;
    return kept;
}

/* A UUID of version 7 (RFC 9562): the time in ms, then chance. Ids of one time
 * stand together in the state, so that the pages which take them are few. */
static void new_call_id(uint8_t id[NODE_CALL_ID])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    randombytes_buf(id, NODE_CALL_ID);
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
    id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
}

/* A name that is empty was meant to be one: it is not what leaving it out is,
 * which is often the key with the most rights. */
static int check_name(const char *what, const char *name, const char *without,
                      struct err *err)
{
    if (name == NULL || name[0] != '\0')
        return 0;
    return err_set(err, ATE_EINVALID, "%s is empty; leave it out %s", what,
                   without);
}

/* The same of names with commas in between. */
static int check_names(const char *what, const char *names, struct err *err)
{
    int rc = check_name(what, names, "where nobody else signs", err);
    for (const char *at = names; at != NULL && rc == 0;) {
        size_t len = strcspn(at, ",");
        if (len == 0)
            rc = err_set(err, ATE_EINVALID,
                         "%s: a name is missing beside a comma of '%s'", what,
                         names);
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    return rc;
}

static int check_request(const struct ate_request *r, struct err *err)
{
    int rc = check_name("as", r->as, "to sign as 'me'", err);
    if (rc == 0)
        rc = check_name("act_for", r->act_for, "to act for yourself", err);
    if (rc == 0)
        rc = check_names("with", r->with, err);
    if (rc == 0)
        rc = check_names("roots", r->roots, err);
    return rc;
}

static uint64_t start(struct ate *ate, struct ate_port *port,
                      const struct ate_request *request, enum request_kind kind)
{
    struct err wrong = {0};
    uint64_t number = atomic_fetch_add(&ate->calls, 1) + 1;
    if (check_request(request, &wrong) != 0) {
        port_push(port_of(port), answer_new(number, true, wrong.code, &wrong,
                                            bytes_of(NULL, 0)));
        return number;
    }
    struct bytes chain = text_or_none(request->chain);
    struct bytes method = text_or_none(request->method);
    struct bytes as = text_or_none(request->as);
    struct bytes act_for = text_or_none(request->act_for);
    struct bytes with = text_or_none(request->with);
    struct bytes roots = text_or_none(request->roots);
    struct bytes args =
        bytes_of(request->args, request->args != NULL ? request->args_len : 0);
    struct bytes context = bytes_of(
        request->context, request->context != NULL ? request->context_len : 0);
    struct call_under_way *c =
        mem_alloc(sizeof(*c) + chain.len + method.len + as.len + act_for.len +
                  with.len + roots.len + args.len + context.len);
    uint8_t *at = (uint8_t *)(c + 1);
    *c = (struct call_under_way){
        .request.number = number,
        .request.request.kind = kind,
        .request.request.of_node = request->chain == NULL,
        .request.request.chain = keep(&at, chain),
        .request.request.method = keep(&at, method),
        .request.request.as = keep(&at, as),
        .request.request.act_for = keep(&at, act_for),
        .request.request.with = keep(&at, with),
        .request.request.roots = keep(&at, roots),
        .request.request.args = keep(&at, args),
        .request.request.context = keep(&at, context),
        .request.request.propose = request->propose != 0,
        .request.request.credit = request->credit,
        .request.request.deadline_ms = request->deadline_ms,
        .request.request.chunk = chunk,
        .request.request.final = final,
        .ate = ate,
        .port = port_of(port),
    };
    static_assert(sizeof(c->request.request.call_id) == 16, "as ate.h says");
    if (request->call_id != NULL)
        memcpy(c->request.request.call_id, request->call_id, NODE_CALL_ID);
    else if (kind == REQUEST_CALL) /* reads need none */
        new_call_id(c->request.request.call_id);
    port_ref(c->port, ate->remote != NULL ? remote_source(ate->remote) : NULL);
    if (ate->remote != NULL)
        remote_ask(ate->remote, &c->request.request, number);
    else
        loop_ask(ate->loop, &c->request,
                 port_asks(c->port, loop_work, ate->loop));
    return number;
}

uint64_t ate_call(struct ate *ate, struct ate_port *port,
                  const struct ate_request *request)
{
    return start(ate, port, request, REQUEST_CALL);
}

uint64_t ate_read(struct ate *ate, struct ate_port *port,
                  const struct ate_request *request)
{
    return start(ate, port, request, REQUEST_READ);
}

void ate_grant(struct ate *ate, uint64_t call, uint32_t chunks)
{
    if (ate->remote != NULL)
        remote_grant(ate->remote, call, chunks);
    else
        loop_grant(ate->loop, call, chunks);
}

void ate_cancel(struct ate *ate, uint64_t call)
{
    if (ate->remote != NULL)
        remote_cancel(ate->remote, call);
    else
        loop_cancel(ate->loop, call);
}

uint64_t ate_generation(const struct ate *ate)
{
    return ate->loop != NULL ? loop_generation(ate->loop) : 0;
}

/* ---- what happens ---- */

int ate_watch(struct ate *ate, struct ate_port *port, struct ate_error *error)
{
    struct err err = {0};
    if (error != NULL)
        *error = (struct ate_error){0};
    if (ate->loop == NULL) {
        err_set(&err, ATE_EUNAVAILABLE,
                "watch: the process that serves the data folder knows what "
                "happens");
        return fail(error, &err);
    }
    port_ref(port_of(port), NULL);
    loop_watch(ate->loop, port_of(port));
    return 0;
}

/* ---- services ---- */

static int check_serves(const struct ate *ate, struct err *err)
{
    if (ate->loop != NULL)
        return 0;
    return err_set(err, ATE_EUNAVAILABLE,
                   "services: workers work in the process that serves the data "
                   "folder");
}

int ate_serve(struct ate *ate, struct ate_port *port, const char *name,
              struct ate_error *error)
{
    struct err err = {0};
    if (error != NULL)
        *error = (struct ate_error){0};
    int rc = check_serves(ate, &err);
    if (rc == 0 &&
        (name == NULL || name[0] == '\0' || strlen(name) > LIMIT_KIND_NAME))
        rc = err_set(&err, ATE_EINVALID, "services: this one has no name");
    if (rc == 0) {
        port_ref(port_of(port), NULL);
        rc = loop_serve(ate->loop, name, port_of(port), &err);
        if (rc != 0)
            port_unref(port_of(port));
    }
    return rc != 0 ? fail(error, &err) : 0;
}

void ate_reply(struct ate *ate, uint64_t call, const struct ate_error *failure,
               const void *answer, size_t len)
{
    static const uint8_t nil = 0xc0;
    struct err err = {0};
    struct service_reply reply = {.answer = bytes_of(answer, len)};
    if (answer == NULL)
        reply.answer = bytes_of(&nil, 1);
    if (failure != NULL && failure->code != 0) {
        reply.code = err_set(&err, failure->code, "%s", failure->text);
        reply.err = &err;
    }
    if (ate->loop != NULL)
        loop_reply(ate->loop, call, &reply);
}

int ate_http(struct ate *ate, const void *config, size_t len,
             struct ate_error *error)
{
    struct err err = {0};
    struct http *http = NULL;
    if (error != NULL)
        *error = (struct ate_error){0};
    int rc = check_serves(ate, &err);
    if (rc == 0)
        rc = http_open(&http, bytes_of(config, len), &err);
    if (rc == 0)
        rc = loop_serve_http(ate->loop, http, &err);
    if (rc != 0)
        http_close(http);
    return rc != 0 ? fail(error, &err) : 0;
}

int ate_http_check(const void *config, size_t len, struct ate_error *error)
{
    struct http_rules rules;
    struct err err = {0};
    if (error != NULL)
        *error = (struct ate_error){0};
    int rc = http_rules_get(&rules, bytes_of(config, len), &err);
    if (rc != 0)
        return fail(error, &err);
    http_rules_deinit(&rules);
    return 0;
}

/* ---- schemas, without a node ---- */

/* Each warning is a line of its own. */
static void put_warnings(struct mapping *m, struct bytes lines)
{
    struct buf *out = mapping_key(m, "warnings");
    uint32_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.data[i] == '\n';
    mp_put_array(out, count);
    const uint8_t *at = lines.data;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *end =
            memchr(at, '\n', (size_t)(lines.data + lines.len - at));
        mp_put_str(out, bytes_of(at, (size_t)(end - at)));
        at = end + 1;
    }
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
    if (error != NULL)
        *error = (struct ate_error){0};
    int rc = build(path, &bytes, report != NULL ? &described : NULL, &err);
    if (rc == 0) {
        *bundle = give_buf(&bytes);
        if (report != NULL)
            *report = give_buf(&described);
    }
    buf_deinit(&bytes);
    buf_deinit(&described);
    return rc == 0 ? 0 : fail(error, &err);
}

/* ---- bodies, without a node ---- */

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
    if (error != NULL)
        *error = (struct ate_error){0};
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
    return err.code == 0 ? 0 : fail(error, &err);
}

/* ---- proofs, without a node ---- */

int ate_proof(const void *text, size_t len, const char *vkey,
              struct ate_bytes *report, struct ate_error *error)
{
    struct err err = {0};
    struct buf map = {0};
    *report = (struct ate_bytes){0};
    if (error != NULL)
        *error = (struct ate_error){0};
    int rc = crypto_init(&err);
    if (rc == 0)
        rc = proof_report(bytes_of(text, len), text_or_none(vkey), &map, &err);
    if (rc == 0)
        *report = give_buf(&map);
    buf_deinit(&map);
    return rc == 0 ? 0 : fail(error, &err);
}
