/* Calls of ate.h and the ports to which their answers go, over io/loop.h or
 * io/remote.h, and io/port.h. A call is one allocation: the request and copies
 * of all it points to. It goes to the engine's thread, or through a socket, and
 * is freed with the final answer. */
#include "ate_inside.h"

#include <assert.h>
#include <sodium.h>
#include <time.h>

#include "base/memory.h"
#include "io/loop.h"
#include "io/port.h"
#include "io/remote.h"

/* ---- ports ---- */

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
    answer->kind = next->is_asked    ? ATE_ANSWER_ASKED
                   : next->is_notice ? ATE_ANSWER_NOTICE
                   : next->is_final  ? ATE_ANSWER_FINAL
                                     : ATE_ANSWER_DATA;
    if (next->err != NULL)
        give_error(&answer->error, next->err);
    answer->value = give_buf(&next->value);
    answer_free(next);
    return 1;
}

/* ---- one call ---- */

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
