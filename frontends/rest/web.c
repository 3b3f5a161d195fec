/* h2o answers what is malformed by itself, in a line of text. Where it has read
 * a head, that passes through filters, and is made a problem here; for what is
 * no head it writes bytes to the socket, where nobody can put others. Who is
 * too slow it closes without a word, so the sweep is a little faster and says
 * why (`farewell`).
 *
 * h2o hands a request over when its body has come, and keeps that until then.
 * So that nobody fills the memory who may not even ask, what has come is
 * weighed at each turn of the loop: behind LIMIT_STRANGER bytes the key has to
 * be in the head, and all have LIMIT_BODIES together. */
#include "rest/web.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "ate.h"
#include "base/buffer.h"
#include "rest/head.h"
#include "rest/headers.h"
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
    size_t turns;   /* requests under way: 0 or 1 */
    bool is_silent; /* there were some, or it is cut off */
    bool is_cut;
    bool is_kept;       /* it is a web socket, or wants to be one */
    bool comes;         /* some of a request is there, */
    uint64_t since_ms;  /* or is not, since when */
    bool is_known;      /* the request that comes has the key */
    size_t looked;      /* how much of it had come when that was looked for */
    uint64_t began_ms;  /* when it came */
    size_t queued;      /* bytes that waited to be taken, and */
    uint64_t queued_ms; /* since when none was */
    struct client *next;
};

/* ---- errors of h2o's ---- */

struct problem_stream {
    h2o_ostream_t super;
    h2o_iovec_t body;
};

static void send_problem(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs,
                         size_t count, h2o_send_state_t state)
{
    struct problem_stream *s = (struct problem_stream *)self;
    bool is_head = h2o_memis(req->input.method.base, req->input.method.len,
                             H2O_STRLIT("HEAD"));
    (void)bufs;
    (void)count;
    bool sends = state == H2O_SEND_STATE_FINAL && !is_head;
    h2o_ostream_send_next(self, req, &s->body, sends ? 1 : 0, state);
}

static bool is_own(h2o_req_t *req)
{
    ssize_t at =
        h2o_find_header(&req->res.headers, H2O_TOKEN_CONTENT_TYPE, SIZE_MAX);
    return req->res.status < 400 ||
           (at != -1 && h2o_memis(req->res.headers.entries[at].value.base,
                                  req->res.headers.entries[at].value.len,
                                  H2O_STRLIT("application/problem+json")));
}

static void put_problem(int status, const char *why, struct buffer *out)
{
    struct problem p;
    const char *name = status == 413   ? "TOO_LARGE"
                       : status == 408 ? "TIMEOUT"
                       : status == 401 ? "UNAUTHORIZED"
                       : status == 503 ? "UNAVAILABLE"
                       : status >= 500 ? "IO"
                                       : "INVALID";
    problem_set(&p, name, "%s", why);
    p.status = status;
    problem_put(&p, NULL, out);
}

static struct client *client_of(const h2o_req_t *req)
{
    h2o_socket_t *sock = req->conn->callbacks->get_socket(req->conn);
    return sock->on_close.data;
}

static const struct web *web_of(const h2o_req_t *req)
{
    return client_of(req)->web;
}

/* What h2o says of a head that it has read. */
static const char *complaint(const struct web *w, int status)
{
    switch (status) {
    case 400:
        return "Content-Length is no number, Transfer-Encoding is not "
               "'chunked', or a chunk is malformed";
    case 413:
        return w->too_large;
    case 417:
        return "Expect takes '100-continue' alone";
    default:
        return "the request is no HTTP/1.1 that is understood here";
    }
}

static void put(void *ctx, const char *name, const char *value)
{
    headers_put(ctx, name, value);
}

/* A problem of which nobody but this file knows. */
static void put_origin(h2o_req_t *req)
{
    size_t len;
    const char *origin = headers_find(req, "origin", &len);
    origins_tell(web_of(req)->origins, origin, len, put, req);
}

