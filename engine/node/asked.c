#include <assert.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "node/inside.h"

static int take_args(struct asked *a, struct err *err)
{
    struct bytes args = a->request->args;
    enum mp_kind kind = MP_NIL;
    if (args.len == 0)
        return 0;
    if (args.len > LIMIT_ARGS)
        return err_set(err, ATE_ELIMIT,
                       "arguments have at most %d bytes, these %zu", LIMIT_ARGS,
                       args.len);
    int rc = mp_canonical(&a->args, args, err);
    if (rc != 0)
        return err_wrap(err, "arguments");
    struct mp mp = mp_open(buf_bytes(&a->args));
    mp_peek(&mp, &kind, NULL);
    if (kind == MP_NIL)
        buf_clear(&a->args);
    else if (kind != MP_MAP)
        return err_set(err, ATE_EINVALID, "arguments are a map");
    return 0;
}

struct asked *asked_new(struct node *node, struct node_request *request)
{
    struct asked *a = mem_zero(1, sizeof(*a));
    struct err err;
    a->node = node;
    a->request = request;
    a->asked_us = node->steady_us;
    ring_init(&a->ring);
    request->asked = a;
    node->asked_count++;
    if (take_args(a, &err) == 0)
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
    buf_deinit(&a->call.result);
    buf_deinit(&a->call.receipt);
    buf_deinit(&a->call.proposal);
    chain_submit_deinit(&a->submit);
    proposal_deinit(&a->proposal);
    mem_free(a->signers);
    mem_free(a->why);
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
    asked_fail(a, &err);
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
