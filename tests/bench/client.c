#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

enum { CONNECTIONS_MAX = 128, DEPTH_MAX = 128, BUFFER = 1 << 18 };

/* One connection: when its requests were sent, in a ring, and what came. */
struct conn {
    int fd;
    size_t first, flying;
    double sent[DEPTH_MAX];
    size_t len;
    uint8_t *data;
};

struct client {
    const struct wire *wire;
    struct conn conns[CONNECTIONS_MAX];
    size_t count;
    double until;
    double *took; /* seconds */
    size_t done, room;
    uint8_t *requests; /* DEPTH_MAX of them */
};

int connect_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

int connect_port(int port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        return fd;
    }
    close(fd);
    return -1;
}

void write_all(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const char *)data + at, len - at);
        if (n < 0 && errno != EINTR)
            bench_die("write to a peer", NULL);
        at += n > 0 ? (size_t)n : 0;
    }
}

void read_all(int fd, void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, (char *)data + at, len - at);
        if (n == 0 || (n < 0 && errno != EINTR))
            bench_die("read from a peer", n == 0 ? "it hung up" : NULL);
        at += n > 0 ? (size_t)n : 0;
    }
}

static void send_more(struct client *c, struct conn *k, size_t count)
{
    double t = now();
    if (t >= c->until || count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        k->sent[(k->first + k->flying++) % DEPTH_MAX] = t;
    write_all(k->fd, c->requests, count * c->wire->request_len);
}

static void note(struct client *c, double took)
{
    if (c->done == c->room) {
        c->room = c->room > 0 ? 2 * c->room : 1 << 16;
        c->took = realloc(c->took, c->room * sizeof(*c->took));
        if (c->took == NULL)
            bench_die("memory", NULL);
    }
    c->took[c->done++] = took;
}

static void take(struct client *c, struct conn *k)
{
    ssize_t n = read(k->fd, k->data + k->len, BUFFER - k->len);
    if (n <= 0)
        bench_die("read from a peer", n == 0 ? "it hung up" : NULL);
    k->len += (size_t)n;
    size_t at = 0;
    size_t answers = 0;
    double t = now();
    for (size_t one; k->flying > 0 && at < k->len; at += one, answers++) {
        one = c->wire->answer(k->data + at, k->len - at);
        if (one == 0)
            break;
        note(c, t - k->sent[k->first++ % DEPTH_MAX]);
        k->flying--;
    }
    memmove(k->data, k->data + at, k->len - at);
    k->len -= at;
    send_more(c, k, answers);
}

static void open_all(struct client *c, size_t count)
{
    for (; c->count < count; c->count++) {
        struct conn *k = &c->conns[c->count];
        *k = (struct conn){.fd = c->wire->connect(c->wire->where),
                           .data = malloc(BUFFER)};
        if (k->data == NULL)
            bench_die("memory", NULL);
    }
}

static void close_all(struct client *c)
{
    for (size_t i = 0; i < c->count; i++) {
        close(c->conns[i].fd);
        free(c->conns[i].data);
    }
    free(c->requests);
    free(c->took);
}

/* Until all that is under way was answered. */
static void serve(struct client *c)
{
    struct pollfd fds[CONNECTIONS_MAX];
    size_t flying = 1;
    for (size_t i = 0; i < c->count; i++)
        fds[i] = (struct pollfd){.fd = c->conns[i].fd, .events = POLLIN};
    while (flying > 0) {
        flying = 0;
        if (poll(fds, c->count, 30000) <= 0)
            bench_die("a peer", "no answer for 30 seconds");
        for (size_t i = 0; i < c->count; i++)
            if (fds[i].revents != 0)
                take(c, &c->conns[i]);
        for (size_t i = 0; i < c->count; i++)
            flying += c->conns[i].flying;
    }
}

void client_race(struct racer *self, struct figure *out)
{
    static _Thread_local struct client c;
    c = (struct client){.wire = self->arg};
    size_t len = c.wire->request_len;
    if (self->connections > CONNECTIONS_MAX || self->depth > DEPTH_MAX)
        bench_die(self->name, "too many connections or too deep");
    c.requests = malloc(self->depth * len);
    for (size_t i = 0; i < self->depth; i++)
        memcpy(c.requests + i * len, c.wire->request, len);
    open_all(&c, self->connections);
    double start = now();
    c.until = start + bench_seconds();
    for (size_t i = 0; i < c.count; i++)
        send_more(&c, &c.conns[i], self->depth);
    serve(&c);
    out->rate = (double)c.done / (now() - start);
    latencies(c.took, c.done, out);
    close_all(&c);
}

void client_once(const struct wire *w, const void *request, size_t len)
{
    static uint8_t data[BUFFER];
    size_t have = 0;
    int fd = w->connect(w->where);
    write_all(fd, request, len);
    while (w->answer(data, have) == 0) {
        ssize_t n = read(fd, data + have, sizeof(data) - have);
        if (n <= 0)
            bench_die("read from a peer", n == 0 ? "it hung up" : NULL);
        have += (size_t)n;
    }
    close(fd);
}