static void make_problem(h2o_filter_t *self, h2o_req_t *req,
                         h2o_ostream_t **slot)
{
    struct buffer text = {0};
    (void)self;
    if (!is_own(req)) {
        put_problem(req->res.status, complaint(web_of(req), req->res.status),
                    &text);
        struct problem_stream *s =
            (struct problem_stream *)h2o_add_ostream(req, sizeof(*s), slot);
        s->super.do_send = send_problem;
        s->body = h2o_strdup(&req->pool, text.data, text.len);
        h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                       H2O_STRLIT("application/problem+json"), 1);
        put_origin(req);
        req->res.content_length = text.len;
        buffer_free(&text);
        slot = &s->super.next;
    }
    h2o_setup_next_ostream(req, slot);
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
    c->turns--;
    c->comes = false;
    c->since_ms = uv_now(c->tcp.loop);
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
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/problem+json"));
    put_origin(req);
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
    c->turns++;
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

/* ---- connections ---- */

static void client_closed(void *memory)
{
    struct client *c = memory;
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

/* What was written still arrives. */
static void end_softly(int fd)
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
    put_problem(status, why, &body);
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
    cut(c, end_softly);
}

/* Whether the time in which a request has to come is over. The first one begins
 * with the connection, each later one with its first byte; what came and was
 * answered between two looks has set its time anew. */
static bool is_late(struct client *c, uint64_t now)
{
    const struct rest_limits *l = &c->web->limits;
    bool comes = c->turns == 0 && c->sock->input->size > 0;
    if (c->turns > 0 || comes != c->comes) {
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
    return c->is_silent && !c->is_kept && c->turns == 0 && !c->comes &&
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
            cut(c, end_softly);
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
    } else if (!c->is_known && c->turns == 0 && size / 2 >= c->looked) {
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
        if (!c->is_cut && c->turns == 0 &&
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

static int fail(struct ate_error *error, int code, const char *address,
                const char *why)
{
    *error = (struct ate_error){.code = code};
    snprintf(error->text, sizeof(error->text), "listen on %s: %s", address,
             why);
    return code;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return *(const uint8_t *)&((const struct sockaddr_in *)a)->sin_addr ==
               127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* "8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080" */
static int take_address(const char *address, struct sockaddr_storage *out,
                        struct ate_error *error)
{
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(address, ':');
    const char *port = colon != NULL ? colon + 1 : address;
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    bool has_brackets = len > 2 && address[0] == '[' && address[len - 1] == ']';
    size_t skip = has_brackets ? 1 : 0;
    size_t digits = strlen(port);
    if (len > 0 && len < sizeof(host))
        snprintf(host, sizeof(host), "%.*s", (int)(len - 2 * skip),
                 address + skip);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    if (digits == 0 || digits > 5 || strspn(port, "0123456789") != digits ||
        atoi(port) > 65535 || len >= sizeof(host) ||
        (uv_ip4_addr(host, atoi(port), (struct sockaddr_in *)out) != 0 &&
         uv_ip6_addr(host, atoi(port), (struct sockaddr_in6 *)out) != 0))
        return fail(error, ATE_INVALID, address,
                    "want PORT or HOST:PORT, such "
                    "as 127.0.0.1:8080 or [::1]:8080; port 0 takes a free one");
    return 0;
}

static void tell_where(struct web *w)
{
    struct sockaddr_storage bound;
    char host[64];
    int len = sizeof(bound);
    uv_tcp_getsockname(&w->listener, (struct sockaddr *)&bound, &len);
    bool is_6 = bound.ss_family == AF_INET6;
    if (is_6)
        uv_ip6_name((struct sockaddr_in6 *)&bound, host, sizeof(host));
    else
        uv_ip4_name((struct sockaddr_in *)&bound, host, sizeof(host));
    snprintf(w->where, sizeof(w->where), "http%s://%s%s%s:%d",
             w->accept.ssl_ctx != NULL ? "s" : "", is_6 ? "[" : "", host,
             is_6 ? "]" : "",
             ntohs(is_6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                        : ((struct sockaddr_in *)&bound)->sin_port));
}

/* Where a socket that was handed over is bound. */
static int adopted_address(int fd, struct sockaddr_storage *out,
                           struct ate_error *error)
{
    socklen_t len = sizeof(*out), room = sizeof(int);
    int is_listening = 0;
    if (getsockname(fd, (struct sockaddr *)out, &len) == 0 &&
        (out->ss_family == AF_INET || out->ss_family == AF_INET6) &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &room) == 0 &&
        is_listening != 0)
        return 0;
    return fail(error, ATE_INVALID, "the socket that was handed over",
                "it is no TCP socket that listens");
}

static const char *shown_address(const struct web_options *o)
{
    return o->fd >= 0 ? "the socket that was handed over" : o->address;
}

/* Where it is to listen, if it may there. */
static int choose_address(const struct web_options *o,
                          struct sockaddr_storage *address,
                          struct ate_error *error)
{
    int rc = o->fd >= 0 ? adopted_address(o->fd, address, error)
                        : take_address(o->address, address, error);
    if (rc != 0 || o->cert != NULL || o->may_be_plain ||
        is_loopback((struct sockaddr *)address))
        return rc;
    return fail(error, ATE_INVALID, shown_address(o),
                "beyond this machine the "
                "bearer key would travel in the clear; give --tls-cert and "
                "--tls-key, or --plain when something in front does TLS");
}

int web_check(const struct web_options *o, struct ate_error *error)
{
    struct sockaddr_storage address;
    int rc = choose_address(o, &address, error);
    if (rc != 0 || o->cert == NULL)
        return rc;
    SSL_CTX *ssl = tls_open(o->cert, o->key, error);
    SSL_CTX_free(ssl);
    return ssl != NULL ? 0 : error->code;
}

/* Is it all addresses of the machine? */
static bool is_any(const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
    return four->sin_addr.s_addr == htonl(INADDR_ANY);
}

static int port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)address)->sin6_port
                     : ((const struct sockaddr_in *)address)->sin_port);
}

