/* Requests on a chain that is open: calls of methods, and queries. */
#include <assert.h>
#include <string.h>

#include "acceptance/context.h"
#include "acceptance/engine_methods.h"
#include "base/hex.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "node/inside.h"
#include "schema/fields.h"
#include "state/roots.h"

/* ---- queries ---- */

static void query_told(void *ctx, struct bytes value)
{
    struct asked *a = ctx;
    a->request->chunk(a->request, value);
}

/* The node knows where the folder is, the chain does not. */
static void add_folder(struct asked *a, struct bytes info, struct buf *out)
{
    struct node *node = a->node;
    struct mapping m = {0};
    struct buf path = {0};
    struct buf more = {0};
    if (node->env.path != NULL)
        buf_put_text(&path, node->env.path);
    if (!node->env.folder) {
        char folder[LOG_PATH_MAX];
        log_folder(folder, a->hosted->id);
        buf_printf(&path, "%s%s", path.len > 0 ? "/" : "", folder);
    }
    mapping_str(&m, "folder", buf_bytes(&path));
    mapping_put(&m, &more);
    fields_merge(out, info, buf_bytes(&more));
    buf_deinit(&path);
    buf_deinit(&more);
}

static void query_ended(void *ctx, int code, const struct err *err,
                        struct bytes result)
{
    struct asked *a = ctx;
    struct buf whole = {0};
    a->query = NULL;
    if (code == ATE_ECANCELED && a->why != NULL) {
        asked_fail(a, a->why);
        return;
    }
    if (code != 0 && a->is_put_otherwise) {
        struct err why = *err;
        err_at_none(&why);
        asked_fail(a, &why);
        return;
    }
    if (code == 0 && bytes_equal(a->request->method, bytes_of_text("info"))) {
        add_folder(a, result, &whole);
        result = buf_bytes(&whole);
    }
    asked_end(a, code, err, result);
    buf_deinit(&whole);
}

/* Default methods read none of it. */
static int check_context(const struct asked *a, const struct method *m,
                         struct err *err)
{
    struct door door;
    struct buf unused = {0};
    chain_door(a->hosted->chain, &door);
    int rc = context_take(&door, m, buf_bytes(&a->context), TAKE_WHOLE, &unused,
                          err);
    buf_deinit(&unused);
    return rc;
}

/* `caller` NULL: methods are not run. */
static void start_query(struct asked *a, struct bytes method, struct bytes args,
                        const uint8_t *caller)
{
    uint32_t credit = a->request->credit;
    a->is_put_otherwise = !bytes_equal(method, a->request->method);
    ring_add(&a->hosted->reads, &a->ring);
    a->query = query_start(a->hosted->chain, method, args,
                           credit != 0 ? credit : NODE_CREDIT, query_told,
                           query_ended, a);
    query_share_turns(a->query, &a->node->line);
    if (caller != NULL) {
        query_set_caller(a->query, caller);
        query_set_context(a->query, buf_bytes(&a->context));
    }
    query_run(a->query);
}

static void cancel_query(struct asked *a)
{
    if (!a->canceled && a->why == NULL) {
        a->why = mem_zero(1, sizeof(*a->why));
        err_set(a->why, ATE_ECANCELED, "%.*s: the data folder is being closed",
                (int)a->request->method.len,
                (const char *)a->request->method.data);
    }
    query_cancel(a->query);
}

static void serve_query(struct asked *a, bool grew)
{
    if (asked_is_canceled(a))
        cancel_query(a);
    else if (!a->wants_run && !query_is_stalled(a->query) &&
             !(grew && query_follows(a->query)))
        return;
    a->wants_run = false;
    query_run(a->query);
}

void serve_reads(struct hosted *h, bool grew)
{
    struct node *node = h->node;
    struct ring *next;
    for (struct ring *r = h->reads.after; r != &h->reads; r = next) {
        next = r->after;
        serve_query(ring_entry(r, struct asked, ring), grew);
    }
    size_t follows = 0;
    for (struct ring *r = h->reads.after; r != &h->reads; r = r->after)
        follows += query_follows(ring_entry(r, struct asked, ring)->query);
    if (node->follows == 0 && follows > 0)
        node->poll_us = node->steady_us + (int64_t)NODE_POLL_MS * 1000;
    node->follows += follows - h->follows;
    h->follows = follows;
}

static void run_query(struct asked *a)
{
    start_query(a, a->request->method, buf_bytes(&a->args), NULL);
}

static void run_verify(struct asked *a)
{
    verify_start(a, a->hosted->id);
}

static void run_call(struct asked *a);

typedef void run_read(struct asked *a);

