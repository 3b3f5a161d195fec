/* Whom a transaction speaks for, by docs/format.md section 3: its author,
 * co-authors, and, at an object, whom its author may act for there. */
#include "fixture_land.h"

#include "base/hex.h"

/* Is a claim of the house for `who` taken? Ends the transaction. */
static void claims(struct land *l, struct tx *t, const uint8_t *who, bool taken)
{
    tx_claim(t, l->house, who, NULL);
    if (taken)
        tx_ok(t);
    else
        tx_no(t, ATE_EREFUSED, "that is not");
}

/* ---- signing ---- */

static void it_speaks_for_its_author(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(0)->id, true);
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(1)->id, false);
}

static void it_speaks_for_co_authors_and_not_for_who_signs_as_root(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(1)->record);
    tx_sign(&t, pair(1), "author");
    claims(l, &t, pair(1)->id, true);
    tx_begin(&l->f, &t, pair(0));
    tx_sign(&t, pair(1), "root");
    claims(l, &t, pair(1)->id, false);
    tx_begin(&l->f, &t, pair(0));
    tx_sign(&t, pair(1), "root");
    tx_sign(&t, pair(1), "author");
    claims(l, &t, pair(1)->id, true);
}

/* ---- acting for somebody ---- */

/* `who` lets `actor` act for them. */
static void lets_act(struct land *l, const struct key_pair *who,
                     const struct key_pair *actor, const uint8_t *object,
                     uint64_t depth, uint8_t id[EVENT_ID_SIZE])
{
    one_gives(l, who,
              (struct give){.to = actor->id,
                            .rights = "act_for",
                            .act_for = who->id,
                            .object = object,
                            .depth = depth},
              id);
}

static void acting_for_somebody_holds_below_its_object(void **state)
{
    struct land *l = *state;
    const uint8_t *const where[] = {NULL, l->country, l->town, l->house};
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    meets(l, pair(0));
    meets(l, pair(1));
    for (size_t i = 0; i < 4; i++) {
        lets_act(l, pair(1), pair(0), where[i], 0, id);
        tx_begin(&l->f, &t, pair(0));
        claims(l, &t, pair(1)->id, true);
        tx_begin(&l->f, &t, pair(1));
        tx_revoke(&t, id);
        tx_ok(&t);
        tx_begin(&l->f, &t, pair(0));
        claims(l, &t, pair(1)->id, false);
    }
    lets_act(l, pair(1), pair(0), l->other, 0, id);
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(1)->id, false);
}

/* The author acts; a co-author's being let changes nothing. */
static void only_the_author_acts(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    for (size_t i = 0; i < 3; i++)
        meets(l, pair(i));
    lets_act(l, pair(1), pair(0), NULL, 0, id);
    tx_begin(&l->f, &t, pair(2));
    tx_sign(&t, pair(0), "author");
    claims(l, &t, pair(1)->id, false);
}

/* Who acts for somebody does not act for whom that one may act for. */
static void acting_is_not_passed_on_by_itself(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    for (size_t i = 0; i < 3; i++)
        meets(l, pair(i));
    lets_act(l, pair(2), pair(1), NULL, 0, id);
    lets_act(l, pair(1), pair(0), NULL, 0, id);
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(1)->id, true);
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(2)->id, false);
}

static void acting_is_handed_on_for_the_same_identity(void **state)
{
    struct land *l = *state;
    uint8_t first[EVENT_ID_SIZE];
    uint8_t next[EVENT_ID_SIZE];
    struct tx t;
    for (size_t i = 0; i < 3; i++)
        meets(l, pair(i));
    lets_act(l, pair(2), pair(1), l->country, 1, first);
    struct give g = {.to = pair(0)->id,
                     .rights = "act_for",
                     .act_for = pair(2)->id,
                     .object = l->country,
                     .under = first};
    struct give other = g;
    other.act_for = pair(1)->id;
    tx_begin(&l->f, &t, pair(1));
    tx_give(&t, other);
    tx_no(&t, ATE_EDENIED, "is to act for somebody else");
    other = g;
    other.object = NULL;
    tx_begin(&l->f, &t, pair(1));
    tx_give(&t, other);
    tx_no(&t, ATE_EDENIED, "another");
    one_gives(l, pair(1), g, next);
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(2)->id, true);
    tx_begin(&l->f, &t, pair(2));
    tx_revoke(&t, first);
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(0));
    claims(l, &t, pair(2)->id, false);
}

