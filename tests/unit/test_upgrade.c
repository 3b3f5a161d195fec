/* A log tried again under another bundle: what becomes of what is stored, and
 * what a bundle must not do to it. What is refused leaves everything as it was.
 */
#include "fixture_bundles.h"

/* Version 1: an item's price is a text; notes are counted. */
#define ITEM_1                                                                 \
    "shop:object('item', {doc = 'd', key = {'name'},\n"                        \
    "    header = {name = t.name(), price = t.text()}})\n"
#define NOTE_1                                                                 \
    "shop:event('note', {doc = 'd', header = {n = t.integer()},\n"             \
    "    body = {more = t.optional(t.text())}})\n"
#define TOTAL_1                                                                \
    "shop:view('total', {doc = 'd', key = {'k'},\n"                            \
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"          \
    "    fold = {note = function(rows, note)\n"                                \
    "        rows:add(1, {sum = note.n})\n"                                    \
    "    end}})\n"
#define VERSION_1 ITEM_1 NOTE_1 TOTAL_1

/* Its price becomes a number. */
#define ITEM_2(upgrade)                                                        \
    "shop:object('item', {doc = 'd', key = {'name'},\n"                        \
    "    header = {name = t.name(), price = t.integer()},\n"                   \
    "    upgrade = {" upgrade "}})\n"
#define TO_NUMBER                                                              \
    "[1] = function(old)\n"                                                    \
    "        old.price = tonumber(old.price) or 0\n"                           \
    "        return old\n"                                                     \
    "    end"
#define VERSION_2 ITEM_2(TO_NUMBER) NOTE_1 TOTAL_1
/* And is doubled. */
#define VERSION_3                                                              \
    ITEM_2(TO_NUMBER ", [2] = function(old)\n"                                 \
                     "        old.price = old.price * 2\n"                     \
                     "        return old\n"                                    \
                     "    end")                                                \
    NOTE_1 TOTAL_1
#define PRICES                                                                 \
    "shop:view('prices', {doc = 'd', key = {'k'},\n"                           \
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"          \
    "    fold = {item = function(rows, item)\n"                                \
    "        local was = item.before and item.before.price or 0\n"             \
    "        local is = item.change ~= 'delete' and item.price or 0\n"         \
    "        rows:add(1, {sum = is - was})\n"                                  \
    "    end}})\n"

static void fill(struct fixture_chain *f)
{
    fixture_ok(f, 0, "item.create", ARGS("name=hat", "price=12"));
    fixture_ok(f, 0, "item.create", ARGS("name=shoe", "price=much"));
    fixture_ok(f, 0, "item.create", ARGS("name=sock", "price=3"));
    fixture_ok(f, 0, "item.delete", ARGS("name=sock"));
    fixture_ok(f, 0, "note.append", ARGS("n=5"));
    fixture_ok(f, 1, "note.append", ARGS("n=6"));
}

static void open_filled(struct fixture_chain *f)
{
    shop_open(f, VERSION_1);
    fill(f);
}

/* The bundle comes, but is not put in force, and nothing is changed by that. */
static void cannot_be_activated(const char *rest, int code, const char *words)
{
    struct fixture_chain f;
    struct err err;
    open_filled(&f);
    bring_ok(&f, 2, rest);
    struct both_sides was = sides_now(&f);
    assert_refused(activate(&f, &err), &err, code, words);
    assert_sides(&f, was);
    assert_int_equal(version_now(&f), 1);
    assert_value(&f, "total", "sum", "11");
    fixture_ok(&f, 0, "note.append", ARGS("n=1"));
    fixture_ok(&f, 0, "item.patch", ARGS("name=hat", "price=13"));
    assert_value(&f, "total", "sum", "12");
    assert_reopens(&f);
    switch_ok(&f, 2, VERSION_2); /* a better one */
    assert_reopens(&f);
    fixture_close(&f);
}

/* ---- what upgrades make ---- */

static void upgrades_convert_what_is_stored(void **state)
{
    struct fixture_chain f;
    (void)state;
    open_filled(&f);
    switch_ok(&f, 2, VERSION_2 PRICES);
    assert_int_equal(version_now(&f), 2);
    assert_value(&f, "prices", "sum", "12");
    assert_value(&f, "total", "sum", "11");
    assert_reopens(&f);
    /* Converted objects can be changed and deleted. */
    fixture_ok(&f, 0, "item.patch", ARGS("name=shoe", "price=7"));
    fixture_ok(&f, 0, "item.create", ARGS("name=cap", "price=1"));
    assert_value(&f, "prices", "sum", "20");
    fixture_ok(&f, 0, "item.delete", ARGS("name=hat"));
    assert_value(&f, "prices", "sum", "8");
    assert_reopens(&f);
    fixture_close(&f);
}

