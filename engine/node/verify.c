/* Checking a chain the way a stranger does: a second chain over the same files,
 * read from the beginning with sandboxes of its own, large bodies too. What it
 * comes to is compared with the chain that is in use, if there is one; either
 * of the two may have read further than the other, so the one that is behind
 * has to be in the other's past. */
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "chain/large_check.h"
#include "node/inside.h"
#include "query/args.h"

struct verifying {
    struct node *node;
    struct asked *asked; /* NULL: canceled */
    struct chain *chain;
    struct logic_maker maker;
    struct chain_deps deps;
    bool skips_rules;
    uint64_t told_bytes;       /* of progress */
    struct large_check *large; /* of its large bodies, after the log */
    uint64_t large_count;
    uint32_t credit;
    bool finished;
    struct err outcome;
    struct ring ring; /* in node->verifying */
};

/* ---- life ---- */

static void finished(void *ctx, int code, const struct err *err)
{
    struct verifying *v = ctx;
    (void)code;
    if (v->large != NULL)
        v->large_count = large_check_count(v->large);
    v->large = NULL;
    v->finished = true;
    v->outcome = *err;
}

/* The log is good; then the bodies that stand beside it. */
static void log_checked(void *ctx, int code, const struct err *err)
{
    struct verifying *v = ctx;
    if (code == 0)
        v->large = large_check_start(v->chain, finished, v);
    if (v->large == NULL)
        finished(v, code, err);
}

/* `no_rules`: true, they are not asked. */
static int take_args(struct verifying *v, const struct asked *a,
                     struct err *err)
{
    static const char *const names[] = {"no_rules", NULL};
    int rc = args_check(buf_bytes(&a->args), names, err);
    if (rc == 0)
        rc = args_bool(buf_bytes(&a->args), "no_rules", &v->skips_rules, err);
    return rc;
}

/* And good, as far as it is known. */
static bool is_in_use(const struct asked *a)
{
    const struct err *why;
    return a->hosted != NULL && a->hosted->state == HOSTED_OPEN &&
           chain_state(a->hosted->chain, &why) == 0;
}

void verify_start(struct asked *a, const uint8_t *id)
{
    struct node *node = a->node;
    struct verifying *v = mem_zero(1, sizeof(*v));
    struct err err;
    char folder[LOG_PATH_MAX] = "";
    int rc = take_args(v, a, &err);
    if (rc == 0)
        rc = node->env.logic_new(node->env.ctx, &v->maker, &err);
    if (rc != 0) {
        mem_free(v);
        asked_fail(a, &err);
        return;
    }
    v->node = node;
    v->asked = a;
    v->deps = node->deps;
    v->deps.logic = &v->maker;
    v->credit = a->request->credit != 0 ? a->request->credit : NODE_CREDIT;
    v->chain = chain_new(&v->deps);
    a->verifying = v;
    ring_init(&v->ring);
    ring_add(&node->verifying, &v->ring);
    if (!node->env.folder)
        log_folder(folder, id);
    chain_check_bodies(v->chain);
    if (v->skips_rules)
        chain_skip_rules(v->chain);
    chain_open(v->chain, folder, node->env.folder ? NULL : id, LOG_READ_ONLY,
               log_checked, v);
    if (is_in_use(a))
        chain_expect(v->chain, a->hosted->chain);
}

void verify_grant(struct verifying *v, uint32_t chunks)
{
    v->credit += chunks;
}

static void verify_free(struct verifying *v)
{
    struct node *node = v->node;
    ring_remove(&v->ring);
    chain_free(v->chain);
    node->env.logic_free(node->env.ctx, &v->maker);
    mem_free(v);
}

/* The requester is told; the chain may go on for a moment. */
static struct asked *detach(struct verifying *v)
{
    struct asked *a = v->asked;
    v->asked = NULL;
    a->verifying = NULL;
    return a;
}

/* ---- progress ---- */

/* Without credit nothing is told: only the newest progress means anything. */
static void tell_progress(struct verifying *v)
{
    uint64_t done = chain_progress(v->chain)->bytes_done;
    uint64_t total = log_opening_size(chain_log(v->chain));
    if (v->large != NULL) {
        total += large_check_total(v->large);
        done += large_check_bytes(v->large);
    }
    if (v->credit == 0 || total == 0 || done == v->told_bytes)
        return;
    struct mapping m = {0};
    struct buf out = {0};
    v->credit--;
    v->told_bytes = done;
    mapping_uint(&m, "done", done);
    mapping_uint(&m, "total", total);
    mapping_put(&m, &out);
    v->asked->request->chunk(v->asked->request, buf_bytes(&out));
    buf_deinit(&out);
}

/* ---- the result ---- */

/* `what` is a whole clause. */
static int differs(const struct verifying *v, const char *what, uint64_t size,
                   struct err *err)
{
    const struct log *log = chain_log(v->chain);
    return err_set(err, ATE_ECORRUPT, "%s at offset %llu, transaction %llu: %s",
                   log->head_path, (unsigned long long)log->end.offset,
                   (unsigned long long)(size > 0 ? size - 1 : 0), what);
}

/* With the chain in use, where that has come as far; and its log has to be that
 * one: chain_expect(). */
