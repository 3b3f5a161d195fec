/* One thread drives libcurl; requests come to it by a queue, and go back by
 * another, which the engine's thread empties.
 *
 * (1) An exchange is in one list at a time: `queued` or `finished`, under the
 *     mutex, or `running`, which is the thread's own.
 * (2) `request` of an exchange is NULL once it was canceled: it is then told
 *     nobody. It changes on the engine's thread alone, and the other never
 *     looks at it.
 * (3) The address of a connection is looked at when its socket is made, after
 *     all names were resolved: a name that leads elsewhere meanwhile leads
 *     nowhere. */
#include "io/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "io/http_rules.h"
#include "io/http_value.h"
#include "io/thread.h"

enum { POLL_MS = 1000, SAID_MAX = 160 };

struct exchange {
    struct http *http;
    struct service_request *request; /* invariant (2) */
    struct http_request out;
    CURLU *url;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer_headers;
    struct buf answer_body;
    long status;
    bool is_private; /* it leads to an address that may not be asked */
    bool is_too_long;
    bool again; /* it may have been sent before */
    _Atomic bool is_canceled;
    int code;
    struct err err;
    uint32_t retry_ms;
    struct buf answer;
    char curl_text[CURL_ERROR_SIZE];
    struct exchange *next;
};

struct http {
    struct http_rules rules;
    void (*wake)(void *ctx);
    void *ctx;
    CURLM *multi;
    pthread_t thread;
    struct exchange *running;

    pthread_mutex_t mutex; /* of what follows */
    struct exchange *queued;
    struct exchange *finished;
    bool closing;
};

static void exchange_free(struct exchange *x)
{
    if (x->easy != NULL)
        curl_easy_cleanup(x->easy);
    if (x->url != NULL)
        curl_url_cleanup(x->url);
    curl_slist_free_all(x->headers);
    http_request_deinit(&x->out);
    buf_deinit(&x->answer_headers);
    buf_deinit(&x->answer_body);
    buf_deinit(&x->answer);
    mem_free(x);
}

static void finish(struct exchange *x)
{
    struct http *http = x->http;
    pthread_mutex_lock(&http->mutex);
    x->next = http->finished;
    http->finished = x;
    pthread_mutex_unlock(&http->mutex);
    http->wake(http->ctx);
}

/* ---- what libcurl calls ---- */

/* Invariant (3). */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct exchange *x = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        !http_rules_address(&x->http->rules, &address->addr)) {
        x->is_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t len = size * count;
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
        buf_clear(&x->answer_headers); /* of what came before the answer */
    if (x->answer_headers.len + len > HTTP_HEADERS_MAX) {
        x->is_too_long = true;
        return 0;
    }
    buf_put(&x->answer_headers, data, len);
    return len;
}

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    size_t len = size * count;
    if (x->answer_body.len + len > HTTP_BODY_MAX) {
        x->is_too_long = true;
        return 0;
    }
    buf_put(&x->answer_body, data, len);
    return len;
}

static int look_after(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
                      curl_off_t d)
{
    struct exchange *x = ctx;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&x->is_canceled);
}

/* ---- beginning ---- */

static int no_url(const struct exchange *x, const char *why, struct err *err)
{
    return err_set(err, ATE_EINVALID, "url '%.200s': %s",
                   (const char *)x->out.url.data, why); /* ends with a zero */
}

/* The host that a URL leads to has to be one that may be asked; what is checked
 * is what libcurl goes by. */