/* Each event goes through the upgrades from the version on that stored it. */
static void upgrades_follow_on_each_other(void **state)
{
    struct fixture_chain f;
    (void)state;
    open_filled(&f);
    switch_ok(&f, 2, VERSION_2 PRICES);
    fixture_ok(&f, 0, "item.create", ARGS("name=cap", "price=5"));
    fixture_ok(&f, 0, "item.patch", ARGS("name=shoe", "price=1"));
    fixture_ok(&f, 0, "item.delete", ARGS("name=hat"));
    assert_value(&f, "prices", "sum", "6");
    switch_ok(&f, 3, VERSION_3 PRICES);
    assert_value(&f, "prices", "sum", "12");
    fixture_ok(&f, 0, "item.patch", ARGS("name=shoe", "price=4"));
    assert_value(&f, "prices", "sum", "14");
    assert_reopens(&f);
    fixture_close(&f);
    /* From the first to the third at once. */
    open_filled(&f);
    switch_ok(&f, 3, VERSION_3 PRICES);
    assert_value(&f, "prices", "sum", "24");
    assert_reopens(&f);
    fixture_close(&f);
}

static void new_defaults_are_put_into_what_is_stored(void **state)
{
    struct fixture_chain f;
    (void)state;
    open_filled(&f);
    switch_ok(&f, 2,
              ITEM_1 "shop:event('note', {doc = 'd', header = {\n"
                     "    n = t.integer(), m = t.default(t.integer(), 10)},\n"
                     "    body = {more = t.optional(t.text())}})\n"
                     "shop:view('total', {doc = 'd', key = {'k'},\n"
                     "    row = {k = t.integer(),\n"
                     "        sum = t.default(t.integer(), 0)},\n"
                     "    fold = {note = function(rows, note)\n"
                     "        rows:add(1, {sum = note.n + note.m})\n"
                     "    end}})\n");
    assert_value(&f, "total", "sum", "31");
    fixture_ok(&f, 0, "note.append", ARGS("m=1", "n=1"));
    assert_value(&f, "total", "sum", "33");
    assert_reopens(&f);
    fixture_close(&f);
}

/* ---- views ---- */

static void views_come_change_and_go(void **state)
{
    struct fixture_chain f;
    struct buf rows = {0};
    (void)state;
    open_filled(&f);
    /* Changed: by code alone, then by a constant that its fold sees. */
    switch_ok(&f, 2,
              ITEM_1 NOTE_1 "local factor = 3\n"
                            "shop:view('total', {doc = 'd', key = {'k'},\n"
                            "    row = {k = t.integer(),\n"
                            "        sum = t.default(t.integer(), 0)},\n"
                            "    fold = {note = function(rows, note)\n"
                            "        rows:add(1, {sum = factor * note.n})\n"
                            "    end}})\n");
    assert_value(&f, "total", "sum", "33");
    /* Another key, another row, one more view. */
    switch_ok(&f, 3,
              ITEM_1 NOTE_1
              "shop:view('total', {doc = 'd', key = {'who'},\n"
              "    row = {who = t.identity(), most = t.integer()},\n"
              "    fold = {note = function(rows, note, tx)\n"
              "        rows:set(tx.author, {most = note.n})\n"
              "    end}})\n"
              "shop:view('one', {doc = 'd', key = {'k'},\n"
              "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"
              "    fold = {item = function(rows, item)\n"
              "        rows:add(1, {sum = 1})\n"
              "    end}})\n");
    size_t count;
    rows_of(&f, "total", &rows, &count);
    assert_int_equal(count, 2);
    assert_value(&f, "one", "sum", "4");
    assert_reopens(&f);
    /* Gone. */
    switch_ok(&f, 4, ITEM_1 NOTE_1);
    struct fixture_query q;
    begin_query(&f, &q, "view", "view=one", 10);
    assert_refused(q.code, &q.err, ATE_ENOT_FOUND, "no view 'one'");
    end_query(&q);
    assert_reopens(&f);
    buf_deinit(&rows);
    fixture_close(&f);
}

