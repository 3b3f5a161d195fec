#define _GNU_SOURCE /* memmem */
/* A chain with real Lua: what is accepted, refused, replayed. */
#include "fixture_chain.h"

#include "query/query.h"
#include "materializers/materializers.h"

static void roots(struct fixture_chain *f, uint8_t log[32], uint8_t st[32])
{
    chain_root(f->chain, log);
    state_root(chain_version(f->chain), st);
}

static void accepted_calls_get_indices_and_receipts(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    int rc = fixture_call(f, &c, 1, "transfer",
                          ARGS("amount=12.50", "from=alice", "to=bob"));
    if (rc != 0)
        fail_msg("%s", c.call.err.text);
    assert_true(c.call.wrote);
    /* genesis, heartbeat, two accounts, then this one */
    assert_int_equal(c.call.index, 4);
    assert_true(c.call.receipt.len > 0);
    assert_int_equal(chain_size(f->chain), 5);
    fixture_end(&c);
}

static void a_rule_refuses_and_nothing_remains(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    uint8_t before[2][32];
    uint8_t after[2][32];
    roots(f, before[0], before[1]);
    f->now += 5000; /* even the heartbeat that was due stays out */
    int rc = fixture_call(f, &c, 1, "transfer",
                          ARGS("amount=500", "from=alice", "to=bob"));
    assert_int_equal(rc, ATE_EREFUSED);
    assert_string_equal(c.call.err.rule, "too_deep");
    assert_non_null(strstr(c.call.err.text, "alice would hold -500.00"));
    roots(f, after[0], after[1]);
    assert_memory_equal(before, after, sizeof(before));
    fixture_end(&c);
}

static void only_the_owner_takes_money(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    int rc = fixture_call(f, &c, 2, "transfer",
                          ARGS("amount=1", "from=alice", "to=bob"));
    assert_int_equal(rc, ATE_EREFUSED);
    assert_string_equal(c.call.err.rule, "not_owner");
    fixture_end(&c);
}

static void unknown_names_are_suggested(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    assert_int_equal(fixture_call(f, &c, 1, "transfr", ARGS()), ATE_ENOT_FOUND);
    assert_non_null(strstr(c.call.err.text, "did you mean 'transfer'"));
    fixture_end(&c);
    assert_int_equal(fixture_call(f, &c, 1, "transfer",
                                  ARGS("amout=1", "from=alice", "to=bob")),
                     ATE_EINVALID);
    assert_non_null(strstr(c.call.err.text, "did you mean 'amount'"));
    fixture_end(&c);
    assert_int_equal(fixture_call(f, &c, 1, "transfer",
                                  ARGS("amount=1", "from=alice", "to=carol")),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(c.call.err.text, "carol"));
    fixture_end(&c);
}

static void replay_gives_the_same_roots(void **state)
{
    struct fixture_chain *f = *state;
    uint8_t before[2][32];
    uint8_t after[2][32];
    for (int i = 0; i < 50; i++) {
        f->now += 300;
        fixture_ok(f, 1 + i % 2, "transfer",
                   i % 2 == 0 ? ARGS("amount=1.25", "from=alice", "to=bob")
                              : ARGS("amount=0.75", "from=bob", "to=alice"));
    }
    roots(f, before[0], before[1]);
    if (fixture_reopen(f, LOG_READ_WRITE) != 0)
        fail_msg("%s", f->done_err.text);
    roots(f, after[0], after[1]);
    assert_memory_equal(before, after, sizeof(before));
    fixture_ok(f, 1, "transfer", ARGS("amount=1", "from=alice", "to=bob"));
}

/* Calls that arrive together become one group, each with its place. */
static void calls_in_flight_share_a_batch(void **state)
{
    struct fixture_chain *f = *state;
    enum { CALLS = 200 };
    struct fixture_call *c = mem_zero(CALLS, sizeof(*c));
    for (int i = 0; i < CALLS; i++)
        fixture_begin(f, &c[i], 1, "transfer",
                      ARGS("amount=0.01", "from=alice", "to=bob"));
    fixture_run(f);
    for (int i = 0; i < CALLS; i++) {
        assert_true(c[i].done);
        assert_int_equal(c[i].call.code, 0);
        assert_int_equal(c[i].call.index, 4 + i);
        fixture_end(&c[i]);
    }
    assert_int_equal(chain_log(f->chain)->end.frames, 5);
    mem_free(c);
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
}

static void a_repeated_call_id_gets_the_stored_answer(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    uint64_t index =
        fixture_ok(f, 1, "transfer", ARGS("amount=1", "from=alice", "to=bob"));
    uint64_t size = chain_size(f->chain);
    f->calls--;
    assert_int_equal(fixture_call(f, &c, 1, "transfer",
                                  ARGS("amount=1", "from=alice", "to=bob")),
                     0);
    assert_int_equal(c.call.index, index);
    assert_int_equal(chain_size(f->chain), size);
    assert_true(c.call.result.len > 0);
    fixture_end(&c);
    f->calls--;
    assert_int_equal(fixture_call(f, &c, 1, "transfer",
                                  ARGS("amount=2", "from=alice", "to=bob")),
                     ATE_ECONFLICT);
    fixture_end(&c);
}

