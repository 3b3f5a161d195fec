/* (1) `request` is the requester's until that is told how it ended. Where a
 *     deadline passed before the work did, it is a copy of the asked's own that
 *     tells nobody, and what is under way goes on with it.
 * (2) An asked with a deadline to come is in node->timed, and none there is due
 *     before node->timed_us, which may be earlier than all of them. */
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "node/inside.h"

enum { US_PER_MS = 1000 };

/* A map, or nothing; `what` names it in texts. */
static int take_map(struct bytes map, size_t max, const char *what,
                    struct buf *out, struct err *err)
{
    enum mp_kind kind = MP_NIL;
    if (map.len == 0)
        return 0;
    if (map.len > max)
        return err_set(err, ATE_ELIMIT, "%s: at most %zu bytes, here %zu", what,
                       max, map.len);
    int rc = mp_canonical(out, map, err);
    if (rc != 0)
        return err_wrap(err, "%s", what);
    struct mp mp = mp_open(buf_bytes(out));
    mp_peek(&mp, &kind, NULL);
    if (kind == MP_NIL)
        buf_clear(out);
    else if (kind != MP_MAP)
        return err_set(err, ATE_EINVALID, "%s: want a map", what);
    return 0;
}

static int take_maps(struct asked *a, struct err *err)
{
    const struct node_request *r = a->request;
    int rc = take_map(r->args, LIMIT_ARGS, "arguments", &a->args, err);
    if (rc == 0)
        rc = take_map(r->context, LIMIT_CONTEXT, "context", &a->context, err);
    if (rc == 0 && r->of_node)
        rc = asked_takes_no_context(a, err);
    return rc;
}

int asked_takes_no_context(const struct asked *a, struct err *err)
{
    if (a->context.len == 0)
        return 0;
    return err_set(
        err, ATE_EINVALID, "context: %.*s takes none; methods of a schema do",
        (int)a->request->method.len, (const char *)a->request->method.data);
}

/* Invariant (2). */
static void set_deadline(struct asked *a)
{
    struct node *node = a->node;
    a->deadline_us = INT64_MAX;
    if (a->request->deadline_ms == 0)
        return;
    a->deadline_us =
        node->steady_us + (int64_t)a->request->deadline_ms * US_PER_MS;
    ring_add(&node->timed, &a->timed);
    if (a->deadline_us < node->timed_us)
        node->timed_us = a->deadline_us;
}

struct asked *asked_new(struct node *node, struct node_request *request)
{
    struct asked *a = mem_zero(1, sizeof(*a));
    struct err err;
    a->node = node;
    a->request = request;
    a->asked_us = node->steady_us;
    ring_init(&a->ring);
    ring_init(&a->timed);
    request->asked = a;
    node->asked_count++;
    set_deadline(a);
    if (take_maps(a, &err) == 0)
        return a;
    asked_fail(a, &err);
    return NULL;
}

void asked_end(struct asked *a, int code, const struct err *err,
               struct bytes result)
{
    struct node_request *request = a->request;
    struct hosted *h = a->hosted;
    assert(a->query == NULL && a->verifying == NULL);
    ring_remove(&a->ring);
    ring_remove(&a->timed);
    if (a->started) {
        assert(h->users > 0);
        h->users--;
        hosted_touch(h);
    }
    assert(a->node->asked_count > 0);
    a->node->asked_count--;
    request->asked = NULL;
    request->final(request, code, err, result);
    buf_deinit(&a->args);
    buf_deinit(&a->putting.room);
    buf_deinit(&a->context);
    buf_deinit(&a->call.result);
    buf_deinit(&a->call.receipt);
    buf_deinit(&a->call.proposal);
    chain_submit_deinit(&a->submit);
    proposal_deinit(&a->proposal);
    working_run_free(a->run);
    mem_free(a->signers);
    mem_free(a->why);
    mem_free(a->own);
    mem_free(a);
}

void asked_fail(struct asked *a, const struct err *err)
{
    struct err copy = *err; /* it may be the asked's own */
    asked_end(a, copy.code, &copy, bytes_of(NULL, 0));
}

void asked_cancel(struct asked *a)
{
    struct err err;
    err_set(&err, ATE_ECANCELED, "%.*s: canceled", (int)a->request->method.len,
            (const char *)a->request->method.data);
    err_reason(&err, "by_asker");
    asked_fail(a, &err);
}