static int check_url(struct exchange *x, struct err *err)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *user = NULL;
    int rc = 0;
    x->url = curl_url();
    if (x->url == NULL ||
        curl_url_set(x->url, CURLUPART_URL, buf_text(&x->out.url), 0) !=
            CURLUE_OK ||
        curl_url_get(x->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(x->url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(x->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) !=
            CURLUE_OK)
        rc = no_url(x, "is none of http or https", err);
    bool is_plain = rc == 0 && strcmp(scheme, "http") == 0;
    if (rc == 0 && !is_plain && strcmp(scheme, "https") != 0)
        rc = no_url(x, "is none of http or https", err);
    if (rc == 0 &&
        curl_url_get(x->url, CURLUPART_USER, &user, 0) != CURLUE_NO_USER)
        rc = no_url(x,
                    "names a user, which everybody who has the chain would "
                    "read: let the configuration set a header",
                    err);
    if (rc == 0) {
        const struct http_host *found = http_rules_host(
            &x->http->rules, is_plain, host, (unsigned)strtoul(port, NULL, 10));
        rc =
            found != NULL
                ? http_request_headers(&x->out, buf_bytes(&found->headers), err)
                : err_set(err, ATE_EDENIED,
                          "%s://%s:%s is none of the hosts that this node's "
                          "configuration lets workers ask",
                          scheme, host, port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    return rc;
}

static void set_headers(struct exchange *x)
{
    const struct buf *lines = &x->out.headers;
    for (size_t at = 0; at < lines->len;
         at += strlen((const char *)lines->data + at) + 1)
        x->headers =
            curl_slist_append(x->headers, (const char *)lines->data + at);
    x->headers = curl_slist_append(x->headers, "Expect:");
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
}

static void set_limits(struct exchange *x)
{
    CURL *e = x->easy;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    if (x->http->rules.ca != NULL)
        curl_easy_setopt(e, CURLOPT_CAINFO, x->http->rules.ca);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_S);
    curl_easy_setopt(e, CURLOPT_TIMEOUT, x->out.timeout_s);
    curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)HTTP_BODY_MAX);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, look_after);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, x);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->curl_text);
}

static int prepare(struct exchange *x, struct err *err)
{
    struct service_request *r = x->request;
    x->again = r->again;
    int rc = http_request_get(r->request, r->key, &x->out, err);
    if (rc == 0)
        rc = check_url(x, err);
    if (rc != 0)
        return rc;
    x->easy = curl_easy_init();
    if (x->easy == NULL)
        return err_set(err, ATE_EUNAVAILABLE, "libcurl gives no handle");
    curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt(x->easy, CURLOPT_CURLU, x->url);
    set_limits(x);
    set_headers(x);
    bool is_head = strcmp(buf_text(&x->out.method), "HEAD") == 0;
    curl_easy_setopt(x->easy, CURLOPT_NOBODY, is_head ? 1L : 0L);
    if (x->out.has_body) {
        curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)x->out.body.len);
        curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, buf_text(&x->out.body));
    }
    curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, buf_text(&x->out.method));
    return 0;
}

/* ---- ending ---- */

/* A service that looks at the key says 409 while what came before is under way:
 * taken for an answer, that would be a payment that is made and not known. */
static bool is_later(const struct exchange *x)
{
    long status = x->status;
    return (status == 409 && x->again) || status == 408 || status == 425 ||
           status == 429 || status >= 500;
}

static uint32_t retry_after(const struct exchange *x)
{
    struct bytes value =
        http_header_find(buf_bytes(&x->answer_headers), "retry-after");
    uint32_t seconds = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return 0; /* a date */
        if (seconds < 100000)
            seconds = seconds * 10 + (uint32_t)(value.data[i] - '0');
    }
    return seconds < 86400 ? seconds * 1000 : 86400000;
}

static void take_status(struct exchange *x)
{
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
    if (is_later(x)) {
        x->retry_ms = retry_after(x);
        x->code =
            err_set(&x->err, ATE_EUNAVAILABLE, "http: %.200s answered %ld",
                    buf_text(&x->out.url), x->status);
        return;
    }
    http_answer_put(&x->answer, x->status, buf_bytes(&x->answer_headers),
                    buf_bytes(&x->answer_body));
}

static void take_failure(struct exchange *x, CURLcode result)
{
    const char *url = buf_text(&x->out.url);
    const char *said =
        x->curl_text[0] != '\0' ? x->curl_text : curl_easy_strerror(result);
    if (x->is_private)
        x->code = err_set(
            &x->err, ATE_EDENIED,
            "http: %.200s leads to an address that is not public; 'private' in "
            "the configuration may allow it",
            url);
    else if (x->is_too_long || result == CURLE_FILESIZE_EXCEEDED)
        x->code = err_set(&x->err, ATE_ELIMIT,
                          "http: %.200s answered more than %d bytes, or %d of "
                          "headers",
                          url, HTTP_BODY_MAX, HTTP_HEADERS_MAX);
    else
        x->code = err_set(&x->err, ATE_EUNAVAILABLE, "http: %.200s: %.*s", url,
                          SAID_MAX, said);
}

static void ended(struct http *http, CURL *easy, CURLcode result)
{
    struct exchange *x = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x);
    assert(x != NULL);
    curl_multi_remove_handle(http->multi, easy);
    struct exchange **at = &http->running;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    if (result == CURLE_OK)
        take_status(x);
    else
        take_failure(x, result);
    finish(x);
}

