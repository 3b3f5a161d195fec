/* What an event's auth_ref has to be, by docs/format.md section 3: a delegation
 * in force, of somebody the transaction speaks for there, that covers the
 * object or its parent and has the right that the event takes. And what rules
 * ask by tx:may(). */
#include "fixture_land.h"

enum what { NEW, EDIT, DELETE, FACT };

/* The event of this kind at the house, and at nothing for a fact. */
static void put_event(struct land *l, struct tx *t, enum what what,
                      const uint8_t *auth_ref)
{
    uint8_t event[EVENT_ID_SIZE];
    char name[24];
    snprintf(name, sizeof(name), "new%llu", (unsigned long long)l->f.calls);
    switch (what) {
    case NEW:
        tx_place(t, "land.house", l->town, name, NULL, 0, auth_ref);
        return;
    case EDIT:
    case DELETE:
        newest_event(&l->f, l->house, event);
        tx_place(t, "land.house", l->town, "c", event,
                 what == DELETE ? EVENT_DELETES : 0, auth_ref);
        return;
    case FACT:
    default:
        tx_claim(t, l->house, t->author->id, auth_ref);
    }
}

/* Everyone needs `create` for what is new, `write` for a later version,
 * `delete` for the last. */
static void each_event_takes_its_right(void **state)
{
    static const char *const rights[] = {"create", "write", "delete"};
    static const char *const needs[] = {"create", "write", "delete", "create"};
    static const enum what order[] = {NEW, EDIT, FACT, DELETE};
    struct land *l = *state;
    uint8_t id[3][EVENT_ID_SIZE];
    uint8_t other[EVENT_ID_SIZE];
    for (size_t i = 0; i < 3; i++)
        root_gives(l,
                   (struct give){.to = pair(0)->id,
                                 .rights = rights[i],
                                 .object = l->country,
                                 .key = &pair(0)->record},
                   id[i]);
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "delegate,grant_reading,order,tax",
                             .object = l->country},
               other);
    for (size_t i = 0; i < 4; i++) {
        enum what what = order[i];
        struct tx t;
        char words[80];
        snprintf(words, sizeof(words), "does not give the right '%s'",
                 needs[what]);
        for (size_t k = 0; k < 3; k++) {
            if (strcmp(rights[k], needs[what]) == 0)
                continue;
            tx_begin(&l->f, &t, pair(0));
            put_event(l, &t, what, id[k]);
            tx_no(&t, ATE_EDENIED, words);
        }
        tx_begin(&l->f, &t, pair(0));
        put_event(l, &t, what, other);
        tx_no(&t, ATE_EDENIED, words);
        tx_begin(&l->f, &t, pair(0));
        put_event(l, &t, what, NULL);
        tx_no(&t, ATE_EDENIED, "no delegation gives its author the right");
        for (size_t k = 0; k < 3; k++) {
            if (strcmp(rights[k], needs[what]) != 0)
                continue;
            tx_begin(&l->f, &t, pair(0));
            put_event(l, &t, what, id[k]);
            tx_ok(&t);
        }
    }
}

/* On the object itself, its parent, the parent's parent; not beside, and not
 * from below upwards. */
static void it_covers_its_object_and_all_below(void **state)
{
    struct land *l = *state;
    const struct {
        const uint8_t *object;
        bool house, town, country, word;
    } cases[] = {
        {NULL, true, true, true, true},
        {l->country, true, true, true, false},
        {l->town, true, true, false, false},
        {l->house, true, false, false, false},
        {l->other, false, false, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t id[EVENT_ID_SIZE];
        uint8_t event[EVENT_ID_SIZE];
        root_gives(l,
                   (struct give){.to = pair(0)->id,
                                 .rights = "create,write",
                                 .object = cases[i].object,
                                 .key = &pair(0)->record},
                   id);
        for (size_t k = 0; k < 4; k++) {
            bool covered = k == 0   ? cases[i].house
                           : k == 1 ? cases[i].town
                           : k == 2 ? cases[i].country
                                    : cases[i].word;
            struct tx t;
            tx_begin(&l->f, &t, pair(0));
            if (k == 0) {
                newest_event(&l->f, l->house, event);
                tx_place(&t, "land.house", l->town, "c", event, 0, id);
            } else if (k == 1) {
                newest_event(&l->f, l->town, event);
                tx_place(&t, "land.town", l->country, "b", event, 0, id);
            } else if (k == 2) {
                newest_event(&l->f, l->country, event);
                tx_place(&t, "land.country", NULL, "a", event, 0, id);
            } else {
                tx_word_of(&t, "x", 0, id);
            }
            if (covered)
                tx_ok(&t);
            else
                tx_no(&t, ATE_EDENIED, "is about another object");
        }
    }
}

/* An object that comes to be lies below its parent, also one of this very
 * transaction. */
static void what_comes_to_be_lies_below_its_parent(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t town[OBJECT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .object = l->country,
                             .key = &pair(0)->record},
               id);
    object_named(&l->f, "land.town", l->country, "n", town);
    tx_begin(&l->f, &t, pair(0));
    tx_place(&t, "land.town", l->country, "n", NULL, 0, id);
    tx_place(&t, "land.house", town, "n", NULL, 0, id);
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(0));
    tx_place(&t, "land.town", l->other, "n", NULL, 0, id);
    tx_no(&t, ATE_EDENIED, "is about another object");
    tx_begin(&l->f, &t, pair(0));
    tx_place(&t, "land.country", NULL, "new", NULL, 0, id);
    tx_no(&t, ATE_EDENIED, "is about another object");
}