/* Reads that are more than a query, or none. */
static const struct read {
    const char *name;
    run_read *run;
} reads[] = {
    {"call", run_call},
    {"trying", working_list},
    {"verify", run_verify},
};
enum { READS = sizeof(reads) / sizeof(reads[0]) };

/* NULL: there is no such read. */
static run_read *run_of(struct bytes name)
{
    for (size_t i = 0; i < READS; i++)
        if (bytes_equal(name, bytes_of_text(reads[i].name)))
            return reads[i].run;
    return query_is(name) ? run_query : NULL;
}

static void no_read(struct asked *a)
{
    struct bytes method = a->request->method;
    const char *names[READS + QUERIES_MAX];
    size_t count = query_names(names);
    struct err err;
    for (size_t i = 0; i < READS; i++)
        names[count++] = reads[i].name;
    err_set(&err, ATE_ENOT_FOUND, "no read '%.*s'", (int)method.len,
            (const char *)method.data);
    near_tell(&err, method, names, count, "; methods are called");
    asked_fail(a, &err);
}

static void serve_read(struct asked *a)
{
    struct err err;
    run_read *run = run_of(a->request->method);
    if (run == NULL)
        no_read(a);
    else if (run != run_call && asked_takes_no_context(a, &err) != 0)
        asked_fail(a, &err);
    else
        run(a);
}

/* ---- calls ---- */

static void put_write(const struct asked *a, struct buf *out)
{
    const struct chain_call *call = &a->call;
    struct mapping m = {0};
    struct buf *result = mapping_key(&m, "result");
    if (call->result.len > 0)
        buf_put_bytes(result, buf_bytes(&call->result));
    else
        mp_put_nil(result);
    mapping_uint(&m, "gas", call->gas);
    if (call->proposal.len > 0) {
        struct buf text = {0};
        const struct core *core = chain_core(a->hosted->chain);
        proposal_put(&text, core->id, core->genesis.name,
                     buf_bytes(&call->proposal));
        mapping_str(&m, "proposal", buf_bytes(&text));
        mapping_hex(&m, "tx", bytes_of(call->tx_id, TX_ID_SIZE));
        buf_deinit(&text);
    }
    if (call->wrote) {
        mapping_int(&m, "durable_us", a->node->steady_us - a->asked_us);
        mapping_uint(&m, "index", call->index);
        mapping_base64(&m, "receipt", buf_bytes(&call->receipt));
        mapping_hex(&m, "root", bytes_of(call->root, HASH_SIZE));
        mapping_hex(&m, "tx", bytes_of(call->tx_id, TX_ID_SIZE));
    }
    mapping_put(&m, out);
}

static const struct method *method_of(const struct asked *a)
{
    const struct method *m =
        schema_method(chain_core(a->hosted->chain)->schema, a->request->method);
    return m != NULL ? m : engine_method(a->request->method);
}

static void call_done(struct chain_call *call)
{
    struct asked *a = call->owner;
    struct buf out = {0};
    if (call->wrote)
        hosted_committed(a->hosted);
    if (call->code != 0) {
        asked_fail(a, &call->err);
        return;
    }
    if (a->writes)
        put_write(a, &out);
    else
        buf_put_bytes(&out, buf_bytes(&call->result));
    asked_end(a, 0, &call->err, buf_bytes(&out));
    buf_deinit(&out);
}

/* The key that signs, or whoever reads without one. NULL: the request was
 * ended.
 */
static const struct key_pair *author_of(struct asked *a)
{
    struct node *node = a->node;
    struct bytes name = asked_key(a);
    const struct key_entry *entry = NULL;
    struct err err;
    bool is_me = bytes_equal(name, bytes_of_text(KEY_NAME_ME));
    int rc = keys_entry(&node->keys, name, &entry, &err);
    if (rc == 0 && (a->writes || entry->is_public))
        rc = keys_may_sign(&node->keys, entry, &err);
    if (rc == 0)
        return &entry->pair;
    if (rc == ATE_ENOT_FOUND && is_me && (!a->writes || node->read_only))
        return &node->nobody;
    if (rc == ATE_ENOT_FOUND && is_me)
        node_may_make_me(node, &err); /* there is a chain, so it may not */
    asked_fail(a, &err);
    return NULL;
}

/* Without it nothing is written; that it is here, and must not sign, is worth
 * more than that it does not order. */