/* Not from the right to delegate, and not the other way around. */
static void act_for_rests_on_act_for_alone(void **state)
{
    struct land *l = *state;
    uint8_t id[2][EVENT_ID_SIZE];
    struct tx t;
    meets(l, pair(0));
    meets(l, pair(1));
    root_gives(l,
               (struct give){
                   .to = pair(0)->id, .rights = "create,delegate", .depth = 1},
               id[0]);
    lets_act(l, pair(1), pair(0), NULL, 1, id[1]);
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, (struct give){.to = pair(2)->id,
                              .rights = "act_for",
                              .act_for = pair(1)->id,
                              .under = id[0]});
    tx_no(&t, ATE_EDENIED, "does not give the right 'act_for'");
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, (struct give){
                    .to = pair(2)->id, .rights = "create", .under = id[1]});
    tx_no(&t, ATE_EDENIED, "does not give the right 'delegate'");
}

static void act_for_stands_alone_and_names_whom(void **state)
{
    struct land *l = *state;
    const uint8_t *me = l->f.keys[0].id;
    const struct give wrong[] = {
        {.rights = "act_for,create", .act_for = me},
        {.rights = "act_for,delegate", .act_for = me},
        {.rights = "act_for"},
        {.rights = "create", .act_for = me},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct give g = wrong[i];
        struct tx t;
        g.to = pair(0)->id;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_give(&t, g);
        tx_no(&t, ATE_EINVALID, "act_for");
    }
}

static void nobody_lets_others_act_for_somebody_else(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    meets(l, pair(1));
    struct give g = {
        .to = pair(0)->id, .rights = "act_for", .act_for = pair(1)->id};
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, g);
    tx_no(&t, ATE_EDENIED, "only its author");
    /* Being there as a co-author does not make one the author. */
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, g);
    tx_sign(&t, pair(1), "author");
    tx_no(&t, ATE_EDENIED, "only its author");
}

/* A first transaction has to hold an event of the schema. */
static void a_stranger_writes_something_before_letting_others_act(void **state)
{
    struct land *l = *state;
    struct tx t;
    struct give g = {
        .to = pair(1)->id, .rights = "act_for", .act_for = pair(0)->id};
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_give(&t, g);
    tx_no(&t, ATE_EINVALID, "has to follow it");
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_give(&t, g);
    tx_word(&t, "hello");
    tx_ok(&t);
}

/* trust-delegation takes an act_for from those who hold a delegation in force,
 * and from root keys. */
static void the_pipeline_has_to_take_an_act_for(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t made[EVENT_ID_SIZE];
    struct tx t;
    struct give mine = {
        .to = pair(1)->id, .rights = "act_for", .act_for = pair(0)->id};
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "vote",
                             .object = l->other,
                             .key = &pair(0)->record},
               id);
    one_gives(l, pair(0), mine, made);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, id);
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, mine);
    tx_no(&t, ATE_EDENIED, "takes nothing from its author");
    root_gives(l,
               (struct give){.to = pair(1)->id,
                             .rights = "act_for",
                             .act_for = l->f.keys[0].id},
               made);
}

/* Any delegation will do, one to act for somebody, too. */
static void who_may_act_for_somebody_lets_others_act(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "act_for",
                             .act_for = l->f.keys[0].id,
                             .key = &pair(0)->record},
               id);
    one_gives(l, pair(0),
              (struct give){.to = pair(1)->id,
                            .rights = "act_for",
                            .act_for = pair(0)->id},
              (uint8_t[EVENT_ID_SIZE]){0});
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, id);
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(0));
    tx_give(&t, (struct give){.to = pair(2)->id,
                              .rights = "act_for",
                              .act_for = pair(0)->id});
    tx_no(&t, ATE_EDENIED, "takes nothing from its author");
}

/* Gas of a claim by the first key, whose rule asks tx:by(who). */
static uint64_t gas_of_claim(struct land *l, const uint8_t *who)
{
    struct buf text = {0};
    struct fixture_call c;
    buf_printf(&text, "who=key:");
    hex_put(&text, bytes_of(who, KEY_ID_SIZE));
    if (fixture_call(&l->f, &c, 0, "claim.append",
                     ARGS("house=a/b/c", buf_text(&text))) != 0)
        fail_msg("claim: %s", c.call.err.text);
    uint64_t gas = c.call.gas;
    fixture_end(&c);
    buf_deinit(&text);
    return gas;
}

/* A step of ten for the chain, the fact, its house, the town, the country, as
 * far as it has to look; none for who signs, however many grants there are. */