/* [::] has those of the other family, too. */
static bool covers(const struct sockaddr_storage *a,
                   const struct sockaddr_storage *b)
{
    const struct sockaddr_in6 *six[] = {(const struct sockaddr_in6 *)a,
                                        (const struct sockaddr_in6 *)b};
    const struct sockaddr_in *four[] = {(const struct sockaddr_in *)a,
                                        (const struct sockaddr_in *)b};
    if (a->ss_family != b->ss_family)
        return a->ss_family == AF_INET6 && is_any(a);
    if (is_any(a))
        return true;
    if (a->ss_family == AF_INET)
        return four[0]->sin_addr.s_addr == four[1]->sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&six[0]->sin6_addr, &six[1]->sin6_addr);
}

bool web_collide(const struct web_options *a, const struct web_options *b)
{
    struct sockaddr_storage one, other;
    struct ate_error unused;
    if ((a->fd >= 0 && b->fd >= 0) || choose_address(a, &one, &unused) != 0 ||
        choose_address(b, &other, &unused) != 0)
        return false; /* both listen already */
    return port_of(&one) != 0 && port_of(&one) == port_of(&other) &&
           (covers(&one, &other) || covers(&other, &one));
}

static int bind_it(struct web *w, const struct web_options *o,
                   struct ate_error *error)
{
    struct sockaddr_storage address;
    const char *shown = shown_address(o);
    int rc = choose_address(o, &address, error);
    if (rc != 0)
        return rc;
    rc = o->fd >= 0 ? uv_tcp_open(&w->listener, o->fd)
                    : uv_tcp_bind(&w->listener, (struct sockaddr *)&address, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&w->listener, BACKLOG, on_connection);
    if (rc == 0)
        return 0;
    return fail(error,
                rc == UV_EADDRINUSE ? ATE_CONFLICT
                : rc == UV_EACCES   ? ATE_DENIED
                                    : ATE_IO,
                shown, uv_strerror(rc));
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
    h2o_create_filter(path, sizeof(h2o_filter_t))->on_setup_ostream =
        make_problem;
    h2o_create_filter(&host->fallback_path, sizeof(h2o_filter_t))
        ->on_setup_ostream = make_problem;
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
        if (c->turns == 0)
            cut(c, end_softly);
    }
}

bool web_is_idle(const struct web *w)
{
    return w->clients == NULL;
}

void web_cut(struct web *w)
{
    for (struct client *c = w->clients; c != NULL; c = c->next)
        cut(c, end_softly);
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