/* A view that reads bodies is folded from bodies on disk. */
static void views_of_bodies_are_folded_from_the_disk(void **state)
{
#define MORE(sum)                                                              \
    "shop:view('more', {doc = 'd', reads = 'bodies', key = {'k'},\n"           \
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"          \
    "    fold = {note = function(rows, note)\n"                                \
    "        rows:add(1, {sum = " sum "})\n"                                   \
    "    end}})\n"
    struct fixture_chain f;
    char more[6000];
    (void)state;
    open_filled(&f);
    snprintf(more, sizeof(more), "more=%05000d", 7);
    fixture_ok(&f, 0, "note.append", ARGS(more, "n=1"));
    fixture_ok(&f, 0, "note.append", ARGS("more=four", "n=1"));
    switch_ok(&f, 2, VERSION_2 MORE("note.more and #note.more or 0"));
    assert_value(&f, "more", "sum", "5004");
    assert_reopens(&f);
    assert_value(&f, "more", "sum", "5004");
    /* Where it fails, its rows stay; that stops nobody. */
    switch_ok(&f, 3, VERSION_3 MORE("note.more and #note.more or nil + 1"));
    assert_value(&f, "more", "sum", "5004");
    assert_true(chain_core(f.chain)->fold_failures > 0);
    assert_reopens(&f);
    fixture_close(&f);
}

/* ---- bundles that would break what is stored ---- */

static void an_upgrade_that_fails_is_named(void **state)
{
    (void)state;
    cannot_be_activated(ITEM_2("[1] = function(old)\n"
                               "    error('no price')\n"
                               "end") NOTE_1 TOTAL_1,
                        ATE_ESCRIPT, "no price");
    cannot_be_activated(
        ITEM_2("[1] = function(old) return 1 end") NOTE_1 TOTAL_1, ATE_ESCRIPT,
        "returned number; it has to return a table of fields");
}

static void an_upgrade_that_does_not_end_is_stopped(void **state)
{
    (void)state;
    cannot_be_activated(ITEM_2("[1] = function(old)\n"
                               "    while true do end\n"
                               "end") NOTE_1 TOTAL_1,
                        ATE_EUNAVAILABLE, "upgrade of shop.item: ran longer");
}

static void what_an_upgrade_gives_has_to_fit(void **state)
{
    (void)state;
    /* What it did not touch, does not fit. */
    cannot_be_activated(ITEM_2("[1] = function(old) return old end")
                            NOTE_1 TOTAL_1,
                        ATE_ESCRIPT,
                        "upgrade of shop.item: shop.item.price: a whole "
                        "number is needed");
    cannot_be_activated(ITEM_2("[1] = function(old)\n"
                               "    old.price = nil\n"
                               "    return old\n"
                               "end") NOTE_1 TOTAL_1,
                        ATE_EINVALID, "price");
    cannot_be_activated(ITEM_2("[1] = function(old)\n"
                               "    return {name = old.name, price = 1,\n"
                               "        cost = 2}\n"
                               "end") NOTE_1 TOTAL_1,
                        ATE_ESCRIPT, "cost");
    /* Ids are made of keys. */
    cannot_be_activated(ITEM_2("[1] = function(old)\n"
                               "    return {name = 'x', price = 1}\n"
                               "end") NOTE_1 TOTAL_1,
                        ATE_EINVALID, "its object id is not that of its key");
}

/* An upgrade is needed as long as the log has what it converts, also when the
 * version in force is a later one. */
static void an_upgrade_that_went_too_early_is_named(void **state)
{
    static const struct {
        const char *upgrade;
        int code;
        const char *then;
    } cases[] = {
        {"", ATE_EINVALID, "of version 1: shop.item.price: want an integer"},
        {"[2] = function(old)\n"
         "        old.price = old.price .. ''\n"
         "        return old\n"
         "    end",
         ATE_ESCRIPT, "of version 1: upgrade of shop.item: shop.item.price"},
    };
    struct fixture_chain f;
    struct err err;
    char rest[2048];
    (void)state;
    open_filled(&f);
    switch_ok(&f, 2, VERSION_2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(rest, sizeof(rest), ITEM_2("%s") NOTE_1 TOTAL_1,
                 cases[i].upgrade);
        bring_ok(&f, 3, rest);
        assert_refused(activate(&f, &err), &err, cases[i].code,
                       "version 1 stored it, shop.item.price is of another "
                       "kind, and there is no upgrade[1] (shop.lua:");
        assert_refused(err.code, &err, cases[i].code, cases[i].then);
    }
    assert_int_equal(version_now(&f), 2);
    switch_ok(&f, 3, VERSION_2);
    assert_reopens(&f);
    fixture_close(&f);
}

