/* A chain of tests/lua/schemas/jobs.lua, and its workers worked by hand. */
#ifndef ATE_TESTS_FIXTURE_WORK_H
#define ATE_TESTS_FIXTURE_WORK_H

#include "fixture_chain.h"

#include "base/mapping.h"
#include "chain/inside.h"
#include "state/work.h"

/* The first item of a class that waits for a worker, or is parked; false: none
 * does. */
static inline bool work_first(struct fixture_chain *f, const char *worker,
                              enum work_class class, struct work_item *item)
{
    struct buf prefix = {0};
    struct buf at = {0};
    struct bytes key;
    struct bytes value;
    work_prefix(&prefix, worker, class);
    bool found = state_step(state_head(&f->chain->core.state),
                            buf_bytes(&prefix), &at, false, &key, &value);
    if (found) {
        struct bytes bytes = work_item_in(worker, key);
        item->len = bytes.len;
        memcpy(item->bytes, bytes.data, bytes.len);
    }
    buf_deinit(&prefix);
    buf_deinit(&at);
    return found;
}

static inline size_t work_count(struct fixture_chain *f, const char *worker,
                                enum work_class class)
{
    struct buf prefix = {0};
    struct buf at = {0};
    struct bytes key;
    struct bytes value;
    size_t count = 0;
    work_prefix(&prefix, worker, class);
    while (state_step(state_head(&f->chain->core.state), buf_bytes(&prefix),
                      &at, false, &key, &value))
        count++;
    buf_deinit(&prefix);
    buf_deinit(&at);
    return count;
}

/* A method of the engine's, by a key pair, over arguments that `m` has. */
static inline int work_call(struct fixture_chain *f, struct fixture_call *c,
                            const struct key_pair *author, const char *method,
                            struct mapping *m, struct work_asking *asking)
{
    *c = (struct fixture_call){0};
    mapping_put(m, &c->args);
    c->call.method = bytes_of_text(method);
    c->call.args = buf_bytes(&c->args);
    c->call.author = author;
    c->call.asking = asking;
    c->call.not_before = f->now;
    put_be64(c->call.call_id, ++f->calls);
    c->call.done = fixture_answered;
    c->call.owner = c;
    chain_call(f->chain, &c->call);
    fixture_run(f);
    assert_true(c->done);
    return c->call.code;
}

static inline void work_of(struct mapping *m, const char *worker,
                           const struct work_item *item)
{
    mapping_text(m, "worker", worker);
    mp_put_bin(mapping_key(m, "item"), work_item_bytes(item));
}

/* The run of one item. `text` may be NULL. */
static inline int work_run(struct fixture_chain *f, const char *worker,
                           const struct work_item *item,
                           struct work_asking *asking, char text[ERR_TEXT_MAX])
{
    struct fixture_call c;
    struct mapping m = {0};
    work_of(&m, worker, item);
    int rc = work_call(f, &c, &f->order, "ate.work", &m, asking);
    if (text != NULL)
        memcpy(text, c.call.err.text, ERR_TEXT_MAX);
    fixture_end(&c);
    return rc;
}

static inline int work_ask_of(struct fixture_chain *f, const char *worker,
                              const struct work_item *item,
                              const struct work_asking *asking)
{
    struct fixture_call c;
    struct mapping m = {0};
    work_of(&m, worker, item);
    mapping_uint(&m, "n", asking->n);
    mapping_str(&m, "service", buf_bytes(&asking->service));
    mp_put_bin(mapping_key(&m, "request"), buf_bytes(&asking->request));
    int rc = work_call(f, &c, &f->order, "ate.ask", &m, NULL);
    fixture_end(&c);
    return rc;
}

static inline int work_answer(struct fixture_chain *f, const char *worker,
                              const struct work_item *item, uint64_t n,
                              const char *name, const char *value)
{
    struct fixture_call c;
    struct mapping m = {0};
    struct mapping answer = {0};
    struct buf bytes = {0};
    mapping_text(&answer, name, value);
    mapping_put(&answer, &bytes);
    work_of(&m, worker, item);
    mapping_uint(&m, "n", n);
    mp_put_bin(mapping_key(&m, "answer"), buf_bytes(&bytes));
    int rc = work_call(f, &c, &f->order, "ate.answer", &m, NULL);
    fixture_end(&c);
    buf_deinit(&bytes);
    return rc;
}

static inline int work_set_aside(struct fixture_chain *f, const char *worker,
                                 const struct work_item *item, const char *why)
{
    struct fixture_call c;
    struct mapping m = {0};
    work_of(&m, worker, item);
    mapping_text(&m, "why", why);
    int rc = work_call(f, &c, &f->order, "ate.park", &m, NULL);
    fixture_end(&c);
    return rc;
}

/* ate.retry, ate.drop, by one of the fixture's keys. */
static inline int work_take_back(struct fixture_chain *f, int key,
                                 const char *method,
                                 const struct work_item *place)
{
    struct fixture_call c;
    char text[64];
    snprintf(text, sizeof(text), "parked=%llu.%llu",
             (unsigned long long)work_item_index(work_item_bytes(place)),
             (unsigned long long)work_item_n(work_item_bytes(place)));
    int rc = fixture_call(f, &c, key, method, ARGS(text));
    fixture_end(&c);
    return rc;
}

static inline void work_asking_deinit(struct work_asking *asking)
{
    buf_deinit(&asking->service);
    buf_deinit(&asking->request);
    *asking = (struct work_asking){0};
}
#endif
