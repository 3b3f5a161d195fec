/* Delegations by docs/format.md section 3: what is accepted, how long it holds,
 * and what rests on what. Each sentence has a case that is accepted and one
 * that is refused. */
#include "fixture_land.h"

/* ---- accepted or not ---- */

static void root_keys_delegate_and_nobody_else_at_the_bottom(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l, (struct give){.to = pair(0)->id, .rights = "create"}, id);
    tx_begin(&l->f, &t, pair(1));
    tx_key(&t, &pair(1)->record);
    tx_give(&t, (struct give){.to = pair(0)->id, .rights = "create"});
    tx_word(&t, "x");
    tx_no(&t, ATE_EDENIED,
          "it takes the right 'delegate' there, or 1 of the "
          "chain's 1 root key");
}

/* The log knows it from then on, so that its owner needs no ate.key. */
static void a_delegation_brings_the_key_of_who_gets_it(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .key = &pair(0)->record},
               id);
    tx_begin(&l->f, &t, pair(0));
    tx_word_of(&t, "mine", 0, id);
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, (struct give){.to = pair(1)->id,
                              .rights = "create",
                              .key = &pair(2)->record});
    tx_no(&t, ATE_EINVALID, "the key is not the one that gets it");
}

static void rights_are_known_names(void **state)
{
    static const struct {
        const char *rights;
        int code;
        const char *words;
    } cases[] = {
        {"create,delegate,delete,grant_reading,order,tax,vote,write", 0, ""},
        {"steal", ATE_EINVALID, "there is no right 'steal'"},
        {"write,create", ATE_EINVALID, "sorted"},
        {"create,create", ATE_EINVALID, "none is named twice"},
        {"", ATE_EINVALID, "0 rights"},
    };
    struct land *l = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tx t;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_give(&t,
                (struct give){.to = pair(0)->id, .rights = cases[i].rights});
        if (cases[i].code == 0)
            tx_ok(&t);
        else
            tx_no(&t, cases[i].code, cases[i].words);
    }
}

/* "create" and a zero behind it is another text, which nobody declares: a
 * reader that compares texts would refuse it, so all do. */
static void a_right_with_a_zero_in_it_is_none(void **state)
{
    static const char *const rights[] = {"create\0", "act_for\0"};
    struct land *l = *state;
    for (size_t i = 0; i < 2; i++) {
        struct buf fields = {0};
        struct tx t;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        mp_put_map(&fields, i == 0 ? 3 : 4);
        if (i == 1) {
            mp_put_text(&fields, "act_for");
            mp_put_bin(&fields, bytes_of(l->f.keys[0].id, 32));
        }
        mp_put_text(&fields, "depth");
        mp_put_uint(&fields, 0);
        mp_put_text(&fields, "rights");
        mp_put_array(&fields, 1);
        mp_put_str(&fields, bytes_of(rights[i], strlen(rights[i]) + 1));
        mp_put_text(&fields, "to");
        mp_put_bin(&fields, bytes_of(pair(0)->id, 32));
        tx_fact(&t, "ate.delegation", &fields, NULL);
        tx_no(&t, ATE_EINVALID, "there is no right");
    }
}

static void thirty_two_rights_are_not_one_too_many(void **state)
{
    struct land *l = *state;
    for (uint32_t count = 32; count <= 33; count++) {
        struct buf fields = {0};
        struct tx t;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        mp_put_map(&fields, 3);
        mp_put_text(&fields, "depth");
        mp_put_uint(&fields, 0);
        mp_put_text(&fields, "rights");
        mp_put_array(&fields, count);
        for (uint32_t i = 0; i < count; i++) {
            char name[16];
            snprintf(name, sizeof(name), "right%02u", i);
            mp_put_text(&fields, name);
        }
        mp_put_text(&fields, "to");
        mp_put_bin(&fields, bytes_of(pair(0)->id, 32));
        tx_fact(&t, "ate.delegation", &fields, NULL);
        tx_no(&t, ATE_EINVALID,
              count == 32 ? "there is no right 'right00'" : "33 rights");
    }
}

static void its_object_is_live(void **state)
{
    struct land *l = *state;
    uint8_t event[EVENT_ID_SIZE];
    uint8_t id[EVENT_ID_SIZE];
    uint8_t nowhere[OBJECT_ID_SIZE] = {1};
    struct tx t;
    struct give g = {.to = pair(0)->id, .rights = "write", .object = l->other};
    root_gives(l, g, id);
    newest_event(&l->f, l->other, event);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_place(&t, "land.country", NULL, "z", event, EVENT_DELETES, NULL);
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, g);
    tx_no(&t, ATE_ENOT_FOUND, "its object is not there");
    g.object = nowhere;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, g);
    tx_no(&t, ATE_ENOT_FOUND, "its object is not there");
}