/* ---- far down ---- */

enum { BOXES = LIMIT_PARENTS + 1 };

static int open_deep(void **state)
{
    struct land *l = mem_zero(1, sizeof(*l));
    fixture_open_disk(&l->f, NULL, NULL, NULL);
    l->f.default_pipeline = true;
    fixture_create_here(&l->f, "tests/lua/schemas", "deep");
    *state = l;
    return 0;
}

static void put_box(struct land *l, struct tx *t, uint8_t (*id)[OBJECT_ID_SIZE],
                    size_t n, const char *name, const uint8_t *auth_ref)
{
    struct buf fields = {0};
    char type[16];
    snprintf(type, sizeof(type), "deep.box%zu", n);
    object_named(&l->f, type, n > 0 ? id[n - 1] : NULL, name, id[n]);
    mp_put_map(&fields, n > 0 ? 2 : 1);
    if (n > 0) {
        mp_put_text(&fields, "above");
        mp_put_bin(&fields, bytes_of(id[n - 1], OBJECT_ID_SIZE));
    }
    mp_put_text(&fields, "name");
    mp_put_text(&fields, name);
    tx_event(t, (struct event_header){
                    .object = id[n],
                    .type = bytes_of_text(type),
                    .parent = n > 0 ? id[n - 1] : NULL,
                    .auth_ref = auth_ref,
                    .fields = buf_bytes(&fields),
                });
    buf_deinit(&fields);
}

/* As many as may stand above an object. */
static void it_covers_as_many_parents_as_there_may_be(void **state)
{
    struct land *l = *state;
    uint8_t id[BOXES][OBJECT_ID_SIZE];
    uint8_t grant[EVENT_ID_SIZE];
    struct tx t;
    for (size_t n = 0; n < BOXES; n++) {
        tx_begin(&l->f, &t, &l->f.keys[0]);
        put_box(l, &t, id, n, "a", NULL);
        if (n == 0 || n == BOXES - 1) {
            tx_ok(&t);
            continue;
        }
        struct handed h;
        batch_of(&h, &t, 1);
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        handed_end(&h);
        tx_end(&t);
    }
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .object = id[0],
                             .key = &pair(0)->record},
               grant);
    tx_begin(&l->f, &t, pair(0));
    put_box(l, &t, id, LIMIT_PARENTS, "b", grant);
    tx_ok(&t);
}

/* What lay below a deleted object still does, as parents never change. */
static void it_covers_what_is_left_below_a_deleted_object(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t event[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "delete",
                             .object = l->country,
                             .key = &pair(0)->record},
               id);
    newest_event(&l->f, l->town, event);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_place(&t, "land.town", l->country, "b", event, EVENT_DELETES, NULL);
    tx_ok(&t);
    newest_event(&l->f, l->house, event);
    tx_begin(&l->f, &t, pair(0));
    tx_place(&t, "land.house", l->town, "c", event, EVENT_DELETES, id);
    tx_ok(&t);
}

static void it_is_for_its_holder_and_whom_that_one_lets(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t act[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .object = l->country,
                             .key = &pair(0)->record},
               id);
    root_gives(l,
               (struct give){.to = pair(1)->id,
                             .rights = "vote",
                             .key = &pair(1)->record},
               act);
    tx_begin(&l->f, &t, pair(1));
    put_event(l, &t, NEW, id);
    tx_no(&t, ATE_EDENIED, "is another's");
    tx_begin(&l->f, &t, pair(1));
    put_event(l, &t, NEW, id);
    tx_sign(&t, pair(0), "root");
    tx_no(&t, ATE_EDENIED, "is another's");
    tx_begin(&l->f, &t, pair(1));
    put_event(l, &t, NEW, id);
    tx_sign(&t, pair(0), "author");
    tx_ok(&t);
    one_gives(l, pair(0),
              (struct give){.to = pair(1)->id,
                            .rights = "act_for",
                            .act_for = pair(0)->id,
                            .object = l->other},
              act);
    tx_begin(&l->f, &t, pair(1));
    put_event(l, &t, NEW, id);
    tx_no(&t, ATE_EDENIED, "is another's");
    one_gives(l, pair(0),
              (struct give){.to = pair(1)->id,
                            .rights = "act_for",
                            .act_for = pair(0)->id,
                            .object = l->town},
              act);
    tx_begin(&l->f, &t, pair(1));
    put_event(l, &t, NEW, id);
    tx_ok(&t);
    /* What lets one act for somebody gives no right by itself. */
    tx_begin(&l->f, &t, pair(1));
    put_event(l, &t, NEW, act);
    tx_no(&t, ATE_EDENIED, "does not give the right 'create'");
}

