/* What workers did, made by hand: what is refused is refused in a log, too, and
 * by every reader of it (fixture_land.h). */
#include "fixture_land.h"
#include "fixture_work.h"

#include "acceptance/work_events.h"

static int set_up(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_create(f, "tests/lua/schemas", "jobs");
    fixture_ok(f, 1, "placed.append",
               ARGS("name=a", "pieces=3", "till=2023-11-14T22:13:30Z"));
    *state = f;
    return 0;
}

static struct work_item waiting(struct fixture_chain *f, const char *worker,
                                enum work_class class)
{
    struct work_item item;
    assert_true(work_first(f, worker, class, &item));
    return item;
}

static struct tx worked(struct fixture_chain *f, const struct key_pair *author,
                        const char *worker, const struct work_item *item,
                        enum work_outcome outcome)
{
    struct tx t;
    struct buf fields = {0};
    work_fields_put(&fields,
                    &(struct work_fields){
                        .worker = bytes_of_text(worker),
                        .item = work_item_bytes(item),
                        .outcome = outcome,
                        .why = outcome == WORK_PARK ? bytes_of_text("so")
                                                    : bytes_of(NULL, 0),
                    });
    tx_begin(f, &t, author);
    tx_fact(&t, TYPE_WORK, &fields, NULL);
    return t;
}

/* `type`: ate.ask, ate.answer. */
static struct tx said(struct fixture_chain *f, const char *type,
                      const char *worker, const struct work_item *item,
                      uint64_t n, struct bytes body)
{
    struct tx t;
    struct buf fields = {0};
    uint8_t hash[HASH_SIZE];
    bool asks = strcmp(type, TYPE_ASK) == 0;
    ask_fields_put(&fields, &(struct ask_fields){
                                .worker = bytes_of_text(worker),
                                .item = work_item_bytes(item),
                                .n = n,
                                .service = asks ? bytes_of_text("bank")
                                                : bytes_of(NULL, 0),
                            });
    tx_begin(f, &t, &f->order);
    put_body(&t, body, hash);
    tx_event(&t, (struct event_header){
                     .type = bytes_of_text(type),
                     .body_length = body.len,
                     .body_hash = hash,
                     .fields = buf_bytes(&fields),
                 });
    buf_deinit(&fields);
    return t;
}

static struct tx asked(struct fixture_chain *f, const char *type,
                       const char *worker, const struct work_item *item,
                       uint64_t n)
{
    return said(f, type, worker, item, n, bytes_of("\xc0", 1));
}

#define YES(made)                                                              \
    do {                                                                       \
        struct tx t_ = (made);                                                 \
        tx_ok(&t_);                                                            \
    } while (0)
#define NO(made, code, words)                                                  \
    do {                                                                       \
        struct tx t_ = (made);                                                 \
        tx_no(&t_, code, words);                                               \
    } while (0)

static void an_item_is_worked_once_by_the_order_key(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = waiting(f, "jobs.note", WORK_EVENT);
    struct work_item to_come = work_item_at(WORK_EVENT, 1000, 0);
    const struct key_pair *order = &f->order;
    NO(worked(f, &f->keys[0], "jobs.note", &item, WORK_DONE), ATE_EDENIED,
       "order key");
    NO(worked(f, order, "jobs.note", &to_come, WORK_DONE), ATE_ENOT_FOUND,
       "nothing waits there");
    NO(worked(f, order, "jobs.note", &item, WORK_DROPPED), ATE_EINVALID,
       "not one of its item");
    YES(worked(f, order, "jobs.note", &item, WORK_DONE));
    NO(worked(f, order, "jobs.note", &item, WORK_DONE), ATE_ENOT_FOUND,
       "it was worked");
    NO(worked(f, order, "jobs.note", &item, WORK_PARK), ATE_ENOT_FOUND,
       "it was worked");
}

static void what_is_parked_is_taken_back_once(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = waiting(f, "jobs.pay", WORK_EVENT);
    struct work_item none = work_item_at(WORK_PARKED, 1, 0);
    const struct key_pair *order = &f->order;
    NO(worked(f, order, "jobs.pay", &none, WORK_RETRIED), ATE_ENOT_FOUND,
       "nothing that was parked");
    YES(worked(f, order, "jobs.pay", &item, WORK_PARK));
    NO(worked(f, order, "jobs.pay", &item, WORK_DONE), ATE_ENOT_FOUND,
       "it was worked");
    struct work_item parked = waiting(f, "jobs.pay", WORK_PARKED);
    NO(worked(f, order, "jobs.note", &parked, WORK_RETRIED), ATE_ENOT_FOUND,
       "nothing that was parked");
    NO(worked(f, &f->keys[1], "jobs.pay", &parked, WORK_RETRIED), ATE_EDENIED,
       "right 'order'");
    YES(worked(f, &f->keys[0], "jobs.pay", &parked, WORK_RETRIED));
    NO(worked(f, order, "jobs.pay", &parked, WORK_DROPPED), ATE_ENOT_FOUND,
       "nothing that was parked");
    YES(worked(f, order, "jobs.pay", &item, WORK_PARK));
    parked = waiting(f, "jobs.pay", WORK_PARKED);
    YES(worked(f, order, "jobs.pay", &parked, WORK_DROPPED));
    NO(worked(f, order, "jobs.pay", &item, WORK_DONE), ATE_ENOT_FOUND,
       "it was worked");
}