static void depth_is_at_most_sixteen(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    struct give g = {.to = pair(0)->id, .rights = "delegate", .depth = 16};
    root_gives(l, g, id);
    g.depth = 17;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, g);
    tx_no(&t, ATE_EINVALID, "its depth is at most 16");
    g.depth = UINT64_MAX;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, g);
    tx_no(&t, ATE_EINVALID, "depth");
}

/* ---- time ---- */

static void until_is_not_past(void **state)
{
    struct land *l = *state;
    int64_t time = state_time(chain_version(l->f.chain));
    uint8_t id[EVENT_ID_SIZE];
    struct give g = {.to = pair(0)->id, .rights = "create"};
    static const int64_t wrong[] = {0, -1, INT64_MIN + 1};
    g.until = time + 1;
    root_gives(l, g, id);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct tx t;
        g.until = i == 0 ? time : wrong[i];
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_give(&t, g);
        tx_no(&t, ATE_EINVALID, "its time has passed already");
    }
}

/* Log time counts, and the last heartbeat's only: the clock may be far ahead,
 * and what comes after a heartbeat at `until` is too late. */
static void it_ends_when_log_time_reaches_until(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    int64_t start = state_time(chain_version(f->chain));
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .key = &pair(0)->record,
                             .until = start + 2000},
               id);
    f->now = start + 1999;
    tx_begin(f, &t, pair(0));
    tx_word_of(&t, "in time", 0, id);
    tx_ok(&t);
    assert_int_equal(state_time(chain_version(f->chain)), start + 1999);
    f->now = start + 2998; /* not old enough for another heartbeat */
    tx_begin(f, &t, pair(0));
    tx_word_of(&t, "in log time", 0, id);
    tx_ok(&t);
    f->now = start + 2999;
    land_pass(l, 0);
    tx_begin(f, &t, pair(0));
    tx_word_of(&t, "late", 0, id);
    tx_no(&t, ATE_EDENIED, "has passed");
}

/* No end is said in one way, and leaves one entry. */
static void the_last_moment_is_no_end(void **state)
{
    struct land *l = *state;
    struct delegation d;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    struct give g = {
        .to = pair(0)->id, .rights = "create", .until = INT64_MAX - 1};
    root_gives(l, g, id);
    assert_true(delegation_get(chain_version(l->f.chain), id, &d));
    assert_true(d.until == INT64_MAX - 1);
    g.until = INT64_MAX;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, g);
    tx_no(&t, ATE_EINVALID, "left out when it never ends");
}

/* ---- from when on, and until when ---- */

/* In the same transaction it counts for nothing yet; in the next one it does.
 */
static void it_counts_from_the_next_transaction_on(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create,delegate",
                             .key = &pair(0)->record,
                             .depth = 3},
               id);
    struct give again = {.to = pair(0)->id,
                         .rights = "create,delegate",
                         .under = id,
                         .depth = 2};
    tx_begin(f, &t, pair(0));
    size_t n = tx_give(&t, again);
    tx_word_of(&t, "too early", 0, t.ids[n]);
    tx_no_in_log(&t, ATE_EDENIED, "is not in the log", /* the filter */
                 "counts from the next transaction on");
    tx_begin(f, &t, pair(0));
    n = tx_give(&t, again);
    tx_give(&t, (struct give){.to = pair(1)->id,
                              .rights = "create",
                              .under = t.ids[n],
                              .depth = 1});
    tx_no_in_log(&t, ATE_EDENIED, "is not in the log",
                 "counts from the next transaction on");
    one_gives(l, pair(0), again, id);
    tx_begin(f, &t, pair(0));
    tx_word_of(&t, "now", 0, id);
    tx_ok(&t);
}

static void what_is_not_in_the_log_gives_nothing(void **state)
{
    struct land *l = *state;
    uint8_t nothing[EVENT_ID_SIZE] = {7};
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word_of(&t, "x", 0, nothing);
    tx_no(&t, ATE_EDENIED, "is not in the log");
}

/* ---- what rests on another ---- */

struct chain_of {
    uint8_t id[4][EVENT_ID_SIZE]; /* root to 0, 0 to 1, 1 to 2, 2 to 3 */
};

static void make_chain(struct land *l, struct chain_of *c)
{
    for (size_t i = 0; i < 4; i++) {
        struct give g = {
            .to = pair(i)->id,
            .rights = "create,delegate",
            .object = l->country,
            .key = &pair(i)->record,
            .under = i > 0 ? c->id[i - 1] : NULL,
            .depth = 4 - i,
        };
        if (i == 0)
            root_gives(l, g, c->id[i]);
        else
            one_gives(l, pair(i - 1), g, c->id[i]);
    }
}