static void rules_pay_for_how_far_up_they_look(void **state)
{
    struct land *l = *state;
    const uint8_t *const where[] = {NULL, l->house, l->town, l->country};
    const uint64_t looks[] = {1, 3, 4, 5};
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    const struct key_pair *other = pair(0);
    meets(l, other);
    uint64_t signs = gas_of_claim(l, l->f.keys[0].id);
    for (size_t i = 0; i < 4; i++) {
        lets_act(l, other, &l->f.keys[0], where[i], 0, id);
        for (size_t k = 0; k < 5 * i; k++)
            lets_act(l, other, &l->f.keys[0], l->other, 0,
                     (uint8_t[EVENT_ID_SIZE]){0});
        assert_int_equal(gas_of_claim(l, other->id), signs + 10 * looks[i]);
        tx_begin(&l->f, &t, other);
        tx_revoke(&t, id);
        tx_ok(&t);
    }
    assert_int_equal(gas_of_claim(l, l->f.keys[0].id), signs);
}

/* ---- the caller ---- */

/* Begin a transaction of pair 0 for pair 1, who met the log, both. */
static void begins_for(struct land *l, struct tx *t)
{
    tx_begin(&l->f, t, pair(0));
    t->caller = pair(1)->id;
}

static void two_meet(struct land *l)
{
    meets(l, pair(0));
    meets(l, pair(1));
}

static void a_caller_lets_the_author_act_or_signs(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    two_meet(l);
    begins_for(l, &t);
    tx_word(&t, "x");
    tx_no_in_log(&t, ATE_EDENIED, "granting act_for on what it is about",
                 "granting act_for on /, or signs, too");
    begins_for(l, &t);
    tx_word(&t, "x");
    tx_sign(&t, pair(1), "root");
    tx_no(&t, ATE_EDENIED, "may not act for");
    begins_for(l, &t);
    tx_word(&t, "x");
    tx_sign(&t, pair(1), "author");
    tx_ok(&t);
    lets_act(l, pair(1), pair(0), NULL, 0, id);
    begins_for(l, &t);
    tx_word(&t, "x");
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(1));
    tx_revoke(&t, id);
    tx_ok(&t);
    begins_for(l, &t);
    tx_word(&t, "x");
    tx_no(&t, ATE_EDENIED, "may not act for");
}

/* Who was trusted with one object is not believed to speak about another, nor
 * about what has none. */
static void a_caller_is_bound_to_what_was_granted(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t before[EVENT_ID_SIZE];
    struct tx t;
    two_meet(l);
    lets_act(l, pair(1), pair(0), l->town, 0, id);
    begins_for(l, &t);
    tx_word(&t, "x");
    tx_no(&t, ATE_EDENIED, "granting act_for on /, or signs, too");
    newest_event(&l->f, l->other, before);
    begins_for(l, &t);
    tx_place(&t, "land.country", NULL, "z", before, 0, NULL);
    tx_no(&t, ATE_EDENIED, "on country/z or above it");
    newest_event(&l->f, l->country, before);
    begins_for(l, &t); /* above what was granted */
    tx_place(&t, "land.country", NULL, "a", before, 0, NULL);
    tx_no(&t, ATE_EDENIED, "on country/a or above it");
    newest_event(&l->f, l->house, before);
    begins_for(l, &t); /* below it */
    tx_place(&t, "land.house", l->town, "c", before, 0, NULL);
    tx_ok(&t);
}

/* By its parent, also one that came to be just before. */
static void a_caller_is_one_for_what_is_made_below(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t town[OBJECT_ID_SIZE];
    struct tx t;
    two_meet(l);
    object_named(&l->f, "land.town", l->country, "n", town);
    lets_act(l, pair(1), pair(0), l->country, 0, id);
    begins_for(l, &t);
    tx_place(&t, "land.town", l->country, "n", NULL, 0, NULL);
    tx_place(&t, "land.house", town, "h", NULL, 0, NULL);
    tx_ok(&t);
    begins_for(l, &t);
    tx_place(&t, "land.town", l->other, "n", NULL, 0, NULL);
    tx_no(&t, ATE_EDENIED, "on country/z or above it");
    begins_for(l, &t);
    tx_place(&t, "land.country", NULL, "n", NULL, 0, NULL);
    tx_no(&t, ATE_EDENIED, "granting act_for on /, or signs, too");
}

