/* The engine's own events as people read them, in the log and in a proposal
 * that nobody has judged. */
#define _GNU_SOURCE /* memmem */
#include "fixture_land.h"

#include "query/query.h"
#include "event/proposal.h"

struct told {
    struct buf text;
    bool done;
    int code;
};

static void told_chunk(void *ctx, struct bytes value)
{
    struct told *t = ctx;
    buf_put_bytes(&t->text, value);
}

static void told_done(void *ctx, int code, const struct err *err,
                      struct bytes result)
{
    struct told *t = ctx;
    (void)err;
    t->done = true;
    t->code = code;
    assert_int_equal(code == 0 && result.len > 0 ? mp_check(result, NULL) : 0,
                     0);
    buf_put_bytes(&t->text, result);
}

/* Answers as one text. */
static void ask(struct fixture_chain *f, struct told *t, const char *method,
                struct bytes args)
{
    *t = (struct told){.done = false};
    struct query *q = query_start(f->chain, bytes_of_text(method), args, 100,
                                  told_chunk, told_done, t);
    query_run(q);
    fixture_run(f);
    assert_true(t->done);
}

/* The entry "name": "value" of a map. */
static bool says(const struct told *t, const char *name, const char *value)
{
    struct buf entry = {0};
    mp_put_text(&entry, name);
    mp_put_text(&entry, value);
    bool found =
        memmem(t->text.data, t->text.len, entry.data, entry.len) != NULL;
    buf_deinit(&entry);
    return found;
}

static void grants(struct land *l, struct tx *t)
{
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_key(t, &l->f.keys[2].record);
    tx_give(t, (struct give){.to = l->f.keys[1].id,
                             .rights = "create,delegate",
                             .object = l->town,
                             .key = &l->f.keys[1].record,
                             .depth = 1,
                             .until = 1900000000000});
    tx_give(t, (struct give){.to = pair(0)->id,
                             .rights = "act_for",
                             .act_for = l->f.keys[0].id});
    tx_sign(t, &l->f.keys[2], "author");
}

static void the_log_names_keys_objects_and_grants(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct told t;
    struct tx tx;
    uint8_t id[EVENT_ID_SIZE];
    char place[32];
    char stranger[80] = "key:";
    struct buf hex = {0};
    hex_put(&hex, bytes_of(pair(0)->id, KEY_ID_SIZE));
    strncat(stranger, buf_text(&hex), 64);
    buf_deinit(&hex);
    grants(l, &tx);
    memcpy(id, tx.ids[1], EVENT_ID_SIZE);
    snprintf(place, sizeof(place), "%llu.1", (unsigned long long)tx_ok(&tx));
    tx_begin(f, &tx, &f->keys[1]);
    tx_place(&tx, "land.house", l->town, "new", NULL, 0, id);
    tx_ok(&tx);
    tx_begin(f, &tx, &f->keys[0]);
    tx_revoke(&tx, id);
    tx_ok(&tx);
    const struct key_pair *const keys[] = {&f->keys[0], pair(0)};
    struct key_set s = {.count = 2, .k = 1};
    for (int i = 0; i < 2; i++)
        s.records[i] = keys[i]->record;
    tx_begin(f, &tx, &f->keys[0]);
    tx_roots(&tx, &s, NULL);
    tx_order(&tx, &f->order.record, 2);
    tx_ok(&tx);
    ask(f, &t, "tail", bytes_of("\x80", 1));
    assert_int_equal(t.code, 0);
    assert_true(says(&t, "key", "bob")); /* ate.key */
    assert_true(says(&t, "key", "alice"));
    assert_true(says(&t, "to", "alice"));
    assert_true(says(&t, "object", "town/a/b"));
    assert_true(says(&t, "until", "2030-03-17T17:46:40Z"));
    assert_true(says(&t, "act_for", "me"));
    assert_true(says(&t, "to", stranger));
    assert_true(says(&t, "under", place));
    assert_true(says(&t, "delegation", place));
    assert_true(says(&t, "me", stranger)); /* keys, one after the other */
    assert_true(says(&t, "time", "2023-11-14T22:13:20Z"));
    buf_deinit(&t.text);
}

/* ---- proposals ---- */