static void builds(struct land *l, size_t who, const uint8_t *under,
                   const char *town, const char *words)
{
    struct tx t;
    tx_begin(&l->f, &t, pair(who));
    tx_place(&t, "land.town", l->country, town, NULL, 0, under);
    if (words == NULL)
        tx_ok(&t);
    else
        tx_no(&t, ATE_EDENIED, words);
}

/* What rests on a revoked one is worth nothing, what it rests on still is. */
static void revoking_one_in_the_middle_ends_those_that_rest_on_it(void **state)
{
    struct land *l = *state;
    struct chain_of c;
    struct tx t;
    make_chain(l, &c);
    builds(l, 3, c.id[3], "three", NULL);
    tx_begin(&l->f, &t, pair(0));
    tx_revoke(&t, c.id[1]);
    tx_ok(&t);
    builds(l, 3, c.id[3], "again", "was revoked by transaction");
    builds(l, 2, c.id[2], "again", "was revoked by transaction");
    builds(l, 1, c.id[1], "again", "was revoked by transaction");
    builds(l, 0, c.id[0], "again", NULL);
}

static void the_first_that_ends_ends_all_that_rest_on_it(void **state)
{
    struct land *l = *state;
    struct tx t;
    uint8_t id[2][EVENT_ID_SIZE];
    int64_t end = state_time(chain_version(l->f.chain)) + 5000;
    struct give g = {
        .to = pair(0)->id,
        .rights = "create,delegate",
        .object = l->country,
        .key = &pair(0)->record,
        .depth = 2,
        .until = end,
    };
    root_gives(l, g, id[0]);
    g.to = pair(1)->id;
    g.key = &pair(1)->record;
    g.under = id[0];
    g.depth = 1;
    g.until = end + 1;
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, g);
    tx_no(&t, ATE_EDENIED, "it would outlive the delegation");
    g.until = 0;
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, g);
    tx_no(&t, ATE_EDENIED, "it would outlive the delegation");
    g.until = end;
    one_gives(l, pair(0), g, id[1]);
    builds(l, 1, id[1], "x", NULL);
    land_pass(l, 6000);
    builds(l, 1, id[1], "y", "has passed");
}

static void it_gives_no_more_than_what_it_rests_on(void **state)
{
    struct land *l = *state;
    static const struct {
        const char *rights;
        uint64_t depth;
        int where; /* 0: the chain, 1: the country, 2: the town, 3: another */
        const char *words; /* NULL: accepted */
    } cases[] = {
        {"create,delegate,vote", 1, 1, NULL},
        {"vote", 0, 2, NULL},
        {"create,write", 1, 1, "gives a right that the delegation"},
        {"create,tax", 1, 1, "gives a right that the delegation"},
        {"create", 2, 1, "at depth 2 no more than 1 may rest on it"},
        {"create", 0, 0, "about another object"},
        {"create", 0, 3, "about another object"},
    };
    const uint8_t *const where[] = {NULL, l->country, l->town, l->other};
    uint8_t id[EVENT_ID_SIZE];
    uint8_t made[EVENT_ID_SIZE];
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create,delegate,vote",
                             .object = l->country,
                             .key = &pair(0)->record,
                             .depth = 2},
               id);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tx t;
        struct give g = {
            .to = pair(1)->id,
            .rights = cases[i].rights,
            .object = where[cases[i].where],
            .under = id,
            .depth = cases[i].depth,
        };
        if (cases[i].words == NULL) {
            one_gives(l, pair(0), g, made);
            continue;
        }
        tx_begin(&l->f, &t, pair(0));
        tx_give(&t, g);
        tx_no(&t, ATE_EDENIED, cases[i].words);
    }
}

static void nothing_rests_on_depth_zero(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create,delegate",
                             .key = &pair(0)->record},
               id);
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t,
            (struct give){.to = pair(1)->id, .rights = "create", .under = id});
    tx_no(&t, ATE_EDENIED, "at depth 0 no more than 0 may rest on it");
}

static void who_rests_needs_delegate_and_to_be_its_holder(void **state)
{
    struct land *l = *state;
    uint8_t id[2][EVENT_ID_SIZE];
    struct tx t;
    struct give g = {.to = pair(0)->id,
                     .rights = "create",
                     .key = &pair(0)->record,
                     .depth = 2};
    root_gives(l, g, id[0]);
    g.rights = "create,delegate";
    root_gives(l, g, id[1]);
    struct give next = {
        .to = pair(1)->id, .rights = "create", .under = id[0], .depth = 1};
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, next);
    tx_no(&t, ATE_EDENIED, "does not give the right 'delegate'");
    /* Root keys may do everything, but rest on what is theirs. */
    next.under = id[1];
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, next);
    tx_no(&t, ATE_EDENIED, "is another's");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, next);
    tx_sign(&t, pair(0), "author");
    tx_ok(&t);
}

