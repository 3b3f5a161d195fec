#define _GNU_SOURCE /* strptime */
#include "rest/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buffer.h"
#include "rest/problem.h"

static bool is_etags(h2o_iovec_t text);
static bool is_date(h2o_iovec_t text);
static bool is_etag_or_date(h2o_iovec_t text);

#define ETAGS "\"*\", or ETags with commas in between"
#define DATE "a date, such as Sun, 06 Nov 1994 08:49:37 GMT"

/* Those that are said once. `without`: what it means to leave it out; NULL: it
 * may be empty, and is then not there. `message`: the field of a web socket's
 * messages that says the same. `is_good`: has it the form that `want` names?
 * Conditions are refused that cannot be read: nobody would judge them. */
static const struct {
    const char *name;
    const char *shown;
    const char *without;
    const char *message;
    bool (*is_good)(h2o_iovec_t text);
    const char *want;
} singles[] = {
    {"ate-act-for", "Ate-Act-For", "leave it out to act for yourself",
     "act_for", NULL, NULL},
    {"ate-as", "Ate-As", "leave it out to sign as 'me'", "as", NULL, NULL},
    {"ate-context", "Ate-Context", "leave it out where there is none",
     "context", NULL, NULL},
    {"authorization", "Authorization", NULL, NULL, NULL, NULL},
    {"content-encoding", "Content-Encoding", NULL, NULL, NULL, NULL},
    {"content-type", "Content-Type", NULL, NULL, NULL, NULL},
    {"idempotency-key", "Idempotency-Key", "leave it out to do it anew", "key",
     NULL, NULL},
    {"if-match", "If-Match", "leave it out to take any version", NULL, is_etags,
     ETAGS},
    {"if-modified-since", "If-Modified-Since", "leave it out", NULL, is_date,
     DATE},
    {"if-none-match", "If-None-Match", "leave it out to take any version", NULL,
     is_etags, ETAGS},
    {"if-range", "If-Range", "leave it out", NULL, is_etag_or_date,
     "one ETag, or " DATE},
    {"if-unmodified-since", "If-Unmodified-Since", "leave it out", NULL,
     is_date, DATE},
    {"last-event-id", "Last-Event-ID", NULL, NULL, NULL, NULL},
    {"origin", "Origin", NULL, NULL, NULL, NULL},
    {"range", "Range", NULL, NULL, NULL, NULL},
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

bool headers_repeat(const h2o_req_t *req, const char *name)
{
    ssize_t at =
        h2o_find_header_by_str(&req->headers, name, strlen(name), SIZE_MAX);
    return at != -1 && h2o_find_header_by_str(&req->headers, name, strlen(name),
                                              (size_t)at) != -1;
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

/* `return=minimal; x=y`, without what stands behind the semicolon. */
static bool is_preference(h2o_iovec_t text, const char *name, char *value,
                          size_t size)
{
    const char *semicolon = memchr(text.base, ';', text.len);
    if (semicolon != NULL)
        text.len = (size_t)(semicolon - text.base);
    const char *equals = memchr(text.base, '=', text.len);
    size_t len = equals != NULL ? (size_t)(equals - text.base) : text.len;
    h2o_iovec_t key = trimmed(h2o_iovec_init(text.base, len));
    if (key.len != strlen(name) || strncasecmp(key.base, name, key.len) != 0)
        return false;
    len += equals != NULL ? 1 : 0;
    h2o_iovec_t is = trimmed(h2o_iovec_init(text.base + len, text.len - len));
    if (is.len >= 2 && is.base[0] == '"' && is.base[is.len - 1] == '"')
        is = h2o_iovec_init(is.base + 1, is.len - 2);
    snprintf(value, size, "%.*s", is.len < size ? (int)is.len : 0, is.base);
    return true;
}

bool headers_prefer(const h2o_req_t *req, const char *name, char *value,
                    size_t size)
{
    char *all = headers_copy(req, "prefer");
    bool is_there = false;
    for (char *at = all; *at != '\0' && !is_there;) {
        size_t len = strcspn(at, ",");
        is_there = is_preference(h2o_iovec_init(at, len), name, value, size);
        at += len + (at[len] == ',');
    }
    free(all);
    return is_there;
}

void headers_put(h2o_req_t *req, const char *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, strlen(value));
    h2o_iovec_t key = h2o_strdup(&req->pool, name, strlen(name));
    h2o_add_header_by_str(&req->pool, &req->res.headers, key.base, key.len, 1,
                          NULL, copy.base, copy.len);
}

/* ---- forms of RFC 9110 ---- */

/* Past `[W/]"..."` at `at`, or 0: there is none. */
static size_t etag_end(h2o_iovec_t text, size_t at)
{
    at += at + 2 < text.len && memcmp(text.base + at, "W/", 2) == 0 ? 2 : 0;
    if (at == text.len || text.base[at] != '"')
        return 0;
    for (at++; at < text.len && text.base[at] != '"'; at++)
        if ((unsigned char)text.base[at] < '!' || text.base[at] == 0x7f)
            return 0;
    return at < text.len ? at + 1 : 0;
}

/* A list may have gaps (RFC 9110, 5.6.1.2), and has one ETag. */
static bool is_etags(h2o_iovec_t text)
{
    size_t count = 0;
    bool may_begin = true;
    if (text.len == 1 && text.base[0] == '*')
        return true;
    for (size_t at = 0; at < text.len;) {
        char c = text.base[at];
        size_t end = 0;
        if (c == ',' || c == ' ' || c == '\t') {
            may_begin = may_begin || c == ',';
            at++;
            continue;
        }
        end = may_begin ? etag_end(text, at) : 0;
        if (end == 0)
            return false;
        may_begin = false;
        at = end;
        count++;
    }
    return count > 0;
}

/* Of the three forms (RFC 9110, 5.6.7). */
static bool is_date(h2o_iovec_t text)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                        "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    char one[40];
    if (text.len >= sizeof(one))
        return false;
    memcpy(one, text.base, text.len);
    one[text.len] = '\0';
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(one, forms[i], &tm);
        if (end != NULL && *end == '\0')
            return true;
    }
    return false;
}

