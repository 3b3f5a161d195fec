/* What ate.h declares of a data folder, over io/loop.h or io/remote.h; its
 * calls are in ate_calls.c, what needs no folder is in ate_alone.c. */
#include "ate_inside.h"

#include <assert.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/version.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/port.h"
#include "io/remote.h"
#include "node/service.h"

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
                  sizeof(((struct ate_error *)0)->rule) >= ERR_RULE_MAX &&
                  sizeof(((struct ate_error *)0)->reason) >= ERR_REASON_MAX &&
                  sizeof(((struct ate_error *)0)->at) >= ERR_AT_MAX,
              "texts are copied whole");

const char *ate_version(void)
{
    return ATE_VERSION;
}

/* ---- codes and bytes ---- */

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

void ate_free(struct ate_bytes *bytes)
{
    if (bytes == NULL)
        return;
    mem_free(bytes->data);
    *bytes = (struct ate_bytes){0};
}

/* ---- a data folder ---- */

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
    int rc = check_flags(path, flags, &err);
    if (rc != 0)
        return told(error, rc, &err);
    struct ate *ate = mem_zero(1, sizeof(*ate));
    rc = open_either(ate, path, flags, wait_ms, &err);
    if (rc == 0)
        *out = ate;
    else
        mem_free(ate);
    return told(error, rc, &err);
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
    if (ate->remote == NULL) {
        int rc = loop_listen(ate->loop, fd, &err);
        return told(error, rc, &err);
    }
    if (fd >= 0)
        close(fd);
    err_set(&err, ATE_EUNAVAILABLE,
            "listen: another process serves the data folder");
    return told(error, err.code, &err);
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
    return told(error, err.code, &err);
}

int ate_callers_max(struct ate *ate, unsigned most, struct ate_error *error)
{
    struct err err = {0};
    if (most < 1 || most > LIMIT_NET_PEERS_MAX)
        err_set(&err, ATE_EINVALID, "callers: 1 to %d may be, not %u",
                LIMIT_NET_PEERS_MAX, most);
    else if (ate->remote != NULL)
        err_set(&err, ATE_EUNAVAILABLE,
                "callers: another process serves the data folder");
    else
        loop_callers(ate->loop, most);
    return told(error, err.code, &err);
}

int ate_set_clock(struct ate *ate, int64_t time_ms, struct ate_error *error)
{
    struct err err = {0};
    int rc = ate->remote != NULL
                 ? err_set(&err, ATE_EINVALID,
                           "the clock is set by hand only in memory")
                 : loop_set_clock(ate->loop, time_ms, &err);
    return told(error, rc, &err);
}

uint64_t ate_generation(const struct ate *ate)
{
    return ate->loop != NULL ? loop_generation(ate->loop) : 0;
}

uint64_t ate_schema_generation(const struct ate *ate)
{
    return ate->loop != NULL ? loop_schema_generation(ate->loop) : 0;
}

/* ---- what happens ---- */

int ate_watch(struct ate *ate, struct ate_port *port, struct ate_error *error)
{
    struct err err = {0};
    if (ate->loop == NULL) {
        err_set(&err, ATE_EUNAVAILABLE,
                "watch: the process that serves the data folder knows what "
                "happens");
        return told(error, err.code, &err);
    }
    port_ref(port_of(port), NULL);
    loop_watch(ate->loop, port_of(port));
    return told(error, 0, &err);
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

int ate_provide(struct ate *ate, struct ate_port *port, const char *name,
                struct ate_error *error)
{
    struct err err = {0};
    int rc = check_serves(ate, &err);
    if (rc == 0 &&
        (name == NULL || name[0] == '\0' || strlen(name) > LIMIT_KIND_NAME))
        rc = err_set(&err, ATE_EINVALID, "services: this one has no name");
    if (rc == 0) {
        port_ref(port_of(port), NULL);
        rc = loop_provide(ate->loop, name, port_of(port), &err);
        if (rc != 0)
            port_unref(port_of(port));
    }
    return told(error, rc, &err);
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
    int rc = check_serves(ate, &err);
    if (rc == 0)
        rc = http_open(&http, bytes_of(config, len), &err);
    if (rc == 0)
        rc = loop_serve_http(ate->loop, http, &err);
    if (rc != 0)
        http_close(http);
    return told(error, rc, &err);
}