static int compare_state(const struct verifying *v, struct err *err)
{
    uint8_t replayed[HASH_SIZE];
    uint8_t in_use[HASH_SIZE];
    uint64_t size = chain_size(v->chain);
    if (v->skips_rules || !is_in_use(v->asked) ||
        chain_size(v->asked->hosted->chain) != size)
        return 0;
    state_root(chain_version(v->chain), replayed);
    state_root(chain_version(v->asked->hosted->chain), in_use);
    if (memcmp(replayed, in_use, HASH_SIZE) == 0)
        return 0;
    return differs(v, "its state root is not that of the chain in use", size,
                   err);
}

/* A folder that is called like an id holds the chain of that id, or somebody
 * was given another one than he was told. */
static int check_folder(const struct verifying *v, struct err *err)
{
    const struct node *node = v->node;
    const uint8_t *id = chain_core(v->chain)->id;
    uint8_t named[CHAIN_ID_SIZE];
    if (!node->env.folder || node->env.path == NULL)
        return 0;
    const char *slash = strrchr(node->env.path, '/');
    const char *name = slash != NULL ? slash + 1 : node->env.path;
    if (strlen(name) != 2 * CHAIN_ID_SIZE ||
        !hex_get(name, 2 * CHAIN_ID_SIZE, named) ||
        memcmp(named, id, CHAIN_ID_SIZE) == 0)
        return 0;
    struct buf text = {0};
    hex_put(&text, bytes_of(id, CHAIN_ID_SIZE));
    int rc = err_set(err, ATE_ECORRUPT,
                     "the folder is named after another chain than the one in "
                     "it, %.*s, whose id is %s",
                     (int)chain_core(v->chain)->genesis.name.len,
                     (const char *)chain_core(v->chain)->genesis.name.data,
                     buf_text(&text));
    buf_deinit(&text);
    return rc;
}

static void put_chain(const struct verifying *v, struct mapping *m)
{
    const struct core *core = chain_core(v->chain);
    const struct schema *s = core->schema;
    mapping_str(m, "name", core->genesis.name);
    mapping_hex(m, "id", bytes_of(core->id, CHAIN_ID_SIZE));
    mapping_text(m, "schema", s->main);
    mapping_int(m, "version", schema_part(s, s->main)->version);
}

/* What stands behind the last heartbeat is signed by its authors alone: who
 * orders could still give it another order, or leave it out. */
static void put_signed(const struct verifying *v, struct mapping *m)
{
    uint64_t last = 0;
    struct bytes time;
    uint64_t size = chain_size(v->chain);
    bool any = state_before(chain_version(v->chain), STATE_BEAT, UINT64_MAX,
                            &last, &time);
    mapping_uint(m, "ordered", any ? last + 1 : 0);
    mapping_uint(m, "behind", any ? size - last - 1 : size - 1);
}

static void put_report(const struct verifying *v, struct buf *out)
{
    const struct chain_progress *progress = chain_progress(v->chain);
    struct mapping m = {0};
    uint8_t root[HASH_SIZE];
    put_chain(v, &m);
    put_signed(v, &m);
    chain_root(v->chain, root);
    mapping_hex(&m, "root", bytes_of(root, HASH_SIZE));
    state_root(chain_version(v->chain), root);
    if (!v->skips_rules)
        mapping_hex(&m, "state", bytes_of(root, HASH_SIZE));
    mapping_uint(&m, "transactions", progress->transactions);
    mapping_uint(&m, "signatures", progress->signatures);
    mapping_uint(&m, "verdicts", progress->verdicts);
    mapping_uint(&m, "events", progress->events);
    mapping_uint(&m, "bodies", progress->bodies + v->large_count);
    mapping_text(&m, "from", "genesis");
    mapping_bool(&m, "rules", !v->skips_rules);
    const struct err *slot = &chain_log(v->chain)->bad_slot;
    if (slot->code != 0)
        mapping_text(&m, "damaged_slot", slot->text);
    if (chain_log(v->chain)->cut > 0)
        mapping_uint(&m, "torn_bytes", chain_log(v->chain)->cut);
    mapping_put(&m, out);
}

static void answer(struct verifying *v)
{
    struct err err = v->outcome;
    struct buf report = {0};
    if (err.code == 0)
        check_folder(v, &err);
    if (err.code == 0)
        compare_state(v, &err);
    if (err.code == 0)
        put_report(v, &report);
    else
        asked_name_chain(v->asked, &err);
    asked_end(detach(v), err.code, &err, buf_bytes(&report));
    buf_deinit(&report);
}

static void settle(struct verifying *v)
{
    if (v->asked != NULL && asked_is_canceled(v->asked)) {
        chain_stop(v->chain);
        if (v->large != NULL)
            large_check_stop(v->large);
        asked_cancel(detach(v));
    }
    if (v->asked != NULL && v->finished)
        answer(v);
    else if (v->asked != NULL)
        tell_progress(v);
    if (v->finished && chain_is_idle(v->chain))
        verify_free(v);
}

void verify_settle_all(struct node *node)
{
    struct ring *next;
    for (struct ring *r = node->verifying.after; r != &node->verifying;
         r = next) {
        next = r->after;
        settle(ring_entry(r, struct verifying, ring));
    }
}
