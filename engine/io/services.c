/* (1) A request that went to a port is in `asked` by its number until it is
 *     answered or canceled; the numbers are the hub's own.
 * (2) What nobody serves is told in the next service_hub_reap(), as `done` is
 *     not called from within send(). */
#include "io/services.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "io/http.h"
#include "io/port.h"

struct served {
    char *name;
    struct port *port;
    struct served *next;
};

struct sent {
    uint64_t number;
    struct service_request *request;
    bool is_refused; /* invariant (2) */
    struct sent *next;
};

struct service_hub {
    struct services interface;
    struct served *served;
    struct http *http;
    struct sent *asked;
    uint64_t numbers;
    void (*wake)(void *ctx);
    void *ctx;
};

static struct sent *note(struct service_hub *hub,
                         struct service_request *request)
{
    struct sent *sent = mem_zero(1, sizeof(*sent));
    sent->number = ++hub->numbers;
    sent->request = request;
    sent->next = hub->asked;
    hub->asked = sent;
    return sent;
}

/* Out of the list; NULL: there is none like that. */
static struct service_request *take(struct service_hub *hub, uint64_t number,
                                    const struct service_request *request)
{
    for (struct sent **at = &hub->asked; *at != NULL; at = &(*at)->next) {
        struct sent *sent = *at;
        if (sent->number != number && sent->request != request)
            continue;
        struct service_request *found = sent->request;
        *at = sent->next;
        mem_free(sent);
        return found;
    }
    return NULL;
}

static void push(const struct served *served, uint64_t number,
                 const struct service_request *request)
{
    struct mapping m = {0};
    struct buf value = {0};
    mapping_str(&m, "chain", request->chain);
    mapping_hex(&m, "key", bytes_of(request->key, sizeof(request->key)));
    buf_put_bytes(mapping_key(&m, "request"), request->request);
    mapping_str(&m, "service", request->service);
    mapping_str(&m, "worker", request->worker);
    mapping_put(&m, &value);
    struct answer *answer =
        answer_new(number, false, 0, NULL, buf_bytes(&value));
    answer->is_asked = true;
    port_push(served->port, answer);
    buf_deinit(&value);
}

static void send(void *ctx, struct service_request *request)
{
    struct service_hub *hub = ctx;
    for (struct served *s = hub->served; s != NULL; s = s->next) {
        if (!bytes_equal(request->service, bytes_of_text(s->name)))
            continue;
        push(s, note(hub, request)->number, request);
        return;
    }
    if (hub->http != NULL &&
        bytes_equal(request->service, bytes_of_text("http"))) {
        http_send(hub->http, request);
        return;
    }
    note(hub, request)->is_refused = true;
    hub->wake(hub->ctx);
}

static void cancel(void *ctx, struct service_request *request)
{
    struct service_hub *hub = ctx;
    if (take(hub, 0, request) == NULL && hub->http != NULL)
        http_cancel(hub->http, request);
}

struct service_hub *service_hub_new(void (*wake)(void *ctx), void *ctx)
{
    struct service_hub *hub = mem_zero(1, sizeof(*hub));
    hub->interface = (struct services){
        .ctx = hub,
        .send = send,
        .cancel = cancel,
    };
    hub->wake = wake;
    hub->ctx = ctx;
    return hub;
}

void service_hub_free(struct service_hub *hub)
{
    if (hub == NULL)
        return;
    assert(hub->asked == NULL);
    while (hub->served != NULL) {
        struct served *s = hub->served;
        hub->served = s->next;
        port_unref(s->port);
        mem_free(s->name);
        mem_free(s);
    }
    http_close(hub->http);
    mem_free(hub);
}

const struct services *service_hub_interface(struct service_hub *hub)
{
    return &hub->interface;
}

void service_hub_serve(struct service_hub *hub, const char *name,
                       struct port *port)
{
    struct served *s = hub->served;
    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    if (s != NULL) {
        port_unref(s->port);
        s->port = port;
        return;
    }
    s = mem_zero(1, sizeof(*s));
    s->name = mem_text(name);
    s->port = port;
    s->next = hub->served;
    hub->served = s;
}

void service_hub_serve_http(struct service_hub *hub, struct http *http)
{
    http_close(hub->http);
    hub->http = http;
}

void service_hub_reply(struct service_hub *hub, uint64_t number,
                       const struct service_reply *reply)
{
    struct service_request *request = take(hub, number, NULL);
    if (request != NULL)
        request->done(request, reply);
}

static void refuse(struct service_request *request)
{
    struct err err;
    err_set(&err, ATE_EINVALID,
            "no service '%.*s' on this node: http is there when its "
            "configuration names the hosts that may be asked, others when the "
            "program that opened the data folder serves them",
            (int)request->service.len, (const char *)request->service.data);
    struct service_reply reply = {.code = err.code, .err = &err};
    request->done(request, &reply);
}

void service_hub_reap(struct service_hub *hub)
{
    struct sent *sent = hub->asked;
    while (sent != NULL) {
        if (!sent->is_refused) {
            sent = sent->next;
            continue;
        }
        refuse(take(hub, sent->number, NULL));
        sent = hub->asked;
    }
    if (hub->http != NULL)
        http_reap(hub->http);
}