static void asks_about(struct fixture_chain *f, struct tx *tx, struct told *t)
{
    struct handed h;
    struct buf raw = {0};
    struct buf text = {0};
    struct buf args = {0};
    const struct core *core = chain_core(f->chain);
    batch_of(&h, tx, 1);
    mp_put_array(&raw, 3);
    mp_put_bin(&raw, buf_bytes(&h.payload));
    mp_put_bin(&raw, buf_bytes(&h.inlined));
    mp_put_bin(&raw, buf_bytes(&h.bodies));
    proposal_put(&text, core->id, core->genesis.name, buf_bytes(&raw));
    mp_put_map(&args, 1);
    mp_put_text(&args, "proposal");
    mp_put_str(&args, buf_bytes(&text));
    ask(f, t, "proposal", buf_bytes(&args));
    handed_end(&h);
    buf_deinit(&raw);
    buf_deinit(&text);
    buf_deinit(&args);
    tx_end(tx);
}

static void a_proposal_is_shown_the_same_way(void **state)
{
    struct land *l = *state;
    struct told t;
    struct tx tx;
    grants(l, &tx);
    asks_about(&l->f, &tx, &t);
    assert_int_equal(t.code, 0);
    assert_true(says(&t, "key", "bob"));
    assert_true(says(&t, "object", "town/a/b"));
    assert_non_null(memmem(t.text.data, t.text.len, "bob (author)", 12));
    buf_deinit(&t.text);
}

/* Whoever is to sign looks at what may be anything: fields of no kind, names
 * of nothing. It is shown as it is. */
static void a_proposal_of_nonsense_is_shown(void **state)
{
    static const char *const types[] = {
        "ate.delegation", "ate.heartbeat", "ate.key",      "ate.order",
        "ate.revocation", "ate.roots",     "ate.nothing",  "land.word",
        "land.claim",     "land.town",     "land.nothing", "tracker.issue",
    };
    static const char *const names[] = {
        "act_for", "country", "delegation", "house",  "key",
        "keys",    "labels",  "name",       "object", "text",
        "time",    "to",      "town",       "until",  "who",
    };
    static const char *const values[] = {
        "\xc0",
        "\x05",
        "\xa1x",
        "\xc4\x01x",
        "\x91\xc0",
        "\x91\x93\x01\xc0\xc0",
        "\x80",
        "\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
        "\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    };
    static const size_t lengths[] = {1, 1, 2, 3, 2, 5, 1, 9, 9};
    struct land *l = *state;
    uint8_t nothing[EVENT_ID_SIZE] = {1};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            struct buf fields = {0};
            struct told t;
            struct tx tx;
            mp_put_map(&fields, sizeof(names) / sizeof(names[0]));
            for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
                mp_put_text(&fields, names[n]);
                buf_put(&fields, values[k], lengths[k]);
            }
            tx_begin(&l->f, &tx, &l->f.keys[0]);
            tx_fact(&tx, types[i], &fields, nothing);
            asks_about(&l->f, &tx, &t);
            assert_int_equal(t.code, 0);
            buf_deinit(&t.text);
        }
    }
}

/* The same where a type's field is a list. */
static int open_books(void **state)
{
    struct land *l = mem_zero(1, sizeof(*l));
    fixture_open_disk(&l->f, NULL, NULL, NULL);
    fixture_create_here(&l->f, "tests/lua/schemas", "books");
    *state = l;
    return 0;
}

static void a_list_that_is_none_is_shown(void **state)
{
    struct land *l = *state;
    const struct schema *s = chain_core(l->f.chain)->schema;
    size_t lists = 0;
    for (size_t i = 0; i < s->type_count; i++) {
        const struct event_type *type = &s->types[i];
        struct buf fields = {0};
        struct told t;
        struct tx tx;
        mp_put_map(&fields, (uint32_t)type->header.count);
        for (size_t k = 0; k < type->header.count; k++) {
            mp_put_text(&fields, type->header.items[k].name);
            mp_put_uint(&fields, 5);
            lists += type->header.items[k].type.kind == VALUE_LIST;
        }
        tx_begin(&l->f, &tx, &l->f.keys[0]);
        tx_fact(&tx, type->name, &fields, NULL);
        asks_about(&l->f, &tx, &t);
        assert_int_equal(t.code, 0);
        buf_deinit(&t.text);
    }
    assert_true(lists > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(the_log_names_keys_objects_and_grants),
        open_test(a_proposal_is_shown_the_same_way),
        open_test(a_proposal_of_nonsense_is_shown),
        cmocka_unit_test_setup_teardown(a_list_that_is_none_is_shown,
                                        open_books, land_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
