/* When workers work on a node, in what order, and how long they wait to try
 * again: with a clock that the test moves. */
#include "fixture_bank.h"

#include "node/work.h"

#define bank_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

enum { IDLE_MS = 5000, TIMES_MAX = 64 };

struct world {
    struct process p;
    struct rng rng;
    struct sim_disk *disk;
    int64_t sent_us[TIMES_MAX]; /* when the bank was asked */
    size_t sent_count;
};

static struct world *world; /* of the test that runs */

static void note_time(struct process *p, const struct service_request *r)
{
    (void)r;
    assert_true(world->sent_count < TIMES_MAX);
    world->sent_us[world->sent_count++] = p->steady_us;
}

static void begin(struct world *w)
{
    int64_t wall_ms = w->p.wall_ms;
    w->p.idle_ms = IDLE_MS;
    process_begin(&w->p, w->disk, &w->rng);
    w->p.sent = note_time;
    if (wall_ms > 0)
        w->p.wall_ms = wall_ms;
    assert_int_equal(process_start(&w->p), 0);
}

static int set_up(void **state)
{
    struct world *w = mem_zero(1, sizeof(*w));
    w->rng = (struct rng){1};
    w->disk = sim_disk_new(1);
    world = w;
    begin(w);
    create_jobs(&w->p);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    process_end(&w->p);
    sim_disk_free(w->disk);
    mem_free(w);
    return 0;
}

/* Until the node's next deadline, which is at most so far. */
static int64_t pass_to_deadline(struct process *p, int64_t ms_max)
{
    int64_t at = node_next_deadline(p->node);
    int64_t ms = at == INT64_MAX ? ms_max : (at - p->steady_us + 999) / 1000;
    if (ms > ms_max)
        ms = ms_max;
    process_pass(p, ms > 0 ? ms : 1);
    return ms;
}

static void pass_until(struct process *p, int64_t wall_ms)
{
    for (int i = 0; i < 100000 && p->wall_ms < wall_ms; i++)
        pass_to_deadline(p, wall_ms - p->wall_ms);
}

static void nothing_works_unless_somebody_wants_it(void **state)
{
    struct world *w = *state;
    place_order(&w->p, 1, "2023-11-14T22:14:00Z");
    process_pass(&w->p, 120000);
    assert_int_equal(w->p.sends, 0);
    assert_int_equal(count(&w->p, "noted"), 0);
    node_work(w->p.node);
    process_pass(&w->p, 1);
    assert_int_equal(count(&w->p, "noted"), 1);
    assert_int_equal(count(&w->p, "paid"), 1);
    assert_int_equal(count(&w->p, "closed"), 1);
}

/* Each wait is at most twice the one before, and never less than half of what
 * it may be; then it is parked, and nothing is asked any more. */
static void what_fails_is_tried_later_and_later(void **state)
{
    struct world *w = *state;
    struct ask a;
    struct mapping m = {0};
    w->p.fails = 3;
    node_work(w->p.node);
    place_order(&w->p, 1, NULL);
    pass_until(&w->p, w->p.wall_ms + 4ll * 3600 * 1000);
    assert_int_equal(w->sent_count, WORK_ATTEMPTS_MAX);
    for (size_t i = 1; i < w->sent_count; i++) {
        int64_t most = (int64_t)WORK_RETRY_MS << (i - 1);
        int64_t waited = (w->sent_us[i] - w->sent_us[i - 1]) / 1000;
        if (most > WORK_RETRY_MS_MAX)
            most = WORK_RETRY_MS_MAX;
        assert_in_range(waited, most / 2, most + 1000);
    }
    mp_put_bool(mapping_key(&m, "parked"), true);
    ask(&w->p, &a, REQUEST_READ, false, "work", &m);
    assert_int_equal(a.chunks, 1);
    buf_deinit(&a.result);
    assert_int_equal(count(&w->p, "noted"), 1);
}

/* A service may say when it is worth while. */
static void a_service_says_when_to_ask_again(void **state)
{
    struct world *w = *state;
    w->p.fails = 3;
    w->p.retry_ms = 60000;
    node_work(w->p.node);
    place_order(&w->p, 1, NULL);
    pass_until(&w->p, w->p.wall_ms + 59999);
    assert_int_equal(w->sent_count, 1);
    w->p.fails = 0;
    pass_until(&w->p, w->p.wall_ms + 2000);
    assert_int_equal(count(&w->p, "paid"), 1);
}