/* An auth_ref is judged whatever else would let the event in. */
static void a_wrong_one_refuses_even_where_none_is_needed(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .object = l->country,
                             .key = &pair(0)->record},
               id);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    put_event(l, &t, NEW, id);
    tx_no(&t, ATE_EDENIED, "is another's");
    tx_begin(&l->f, &t, pair(0));
    tx_place(&t, "land.town", l->other, "n", NULL, 0, id);
    tx_no(&t, ATE_EDENIED, "is about another object");
    tx_begin(&l->f, &t, pair(0));
    tx_place(&t, "land.town", l->other, "n", NULL, 0, NULL);
    tx_ok(&t);
}

/* Of events ate.*, a delegation alone has one. */
static void other_events_of_the_engine_have_none(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct buf fields = {0};
    struct tx t;
    root_gives(l, (struct give){.to = l->f.keys[0].id, .rights = "create"}, id);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "delegation");
    mp_put_bin(&fields, bytes_of(id, EVENT_ID_SIZE));
    tx_fact(&t, "ate.revocation", &fields, id);
    tx_no(&t, ATE_EINVALID, "is a plain fact");
}

/* ---- tx:may() ---- */

static void taxes(struct land *l, const struct key_pair *who,
                  const uint8_t *country, bool may)
{
    struct tx t;
    tx_begin(&l->f, &t, who);
    tx_taxed(&t, country);
    if (may)
        tx_ok(&t);
    else
        tx_no(&t, ATE_EREFUSED, "nobody taxes");
}

static void rules_ask_for_declared_rights(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    meets(l, pair(0));
    taxes(l, &l->f.keys[0], l->country, true); /* the root key may all */
    taxes(l, pair(0), l->country, false);
    struct give g = {.to = pair(0)->id, .rights = "vote", .object = l->country};
    root_gives(l, g, id);
    taxes(l, pair(0), l->country, false);
    g.rights = "tax";
    g.object = l->town; /* below, which is not enough */
    root_gives(l, g, id);
    taxes(l, pair(0), l->country, false);
    g.object = l->country;
    root_gives(l, g, id);
    taxes(l, pair(0), l->country, true);
    taxes(l, pair(0), l->other, false);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, id);
    tx_ok(&t);
    taxes(l, pair(0), l->country, false);
    g.object = NULL;
    root_gives(l, g, id);
    taxes(l, pair(0), l->other, true);
}

/* Not yet in the transaction that gives it, no more in that which takes it. */
static void a_right_counts_later_and_ends_at_once(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    meets(l, pair(0));
    meets(l, pair(1));
    struct give g = {.to = pair(0)->id,
                     .rights = "delegate,tax",
                     .object = l->country,
                     .depth = 1};
    root_gives(l, g, id);
    g.to = pair(1)->id;
    g.rights = "tax";
    g.under = id;
    g.depth = 0;
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, g);
    tx_revoke(&t, id); /* one's own, with which what was just given ends */
    tx_taxed(&t, l->country);
    tx_no(&t, ATE_EREFUSED, "nobody taxes");
    tx_begin(&l->f, &t, pair(0));
    tx_taxed(&t, l->country);
    tx_revoke(&t, id);
    tx_ok(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        trust_test(each_event_takes_its_right),
        trust_test(it_covers_its_object_and_all_below),
        trust_test(what_comes_to_be_lies_below_its_parent),
        cmocka_unit_test_setup_teardown(
            it_covers_as_many_parents_as_there_may_be, open_deep, land_close),
        trust_test(it_covers_what_is_left_below_a_deleted_object),
        trust_test(it_is_for_its_holder_and_whom_that_one_lets),
        open_test(a_wrong_one_refuses_even_where_none_is_needed),
        trust_test(other_events_of_the_engine_have_none),
        open_test(rules_ask_for_declared_rights),
        open_test(a_right_counts_later_and_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