/* ---- deadlines ---- */

static void no_chunk(struct node_request *request, struct bytes value)
{
    (void)request;
    (void)value;
}

static void no_final(struct node_request *request, int code,
                     const struct err *err, struct bytes result)
{
    (void)request;
    (void)code;
    (void)err;
    (void)result;
}

/* Move a text behind the copy that it belongs to. */
static void keep(uint8_t **at, struct bytes *text)
{
    if (text->len > 0)
        memcpy(*at, text->data, text->len);
    text->data = *at;
    *at += text->len;
}

/* A copy that tells nobody; arguments and context are in the asked already. */
static struct node_request *copy_of(const struct node_request *request)
{
    struct node_request *own =
        mem_alloc(sizeof(*own) + request->chain.len + request->method.len +
                  request->as.len + request->act_for.len + request->with.len +
                  request->roots.len);
    uint8_t *at = (uint8_t *)(own + 1);
    *own = *request;
    own->args = bytes_of(NULL, 0);
    own->context = bytes_of(NULL, 0);
    keep(&at, &own->chain);
    keep(&at, &own->method);
    keep(&at, &own->as);
    keep(&at, &own->act_for);
    keep(&at, &own->with);
    keep(&at, &own->roots);
    own->chunk = no_chunk;
    own->final = no_final;
    return own;
}

/* What has begun cannot be undone, so whoever asked has to look. */
static void say_expired(const struct asked *a, struct err *err)
{
    const struct node_request *r = a->request;
    struct buf id = {0};
    bool is_unknown = r->of_node || (a->started && a->writes);
    err_set(err, ATE_ECANCELED, "%.*s: the deadline of %lu ms passed%s",
            (int)r->method.len, (const char *)r->method.data,
            (unsigned long)r->deadline_ms,
            is_unknown ? "; whether it was done is not known" : "");
    if (!is_unknown || r->of_node)
        return;
    hex_put(&id, bytes_of(r->call_id, NODE_CALL_ID));
    err_set(err, ATE_ECANCELED,
            "%.*s: the deadline of %lu ms passed; whether it was written is "
            "not known: asked again with the call id %s it answers",
            (int)r->method.len, (const char *)r->method.data,
            (unsigned long)r->deadline_ms, buf_text(&id));
    buf_deinit(&id);
}

/* Invariant (1). */
static void expire(struct asked *a)
{
    struct node_request *request = a->request;
    struct err err;
    say_expired(a, &err);
    a->own = copy_of(request);
    a->request = a->own;
    a->call.method = a->own->method;
    a->deadline_us = INT64_MAX;
    a->canceled = true;
    ring_remove(&a->timed);
    if (a->hosted != NULL)
        hosted_touch(a->hosted);
    request->asked = NULL;
    request->final(request, err.code, &err, bytes_of(NULL, 0));
}

void asked_expire(struct node *node)
{
    struct ring due;
    struct ring *r;
    if (node->timed_us > node->steady_us)
        return;
    ring_init(&due);
    node->timed_us = INT64_MAX;
    for (r = node->timed.after; r != &node->timed;) {
        struct asked *a = ring_entry(r, struct asked, timed);
        r = r->after;
        if (a->deadline_us <= node->steady_us)
            ring_add(&due, &a->timed);
        else if (a->deadline_us < node->timed_us)
            node->timed_us = a->deadline_us;
    }
    while ((r = ring_take(&due)) != NULL)
        expire(ring_entry(r, struct asked, timed));
}

/* ---- what is known of it ---- */

bool asked_is_read_only(const struct asked *a)
{
    return a->node->read_only || a->request->read_only;
}

bool asked_is_canceled(const struct asked *a)
{
    return a->canceled ||
           (a->node->stopping && a->request->kind == REQUEST_READ);
}

struct bytes asked_key(const struct asked *a)
{
    return a->request->as.len > 0 ? a->request->as : bytes_of_text(KEY_NAME_ME);
}

void asked_name_chain(const struct asked *a, struct err *err)
{
    const struct node *node = a->node;
    if (node->env.folder && node->env.path != NULL)
        err_wrap(err, "%s", node->env.path);
    else
        err_wrap(err, "chain %.*s", (int)a->request->chain.len,
                 (const char *)a->request->chain.data);
}
