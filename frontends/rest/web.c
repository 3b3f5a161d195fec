/* h2o answers what is malformed by itself, in a line of text. Where it has read
 * a head, complaint.c makes that a problem; for what is no head it writes bytes
 * to the socket, where nobody can put others. Who is too slow it closes without
 * a word, so the sweep is a little faster and says why (`farewell`).
 *
 * h2o hands a request over when its body has come, and keeps that until then.
 * So that nobody fills the memory who may not even ask, what has come is
 * weighed at each turn of the loop: behind LIMIT_STRANGER bytes the key has to
 * be in the head, and all have LIMIT_BODIES together. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "rest/web.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ate.h"
#include "base/buffer.h"
#include "rest/complaint.h"
#include "rest/endpoint.h"
#include "rest/head.h"
#include "rest/limits.h"
#include "rest/meters.h"
#include "rest/origins.h"
#include "rest/problem.h"
#include "rest/tls.h"

enum { BACKLOG = 512, SWEEP_MS = 1000 };

struct client {
    uv_tcp_t tcp; /* first: it is freed by its address */
    struct web *web;
    h2o_socket_t *sock;
    h2o_req_t *req; /* under way, or NULL */
    bool is_silent; /* there were some, or it is cut off */
    bool is_cut;
    bool is_kept;       /* it is a web socket, or wants to be one */
    bool comes;         /* some of a request is there, */
    uint64_t since_ms;  /* or is not, since when */
    bool is_known;      /* the request that comes has the key */
    size_t looked;      /* how much of it had come when that was looked for */
    uint64_t began_ms;  /* when it came */
    size_t written;     /* by h2o, to the end of the last request */
    size_t queued;      /* bytes that waited to be taken, and */
    uint64_t queued_ms; /* since when none was */
    struct client *next;
};

static struct client *client_of(const h2o_req_t *req)
{
    h2o_socket_t *sock = req->conn->callbacks->get_socket(req->conn);
    return sock->on_close.data;
}

/* ---- requests ---- */

struct handler {
    h2o_handler_t super;
    struct web *web;
};

/* One request of a client; it lives in the request's memory. */
struct turn {
    struct client *client;
};

static void turn_ended(void *memory)
{
    struct client *c = ((struct turn *)memory)->client;
    c->req = NULL;
    c->comes = false;
    c->since_ms = uv_now(c->tcp.loop);
    c->written = c->sock->bytes_written;
}

/* An absolute target means its path, whatever host it names. */
static void take_path(h2o_req_t *req)
{
    size_t at = head_origin(req->path.base, req->path.len);
    h2o_iovec_t parts[] = {
        {(char *)(uintptr_t) "/", 1},
        {req->path.base + at, req->path.len - at},
    };
    if (at == 0)
        return;
    bool has_path = at < req->path.len && req->path.base[at] == '/';
    req->path = has_path ? parts[1] : h2o_concat_list(&req->pool, parts, 2);
    const char *mark = memchr(req->path.base, '?', req->path.len);
    req->query_at = mark != NULL ? (size_t)(mark - req->path.base) : SIZE_MAX;
}

/* h2o keeps one Host and makes one up, and of what says where the body ends it
 * takes one; but all of the head is still there. */
static int check_head(const struct client *c, const h2o_req_t *req,
                      struct problem *problem)
{
    const h2o_buffer_t *input = c->sock->input;
    int rc = head_check_body(input->bytes, input->size, problem);
    return rc != 0 ? rc
                   : head_check_host(input->bytes, input->size,
                                     req->version >= 0x101, problem);
}

static void refuse(h2o_req_t *req, const struct problem *problem)
{
    struct buffer text = {0};
    problem_put(problem, NULL, &text);
    req->res.status = problem->status;
    req->res.reason = "Problem";
    req->res.content_length = text.len;
    req->http1_is_persistent = 0;
    meters_request(client_of(req)->web->meters, problem->status, 0);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/problem+json"));
    complaint_tell_origin(req, client_of(req)->web->origins);
    h2o_send_inline(req, text.data, text.len);
    buffer_free(&text);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct problem problem;
    struct web *w = ((struct handler *)self)->web;
    struct client *c = client_of(req);
    struct turn *t = h2o_mem_alloc_shared(&req->pool, sizeof(*t), turn_ended);
    *t = (struct turn){c};
    c->req = req;
    c->is_silent = true;
    take_path(req);
    if (check_head(c, req, &problem) != 0)
        refuse(req, &problem);
    else
        w->asked(w->owner, req);
    return 0;
}

void web_keep(h2o_req_t *req)
{
    client_of(req)->is_kept = true;
}