/* What fails and waits does not keep others waiting; what is under way does. */
static void others_pass_what_waits(void **state)
{
    struct world *w = *state;
    node_work(w->p.node);
    w->p.fails = 3;
    place_order(&w->p, 1, NULL);
    w->p.fails = 0;
    place_order(&w->p, 2, NULL);
    assert_int_equal(count(&w->p, "paid"), 1);
    pass_until(&w->p, w->p.wall_ms + 2000);
    assert_int_equal(count(&w->p, "paid"), 2);
    w->p.is_silent = true;
    place_order(&w->p, 3, NULL);
    place_order(&w->p, 4, NULL);
    assert_int_equal(w->p.asked_count, 1);
    w->p.is_silent = false;
    process_run(&w->p);
    assert_int_equal(count(&w->p, "paid"), 4);
}

/* A chain that nobody uses is closed, and opened when a time comes. */
static void a_time_opens_a_closed_chain(void **state)
{
    struct world *w = *state;
    node_work(w->p.node);
    place_order(&w->p, 1, "2023-11-15T00:00:00Z");
    pass_until(&w->p, w->p.wall_ms + 4 * IDLE_MS);
    assert_int_equal(w->p.node->open_count, 0);
    pass_until(&w->p, 1700006400000 - 10);
    assert_int_equal(w->p.node->hosted.count, 0);
    /* Opening takes part of a second by this clock. */
    for (int i = 0; i < 200; i++)
        pass_to_deadline(&w->p, 500);
    assert_int_equal(w->p.node->open_count, 0);
    assert_int_equal(count(&w->p, "closed"), 1);
}

/* What waited when the process before ended is found without anybody asking. */
static void a_new_process_finds_what_waits(void **state)
{
    struct world *w = *state;
    place_order(&w->p, 1, NULL);
    place_order(&w->p, 2, "2023-11-14T22:13:00Z");
    process_end(&w->p);
    begin(w);
    node_work(w->p.node);
    for (int i = 0; i < 20; i++)
        pass_to_deadline(&w->p, 100);
    assert_int_equal(w->p.sends, 4);
    assert_int_equal(count(&w->p, "paid"), 2);
    assert_int_equal(count(&w->p, "closed"), 1);
}

/* Nobody waits for a bank that says nothing. */
static void the_end_lets_go_of_what_is_outside(void **state)
{
    struct world *w = *state;
    node_work(w->p.node);
    w->p.is_silent = true;
    place_order(&w->p, 1, NULL);
    assert_int_equal(w->p.asked_count, 1);
    process_end(&w->p);
    assert_int_equal(w->p.asked_count, 0);
    begin(w);
    node_work(w->p.node);
    for (int i = 0; i < 20; i++)
        pass_to_deadline(&w->p, 100);
    assert_int_equal(count(&w->p, "paid"), 1);
}

/* While somebody waits for workers, a cancel ends the waiting. */
static void waiting_for_workers_can_be_canceled(void **state)
{
    struct world *w = *state;
    struct ask a = {0};
    w->p.is_silent = true;
    place_order(&w->p, 1, NULL);
    a.request = (struct node_request){
        .kind = REQUEST_CALL,
        .chain = bytes_of_text("jobs"),
        .method = bytes_of_text("ate.workers"),
        .chunk = ask_chunk,
        .final = ask_final,
        .owner = &a,
    };
    node_ask(w->p.node, &a.request);
    process_run(&w->p);
    assert_false(a.done);
    assert_int_equal(w->p.asked_count, 1);
    node_cancel(w->p.node, &a.request);
    process_run(&w->p);
    assert_true(a.done);
    assert_int_equal(a.code, ATE_ECANCELED);
    w->p.is_silent = false;
    process_run(&w->p);
    assert_int_equal(count(&w->p, "paid"), 1);
    buf_deinit(&a.result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bank_test(nothing_works_unless_somebody_wants_it),
        bank_test(what_fails_is_tried_later_and_later),
        bank_test(a_service_says_when_to_ask_again),
        bank_test(others_pass_what_waits),
        bank_test(a_time_opens_a_closed_chain),
        bank_test(a_new_process_finds_what_waits),
        bank_test(the_end_lets_go_of_what_is_outside),
        bank_test(waiting_for_workers_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
