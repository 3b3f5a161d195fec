/* What workers have to do, and that each of it is done once: by the state, by
 * acceptance, and by whoever reads the log again. */
#include "fixture_work.h"

#define jobs_test(name)                                                        \
    cmocka_unit_test_setup_teardown(name, set_up_jobs, fixture_tear_down)

static int set_up_jobs(void **state)
{
    *state = fixture_new("tests/lua/schemas", "jobs");
    return 0;
}

static void place(struct fixture_chain *f, const char *name, int pieces)
{
    struct fixture_call c = {0};
    struct mapping m = {0};
    mapping_text(&m, "name", name);
    mapping_int(&m, "pieces", pieces);
    int rc = work_call(f, &c, &f->keys[1], "placed.append", &m, NULL);
    if (rc != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
}

static void place_till(struct fixture_chain *f, const char *name,
                       const char *till)
{
    struct fixture_call c = {0};
    struct mapping m = {0};
    mapping_text(&m, "name", name);
    mapping_int(&m, "pieces", 1);
    mapping_text(&m, "till", till);
    int rc = work_call(f, &c, &f->keys[1], "placed.append", &m, NULL);
    if (rc != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
}

static size_t facts(struct fixture_chain *f, const char *type)
{
    const struct event_type *t =
        schema_type(f->chain->core.schema, bytes_of_text(type));
    struct object_scan scan;
    uint8_t id[OBJECT_ID_SIZE];
    size_t count = 0;
    object_scan_open(&scan, state_head(&f->chain->core.state), t,
                     object_any_parent, bytes_of(NULL, 0), false);
    while (object_scan_next(&scan, id))
        count++;
    object_scan_close(&scan);
    return count;
}

/* The event ends its item in the transaction that the run makes. */
static void an_event_is_worked_once(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    char text[ERR_TEXT_MAX];
    place(f, "a", 3);
    assert_true(work_first(f, "jobs.note", WORK_EVENT, &item));
    uint64_t size = chain_size(f->chain);
    assert_int_equal(work_run(f, "jobs.note", &item, NULL, text), 0);
    assert_int_equal(chain_size(f->chain), size + 1);
    assert_int_equal(facts(f, "noted"), 1);
    assert_false(work_first(f, "jobs.note", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.note", &item, NULL, text),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(text, "it was worked"));
    assert_int_equal(facts(f, "noted"), 1);
    fixture_reopens(f);
    assert_int_equal(work_count(f, "jobs.pay", WORK_EVENT), 1);
}

/* What a rule refuses leaves the item where it is. */
static void a_refused_run_leaves_its_item(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    char text[ERR_TEXT_MAX];
    place(f, "a", 0);
    assert_true(work_first(f, "jobs.note", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.note", &item, NULL, text), ATE_EREFUSED);
    assert_non_null(strstr(text, "nothing_to_note"));
    assert_int_equal(work_count(f, "jobs.note", WORK_EVENT), 1);
    /* A run that does nothing ends its item all the same. */
    assert_true(work_first(f, "jobs.pay", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.pay", &item, NULL, text), 0);
    assert_int_equal(work_count(f, "jobs.pay", WORK_EVENT), 0);
    fixture_reopens(f);
}

/* Whoever has another key ends nothing, and answers nothing. */
static void only_the_order_key_works(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    struct fixture_call c;
    static const char *const methods[] = {"ate.work", "ate.park", "ate.ask",
                                          "ate.answer"};
    place(f, "a", 3);
    assert_true(work_first(f, "jobs.note", WORK_EVENT, &item));
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        static const uint8_t map = 0x80;
        struct mapping m = {0};
        work_of(&m, "jobs.note", &item);
        if (i == 1)
            mapping_text(&m, "why", "no");
        if (i >= 2)
            mapping_uint(&m, "n", 0);
        if (i == 2)
            mapping_text(&m, "service", "bank");
        if (i >= 2)
            mp_put_bin(mapping_key(&m, i == 2 ? "request" : "answer"),
                       bytes_of(&map, 1));
        assert_int_equal(work_call(f, &c, &f->keys[0], methods[i], &m, NULL),
                         ATE_EDENIED);
        assert_non_null(strstr(c.call.err.text, "order key"));
        fixture_end(&c);
    }
    assert_int_equal(work_count(f, "jobs.note", WORK_EVENT), 1);
}

/* Asked, journaled, answered, asked again, answered: then it is done. */
static void what_is_asked_is_journaled(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    struct work_asking first = {0};
    struct work_asking again = {0};
    struct work_asking second = {0};
    place(f, "a", 3);
    assert_true(work_first(f, "jobs.pay", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.pay", &item, NULL, NULL),
                     ATE_EUNAVAILABLE);
    assert_int_equal(work_run(f, "jobs.pay", &item, &first, NULL), ATE_ENEED);
    assert_false(first.is_journaled);
    assert_int_equal(first.n, 0);
    assert_int_equal(work_ask_of(f, "jobs.pay", &item, &first), 0);
    assert_int_equal(work_ask_of(f, "jobs.pay", &item, &first), ATE_ECONFLICT);
    work_asking_deinit(&first);
    assert_int_equal(work_run(f, "jobs.pay", &item, &first, NULL), ATE_ENEED);
    assert_true(first.is_journaled);
    fixture_reopens(f);

    /* The power failed here, perhaps after it was sent: the same again. */
    assert_int_equal(work_run(f, "jobs.pay", &item, &again, NULL), ATE_ENEED);
    assert_true(again.is_journaled);
    assert_memory_equal(first.key, again.key, sizeof(first.key));
    assert_true(
        bytes_equal(buf_bytes(&first.request), buf_bytes(&again.request)));
    assert_int_equal(work_answer(f, "jobs.pay", &item, 1, "number", "x"),
                     ATE_ECONFLICT);
    assert_int_equal(work_answer(f, "jobs.pay", &item, 0, "number", "n7"), 0);
    assert_int_equal(work_answer(f, "jobs.pay", &item, 0, "number", "n8"),
                     ATE_ECONFLICT);
    fixture_reopens(f);

    assert_int_equal(work_run(f, "jobs.pay", &item, &second, NULL), ATE_ENEED);
    assert_int_equal(second.n, 1);
    assert_int_equal(work_ask_of(f, "jobs.pay", &item, &second), 0);
    work_asking_deinit(&second);
    assert_int_equal(work_run(f, "jobs.pay", &item, &second, NULL), ATE_ENEED);
    assert_memory_not_equal(first.key, second.key, sizeof(first.key));
    assert_int_equal(work_answer(f, "jobs.pay", &item, 1, "receipt", "r"), 0);
    work_asking_deinit(&second);
    assert_int_equal(work_run(f, "jobs.pay", &item, &second, NULL), 0);
    assert_int_equal(facts(f, "paid"), 1);
    assert_int_equal(work_count(f, "jobs.pay", WORK_ASK), 0);
    assert_int_equal(work_count(f, "jobs.pay", WORK_EVENT), 0);
    work_asking_deinit(&first);
    work_asking_deinit(&again);
    work_asking_deinit(&second);
    fixture_reopens(f);
}

/* A row's time is due by log time, and each time once. */
static void a_time_that_passes_is_worked_once(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    char text[ERR_TEXT_MAX];
    place_till(f, "a", "2023-11-14T22:13:30Z"); /* 10 s from now */
    place(f, "b", 1);
    assert_int_equal(work_count(f, "jobs.close", WORK_DUE), 1);
    assert_true(work_first(f, "jobs.close", WORK_DUE, &item));
    f->now = work_item_time(work_item_bytes(&item)) - 1;
    assert_int_equal(work_run(f, "jobs.close", &item, NULL, text),
                     ATE_EINVALID);
    assert_non_null(strstr(text, "its time has not come"));
    f->now++; /* less than a second after the last heartbeat */
    assert_int_equal(work_run(f, "jobs.close", &item, NULL, text), 0);
    assert_int_equal(facts(f, "closed"), 1);
    assert_int_equal(work_count(f, "jobs.close", WORK_DUE), 0);
    assert_int_equal(work_run(f, "jobs.close", &item, NULL, text),
                     ATE_ENOT_FOUND);
    fixture_reopens(f);
}

/* Set aside, taken back by who holds the right, set aside, dropped. */
static void what_is_parked_is_taken_back_or_dropped(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    struct work_item parked;
    struct work_asking asking = {0};
    place(f, "a", 3);
    assert_true(work_first(f, "jobs.pay", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.pay", &item, &asking, NULL), ATE_ENEED);
    assert_int_equal(work_ask_of(f, "jobs.pay", &item, &asking), 0);
    assert_int_equal(work_set_aside(f, "jobs.pay", &item, "the bank is shut"),
                     0);
    assert_int_equal(work_count(f, "jobs.pay", WORK_EVENT), 0);
    assert_true(work_first(f, "jobs.pay", WORK_PARKED, &parked));
    assert_int_equal(work_run(f, "jobs.pay", &item, NULL, NULL),
                     ATE_ENOT_FOUND);
    fixture_reopens(f);

    assert_int_equal(work_take_back(f, 1, "ate.retry", &parked), ATE_EDENIED);
    assert_int_equal(work_take_back(f, 0, "ate.retry", &parked), 0);
    assert_int_equal(work_take_back(f, 0, "ate.retry", &parked),
                     ATE_ENOT_FOUND);
    work_asking_deinit(&asking);
    assert_int_equal(work_run(f, "jobs.pay", &item, &asking, NULL), ATE_ENEED);
    assert_true(asking.is_journaled); /* it goes out with the same key */
    assert_int_equal(work_set_aside(f, "jobs.pay", &item, "still"), 0);
    assert_true(work_first(f, "jobs.pay", WORK_PARKED, &parked));
    assert_int_equal(work_take_back(f, 1, "ate.drop", &parked), ATE_EDENIED);
    assert_int_equal(work_take_back(f, 0, "ate.drop", &parked), 0);
    assert_int_equal(work_count(f, "jobs.pay", WORK_PARKED), 0);
    assert_int_equal(work_count(f, "jobs.pay", WORK_ASK), 0);
    work_asking_deinit(&asking);
    fixture_reopens(f);
}

/* A parked time whose row went meanwhile has nothing to wait for. */
static void a_parked_time_waits_only_with_its_row(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    struct work_item parked;
    place_till(f, "a", "2023-11-14T22:13:30Z");
    assert_true(work_first(f, "jobs.close", WORK_DUE, &item));
    f->now += 60000;
    assert_int_equal(work_set_aside(f, "jobs.close", &item, "later"), 0);
    assert_true(work_first(f, "jobs.close", WORK_PARKED, &parked));
    assert_int_equal(work_take_back(f, 0, "ate.retry", &parked), 0);
    assert_int_equal(work_count(f, "jobs.close", WORK_DUE), 1);
    assert_int_equal(work_set_aside(f, "jobs.close", &item, "later"), 0);
    assert_true(work_first(f, "jobs.close", WORK_PARKED, &parked));
    fixture_ok(f, 0, "closed.append", ARGS("placed=a"));
    assert_int_equal(work_take_back(f, 0, "ate.retry", &parked), 0);
    assert_int_equal(work_count(f, "jobs.close", WORK_DUE), 0);
    assert_int_equal(work_count(f, "jobs.close", WORK_PARKED), 0);
    fixture_reopens(f);
}

/* Each version is an item of its own, and seen as it was. */
static void objects_are_seen_as_they_were(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    fixture_ok(f, 0, "shelf.put", ARGS("name=s"));
    struct fixture_call c;
    struct mapping m = {0};
    mapping_text(&m, "name", "s");
    mapping_int(&m, "pieces", 5);
    assert_int_equal(work_call(f, &c, &f->keys[0], "shelf.put", &m, NULL), 0);
    fixture_end(&c);
    fixture_ok(f, 0, "shelf.delete", ARGS("name=s"));
    assert_int_equal(work_count(f, "jobs.watch", WORK_EVENT), 3);
    static const char *const seen[] = {"new 0", "edit 5", "delete 5"};
    for (int i = 0; i < 3; i++) {
        assert_true(work_first(f, "jobs.watch", WORK_EVENT, &item));
        assert_int_equal(work_run(f, "jobs.watch", &item, NULL, NULL), 0);
    }
    const struct event_type *saw =
        schema_type(f->chain->core.schema, bytes_of_text("saw"));
    struct tree_version v = state_head(&f->chain->core.state);
    struct object_scan scan;
    uint8_t id[OBJECT_ID_SIZE];
    int at = 0;
    object_scan_open(&scan, v, saw, NULL, bytes_of(NULL, 0), false);
    for (; object_scan_next(&scan, id); at++) {
        struct object o;
        struct bytes change;
        int64_t pieces;
        char text[64];
        assert_int_equal(state_object(v, id, &o), OBJECT_LIVE);
        struct mp mp = mp_open(mp_map_get(o.header.fields, "how"));
        assert_int_equal(mp_get_str(&mp, &change, NULL), 0);
        mp = mp_open(mp_map_get(o.header.fields, "pieces"));
        assert_int_equal(mp_get_int(&mp, &pieces, NULL), 0);
        snprintf(text, sizeof(text), "%.*s %d", (int)change.len,
                 (const char *)change.data, (int)pieces);
        assert_string_equal(text, seen[at]);
    }
    object_scan_close(&scan);
    assert_int_equal(at, 3);
    fixture_reopens(f);
}

/* ---- another schema ---- */

/* jobs.lua of a later version: its orders have a color, another worker waits
 * for them, and nobody watches shelves. */
static int later_source(void *ctx, const char *module, struct buf *file,
                        struct buf *source, struct err *err)
{
    static const char *const changes[][2] = {
        {"version = 1", "version = 2"},
        {"pieces = t.integer({min = 0}), till",
         "pieces = t.integer({min = 0}), color = t.default(t.text(), 'red'), "
         "till"},
        {"what = placed.wishes or 'nothing'", "what = placed.color"},
        {"jobs:worker('watch'", "jobs:worker('look'"},
    };
    struct buf text = {0};
    int rc = fixture_source(ctx, module, file, &text, err);
    for (size_t i = 0; rc == 0 && i < sizeof(changes) / sizeof(*changes); i++) {
        struct buf next = {0};
        const char *all = buf_text(&text);
        const char *at = strstr(all, changes[i][0]);
        assert_non_null(at);
        buf_put(&next, all, (size_t)(at - all));
        buf_put_text(&next, changes[i][1]);
        buf_put_text(&next, at + strlen(changes[i][0]));
        buf_deinit(&text);
        text = next;
    }
    if (rc == 0)
        buf_put_bytes(source, buf_bytes(&text));
    buf_deinit(&text);
    return rc;
}

static void go_on_under_another_bundle(struct fixture_chain *f)
{
    struct fixture_call c;
    struct err err;
    struct mapping m = {0};
    struct buf bundle = {0};
    if (bundle_build(&bundle, "jobs", later_source,
                     (void *)(uintptr_t) "tests/lua/schemas", NULL, NULL,
                     &err) != 0)
        fail_msg("%s", err.text);
    mp_put_bin(mapping_key(&m, "bundle"), buf_bytes(&bundle));
    if (work_call(f, &c, &f->keys[0], "ate.bundle", &m, NULL) != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    if (work_call(f, &c, &f->keys[0], "ate.activate", &m, NULL) != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    buf_deinit(&bundle);
}

/* What waits goes on waiting, with fields as they are now; a new worker gets
 * nothing of what was before, and one that is gone leaves nothing. */
static void another_bundle_takes_over_what_waits(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item;
    struct work_item parked;
    struct work_asking asking = {0};
    place(f, "worked", 1);
    assert_true(work_first(f, "jobs.note", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.note", &item, NULL, NULL), 0);
    assert_true(work_first(f, "jobs.pay", WORK_EVENT, &item));
    assert_int_equal(work_set_aside(f, "jobs.pay", &item, "no bank"), 0);
    place_till(f, "closed", "2023-11-14T22:13:21Z");
    place_till(f, "open", "2023-11-14T22:13:22Z");
    fixture_ok(f, 0, "shelf.put", ARGS("name=s"));
    f->now += 60000;
    assert_true(work_first(f, "jobs.close", WORK_DUE, &item));
    assert_int_equal(work_run(f, "jobs.close", &item, NULL, NULL), 0);
    assert_true(work_first(f, "jobs.pay", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.pay", &item, &asking, NULL), ATE_ENEED);
    assert_int_equal(work_ask_of(f, "jobs.pay", &item, &asking), 0);

    go_on_under_another_bundle(f);
    assert_int_equal(work_count(f, "jobs.note", WORK_EVENT), 2);
    assert_int_equal(work_count(f, "jobs.pay", WORK_EVENT), 2);
    assert_int_equal(work_count(f, "jobs.pay", WORK_PARKED), 1);
    assert_int_equal(work_count(f, "jobs.pay", WORK_ASK), 1);
    assert_int_equal(work_count(f, "jobs.close", WORK_DUE), 1);
    assert_int_equal(work_count(f, "jobs.watch", WORK_EVENT), 0);
    assert_int_equal(work_count(f, "jobs.look", WORK_EVENT), 0);
    fixture_reopens(f);

    assert_true(work_first(f, "jobs.note", WORK_EVENT, &item));
    assert_int_equal(work_run(f, "jobs.note", &item, NULL, NULL), 0);
    assert_true(work_first(f, "jobs.pay", WORK_EVENT, &item));
    work_asking_deinit(&asking);
    assert_int_equal(work_run(f, "jobs.pay", &item, &asking, NULL), ATE_ENEED);
    assert_true(asking.is_journaled);
    assert_true(work_first(f, "jobs.pay", WORK_PARKED, &parked));
    assert_int_equal(work_take_back(f, 0, "ate.retry", &parked), 0);
    assert_int_equal(work_count(f, "jobs.pay", WORK_EVENT), 3);
    assert_true(work_first(f, "jobs.close", WORK_DUE, &item));
    assert_int_equal(work_run(f, "jobs.close", &item, NULL, NULL), 0);
    fixture_ok(f, 0, "shelf.put", ARGS("name=t"));
    assert_int_equal(work_count(f, "jobs.look", WORK_EVENT), 1);
    work_asking_deinit(&asking);
    fixture_reopens(f);
}

/* A method that is called asks nobody. */
static void only_workers_ask(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = work_item_at(WORK_EVENT, 1, 0);
    assert_int_equal(work_run(f, "jobs.nobody", &item, NULL, NULL),
                     ATE_ENOT_FOUND);
    struct bytes odd = bytes_of("\7\7", 2);
    struct fixture_call c;
    struct mapping m = {0};
    mapping_text(&m, "worker", "jobs.note");
    mp_put_bin(mapping_key(&m, "item"), odd);
    assert_int_equal(work_call(f, &c, &f->order, "ate.work", &m, NULL),
                     ATE_ENOT_FOUND);
    fixture_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        jobs_test(an_event_is_worked_once),
        jobs_test(a_refused_run_leaves_its_item),
        jobs_test(only_the_order_key_works),
        jobs_test(what_is_asked_is_journaled),
        jobs_test(a_time_that_passes_is_worked_once),
        jobs_test(what_is_parked_is_taken_back_or_dropped),
        jobs_test(a_parked_time_waits_only_with_its_row),
        jobs_test(objects_are_seen_as_they_were),
        jobs_test(another_bundle_takes_over_what_waits),
        jobs_test(only_workers_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
