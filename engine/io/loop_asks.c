/* What other threads ask: calls and reads, to be served at the socket, services
 * and who watches. It waits in the inbox until somebody takes a step. */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/happened.h"
#include "io/http.h"
#include "io/loop_inside.h"
#include "io/server.h"
#include "io/services.h"

/* ---- messages ---- */

/* True: nobody was told to come for what is in the inbox. */
static bool put(struct loop *loop, const struct message *message, bool later)
{
    pthread_mutex_lock(&loop->mutex);
    struct inbox *in = &loop->inbox;
    in->messages =
        mem_array_grow(in->messages, in->count, &in->cap, sizeof(*message));
    in->messages[in->count++] = *message;
    bool is_first = !loop->is_told;
    loop->is_told |= !later;
    pthread_mutex_unlock(&loop->mutex);
    return is_first;
}

void loop_work(void *ctx)
{
    struct loop *loop = ctx;
    if (!loop_step_here(loop))
        loop_wake(loop);
}

static void post(struct loop *loop, const struct message *message)
{
    if (put(loop, message, false))
        loop_wake(loop);
}

void loop_ask(struct loop *loop, struct loop_request *request, enum asker asker)
{
    struct message message = {
        .kind = MESSAGE_ASK,
        .number = request->number,
        .request = request,
    };
    bool is_first = put(loop, &message, asker == ASKER_GATHERS);
    if (is_first && asker == ASKER_WAITS)
        loop_work(loop);
    else if (is_first && asker == ASKER_POLLS)
        loop_wake(loop);
}

void loop_cancel(struct loop *loop, uint64_t number)
{
    post(loop, &(struct message){.kind = MESSAGE_CANCEL, .number = number});
}

void loop_grant(struct loop *loop, uint64_t number, uint32_t chunks)
{
    post(loop, &(struct message){
                   .kind = MESSAGE_GRANT,
                   .number = number,
                   .chunks = chunks,
               });
}

static struct bytes number_key(const uint64_t *number)
{
    return bytes_of(number, sizeof(*number));
}

void loop_forget(struct loop *loop, const struct loop_request *request)
{
    map_delete_pointer(&loop->requests, number_key(&request->number));
}

/* ---- serving ---- */

static void caller_refused(void *ctx, const struct err *why)
{
    const struct loop *loop = ctx;
    happened_refused(loop->watcher, why);
}

static int start_listening(struct loop *loop, int fd, struct err *err)
{
    struct server_options options = {
        .uv = &loop->uv,
        .node = loop->node,
        .folder = loop->path,
        .fd = fd,
        .callers = loop->callers,
        .turn = loop_begin_turn,
        .refused = caller_refused,
        .ctx = loop,
    };
    if (loop->stopping)
        return err_set(err, ATE_ECANCELED,
                       "listen: the data folder is being closed");
    if (loop->server != NULL)
        return 0;
    int rc = server_open(&loop->server, &options, err);
    if (rc == 0)
        node_work(loop->node);
    return rc;
}

static void tell(struct loop *loop, struct listening *listening,
                 const struct err *err)
{
    pthread_mutex_lock(&loop->mutex);
    listening->err = *err;
    listening->done = true;
    pthread_cond_broadcast(&loop->told);
    pthread_mutex_unlock(&loop->mutex);
}

/* Have the loop's thread do it, and wait until it has. */
static void have_done(struct loop *loop, enum message_kind kind,
                      struct listening *listening)
{
    post(loop, &(struct message){.kind = kind, .listening = listening});
    pthread_mutex_lock(&loop->mutex);
    while (!listening->done)
        pthread_cond_wait(&loop->told, &loop->mutex);
    pthread_mutex_unlock(&loop->mutex);
}

static void listen_for(struct loop *loop, struct listening *listening)
{
    struct err err = {0};
    bool had = loop->server != NULL;
    int rc = start_listening(loop, listening->fd, &err);
    if (listening->fd >= 0 && (rc != 0 || had))
        close(listening->fd);
    tell(loop, listening, &err);
}

int loop_listen(struct loop *loop, int fd, struct err *err)
{
    struct listening listening = {.fd = fd};
    const struct loop_options *o = &loop->options;
    if (loop->memory != NULL || o->read_only || o->folder) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ATE_EINVALID,
                       "listen: only what is open for writing is served");
    }
    have_done(loop, MESSAGE_LISTEN, &listening);
    if (listening.err.code != 0)
        *err = listening.err;
    return listening.err.code;
}

static bool is_shared(const struct loop *loop)
{
    return loop->options.read_only || loop->options.folder;
}

uint64_t loop_generation(const struct loop *loop)
{
    return is_shared(loop) ? 0 : node_generation(loop->node);
}