static int check_order_key(struct asked *a, const struct method *m,
                           struct err *err)
{
    const struct keys *keys = &a->node->keys;
    struct term term;
    if (m == NULL || m->mode != METHOD_WRITE || a->request->propose ||
        m->by_default == DEFAULT_ORDER || keys->exposed_count == 0)
        return 0;
    term_get(chain_version(a->hosted->chain), &term);
    const struct key_entry *entry = keys_by_id(keys, term.id);
    if (entry == NULL || !entry->is_exposed)
        return 0;
    return keys_may_sign(keys, entry, err);
}

static void serve_default_read(struct asked *a, const struct method *m)
{
    const char *query = NULL;
    struct buf args = {0};
    struct err err;
    if (check_context(a, m, &err) == 0 &&
        default_read(chain_core(a->hosted->chain), m, buf_bytes(&a->args),
                     &query, &args, &err) == 0)
        start_query(a, bytes_of_text(query), buf_bytes(&args), NULL);
    else
        asked_fail(a, &err);
    buf_deinit(&args);
}

/* A default method that is read with call {method, args}: what it stands for,
 * with follow and from. */
static int default_read_of_call(struct asked *a, const struct method *m,
                                const char **query, struct buf *out,
                                struct err *err)
{
    static const char *const kept[] = {"follow", "from"};
    struct bytes args = buf_bytes(&a->args);
    struct mapping more = {0};
    struct buf more_args = {0};
    struct buf own = {0};
    int rc = default_read(chain_core(a->hosted->chain), m,
                          mp_map_get(args, "args"), query, &own, err);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
        struct bytes value = mp_map_get(args, kept[i]);
        if (value.data != NULL)
            buf_put_bytes(mapping_key(&more, kept[i]), value);
    }
    mapping_put(&more, &more_args);
    if (rc == 0)
        fields_merge(out, buf_bytes(&own), buf_bytes(&more_args));
    buf_deinit(&own);
    buf_deinit(&more_args);
    return rc == 0 ? 0 : err_at(err, "args");
}

static const struct method *method_that_is_read(const struct asked *a)
{
    struct bytes name;
    struct mp mp;
    if (a->args.len == 0)
        return NULL;
    mp = mp_open(mp_map_get(buf_bytes(&a->args), "method"));
    if (mp_get_str(&mp, &name, NULL) != 0)
        return NULL;
    return schema_method(chain_core(a->hosted->chain)->schema, name);
}

/* Whom a method is run for. False: the request was ended. */
static bool take_reader(struct asked *a)
{
    struct door door = {.names = &a->node->door_names};
    const struct key_pair *author = author_of(a);
    struct err err;
    if (author == NULL)
        return false;
    memcpy(a->caller, author->id, KEY_ID_SIZE);
    if (a->request->act_for.len == 0 ||
        door_get_identity(&door, a->request->act_for, a->caller, &err) == 0)
        return true;
    asked_fail(a, &err);
    return false;
}

static void run_call(struct asked *a)
{
    const struct method *m = method_that_is_read(a);
    const char *query = "call";
    struct buf args = {0};
    struct err err;
    if (m != NULL && m->mode == METHOD_READ && m->by_default != DEFAULT_NONE) {
        if (check_context(a, m, &err) == 0 &&
            default_read_of_call(a, m, &query, &args, &err) == 0)
            start_query(a, bytes_of_text(query), buf_bytes(&args), NULL);
        else
            asked_fail(a, &err);
    } else if (take_reader(a)) {
        start_query(a, bytes_of_text(query), buf_bytes(&a->args), a->caller);
    }
    buf_deinit(&args);
}

static int add_signer(struct asked *a, struct bytes name, const char *purpose,
                      struct err *err)
{
    const struct keys *keys = &a->node->keys;
    const struct key_entry *entry;
    int rc = keys_entry(keys, name, &entry, err);
    bool is_absent = rc == 0 && entry->is_public && a->request->propose;
    if (rc == 0 && !is_absent)
        rc = keys_may_sign(keys, entry, err);
    if (rc != 0)
        return rc;
    if (a->signer_count == LIMIT_TX_SIGNATURES)
        return err_set(err, ATE_ELIMIT, "at most %d keys sign with it",
                       LIMIT_TX_SIGNATURES);
    a->signers =
        mem_resize(a->signers, (a->signer_count + 1) * sizeof(*a->signers));
    a->signers[a->signer_count++] = (struct signer){
        .pair = &entry->pair,
        .purpose = bytes_of_text(purpose),
        .is_absent = is_absent,
    };
    return 0;
}

/* "alice,bob" */
static int add_signers(struct asked *a, struct bytes names, const char *purpose,
                       struct err *err)
{
    int rc = 0;
    while (names.len > 0 && rc == 0) {
        const uint8_t *comma = memchr(names.data, ',', names.len);
        size_t len = comma != NULL ? (size_t)(comma - names.data) : names.len;
        rc = add_signer(a, bytes_of(names.data, len), purpose, err);
        size_t used = comma != NULL ? len + 1 : len;
        names = bytes_of(names.data + used, names.len - used);
    }
    return rc;
}