/* Each event has to be covered, be it by a grant of its own. */
static void a_caller_is_one_for_all_events_or_for_none(void **state)
{
    struct land *l = *state;
    uint8_t id[2][EVENT_ID_SIZE];
    struct tx t;
    two_meet(l);
    lets_act(l, pair(1), pair(0), l->country, 0, id[0]);
    begins_for(l, &t);
    tx_claim(&t, l->house, pair(1)->id, NULL);
    tx_place(&t, "land.town", l->other, "n", NULL, 0, NULL);
    tx_no(&t, ATE_EDENIED, "on country/z or above it");
    lets_act(l, pair(1), pair(0), l->other, 0, id[1]);
    begins_for(l, &t);
    tx_claim(&t, l->house, pair(1)->id, NULL);
    tx_place(&t, "land.town", l->other, "n", NULL, 0, NULL);
    tx_ok(&t);
    begins_for(l, &t); /* what is taken back is over at once */
    tx_revoke(&t, id[0]);
    tx_claim(&t, l->house, pair(0)->id, NULL);
    tx_no(&t, ATE_EDENIED, "on house/a/b/c or above it");
}

/* A grant, and what takes it back, are about its object; all else of the
 * engine's own is about the chain. */
static void a_caller_is_bound_for_events_of_the_engine_too(void **state)
{
    struct land *l = *state;
    uint8_t held[EVENT_ID_SIZE];
    uint8_t act[EVENT_ID_SIZE];
    uint8_t all[EVENT_ID_SIZE];
    uint8_t none[EVENT_ID_SIZE] = {1};
    struct give g = {
        .to = pair(1)->id, .rights = "create,delegate,order", .depth = 1};
    struct tx t;
    two_meet(l);
    root_gives(l, g, held);
    lets_act(l, pair(1), pair(0), l->town, 0, act);
    g = (struct give){.to = pair(2)->id, .rights = "create", .under = held};
    g.object = l->other;
    begins_for(l, &t);
    tx_give(&t, g);
    tx_no(&t, ATE_EDENIED, "on country/z or above it");
    g.object = NULL;
    begins_for(l, &t);
    tx_give(&t, g);
    tx_no(&t, ATE_EDENIED, "granting act_for on /, or signs, too");
    g.object = l->house;
    begins_for(l, &t);
    size_t n = tx_give(&t, g);
    memcpy(all, t.ids[n], EVENT_ID_SIZE);
    tx_ok(&t);
    begins_for(l, &t);
    tx_revoke(&t, held);
    tx_no(&t, ATE_EDENIED, "granting act_for on /, or signs, too");
    begins_for(l, &t);
    tx_revoke(&t, none);
    tx_no(&t, ATE_EDENIED, "granting act_for on /, or signs, too");
    begins_for(l, &t);
    tx_revoke(&t, all);
    tx_ok(&t);
    begins_for(l, &t);
    tx_order(&t, &pair(3)->record, 2);
    tx_no(&t, ATE_EDENIED, "granting act_for on /, or signs, too");
    lets_act(l, pair(1), pair(0), NULL, 0, act);
    begins_for(l, &t);
    tx_order(&t, &pair(3)->record, 2);
    tx_ok(&t);
}

/* A key that comes along is whose it is; without anything else it is no word of
 * a caller. */
static void keys_that_come_along_are_for_nobody(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    two_meet(l);
    lets_act(l, pair(1), pair(0), l->country, 0, id);
    begins_for(l, &t);
    tx_key(&t, &pair(2)->record);
    tx_claim(&t, l->house, pair(1)->id, NULL);
    tx_sign(&t, pair(2), "author");
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    t.caller = pair(1)->id;
    tx_key(&t, &pair(3)->record);
    tx_sign(&t, pair(3), "author");
    tx_no_in_log(&t, ATE_EDENIED, "granting act_for on what it is about",
                 "granting act_for on /, or signs, too");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &pair(3)->record);
    tx_sign(&t, pair(3), "author");
    tx_ok(&t);
}

/* What names the author as the caller says nothing more. */
static void the_author_is_a_caller_of_its_own(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    tx_begin(&l->f, &t, pair(0));
    t.caller = pair(0)->id;
    tx_word(&t, "x");
    tx_ok(&t);
}

/* ---- revoking ---- */