/* Not by reading: what has come before its end, as TLS's own, would hide it. */
bool web_is_left(const h2o_req_t *req)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&client_of(req)->tcp, &fd) != 0)
        return false;
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) == 1;
}

/* ---- connections ---- */

/* Behind what h2o says by itself it closes. It tells nobody, also where it
 * passes through complaint.c as no request of ours; but it is more than its
 * "100 Continue", and the client's fault. */
static void count_own_words(const struct client *c)
{
    enum { CONTINUE_BYTES = 25 };
    if (!c->is_cut && !c->is_kept &&
        c->sock->bytes_written - c->written > CONTINUE_BYTES)
        meters_request(c->web->meters, 400, 0);
}

static void client_closed(void *memory)
{
    struct client *c = memory;
    count_own_words(c);
    struct client **at = &c->web->clients;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->web->meters->connections--;
}

static void free_client(uv_handle_t *tcp)
{
    free(tcp);
}

static void turn_away(struct client *c)
{
    static const char text[] =
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n"
        "retry-after: 1\r\ncontent-length: 0\r\n\r\n";
    uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)text, sizeof(text) - 1);
    if (c->web->accept.ssl_ctx == NULL)
        uv_try_write((uv_stream_t *)&c->tcp, &bytes, 1);
    c->web->meters->turned_away++;
    uv_close((uv_handle_t *)&c->tcp, free_client);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct web *w = listener->data;
    if (status != 0)
        return;
    struct client *c = memory_new(sizeof(*c));
    c->web = w;
    uv_tcp_init(listener->loop, &c->tcp);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        uv_close((uv_handle_t *)&c->tcp, free_client);
        return;
    }
    if (w->meters->connections >= w->limits.connections) {
        turn_away(c);
        return;
    }
    w->meters->connections++;
    w->meters->accepted++;
    c->began_ms = c->since_ms = uv_now(listener->loop);
    c->next = w->clients;
    w->clients = c;
    uv_tcp_nodelay(&c->tcp, 1);
    c->sock = h2o_uv_socket_create((uv_stream_t *)&c->tcp, free_client);
    c->sock->on_close.cb = client_closed;
    c->sock->on_close.data = c;
    h2o_accept(&w->accept, c->sock);
}

/* ---- who is cut off ---- */

/* The reset comes when h2o closes it: an end behind bytes that the other side
 * never reads would not arrive. */
void web_abort(int fd)
{
    struct linger none = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    shutdown(fd, SHUT_RDWR);
}

void web_end(int fd)
{
    shutdown(fd, SHUT_RDWR);
}

/* Its reads and writes fail from now on, and h2o closes it. */
static void cut(struct client *c, void (*end)(int fd))
{
    uv_os_fd_t fd;
    c->is_silent = true;
    c->is_cut = true;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        end(fd);
}

static void put_line(void *ctx, const char *name, const char *value)
{
    buffer_printf(ctx, "%s: %s\r\n", name, value);
}

/* Of a request of which no more than the head need have come. */
static void put_origin_lines(const struct client *c, struct buffer *out)
{
    struct head h;
    head_begin(&h, c->sock->input->bytes, c->sock->input->size);
    while (head_next(&h))
        if (head_is(&h, "origin")) {
            origins_tell(c->web->origins, h.value, h.value_len, put_line, out);
            return;
        }
    origins_tell(c->web->origins, NULL, 0, put_line, out);
}

/* Its request never came, whole: say why, as far as it can be said at once. */
static void farewell(struct client *c, int status, const char *reason,
                     const char *why)
{
    struct buffer body = {0}, all = {0};
    complaint_put(status, why, &body);
    meters_request(c->web->meters, status, 0);
    buffer_printf(&all,
                  "HTTP/1.1 %d %s\r\nconnection: close\r\n"
                  "content-type: application/problem+json\r\n"
                  "content-length: %zu\r\n",
                  status, reason, body.len);
    put_origin_lines(c, &all);
    if (status == 401)
        put_line(&all, "www-authenticate", "Bearer realm=\"ate\"");
    buffer_text(&all, "\r\n");
    buffer_put(&all, body.data, body.len);
    uv_buf_t bytes = uv_buf_init(all.data, (unsigned)all.len);
    if (c->web->accept.ssl_ctx == NULL)
        uv_try_write((uv_stream_t *)&c->tcp, &bytes, 1);
    buffer_free(&all);
    buffer_free(&body);
    cut(c, web_end);
}

/* Whether the time in which a request has to come is over. The first one begins
 * with the connection, each later one with its first byte; what came and was
 * answered between two looks has set its time anew. */