uint64_t loop_schema_generation(const struct loop *loop)
{
    return is_shared(loop) ? 0 : node_schema_generation(loop->node);
}

void loop_callers(struct loop *loop, uint32_t most)
{
    struct listening listening = {.fd = -1, .callers = most};
    have_done(loop, MESSAGE_CALLERS, &listening);
}

static void take_callers(struct loop *loop, struct listening *listening)
{
    struct err none = {0};
    loop->callers = listening->callers;
    if (loop->server != NULL)
        server_callers(loop->server, loop->callers);
    tell(loop, listening, &none);
}

/* ---- what happens ---- */

void loop_watch(struct loop *loop, struct port *port)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    s->port = port;
    post(loop, &(struct message){.kind = MESSAGE_WATCH, .serving = s});
}

void loop_watch_by(struct loop *loop, struct port *port)
{
    happened_end(loop->watcher);
    loop->watcher = port;
}

/* ---- services ---- */

static void serving_free(struct serving *s)
{
    mem_free(s->name);
    buf_deinit(&s->answer);
    mem_free(s);
}

static int may_serve(const struct loop *loop, struct err *err)
{
    if (!loop->options.read_only && !loop->options.folder)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "services: workers work only where the data folder is open "
                   "for writing");
}

int loop_provide(struct loop *loop, const char *name, struct port *port,
                 struct err *err)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    if (may_serve(loop, err) != 0) {
        mem_free(s);
        return err->code;
    }
    s->name = mem_text(name);
    s->port = port;
    post(loop, &(struct message){.kind = MESSAGE_SERVE, .serving = s});
    return 0;
}

int loop_serve_http(struct loop *loop, struct http *http, struct err *err)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    if (may_serve(loop, err) != 0) {
        mem_free(s);
        return err->code;
    }
    http_set_wake(http, loop_wake, loop);
    s->http = http;
    post(loop, &(struct message){.kind = MESSAGE_SERVE, .serving = s});
    return 0;
}

void loop_reply(struct loop *loop, uint64_t number,
                const struct service_reply *reply)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    s->code = reply->code;
    if (reply->code != 0)
        s->err = *reply->err;
    buf_put_bytes(&s->answer, reply->answer);
    post(loop, &(struct message){
                   .kind = MESSAGE_REPLY,
                   .number = number,
                   .serving = s,
               });
}

static void take_service(struct loop *loop, const struct message *message)
{
    struct serving *s = message->serving;
    if (message->kind == MESSAGE_REPLY) {
        struct service_reply reply = {
            .code = s->code,
            .err = &s->err,
            .answer = buf_bytes(&s->answer),
        };
        service_hub_reply(loop->hub, message->number, &reply);
    } else if (message->kind == MESSAGE_WATCH) {
        loop_watch_by(loop, s->port);
    } else if (s->http != NULL) {
        service_hub_serve_http(loop->hub, s->http);
    } else {
        service_hub_serve(loop->hub, s->name, s->port);
    }
    serving_free(s);
}

/* ---- taking messages ---- */

/* It came while the node stops. */
static void refuse(struct node_request *request)
{
    struct err err;
    err_set(&err, ATE_ECANCELED, "%.*s: the data folder is being closed",
            (int)request->method.len, (const char *)request->method.data);
    request->final(request, err.code, &err, bytes_of(NULL, 0));
}

static void take(struct loop *loop, const struct message *message)
{
    if (message->kind == MESSAGE_ASK && loop->stopping) {
        refuse(&message->request->request);
        return;
    }
    if (message->kind == MESSAGE_LISTEN) {
        listen_for(loop, message->listening);
        return;
    }
    if (message->kind == MESSAGE_CALLERS) {
        take_callers(loop, message->listening);
        return;
    }
    if (message->serving != NULL) {
        take_service(loop, message);
        return;
    }
    if (message->kind == MESSAGE_ASK) {
        map_put_pointer(&loop->requests, number_key(&message->number),
                        message->request);
        node_ask(loop->node, &message->request->request);
        return;
    }
    struct loop_request *request =
        map_get_pointer(&loop->requests, number_key(&message->number));
    if (request == NULL)
        return;
    if (message->kind == MESSAGE_CANCEL)
        node_cancel(loop->node, &request->request);
    else
        node_grant(loop->node, &request->request, message->chunks);
}

bool loop_take_messages(struct loop *loop)
{
    struct inbox taken = loop->working;
    pthread_mutex_lock(&loop->mutex);
    loop->working = loop->inbox;
    loop->inbox = taken;
    loop->inbox.count = 0;
    loop->is_told = false;
    bool closing = loop->closing;
    pthread_mutex_unlock(&loop->mutex);
    for (size_t i = 0; i < loop->working.count; i++)
        take(loop, &loop->working.messages[i]);
    return closing;
}