static void a_fold_that_fails_is_named(void **state)
{
    (void)state;
    cannot_be_activated(VERSION_2
                        "shop:view('bad', {doc = 'd', key = {'k'},\n"
                        "    row = {k = t.integer()},\n"
                        "    fold = {note = function(rows, note)\n"
                        "        if note.n == 6 then error('six') end\n"
                        "    end}})\n",
                        ATE_ESCRIPT, "view bad, fold of note");
    cannot_be_activated(VERSION_2
                        "shop:view('bad', {doc = 'd', key = {'k'},\n"
                        "    row = {k = t.integer(), n = t.integer({max = "
                        "5})},\n"
                        "    fold = {note = function(rows, note)\n"
                        "        rows:set(1, {n = note.n})\n"
                        "    end}})\n",
                        ATE_ESCRIPT, "view bad, fold of note");
}

/* What does not even follow is refused when it comes. */
static void what_does_not_follow_does_not_come(void **state)
{
    struct fixture_chain f;
    struct err err;
    (void)state;
    open_filled(&f);
    struct both_sides was = sides_now(&f);
    assert_refused(bring(&f, 2, NOTE_1 TOTAL_1, &err), &err, ATE_EINVALID,
                   "shop.item: is gone; types only grow");
    assert_refused(bring(&f, 1, VERSION_1 PRICES, &err), &err, ATE_EINVALID,
                   "count it up");
    assert_refused(activate(&f, &err), &err, ATE_ENOT_FOUND,
                   "there is no bundle to be activated");
    assert_sides(&f, was);
    fixture_close(&f);
}

/* Only what came last can be activated, and only once. */
static void the_last_bundle_counts(void **state)
{
    struct fixture_chain f;
    struct err err;
    (void)state;
    open_filled(&f);
    bring_ok(&f, 2, VERSION_2);
    bring_ok(&f, 3, VERSION_3 PRICES);
    assert_int_equal(activate(&f, &err), 0);
    assert_int_equal(version_now(&f), 3);
    assert_refused(activate(&f, &err), &err, ATE_ENOT_FOUND,
                   "there is no bundle to be activated");
    assert_reopens(&f);
    fixture_close(&f);
}

/* ---- what plan says ---- */

static const struct upgrade_report *
try_all(struct fixture_chain *f, struct upgrade **u, const char *rest)
{
    struct buf bundle = {0};
    struct err err;
    shop_bundle(&bundle, 2, rest);
    if (upgrade_new(u, f->chain, buf_bytes(&bundle), true, &err) != 0)
        fail_msg("%s", err.text);
    buf_deinit(&bundle);
    upgrade_run(*u, chain_log(f->chain)->end.frames, fixture_done, f);
    fixture_wait(f);
    if (f->done_code != 0)
        fail_msg("%s", f->done_err.text);
    return upgrade_report(*u);
}

/* Rules about an event and about a transaction are asked; one that is refused
 * for an event is not counted once more as a whole. */
static void new_rules_are_asked_about_old_events(void **state)
{
    struct fixture_chain f;
    struct upgrade *u = NULL;
    (void)state;
    open_filled(&f);
    struct both_sides was = sides_now(&f);
    const struct upgrade_report *r = try_all(
        &f, &u,
        VERSION_2 "shop:rule('small', {doc = 'd', on = {'note'},\n"
                  "    text = '{n} is too large',\n"
                  "    check = function(_, note)\n"
                  "        return note.n < 6 or ate.deny({n = note.n})\n"
                  "    end})\n"
                  "shop:rule('none', {doc = 'No notes.', on = {'note'},\n"
                  "    per = 'transaction',\n"
                  "    check = function() return ate.deny({}) end})\n");
    assert_int_equal(r->events, 6);
    assert_int_equal(r->converted, 4); /* items, and the end of one */
    assert_int_equal(r->refused, 2);
    assert_non_null(strstr(r->refusal.text, "none: No notes."));
    upgrade_free(u);
    assert_sides(&f, was);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrades_convert_what_is_stored),
        cmocka_unit_test(upgrades_follow_on_each_other),
        cmocka_unit_test(new_defaults_are_put_into_what_is_stored),
        cmocka_unit_test(views_come_change_and_go),
        cmocka_unit_test(views_of_bodies_are_folded_from_the_disk),
        cmocka_unit_test(an_upgrade_that_fails_is_named),
        cmocka_unit_test(an_upgrade_that_does_not_end_is_stopped),
        cmocka_unit_test(what_an_upgrade_gives_has_to_fit),
        cmocka_unit_test(an_upgrade_that_went_too_early_is_named),
        cmocka_unit_test(a_fold_that_fails_is_named),
        cmocka_unit_test(what_does_not_follow_does_not_come),
        cmocka_unit_test(the_last_bundle_counts),
        cmocka_unit_test(new_rules_are_asked_about_old_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
