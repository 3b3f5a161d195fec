#include "rest/headers.h"

#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "rest/problem.h"

/* Those that are said once. `without`: what it means to leave it out; NULL: it
 * may be empty, and is then not there. `message`: the field of a web socket's
 * messages that says the same. */
static const struct {
    const char *name;
    const char *shown;
    const char *without;
    const char *message;
} singles[] = {
    {"ate-act-for", "Ate-Act-For", "leave it out to act for yourself",
     "act_for"},
    {"ate-as", "Ate-As", "leave it out to sign as 'me'", "as"},
    {"ate-context", "Ate-Context", "leave it out where there is none",
     "context"},
    {"authorization", "Authorization", NULL, NULL},
    {"content-encoding", "Content-Encoding", NULL, NULL},
    {"content-type", "Content-Type", NULL, NULL},
    {"idempotency-key", "Idempotency-Key", "leave it out to do it anew", "key"},
    {"if-match", "If-Match", "leave it out to take any version", NULL},
    {"if-none-match", "If-None-Match", "leave it out to take any version",
     NULL},
    {"if-range", "If-Range", NULL, NULL},
    {"last-event-id", "Last-Event-ID", NULL, NULL},
    {"range", "Range", NULL, NULL},
};
enum { SINGLES = sizeof(singles) / sizeof(*singles) };

#define OURS "ate-"

/* ---- values ---- */

static h2o_iovec_t trimmed(h2o_iovec_t text)
{
    while (text.len > 0 && (*text.base == ' ' || *text.base == '\t')) {
        text.base++;
        text.len--;
    }
    while (text.len > 0 &&
           (text.base[text.len - 1] == ' ' || text.base[text.len - 1] == '\t'))
        text.len--;
    return text;
}

const char *headers_find(const h2o_req_t *req, const char *name, size_t *len)
{
    ssize_t at =
        h2o_find_header_by_str(&req->headers, name, strlen(name), SIZE_MAX);
    *len = 0;
    if (at == -1)
        return NULL;
    h2o_iovec_t value = trimmed(req->headers.entries[at].value);
    *len = value.len;
    return value.base;
}

char *headers_copy(const h2o_req_t *req, const char *name)
{
    struct buffer all = {0};
    ssize_t at = -1;
    while ((at = h2o_find_header_by_str(&req->headers, name, strlen(name),
                                        at == -1 ? SIZE_MAX : (size_t)at)) !=
           -1) {
        h2o_iovec_t value = trimmed(req->headers.entries[at].value);
        if (all.len > 0)
            buffer_text(&all, ", ");
        buffer_put(&all, value.base, value.len);
    }
    return all.data != NULL ? all.data : memory_text("", 0);
}

void headers_put(h2o_req_t *req, const char *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, strlen(value));
    h2o_iovec_t key = h2o_strdup(&req->pool, name, strlen(name));
    h2o_add_header_by_str(&req->pool, &req->res.headers, key.base, key.len, 1,
                          NULL, copy.base, copy.len);
}

/* ---- what is refused ---- */

static size_t find_single(const h2o_iovec_t *name)
{
    size_t i = 0;
    while (i < SINGLES && !h2o_memis(name->base, name->len, singles[i].name,
                                     strlen(singles[i].name)))
        i++;
    return i;
}

/* One that is like ours was meant to be one of them. */
static int check_ours(const h2o_iovec_t *name, struct problem *problem)
{
    char shown[64];
    size_t prefix = strlen(OURS);
    if (name->len < prefix || memcmp(name->base, OURS, prefix) != 0)
        return 0;
    snprintf(shown, sizeof(shown), "%.*s", (int)name->len, name->base);
    return problem_field(problem, shown,
                         "there is no header '%s'; there are Ate-As, "
                         "Ate-Act-For and Ate-Context",
                         shown);
}

static int check_encoding(const h2o_req_t *req, struct problem *problem)
{
    size_t len;
    const char *is = headers_find(req, "content-encoding", &len);
    if (len == 0 || (len == 8 && strncasecmp(is, "identity", len) == 0))
        return 0;
    problem_set(problem, "UNSUPPORTED_MEDIA_TYPE",
                "a body comes as it is, without Content-Encoding, not as "
                "'%.*s'",
                (int)(len < 100 ? len : 100), is);
    return problem_point(problem, "Content-Encoding");
}

int headers_check(const h2o_req_t *req, struct problem *problem)
{
    bool is_said[SINGLES] = {false};
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        size_t which = find_single(header->name);
        if (which == SINGLES) {
            if (check_ours(header->name, problem) != 0)
                return -1;
            continue;
        }
        const char *shown = singles[which].shown;
        if (is_said[which])
            return problem_field(problem, shown,
                                 "a request has one %s, not several", shown);
        is_said[which] = true;
        if (singles[which].without != NULL && trimmed(header->value).len == 0)
            return problem_field(problem, shown, "%s is empty; %s", shown,
                                 singles[which].without);
    }
    return check_encoding(req, problem);
}

int headers_check_handshake(const h2o_req_t *req, struct problem *problem)
{
    for (size_t i = 0; i < SINGLES; i++) {
        size_t len;
        if (singles[i].message != NULL &&
            headers_find(req, singles[i].name, &len) != NULL)
            return problem_field(problem, singles[i].shown,
                                 "%s is of a request: on a web socket each "
                                 "message says it, as '%s'",
                                 singles[i].shown, singles[i].message);
    }
    return 0;
}

/* ---- ETags ---- */

static const char *strong_part(const char *etag, size_t *len)
{
    bool is_weak = *len >= 2 && memcmp(etag, "W/", 2) == 0;
    *len -= is_weak ? 2 : 0;
    return is_weak ? etag + 2 : etag;
}

bool headers_have_etag(const char *list, size_t len, const char *etag,
                       bool is_strong)
{
    size_t etag_len = strlen(etag);
    const char *own = strong_part(etag, &etag_len);
    if (len == 1 && list[0] == '*')
        return true;
    if (etag_len == 0 || (is_strong && own != etag))
        return false;
    for (const char *at = list, *end = list + len; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t one = (size_t)((comma != NULL ? comma : end) - at);
        h2o_iovec_t item = trimmed(h2o_iovec_init(at, one));
        const char *given = strong_part(item.base, &item.len);
        bool counts = !is_strong || given == item.base;
        if (counts && h2o_memis(given, item.len, own, etag_len))
            return true;
        at += one + 1;
    }
    return false;
}