/* Any bit of the header file that is flipped below the watermark is found:
 * opening refuses and says where. */
static void a_flipped_byte_refuses(void **state)
{
    struct fixture_chain *f = *state;
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 16];
    fixture_ok(f, 1, "transfer", ARGS("amount=1", "from=alice", "to=bob"));
    fixture_ok(f, 1, "transfer", ARGS("amount=1", "from=alice", "to=bob"));
    struct err err = {0};
    if (chain_mark(f->chain, fixture_done, f, &err) == 0)
        fixture_wait(f);
    log_folder(folder, chain_core(f->chain)->id);
    snprintf(path, sizeof(path), "%s/1.head", folder);
    struct buf *head = memory_disk_file(f->disk, path);
    assert_non_null(head);
    head->data[head->len - 200] ^= 4;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), ATE_ECORRUPT);
    assert_non_null(strstr(f->done_err.text, "1.head"));
    assert_non_null(strstr(f->done_err.text, "transaction"));
}

/* Who signs with the author counts for tx:by(), here and for a stranger. */
static void a_co_author_signs_with_the_author(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c = {0};
    const struct signer alice[] = {
        {&f->keys[1], bytes_of_text(PURPOSE_CO_AUTHOR), false},
        {&f->keys[1], bytes_of_text(PURPOSE_ROOT), false},
    };
    const char *const args[] = {"amount", "5", "from", "alice", "to", "bob"};
    mp_put_map(&c.args, 3);
    for (size_t i = 0; i < 6; i++)
        mp_put_text(&c.args, args[i]);
    c.call = (struct chain_call){
        .method = bytes_of_text("transfer"),
        .args = buf_bytes(&c.args),
        .author = &f->keys[2],
        .call_id = {77},
        .signers = alice,
        .signer_count = 2,
        .done = fixture_answered,
        .owner = &c,
    };
    chain_call(f->chain, &c.call);
    fixture_run(f);
    assert_int_equal(c.call.code, ATE_EINVALID); /* twice the same */
    c.call.signer_count = 1; /* alice's key comes along: it is not known yet */
    chain_call(f->chain, &c.call);
    fixture_run(f);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    uint8_t before[2][32];
    uint8_t after[2][32];
    roots(f, before[0], before[1]);
    if (fixture_reopen(f, LOG_READ_WRITE) != 0)
        fail_msg("%s", f->done_err.text);
    roots(f, after[0], after[1]);
    assert_memory_equal(before, after, sizeof(before));
}

/* Signatures may be checked later than everything else: opening waits for them,
 * and a bad one refuses at its own frame. */