/* Who made it, who holds it, the same of what it rests on, and root keys. */
static void these_revoke_and_no_others(void **state)
{
    struct land *l = *state;
    uint8_t up[EVENT_ID_SIZE];
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    for (size_t i = 0; i < 4; i++)
        meets(l, pair(i));
    struct give g = {.to = pair(0)->id,
                     .rights = "create,delegate",
                     .object = l->country,
                     .depth = 2};
    root_gives(l, g, up);
    g.to = pair(1)->id;
    g.under = up;
    g.depth = 1;
    const struct key_pair *const who[] = {pair(0), pair(1), &l->f.keys[0]};
    for (size_t i = 0; i < 3; i++) {
        one_gives(l, pair(0), g, id);
        tx_begin(&l->f, &t, pair(2));
        tx_revoke(&t, id);
        tx_no(&t, ATE_EDENIED, "those who made or hold");
        tx_begin(&l->f, &t, who[i]);
        tx_revoke(&t, id);
        tx_ok(&t);
        tx_begin(&l->f, &t, who[i]);
        tx_revoke(&t, id);
        tx_no(&t, ATE_ECONFLICT, "revoked it");
    }
    /* Who holds what stands below does not revoke what stands above. */
    one_gives(l, pair(0), g, id);
    tx_begin(&l->f, &t, pair(1));
    tx_revoke(&t, up);
    tx_no(&t, ATE_EDENIED, "those who made or hold");
    /* For the holder of the upper one, somebody else, two rows above. */
    g.to = pair(3)->id;
    g.under = id;
    g.depth = 0;
    one_gives(l, pair(1), g, id);
    tx_begin(&l->f, &t, pair(0));
    tx_revoke(&t, id);
    tx_ok(&t);
}

static void who_acts_there_for_those_revokes_too(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    uint8_t act[EVENT_ID_SIZE];
    struct tx t;
    meets(l, pair(0));
    meets(l, pair(1));
    struct give g = {
        .to = pair(0)->id, .rights = "create", .object = l->country};
    root_gives(l, g, id);
    lets_act(l, pair(0), pair(1), l->other, 0, act);
    tx_begin(&l->f, &t, pair(1));
    tx_revoke(&t, id);
    tx_no(&t, ATE_EDENIED, "those who made or hold");
    lets_act(l, pair(0), pair(1), l->country, 0, act);
    tx_begin(&l->f, &t, pair(1));
    tx_revoke(&t, id);
    tx_ok(&t);
}

static void only_what_is_there_is_revoked(void **state)
{
    struct land *l = *state;
    uint8_t nothing[EVENT_ID_SIZE] = {1};
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, nothing);
    tx_no(&t, ATE_ENOT_FOUND, "there is no such delegation");
    /* Made and taken back in one: it is there, and never counts. */
    tx_begin(&l->f, &t, &l->f.keys[0]);
    size_t n =
        tx_give(&t, (struct give){.to = l->f.keys[1].id, .rights = "create"});
    tx_revoke(&t, t.ids[n]);
    tx_ok(&t);
}

/* One that has ended may still be taken back: it is not revoked yet. */
static void what_has_ended_is_revoked_all_the_same(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .until = l->f.now + 1000},
               id);
    land_pass(l, 5000);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, id);
    tx_ok(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(it_speaks_for_its_author),
        open_test(it_speaks_for_co_authors_and_not_for_who_signs_as_root),
        open_test(acting_for_somebody_holds_below_its_object),
        open_test(only_the_author_acts),
        open_test(acting_is_not_passed_on_by_itself),
        open_test(acting_is_handed_on_for_the_same_identity),
        open_test(act_for_rests_on_act_for_alone),
        open_test(act_for_stands_alone_and_names_whom),
        open_test(nobody_lets_others_act_for_somebody_else),
        open_test(a_stranger_writes_something_before_letting_others_act),
        trust_test(the_pipeline_has_to_take_an_act_for),
        trust_test(who_may_act_for_somebody_lets_others_act),
        open_test(rules_pay_for_how_far_up_they_look),
        open_test(a_caller_lets_the_author_act_or_signs),
        open_test(a_caller_is_bound_to_what_was_granted),
        open_test(a_caller_is_one_for_what_is_made_below),
        open_test(a_caller_is_one_for_all_events_or_for_none),
        open_test(a_caller_is_bound_for_events_of_the_engine_too),
        open_test(keys_that_come_along_are_for_nobody),
        open_test(the_author_is_a_caller_of_its_own),
        open_test(these_revoke_and_no_others),
        open_test(who_acts_there_for_those_revokes_too),
        open_test(only_what_is_there_is_revoked),
        open_test(what_has_ended_is_revoked_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
