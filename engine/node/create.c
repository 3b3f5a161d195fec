/* chain.create: keys, then the chain's own files, then its line in the file of
 * names. One at a time, so that no two want one name.
 *
 * A crash between the last two leaves a chain without a line: its files stand
 * by themselves and hold nothing that anybody was told of, until somebody looks
 * into all folders because the file of names was not good. */
#include <assert.h>
#include <string.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "node/inside.h"
#include "query/args.h"
#include "state/roots.h"

enum create_step {
    CREATE_KEYS,  /* two of them */
    CREATE_READY, /* the keys are there */
    CREATE_CHAIN,
    CREATE_MADE,
    CREATE_NAME,
    CREATE_ENDED,
};

struct creating {
    struct node *node;
    struct asked *asked;
    enum create_step step;
    unsigned keys_awaited;
    struct err err; /* code not 0: it failed */
    struct chain *chain;

    /* Arguments, in the asked's. */
    struct bytes name;
    struct bytes bundle;
    struct bytes pipeline[GENESIS_PIPELINE_MAX];
    size_t pipeline_count;
    bool has_version;
    int64_t version;
    struct bytes roots[LIMIT_ROOT_KEYS]; /* names; none: who asks */
    size_t root_count;
    int64_t threshold; /* 0: all of them */
    struct bytes next[LIMIT_ROOT_KEYS];
    size_t next_count;
    int64_t next_threshold;
};

void create_ask(struct asked *a)
{
    ring_add(&a->node->creates, &a->ring);
}

/* Stays 0 where none is given: then all have to agree. */
static int take_threshold(struct bytes args, const char *name, int64_t *value,
                          struct err *err)
{
    bool there;
    int rc = args_int(args, name, &there, value, err);
    if (rc == 0 && there && *value < 1) {
        rc = err_set(err, ATE_EINVALID, "'%s' is at least 1, got %lld", name,
                     (long long)*value);
        err_at(err, name);
    }
    return rc;
}

static int take_roots(struct creating *c, struct bytes args)
{
    struct err *err = &c->err;
    int rc = args_texts(args, "roots", c->roots, LIMIT_ROOT_KEYS,
                        &c->root_count, err);
    if (rc == 0)
        rc = take_threshold(args, "threshold", &c->threshold, err);
    if (rc == 0)
        rc = args_texts(args, "next", c->next, LIMIT_ROOT_KEYS, &c->next_count,
                        err);
    if (rc == 0)
        rc = take_threshold(args, "next_threshold", &c->next_threshold, err);
    return rc;
}

static int check_name(struct creating *c)
{
    int rc = names_check(&c->node->names.names, c->name, &c->err);
    if (rc != 0)
        err_at(&c->err, "name");
    return rc;
}

static int take_args(struct creating *c)
{
    static const char *const names[] = {"accept",    "bundle",         "name",
                                        "next",      "next_threshold", "roots",
                                        "threshold", "version",        NULL};
    struct bytes args = buf_bytes(&c->asked->args);
    struct err *err = &c->err;
    int rc = args_check(args, names, err);
    if (rc == 0)
        rc = args_text(args, "name", true, &c->name, err);
    if (rc == 0)
        rc = args_bytes(args, "bundle", true, &c->bundle, err);
    if (rc == 0)
        rc = args_texts(args, "accept", c->pipeline, GENESIS_PIPELINE_MAX,
                        &c->pipeline_count, err);
    if (rc == 0)
        rc = args_int(args, "version", &c->has_version, &c->version, err);
    if (rc == 0)
        rc = take_roots(c, args);
    if (rc == 0 && asked_is_read_only(c->asked))
        rc = err_set(err, ATE_EUNAVAILABLE,
                     "the data folder is open for reading only");
    if (rc == 0)
        rc = check_name(c);
    return rc;
}

static void key_there(void *ctx, int code, const struct err *err)
{
    struct creating *c = ctx;
    if (code != 0 && c->err.code == 0)
        c->err = *err;
    if (--c->keys_awaited == 0)
        c->step = c->err.code == 0 ? CREATE_READY : CREATE_ENDED;
}

/* The key of whoever asks is made only if it is `me`. */
static void need_keys(struct creating *c)
{
    struct keys *keys = &c->node->keys;
    struct bytes name = asked_key(c->asked);
    const struct key_pair *pair;
    bool is_me = bytes_equal(name, bytes_of_text(KEY_NAME_ME));
    int rc = keys_find(keys, name, &pair, &c->err);
    if (rc == ATE_ENOT_FOUND && is_me)
        rc = node_may_make_me(c->node, &c->err);
    if (rc != 0) {
        c->step = CREATE_ENDED;
        return;
    }
    c->err.code = 0;
    c->step = CREATE_KEYS;
    c->keys_awaited = 2;
    keys_need(keys, name, key_there, c);
    keys_need(keys, bytes_of_text(KEY_NAME_NODE), key_there, c);
}

static void begin(struct node *node, struct asked *a)
{
    struct creating *c = mem_zero(1, sizeof(*c));
    c->node = node;
    c->asked = a;
    node->creating = c;
    if (take_args(c) == 0)
        need_keys(c);
    else
        c->step = CREATE_ENDED;
}

static void chain_made(void *ctx, int code, const struct err *err)
{
    struct creating *c = ctx;
    if (code != 0)
        c->err = *err;
    c->step = code == 0 ? CREATE_MADE : CREATE_ENDED;
}