static void a_pool_checks_signatures_beside_the_replay(void **state)
{
    struct fixture_chain *f = *state;
    uint8_t before[2][32];
    uint8_t after[2][32];
    for (int i = 0; i < 700; i++) /* more than may be under way */
        fixture_ok(f, 1, "transfer",
                   ARGS("amount=0.01", "from=alice", "to=bob"));
    roots(f, before[0], before[1]);
    fixture_work_late(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_null(f->late);
    roots(f, after[0], after[1]);
    assert_memory_equal(before, after, sizeof(before));
}

/* ---- queries ---- */

struct told {
    struct buf text;
    size_t count;
    bool done;
    int code;
};

static void told_chunk(void *ctx, struct bytes value)
{
    struct told *t = ctx;
    t->count++;
    buf_put_bytes(&t->text, value);
}

static void told_done(void *ctx, int code, const struct err *err,
                      struct bytes result)
{
    struct told *t = ctx;
    t->done = true;
    t->code = code;
    if (code != 0)
        print_message("%s\n", err->text);
    buf_put_bytes(&t->text, result);
}

static void ask(struct fixture_chain *f, struct told *t, const char *method,
                struct buf *args)
{
    *t = (struct told){0};
    struct query *q =
        query_start(f->chain, bytes_of_text(method), buf_bytes(args), 100,
                    told_chunk, told_done, t);
    query_run(q);
    fixture_run(f);
    assert_true(t->done);
    assert_int_equal(t->code, 0);
    assert_int_equal(memchr(t->text.data, '\0', 0) == NULL, true);
    buf_deinit(args);
}

static bool has(const struct told *t, const char *text)
{
    return memmem(t->text.data, t->text.len, text, strlen(text)) != NULL;
}

static void views_and_objects_are_read_in_door_form(void **state)
{
    struct fixture_chain *f = *state;
    struct told t;
    struct buf args = {0};
    fixture_ok(f, 1, "transfer", ARGS("amount=12.50", "from=alice", "to=bob"));
    mp_put_map(&args, 1);
    mp_put_text(&args, "view");
    mp_put_text(&args, "balance");
    ask(f, &t, "view", &args);
    assert_int_equal(t.count, 2);
    assert_true(has(&t, "-12.50") && has(&t, "alice"));
    buf_deinit(&t.text);
    mp_put_map(&args, 2);
    mp_put_text(&args, "key");
    mp_put_text(&args, "bob");
    mp_put_text(&args, "type");
    mp_put_text(&args, "account");
    ask(f, &t, "get", &args);
    assert_true(has(&t, "bob") && has(&t, "owner"));
    buf_deinit(&t.text);
    mp_put_map(&args, 1);
    mp_put_text(&args, "type");
    mp_put_text(&args, "transfer");
    ask(f, &t, "list", &args);
    assert_int_equal(t.count, 1);
    assert_true(has(&t, "4.0") || has(&t, "4.1"));
    buf_deinit(&t.text);
    mp_put_map(&args, 0);
    ask(f, &t, "tail", &args);
    assert_int_equal(t.count, 5);
    buf_deinit(&t.text);
    mp_put_map(&args, 0);
    ask(f, &t, "info", &args);
    assert_true(has(&t, "structured-logic"));
    buf_deinit(&t.text);
    mp_put_map(&args, 0);
    ask(f, &t, "schema", &args);
    assert_true(has(&t, "POST /accounts/{from}/transfers"));
    buf_deinit(&t.text);
}

/* A node on which everything costs more than it did when it was accepted. */
static int load_with_little_gas(void *ctx, struct bytes bundle,
                                const struct logic_limits *limits,
                                struct logic **out, struct err *err)
{
    const struct logic_maker *maker = ctx;
    struct logic_limits little = {.gas = 1, .memory = limits->memory};
    return maker->load(maker->ctx, bundle, &little, out, err);
}

static void a_replay_that_runs_out_is_no_damage(void **state)
{
    struct fixture_chain *f = *state;
    struct logic_maker poor = {.ctx = &f->maker, .load = load_with_little_gas};
    const struct err *why;
    uint8_t before[2][32];
    uint8_t after[2][32];
    fixture_ok(f, 1, "transfer", ARGS("amount=1", "from=alice", "to=bob"));
    roots(f, before[0], before[1]);
    f->deps.logic = &poor;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), ATE_EUNAVAILABLE);
    assert_int_equal(chain_state(f->chain, &why), ATE_EUNAVAILABLE);
    assert_non_null(strstr(why->text, "transaction 4"));
    assert_non_null(strstr(why->text, "rule not_owner: ran longer"));
    assert_non_null(strstr(why->text, "an alarm of this node"));
    assert_int_equal(chain_size(f->chain), 4);
    f->deps.logic = &f->maker;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    roots(f, after[0], after[1]);
    assert_memory_equal(before, after, sizeof(before));
}

/* A stage that has its doubts about one transaction. */
static enum answer doubt(struct trial *trial, const struct trial_event *event,
                         struct err *err)
{
    (void)event;
    if (trial->index != 100)
        return ANSWER_ABSTAIN;
    err_set(err, ATE_EINVALID, "no");
    return ANSWER_NO;
}
static const struct materializer doubting = {.name = "serializer",
                                             .accept = doubt};
static const struct materializer *const doubters[] = {&accept_all, &doubting,
                                                      &structured_logic, NULL};

/* A frame counts as a whole: of a chain that is refused within one, no member
 * of it is told, though those in front were good. */
static void a_refused_frame_leaves_none_of_its_members(void **state)
{
    struct fixture_chain *f = *state;
    enum { CALLS = 200 };
    struct fixture_call *c = mem_zero(CALLS, sizeof(*c));
    struct told t;
    struct buf args = {0};
    uint8_t before[HASH_SIZE];
    uint8_t after[HASH_SIZE];
    chain_root(f->chain, before);
    for (int i = 0; i < CALLS; i++)
        fixture_begin(f, &c[i], 1, "transfer",
                      ARGS("amount=0.01", "from=alice", "to=bob"));
    fixture_run(f);
    for (int i = 0; i < CALLS; i++)
        fixture_end(&c[i]);
    mem_free(c);
    f->deps.materializers = doubters;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_non_null(strstr(f->done_err.text, "transaction 100: "));
    assert_int_equal(chain_size(f->chain), 4);
    chain_root(f->chain, after);
    assert_memory_equal(before, after, HASH_SIZE);
    mp_put_map(&args, 0);
    ask(f, &t, "tail", &args);
    assert_int_equal(t.count, 4);
    buf_deinit(&t.text);
}

#define bank_test(name)                                                        \
    cmocka_unit_test_setup_teardown(name, fixture_bank, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bank_test(accepted_calls_get_indices_and_receipts),
        bank_test(a_rule_refuses_and_nothing_remains),
        bank_test(only_the_owner_takes_money),
        bank_test(unknown_names_are_suggested),
        bank_test(replay_gives_the_same_roots),
        bank_test(calls_in_flight_share_a_batch),
        bank_test(a_repeated_call_id_gets_the_stored_answer),
        bank_test(a_flipped_byte_refuses),
        bank_test(a_refused_frame_leaves_none_of_its_members),
        bank_test(a_co_author_signs_with_the_author),
        bank_test(a_pool_checks_signatures_beside_the_replay),
        bank_test(a_replay_that_runs_out_is_no_damage),
        bank_test(views_and_objects_are_read_in_door_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