static bool is_late(struct client *c, uint64_t now)
{
    const struct rest_limits *l = &c->web->limits;
    bool comes = c->req == NULL && c->sock->input->size > 0;
    if (c->req != NULL || comes != c->comes) {
        c->comes = comes;
        c->since_ms = now;
    }
    if (c->is_kept)
        return false; /* what is there are messages */
    if (!c->is_silent)
        return now - c->began_ms >= l->request_ms;
    return comes && now - c->since_ms >= l->request_ms;
}

static bool is_idle(const struct client *c, uint64_t now)
{
    return c->is_silent && !c->is_kept && c->req == NULL && !c->comes &&
           now - c->since_ms >= c->web->limits.idle_ms;
}

/* Cut off whose request does not come, and who does not take what waits for it.
 */
static void sweep(uv_timer_t *timer)
{
    struct web *w = timer->data;
    uint64_t now = uv_now(timer->loop);
    for (struct client *c = w->clients; c != NULL; c = c->next) {
        size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
        if (c->is_cut)
            continue;
        if (is_late(c, now)) {
            farewell(c, 408, "Request Timeout",
                     "the request did not come in time");
        } else if (is_idle(c, now)) {
            cut(c, web_end);
        } else if (queued == 0 || queued != c->queued) {
            c->queued = queued;
            c->queued_ms = now;
        } else if (now - c->queued_ms >= LIMIT_STALL_MS) {
            w->meters->stalled++;
            cut(c, web_abort);
        }
    }
}

/* ---- what has come ---- */

enum sender { SENDER_COMES, SENDER_IS_STRANGER, SENDER_IS_KNOWN };

/* Who sends it, as far as its head has come. */
static enum sender look_at(const struct web *w, const char *bytes, size_t size)
{
    struct head h;
    head_begin(&h, bytes, size);
    while (head_next(&h))
        if (head_is(&h, "authorization") && w->knows != NULL &&
            w->knows(w->owner, h.value, h.value_len))
            return SENDER_IS_KNOWN;
    return h.is_whole ? SENDER_IS_STRANGER : SENDER_COMES;
}

/* How much it holds that counts. A head that comes in drops is looked at when
 * there is twice as much of it: h2o takes no large ones. */
static size_t weigh_one(struct client *c)
{
    size_t size = c->is_cut ? 0 : c->sock->input->size;
    if (size <= LIMIT_STRANGER) {
        c->is_known = false;
        c->looked = 0;
    } else if (!c->is_known && c->req == NULL && size / 2 >= c->looked) {
        enum sender sender = look_at(c->web, c->sock->input->bytes, size);
        c->looked = size;
        c->is_known = sender == SENDER_IS_KNOWN;
        if (sender == SENDER_IS_STRANGER)
            farewell(c, 401, "Unauthorized",
                     "a large body takes the key of this node: send "
                     "'Authorization: Bearer KEY'");
    }
    return c->is_cut ? 0 : size;
}

/* Whose request is the largest of those that still come; NULL: there is none.
 */
static struct client *largest(const struct web *w)
{
    struct client *found = NULL;
    for (struct client *c = w->clients; c != NULL; c = c->next)
        if (!c->is_cut && c->req == NULL &&
            (found == NULL || c->sock->input->size > found->sock->input->size))
            found = c;
    return found;
}

static void weigh(uv_check_t *check)
{
    struct web *w = check->data;
    struct client *most;
    size_t all = 0;
    for (struct client *c = w->clients; c != NULL; c = c->next)
        all += weigh_one(c);
    while (all > LIMIT_BODIES && (most = largest(w)) != NULL) {
        all -= most->sock->input->size;
        farewell(most, 503, "Service Unavailable",
                 "too many large bodies are on their way");
    }
}

/* ---- the address ---- */

static int choose(const struct web_options *o, struct sockaddr_storage *address,
                  struct ate_error *error)
{
    return endpoint_choose(o->address, o->fd,
                           o->cert != NULL || o->may_be_plain, address, error);
}

int web_check(const struct web_options *o, struct ate_error *error)
{
    struct sockaddr_storage address;
    int rc = choose(o, &address, error);
    if (rc != 0 || o->cert == NULL)
        return rc;
    SSL_CTX *ssl = tls_open(o->cert, o->key, error);
    SSL_CTX_free(ssl);
    return ssl != NULL ? 0 : error->code;
}

bool web_collide(const struct web_options *a, const struct web_options *b)
{
    struct sockaddr_storage one, other;
    struct ate_error unused;
    if ((a->fd >= 0 && b->fd >= 0) || choose(a, &one, &unused) != 0 ||
        choose(b, &other, &unused) != 0)
        return false; /* both listen already */
    return endpoint_collide(&one, &other);
}