static void asks_are_in_order(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = waiting(f, "jobs.pay", WORK_EVENT);
    const char *not_yet = "it was asked, or what comes before it";
    const char *not_asked = "it was not asked, or answered already";
    NO(asked(f, TYPE_ANSWER, "jobs.pay", &item, 0), ATE_ECONFLICT, not_asked);
    NO(asked(f, TYPE_ASK, "jobs.pay", &item, 1), ATE_ECONFLICT, not_yet);
    YES(asked(f, TYPE_ASK, "jobs.pay", &item, 0));
    NO(asked(f, TYPE_ASK, "jobs.pay", &item, 0), ATE_ECONFLICT, not_yet);
    NO(asked(f, TYPE_ASK, "jobs.pay", &item, 1), ATE_ECONFLICT, not_yet);
    YES(asked(f, TYPE_ANSWER, "jobs.pay", &item, 0));
    NO(asked(f, TYPE_ANSWER, "jobs.pay", &item, 0), ATE_ECONFLICT, not_asked);
    YES(asked(f, TYPE_ASK, "jobs.pay", &item, 1));
    NO(asked(f, TYPE_ASK, "jobs.pay", &item, 64), ATE_EINVALID, "beyond 64");
    YES(worked(f, &f->order, "jobs.pay", &item, WORK_DONE));
    NO(asked(f, TYPE_ANSWER, "jobs.pay", &item, 1), ATE_ENOT_FOUND,
       "it was worked");
}

/* Inline; in the body file, which is not read when a chain is opened. */
static void what_is_asked_is_one_value(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = waiting(f, "jobs.pay", WORK_EVENT);
    static const size_t lengths[] = {3, 5000};
    for (size_t i = 0; i < 2; i++) {
        struct buf zeros = {0};
        struct buf body = {0};
        const char *in_log = i == 0 ? "ate.ask: body" : "the verdict differs";
        memset(buf_grow(&zeros, lengths[i]), 0, lengths[i]);
        mp_put_bin(&body, buf_bytes(&zeros));
        struct tx t = said(f, TYPE_ASK, "jobs.pay", &item, i,
                           bytes_of(body.data, body.len - 1));
        tx_no_in_log(&t, ATE_EINVALID, "ate.ask: body", in_log);
        YES(said(f, TYPE_ASK, "jobs.pay", &item, i, buf_bytes(&body)));
        in_log = i == 0 ? "ate.answer: body" : "the verdict differs";
        t = said(f, TYPE_ANSWER, "jobs.pay", &item, i, buf_bytes(&zeros));
        tx_no_in_log(&t, ATE_EINVALID, "ate.answer: body", in_log);
        YES(said(f, TYPE_ANSWER, "jobs.pay", &item, i, buf_bytes(&body)));
        buf_deinit(&zeros);
        buf_deinit(&body);
    }
}

static void body_came(void *ctx, struct bytes body, int code,
                      const struct err *err)
{
    int *came = ctx;
    (void)body;
    (void)err;
    *came = code;
}

/* Opening has no answer at hand that stands in the body file: it is looked at
 * when a worker is to have it. */
static void an_answer_is_looked_at_when_it_is_read(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = waiting(f, "jobs.pay", WORK_EVENT);
    uint8_t text[2000] = {0xda, 0x07, 0xcd}; /* of 1997 bytes, */
    struct handed h;
    int came = 1;
    text[1000] = 0xff; /* one of which is in no UTF-8 */
    YES(asked(f, TYPE_ASK, "jobs.pay", &item, 0));
    struct tx t = said(f, TYPE_ANSWER, "jobs.pay", &item, 0,
                       bytes_of(text, sizeof(text)));
    as_ordered(&h, &t, NULL);
    assert_forgery_taken(f, &h);
    chain_read_body(f->chain, chain_size(f->chain) - 1, 0, body_came, &came);
    fixture_run(f);
    assert_int_equal(came, ATE_ECORRUPT);
    handed_end(&h);
    tx_end(&t);
}

/* Rows are Lua's; a reader without Lua follows what is said of their items. */
static void a_time_is_worked_when_it_has_come(void **state)
{
    struct fixture_chain *f = *state;
    struct work_item item = waiting(f, "jobs.close", WORK_DUE);
    const struct key_pair *order = &f->order;
    NO(worked(f, order, "jobs.close", &item, WORK_DONE), ATE_EINVALID,
       "its time has not come");
    f->now += 60000;
    fixture_ok(f, 0, "shelf.put", ARGS("name=s")); /* a heartbeat before it */
    NO(worked(f, &f->keys[0], "jobs.close", &item, WORK_DONE), ATE_EDENIED,
       "order key");
    NO(asked(f, TYPE_ASK, "jobs.close", &item, 1), ATE_ECONFLICT, "was asked");
    YES(asked(f, TYPE_ASK, "jobs.close", &item, 0));
    NO(asked(f, TYPE_ASK, "jobs.close", &item, 1), ATE_ECONFLICT, "was asked");
    YES(asked(f, TYPE_ANSWER, "jobs.close", &item, 0));
    YES(worked(f, order, "jobs.close", &item, WORK_PARK));
    struct work_item parked = waiting(f, "jobs.close", WORK_PARKED);
    YES(worked(f, order, "jobs.close", &parked, WORK_RETRIED));
    YES(asked(f, TYPE_ASK, "jobs.close", &item, 1));
    YES(worked(f, order, "jobs.close", &item, WORK_PARK));
    parked = waiting(f, "jobs.close", WORK_PARKED);
    YES(worked(f, order, "jobs.close", &parked, WORK_DROPPED));
    NO(worked(f, order, "jobs.close", &parked, WORK_DROPPED), ATE_ENOT_FOUND,
       "nothing that was parked");
}

#define forged_test(name)                                                      \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        forged_test(an_item_is_worked_once_by_the_order_key),
        forged_test(what_is_parked_is_taken_back_once),
        forged_test(asks_are_in_order),
        forged_test(what_is_asked_is_one_value),
        forged_test(an_answer_is_looked_at_when_it_is_read),
        forged_test(a_time_is_worked_when_it_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