static bool is_etag_or_date(h2o_iovec_t text)
{
    return etag_end(text, 0) == text.len || is_date(text);
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

/* `which` of the singles, and one line of it at least. */
static int check_single(size_t which, h2o_iovec_t value, bool is_again,
                        struct problem *problem)
{
    const char *shown = singles[which].shown;
    value = trimmed(value);
    if (is_again)
        return problem_field(problem, shown,
                             "a request has one %s, not several", shown);
    if (singles[which].without != NULL && value.len == 0)
        return problem_field(problem, shown, "%s is empty; %s", shown,
                             singles[which].without);
    if (singles[which].is_good == NULL || singles[which].is_good(value))
        return 0;
    return problem_field(problem, shown, "%s is %s, not '%.*s'", shown,
                         singles[which].want,
                         (int)(value.len < 100 ? value.len : 100), value.base);
}

/* Nothing here has a time of modification: a log has many versions in a second.
 */
static int check_since(const h2o_req_t *req, struct problem *problem)
{
    size_t len;
    bool is_read =
        h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
        h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
    if (headers_find(req, "if-unmodified-since", &len) != NULL)
        return problem_field(problem, "If-Unmodified-Since",
                             "nothing here has a time of modification; "
                             "If-Match names a version by its ETag");
    if (!is_read && headers_find(req, "if-modified-since", &len) != NULL)
        return problem_field(problem, "If-Modified-Since",
                             "If-Modified-Since is for GET");
    return 0;
}

int headers_check(const h2o_req_t *req, struct problem *problem)
{
    bool is_said[SINGLES] = {false};
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        size_t which = find_single(header->name);
        int rc = which == SINGLES ? check_ours(header->name, problem)
                                  : check_single(which, header->value,
                                                 is_said[which], problem);
        if (rc != 0)
            return rc;
        if (which < SINGLES)
            is_said[which] = true;
    }
    int rc = check_since(req, problem);
    return rc != 0 ? rc : check_encoding(req, problem);
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