static int bind_it(struct web *w, const struct web_options *o,
                   struct ate_error *error)
{
    struct sockaddr_storage address;
    int rc = choose(o, &address, error);
    if (rc != 0)
        return rc;
    rc = o->fd >= 0 ? uv_tcp_open(&w->listener, o->fd)
                    : uv_tcp_bind(&w->listener, (struct sockaddr *)&address, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&w->listener, BACKLOG, on_connection);
    if (rc == 0)
        return 0;
    const char *shown = endpoint_shown(o->address, o->fd);
    if (rc == UV_EADDRINUSE)
        return endpoint_fail(error, ATE_CONFLICT, shown,
                             "address already in use; take another port, 0 "
                             "takes a free one");
    return endpoint_fail(error, rc == UV_EACCES ? ATE_DENIED : ATE_IO, shown,
                         uv_strerror(rc));
}

static void tell_where(struct web *w)
{
    struct sockaddr_storage bound;
    int len = sizeof(bound);
    uv_tcp_getsockname(&w->listener, (struct sockaddr *)&bound, &len);
    endpoint_url(&bound, w->accept.ssl_ctx != NULL, w->where, sizeof(w->where));
}

/* ---- life ---- */

/* Its own clock is behind the sweep's, which says why. */
static void configure(struct web *w)
{
    const struct rest_limits *l = &w->limits;
    snprintf(w->too_large, sizeof(w->too_large), "a body has at most %zu bytes",
             l->body);
    h2o_compress_args_t gzip = {.min_size = GZIP_FROM,
                                .gzip = {.quality = 1},
                                .brotli = {.quality = -1}};
    h2o_config_init(&w->config);
    w->config.server_name = h2o_iovec_init(H2O_STRLIT("ate"));
    w->config.max_request_entity_size = l->body;
    w->config.http1.req_timeout =
        (uint64_t)l->request_ms + l->idle_ms + 2 * SWEEP_MS;
    w->config.http1.upgrade_to_http2 = 0;
    w->config.handshake_timeout = LIMIT_HANDSHAKE_MS;
    h2o_hostconf_t *host = h2o_config_register_host(
        &w->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler =
        (struct handler *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = on_request;
    handler->web = w;
    h2o_compress_register(path, &gzip);
    complaint_filter(path, w->too_large, w->origins);
    complaint_filter(&host->fallback_path, w->too_large, w->origins);
}

int web_open(struct web *w, uv_loop_t *loop, const struct web_options *o,
             struct ate_error *error)
{
    SSL_CTX *ssl = NULL;
    if (o->cert != NULL && (ssl = tls_open(o->cert, o->key, error)) == NULL)
        return error->code;
    w->limits = limits_of(o->limits);
    configure(w);
    h2o_context_init(&w->context, loop, &w->config);
    w->accept = (h2o_accept_ctx_t){
        .ctx = &w->context, .hosts = w->config.hosts, .ssl_ctx = ssl};
    uv_tcp_init(loop, &w->listener);
    w->listener.data = w;
    uv_timer_init(loop, &w->sweep);
    w->sweep.data = w;
    uv_timer_start(&w->sweep, sweep, SWEEP_MS, SWEEP_MS);
    uv_check_init(loop, &w->weigh);
    w->weigh.data = w;
    uv_check_start(&w->weigh, weigh);
    w->is_open = true;
    int rc = bind_it(w, o, error);
    if (rc == 0)
        tell_where(w);
    return rc;
}

void web_renew(struct web *w, SSL_CTX *ssl)
{
    SSL_CTX *before = w->accept.ssl_ctx;
    w->accept.ssl_ctx = ssl;
    SSL_CTX_free(before); /* connections hold what they use */
}

void web_stop(struct web *w)
{
    if (!w->is_open || w->is_stopping)
        return;
    w->is_stopping = true;
    uv_close((uv_handle_t *)&w->listener, NULL);
    for (struct client *c = w->clients; c != NULL; c = c->next) {
        c->is_silent = true;
        if (c->req == NULL && !c->is_kept)
            cut(c, web_end);
        else if (c->req != NULL)
            c->req->http1_is_persistent = 0; /* its head may be said already */
    }
}

bool web_is_idle(const struct web *w)
{
    return w->clients == NULL;
}

void web_cut(struct web *w)
{
    for (struct client *c = w->clients; c != NULL; c = c->next)
        cut(c, web_end);
}

void web_close(struct web *w)
{
    if (!w->is_open)
        return;
    uv_close((uv_handle_t *)&w->sweep, NULL);
    uv_close((uv_handle_t *)&w->weigh, NULL);
    h2o_context_dispose(&w->context);
}

void web_free(struct web *w)
{
    if (!w->is_open)
        return;
    h2o_config_dispose(&w->config);
    SSL_CTX_free(w->accept.ssl_ctx);
    w->is_open = false;
}