/* A method of `runs = 'server'` is signed by the node, acting for the caller,
 * who signs, too, where the node has the key. */
static int take_sides(struct asked *a, const struct method *m,
                      const struct key_pair **author, struct err *err)
{
    const struct node_request *r = a->request;
    struct door door = {.names = &a->node->door_names};
    int rc = 0;
    a->signer_count = 0;
    a->call.caller = NULL;
    if (r->act_for.len > 0) {
        rc = door_get_identity(&door, r->act_for, a->caller, err);
        a->call.caller = a->caller;
    } else if (m != NULL && a->writes && m->runs == RUNS_SERVER) {
        memcpy(a->caller, (*author)->id, KEY_ID_SIZE);
        a->call.caller = a->caller;
        rc = add_signer(a, asked_key(a), PURPOSE_CO_AUTHOR, err);
        if (rc == 0)
            rc = keys_find(&a->node->keys, bytes_of_text(KEY_NAME_NODE), author,
                           err);
    }
    if (rc == 0)
        rc = add_signers(a, r->with, PURPOSE_CO_AUTHOR, err);
    if (rc == 0)
        rc = add_signers(a, r->roots, PURPOSE_ROOT, err);
    return rc;
}

/* False: who asks only reads, and was told. */
static bool may_write(struct asked *a)
{
    struct err err;
    a->writes = true;
    if (!a->request->read_only)
        return true;
    err_set(&err, ATE_EUNAVAILABLE, "%.*s: the chain is open for reading only",
            (int)a->request->method.len, (const char *)a->request->method.data);
    asked_fail(a, &err);
    return false;
}

/* What changes a chain, or its folder, without being a method of its schema. */
static const struct own_write {
    const char *name;
    void (*run)(struct asked *a);
} own_writes[] = {
    {"ate.put", serve_put},
    {"ate.submit", serve_submit},
    {"ate.workers", working_ask},
};

static const struct own_write *find_own_write(struct bytes name)
{
    for (size_t i = 0; i < sizeof(own_writes) / sizeof(own_writes[0]); i++)
        if (bytes_equal(name, bytes_of_text(own_writes[i].name)))
            return &own_writes[i];
    return NULL;
}

static void serve_call(struct asked *a)
{
    const struct method *m = method_of(a);
    struct err err;
    const struct own_write *own = find_own_write(a->request->method);
    if (own != NULL && asked_takes_no_context(a, &err) != 0) {
        asked_fail(a, &err);
        return;
    }
    if (own != NULL) {
        if (may_write(a))
            own->run(a);
        return;
    }
    if (m != NULL && m->mode == METHOD_READ && m->by_default != DEFAULT_NONE) {
        serve_default_read(a, m);
        return;
    }
    if (m != NULL && m->mode == METHOD_WRITE && !may_write(a))
        return;
    const struct key_pair *author = author_of(a);
    if (author == NULL)
        return;
    a->call = (struct chain_call){0};
    int rc = check_order_key(a, m, &err);
    if (rc == 0)
        rc = take_sides(a, m, &author, &err);
    if (rc != 0) {
        asked_fail(a, &err);
        return;
    }
    a->call.method = a->request->method;
    a->call.args = buf_bytes(&a->args);
    a->call.context = buf_bytes(&a->context);
    a->call.author = author;
    a->call.signers = a->signers;
    a->call.signer_count = a->signer_count;
    a->call.proposes = a->request->propose;
    a->call.done = call_done;
    a->call.owner = a;
    memcpy(a->call.call_id, a->request->call_id, CALL_ID_SIZE);
    chain_call(a->hosted->chain, &a->call);
}

static bool tells_of_damage(const struct asked *a)
{
    if (a->request->kind != REQUEST_READ)
        return false;
    struct bytes method = a->request->method;
    return query_is_of_damaged(method) || run_of(method) == run_verify;
}

void serve(struct asked *a)
{
    const struct err *why = NULL;
    const struct chain *chain = a->hosted->chain;
    int code = chain_state(chain, &why);
    bool cut = code == ATE_ECORRUPT || chain_log(chain)->state == LOG_REFUSED;
    if (code != 0 && cut && !tells_of_damage(a)) {
        struct err err = *why;
        asked_name_chain(a, &err);
        asked_fail(a, &err);
        return;
    }
    if (a->request->kind == REQUEST_READ)
        serve_read(a);
    else
        serve_call(a);
}