/* Root keys by name: their records, and the pairs of those that can sign. */
struct root_set {
    struct key_record records[LIMIT_ROOT_KEYS];
    const struct key_pair *pairs[LIMIT_ROOT_KEYS];
    size_t count;
    size_t pair_count;
    uint64_t threshold;
};

static int find_roots(struct creating *c, const struct bytes *names,
                      size_t count, int64_t threshold, bool signs,
                      struct root_set *set)
{
    const struct key_entry *entry;
    *set = (struct root_set){.count = count};
    for (size_t i = 0; i < count; i++) {
        int rc = keys_entry(&c->node->keys, names[i], &entry, &c->err);
        if (rc != 0)
            return rc;
        set->records[i] = entry->pair.record;
        if (entry->is_public || !signs)
            continue;
        rc = keys_may_sign(&c->node->keys, entry, &c->err);
        if (rc != 0)
            return rc;
        set->pairs[set->pair_count++] = &entry->pair;
    }
    set->threshold = threshold > 0 ? (uint64_t)threshold : count;
    return roots_check(set->records, count, set->threshold, &c->err);
}

static int choose_roots(struct creating *c, struct root_set *set)
{
    struct bytes me = asked_key(c->asked);
    bool named = c->root_count > 0;
    int rc = find_roots(c, named ? c->roots : &me, named ? c->root_count : 1,
                        c->threshold, true, set);
    if (rc != 0 || set->pair_count >= set->threshold)
        return rc;
    return err_set(&c->err, ATE_EDENIED,
                   "%zu of the root keys can sign here, %llu have to; make "
                   "the chain where they are, and rotate them in",
                   set->pair_count, (unsigned long long)set->threshold);
}

static void make_chain(struct creating *c)
{
    struct node *node = c->node;
    struct root_set roots;
    struct root_set next = {0};
    uint8_t digest[HASH_SIZE];
    int rc = choose_roots(c, &roots);
    if (rc == 0 && c->next_count > 0)
        rc = find_roots(c, c->next, c->next_count, c->next_threshold, false,
                        &next);
    if (rc != 0) {
        c->step = CREATE_ENDED;
        return;
    }
    roots_digest(next.records, next.count, next.threshold, digest);
    struct chain_birth birth = {
        .name = c->name,
        .bundle = c->bundle,
        .pipeline = c->pipeline,
        .pipeline_count = c->pipeline_count,
        .roots = roots.records,
        .root_count = roots.count,
        .threshold = roots.threshold,
        .next = next.count > 0 ? digest : NULL,
        .signers = roots.pairs,
        .signer_count = roots.pair_count,
        .time = node->clock.wall_ms,
        .version = c->has_version ? &c->version : NULL,
    };
    struct err err;
    rc = keys_find(&node->keys, bytes_of_text(KEY_NAME_NODE), &birth.order,
                   &err);
    assert(rc == 0);
    node->env.random(node->env.ctx, birth.nonce, sizeof(birth.nonce));
    c->step = CREATE_CHAIN;
    c->chain = chain_new(&node->deps);
    chain_create(c->chain, &birth, chain_made, c);
}

static void name_there(void *ctx, int code, const struct err *err)
{
    struct creating *c = ctx;
    if (code != 0) {
        c->err = *err;
        err_wrap(&c->err,
                 "the chain is made, and has its name when the folder is "
                 "opened again; its list of names was not written");
    }
    c->step = CREATE_ENDED;
}

static void give_name(struct creating *c)
{
    c->step = CREATE_NAME;
    names_file_add(&c->node->names, chain_core(c->chain)->id, c->name,
                   name_there, c);
}

static void put_answer(const struct creating *c, struct buf *out)
{
    const struct core *core = chain_core(c->chain);
    struct mapping m = {0};
    mapping_str(&m, "name", c->name);
    mapping_hex(&m, "id", bytes_of(core->id, CHAIN_ID_SIZE));
    mapping_text(&m, "schema", core->schema->main);
    mapping_put(&m, out);
}

static void end(struct creating *c)
{
    struct node *node = c->node;
    struct buf answer = {0};
    node->creating = NULL;
    if (c->err.code == 0) {
        put_answer(c, &answer);
        hosted_adopt(node, c->name, c->chain);
    } else {
        chain_free(c->chain);
        err_wrap(&c->err, "chain.create");
    }
    asked_end(c->asked, c->err.code, &c->err, buf_bytes(&answer));
    buf_deinit(&answer);
    mem_free(c);
}

/* Do the steps that need no waiting; true: one was done. */
static bool advance(struct node *node)
{
    struct creating *c = node->creating;
    if (c == NULL) {
        struct ring *r = ring_take(&node->creates);
        if (r == NULL)
            return false;
        struct asked *a = ring_entry(r, struct asked, ring);
        if (asked_is_canceled(a))
            asked_cancel(a);
        else
            begin(node, a);
        return true;
    }
    switch (c->step) {
    case CREATE_READY:
        make_chain(c);
        return true;
    case CREATE_MADE:
        give_name(c);
        return true;
    case CREATE_ENDED:
        end(c);
        return true;
    default:
        return false;
    }
}

bool create_can_settle(const struct node *node)
{
    return node->creating == NULL && !ring_is_empty(&node->creates);
}

void create_settle(struct node *node)
{
    while (advance(node))
        ;
}