/* Sixteen may rest on the first; the seventeenth has no depth left. */
static void a_row_of_seventeen_is_the_longest(void **state)
{
    struct land *l = *state;
    uint8_t id[17][EVENT_ID_SIZE];
    struct tx t;
    for (uint64_t i = 0; i < 17; i++) {
        struct give g = {
            .to = pair(i % 2)->id,
            .rights = "create,delegate",
            .key = i < 2 ? &pair(i)->record : NULL,
            .under = i > 0 ? id[i - 1] : NULL,
            .depth = 16 - i,
        };
        if (i == 0)
            root_gives(l, g, id[i]);
        else
            one_gives(l, pair((i + 1) % 2), g, id[i]);
    }
    tx_begin(&l->f, &t, pair(0));
    tx_word_of(&t, "far down", 0, id[16]);
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, id[0]);
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(0));
    tx_word_of(&t, "no more", 0, id[16]);
    tx_no(&t, ATE_EDENIED, "was revoked");
}

/* A call id may be used again after a day, and makes the same event, which is
 * the same delegation: one that was revoked stays so. */
static void the_same_event_gives_nothing_again(void **state)
{
    struct land *l = *state;
    uint8_t call[CALL_ID_SIZE];
    uint8_t first[EVENT_ID_SIZE];
    uint8_t second[EVENT_ID_SIZE];
    struct give g = {.to = pair(0)->id,
                     .rights = "create,delegate",
                     .key = &pair(0)->record,
                     .depth = 1};
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    memcpy(call, t.call_id, sizeof(call));
    memcpy(first, t.ids[tx_give(&t, g)], EVENT_ID_SIZE);
    tx_ok(&t);
    one_gives(l, pair(0),
              (struct give){.to = pair(1)->id,
                            .rights = "create",
                            .key = &pair(1)->record,
                            .under = first},
              second);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, first);
    tx_ok(&t);
    land_pass(l, 100000000);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    memcpy(t.call_id, call, sizeof(call));
    assert_memory_equal(t.ids[tx_give(&t, g)], first, EVENT_ID_SIZE);
    tx_no(&t, ATE_ECONFLICT,
          "ate.delegation: it is in the log already, as 6.0");
    tx_begin(&l->f, &t, pair(1));
    tx_word_of(&t, "x", 0, second);
    tx_no(&t, ATE_EDENIED, "was revoked");
}

/* Nor while it is in force: it would count from the next transaction on, and
 * whoever looked for it here would find it. */
static void the_same_event_is_found_nowhere(void **state)
{
    struct land *l = *state;
    uint8_t call[CALL_ID_SIZE];
    uint8_t grant[EVENT_ID_SIZE];
    const uint8_t *bob = pair(0)->id;
    struct tx t;
    root_gives(l,
               (struct give){.to = bob,
                             .rights = "create",
                             .key = &pair(0)->record,
                             .until = l->f.now + 1000000000},
               grant);
    for (uint64_t i = 0; i < 2; i++) {
        tx_begin(&l->f, &t, pair(0));
        if (i == 0)
            memcpy(call, t.call_id, sizeof(call));
        else
            memcpy(t.call_id, call, sizeof(call));
        tx_give(&t,
                (struct give){.to = bob, .rights = "act_for", .act_for = bob});
        tx_give(&t, (struct give){.to = pair(1)->id,
                                  .rights = "act_for",
                                  .act_for = bob,
                                  .depth = i});
        if (i == 0)
            tx_ok(&t);
        else
            tx_no(&t, ATE_ECONFLICT, "it is in the log already");
        land_pass(l, 100000000);
    }
}

#define land_test(name)                                                        \
    cmocka_unit_test_setup_teardown(name, land_open, land_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        land_test(root_keys_delegate_and_nobody_else_at_the_bottom),
        land_test(a_delegation_brings_the_key_of_who_gets_it),
        land_test(rights_are_known_names),
        land_test(a_right_with_a_zero_in_it_is_none),
        land_test(thirty_two_rights_are_not_one_too_many),
        land_test(its_object_is_live),
        land_test(depth_is_at_most_sixteen),
        land_test(until_is_not_past),
        land_test(it_ends_when_log_time_reaches_until),
        land_test(the_last_moment_is_no_end),
        land_test(it_counts_from_the_next_transaction_on),
        land_test(what_is_not_in_the_log_gives_nothing),
        land_test(revoking_one_in_the_middle_ends_those_that_rest_on_it),
        land_test(the_first_that_ends_ends_all_that_rest_on_it),
        land_test(it_gives_no_more_than_what_it_rests_on),
        land_test(nothing_rests_on_depth_zero),
        land_test(who_rests_needs_delegate_and_to_be_its_holder),
        land_test(a_row_of_seventeen_is_the_longest),
        land_test(the_same_event_gives_nothing_again),
        land_test(the_same_event_is_found_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