/* ---- the thread ---- */

static void take_queued(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    struct exchange *x = http->queued;
    http->queued = NULL;
    pthread_mutex_unlock(&http->mutex);
    while (x != NULL) {
        struct exchange *next = x->next;
        x->next = http->running;
        http->running = x;
        curl_multi_add_handle(http->multi, x->easy);
        x = next;
    }
}

static void take_ended(struct http *http)
{
    CURLMsg *message;
    int left = 0;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            ended(http, message->easy_handle, message->data.result);
}

static void *thread_main(void *ctx)
{
    struct http *http = ctx;
    bool closing = false;
    while (!closing) {
        int running = 0;
        take_queued(http);
        curl_multi_perform(http->multi, &running);
        take_ended(http);
        pthread_mutex_lock(&http->mutex);
        closing = http->closing;
        pthread_mutex_unlock(&http->mutex);
        if (!closing)
            curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
    }
    for (struct exchange *x = http->running; x != NULL; x = x->next)
        curl_multi_remove_handle(http->multi, x->easy);
    return NULL;
}

/* ---- life ---- */

static void no_wake(void *ctx)
{
    (void)ctx;
}

int http_open(struct http **out, struct bytes config, struct err *err)
{
    struct http *http = mem_zero(1, sizeof(*http));
    int rc = http_rules_get(&http->rules, config, err);
    *out = NULL;
    http->wake = no_wake;
    if (rc == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        rc = err_set(err, ATE_EUNAVAILABLE, "http: libcurl does not start");
    if (rc == 0 && (http->multi = curl_multi_init()) == NULL)
        rc = err_set(err, ATE_EUNAVAILABLE, "http: libcurl does not start");
    if (rc != 0) {
        http_rules_deinit(&http->rules);
        mem_free(http);
        return rc;
    }
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      (long)HTTP_AT_A_TIME);
    pthread_mutex_init(&http->mutex, NULL);
    if (thread_start(&http->thread, thread_main, http) != 0) {
        curl_multi_cleanup(http->multi);
        pthread_mutex_destroy(&http->mutex);
        http_rules_deinit(&http->rules);
        mem_free(http);
        return err_set(err, ATE_EUNAVAILABLE, "http: no thread for it");
    }
    *out = http;
    return 0;
}

void http_set_wake(struct http *http, void (*wake)(void *ctx), void *ctx)
{
    http->wake = wake;
    http->ctx = ctx;
}

static void free_all(struct exchange *x)
{
    while (x != NULL) {
        struct exchange *next = x->next;
        exchange_free(x);
        x = next;
    }
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    pthread_mutex_lock(&http->mutex);
    http->closing = true;
    pthread_mutex_unlock(&http->mutex);
    curl_multi_wakeup(http->multi);
    pthread_join(http->thread, NULL);
    free_all(http->running);
    free_all(http->queued);
    free_all(http->finished);
    curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->mutex);
    http_rules_deinit(&http->rules);
    mem_free(http);
}

/* ---- the engine's thread ---- */

void http_send(struct http *http, struct service_request *request)
{
    struct exchange *x = mem_zero(1, sizeof(*x));
    x->http = http;
    x->request = request;
    request->state = x;
    x->code = prepare(x, &x->err);
    if (x->code != 0) {
        err_wrap(&x->err, "http");
        finish(x);
        return;
    }
    pthread_mutex_lock(&http->mutex);
    x->next = http->queued;
    http->queued = x;
    pthread_mutex_unlock(&http->mutex);
    curl_multi_wakeup(http->multi);
}

void http_cancel(struct http *http, struct service_request *request)
{
    struct exchange *x = request->state;
    (void)http;
    if (x == NULL)
        return;
    request->state = NULL;
    x->request = NULL; /* invariant (2) */
    atomic_store(&x->is_canceled, true);
}

void http_reap(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    struct exchange *x = http->finished;
    http->finished = NULL;
    pthread_mutex_unlock(&http->mutex);
    while (x != NULL) {
        struct exchange *next = x->next;
        struct service_reply reply = {
            .code = x->code,
            .err = &x->err,
            .answer = buf_bytes(&x->answer),
            .retry_ms = x->retry_ms,
        };
        if (x->request != NULL) {
            x->request->state = NULL;
            x->request->done(x->request, &reply);
        }
        exchange_free(x);
        x = next;
    }
}
