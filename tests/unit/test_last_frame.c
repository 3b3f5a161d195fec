/* Bodies of one frame, read one after the other: the frame is read once, kept
 * while somebody works with it, and told like frames that are read anew. */
#define _GNU_SOURCE /* memmem */
#include "fixture_bundles.h"

#include "chain/inside.h"
#include "query/inside.h"

enum { NOTES = 40, CALLS = 8, MANY = 600 * CALLS, LARGE = 1000 };

#define NOTE_SCHEMA                                                            \
    "shop:event('note', {doc = 'd', header = {n = t.integer()},\n"             \
    "    body = {text = t.text()}})\n"                                         \
    "shop:object('page', {doc = 'd', key = {'name'},\n"                        \
    "    header = {name = t.name()}, body = {text = t.text()}})\n"             \
    "shop:method('many', {doc = 'd', mode = 'write',\n"                        \
    "    args = {count = t.integer(), text = t.text()},\n"                     \
    "    run = function(ctx, args)\n"                                          \
    "        for n = 1, args.count do\n"                                       \
    "            local text = args.text .. n\n"                                \
    "            ctx:emit('note', {n = n, text = text})\n"                     \
    "        end\n"                                                            \
    "    end})\n"

struct bench {
    struct fixture_chain f;
    struct disk disk; /* in front of the chain's, once it is born */
    const struct disk *below;
    bool holds; /* the next read waits, as `held` */
    struct job *held;
    size_t heads;  /* reads of the header file */
    size_t bodies; /* and of the body file */
};

static void count(void *ctx, struct job *job)
{
    struct bench *b = ctx;
    for (uint32_t i = 0; i < job->count; i++) {
        const struct job_op *op = &job->op[i];
        bool is_read = op->kind == JOB_READ;
        b->heads += is_read && strstr(op->path, ".head") != NULL;
        b->bodies += is_read && strstr(op->path, ".body") != NULL;
    }
    if (b->holds && b->held == NULL && job->op[0].kind == JOB_READ)
        b->held = job;
    else
        b->below->submit(b->below->ctx, job);
}

/* "text=xxx...", so long. */
static const char *long_text(size_t length)
{
    static char text[4096];
    assert_true(length + 6 < sizeof(text));
    int at = snprintf(text, sizeof(text), "text=");
    memset(text + at, 'x', length);
    text[(size_t)at + length] = '\0';
    return text;
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof(*b));
    shop_open(&b->f, NOTE_SCHEMA);
    b->below = b->f.chain->log.disk;
    b->disk = *b->below;
    b->disk.ctx = b;
    b->disk.submit = count;
    b->f.chain->log.disk = &b->disk;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    b->f.chain->log.disk = b->below;
    fixture_close(&b->f);
    mem_free(b);
    return 0;
}

static void begin(struct bench *b, struct fixture_query *q, const char *method,
                  const char *type, const char *key, bool follow,
                  uint32_t credit)
{
    struct buf args = {0};
    *q = (struct fixture_query){0};
    mp_put_map(&args, 1 + (key != NULL) + follow);
    if (follow) {
        mp_put_text(&args, "follow");
        mp_put_bool(&args, true);
    }
    if (key != NULL) {
        mp_put_text(&args, "key");
        mp_put_text(&args, key);
    }
    mp_put_text(&args, "type");
    mp_put_text(&args, type);
    b->heads = b->bodies = 0;
    q->query = query_start(b->f.chain, bytes_of_text(method), buf_bytes(&args),
                           credit, query_chunk_came, query_over, q);
    query_run(q->query);
    fixture_run(&b->f);
    buf_deinit(&args);
}

/* Are these the texts x1, x2, ..., in this order? */
static void assert_texts(const struct fixture_query *q, const char *before,
                         int first, int last)
{
    const uint8_t *at = q->rows.data;
    for (int n = first; n != last; n += last > first ? 1 : -1) {
        char text[16];
        snprintf(text, sizeof(text), "%s%d", before, n);
        size_t left = (size_t)(q->rows.data + q->rows.len - at);
        const uint8_t *found = memmem(at, left, text, strlen(text));
        if (found == NULL)
            fail_msg("no %s", text);
        at = found + 1;
    }
}

static void a_list_reads_a_frame_once(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    fixture_ok(&b->f, 0, "many", ARGS("count=40", "text=xxx"));
    begin(b, &q, "list", "note", NULL, false, NOTES + 1);
    assert_null(q.query);
    assert_int_equal(q.count, NOTES);
    assert_texts(&q, "xxx", 1, NOTES + 1);
    assert_int_equal(b->heads, 1);
    end_query(&q);
}

/* Bodies of the body file are read by their ranges, each with the header of its
 * frame. */
static void bodies_in_the_body_file_are_read_alone(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    fixture_ok(&b->f, 0, "many", ARGS("count=40", long_text(2000)));
    begin(b, &q, "list", "note", NULL, false, NOTES + 1);
    assert_int_equal(q.count, NOTES);
    assert_texts(&q, "xxx", 1, NOTES + 1);
    assert_int_equal(b->heads, 1 + NOTES);
    assert_int_equal(b->bodies, NOTES);
    end_query(&q);
}

/* Who takes a few at a time has the frame read once, too. */
static void a_small_frame_is_kept_without_credit(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    fixture_ok(&b->f, 0, "many", ARGS("count=40", "text=xxx"));
    begin(b, &q, "list", "note", NULL, false, 1);
    while (q.query != NULL) {
        query_grant(q.query, 1);
        query_run(q.query);
        fixture_run(&b->f);
    }
    assert_int_equal(q.count, NOTES);
    assert_int_equal(b->heads, 1);
    end_query(&q);
}

/* One of 4.8 MB is not kept for who is slow: it is read for each grant. */
static void a_large_frame_is_not(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    struct fixture_call calls[CALLS];
    struct err err;
    for (int i = 0; i < CALLS; i++)
        fixture_begin(&b->f, &calls[i], 0, "many",
                      ARGS("count=600", long_text(LARGE)));
    fixture_run(&b->f);
    for (int i = 0; i < CALLS; i++)
        if (end_call(&calls[i], &err) != 0)
            fail_msg("%s", err.text);
    begin(b, &q, "list", "note", NULL, false, MANY + 1);
    size_t frames = b->heads;
    assert_in_range(frames, 1, 2);
    end_query(&q);
    begin(b, &q, "list", "note", NULL, false, MANY / 2);
    assert_non_null(q.query);
    assert_null(q.query->kept);
    assert_int_equal(b->heads, 1);
    query_grant(q.query, MANY / 2 + 1);
    query_run(q.query);
    fixture_run(&b->f);
    assert_null(q.query);
    assert_int_equal(q.count, MANY);
    assert_int_equal(b->heads, frames + 1);
    end_query(&q);
}

/* Who follows and has been told all keeps nothing; what comes is of another
 * frame. */
static void who_waits_for_news_keeps_nothing(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    fixture_ok(&b->f, 0, "many", ARGS("count=40", "text=xxx"));
    begin(b, &q, "list", "note", NULL, true, 100);
    assert_int_equal(b->heads, 1);
    assert_null(q.query->kept);
    fixture_ok(&b->f, 0, "note.append", ARGS("n=1", "text=news"));
    query_run(q.query);
    fixture_run(&b->f);
    assert_non_null(memmem(q.rows.data, q.rows.len, "news", 4));
    assert_int_equal(b->heads, 2);
    assert_null(q.query->kept);
    query_cancel(q.query);
    query_run(q.query);
    end_query(&q);
}

/* Versions, with and without bodies, of many transactions in one frame. */
static void a_history_reads_a_frame_once(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    struct fixture_call calls[NOTES];
    struct err err;
    for (int i = 0; i < NOTES; i++) {
        char text[32];
        snprintf(text, sizeof(text), "text=version-%d-", i);
        fixture_begin(&b->f, &calls[i], 0, "page.put", ARGS("name=a", text));
    }
    fixture_run(&b->f); /* in one frame; but for the first, perhaps */
    for (int i = 0; i < NOTES; i++)
        if (end_call(&calls[i], &err) != 0)
            fail_msg("%s", err.text);
    fixture_ok(&b->f, 0, "page.delete", ARGS("name=a"));
    begin(b, &q, "history", "page", "a", false, NOTES + 2);
    assert_int_equal(q.code, 0);
    assert_int_equal(q.count, NOTES + 1);
    assert_texts(&q, "version-", NOTES - 1, -1);
    assert_in_range(b->heads, 2, 3);
    end_query(&q);
}

/* One body, as a call needs it: the frame, once. */
static void one_body_reads_a_frame_once(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    fixture_ok(&b->f, 0, "page.put", ARGS("name=a", "text=hello"));
    begin(b, &q, "get", "page", "a", false, 2);
    assert_non_null(memmem(q.result.data, q.result.len, "hello", 5));
    assert_int_equal(b->heads, 1);
    end_query(&q);
    begin(b, &q, "body", "page", "a", false, 2);
    assert_int_equal(q.code, 0);
    assert_int_equal(b->heads, 1);
    end_query(&q);
}

/* What is read belongs to the schema that the read began under. */
static void a_history_ends_with_its_schema(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    fixture_ok(&b->f, 0, "page.put", ARGS("name=a", "text=one"));
    fixture_ok(&b->f, 0, "page.put", ARGS("name=a", "text=two"));
    bring_ok(&b->f, 2, NOTE_SCHEMA "-- more\n");
    b->holds = true;
    begin(b, &q, "history", "page", "a", false, 3);
    assert_non_null(q.query);
    assert_non_null(b->held);
    b->holds = false;
    struct err err;
    assert_int_equal(activate(&b->f, &err), 0);
    b->below->submit(b->below->ctx, b->held);
    fixture_run(&b->f);
    assert_null(q.query);
    assert_int_equal(q.code, ATE_ESTALE);
    assert_int_equal(q.count, 0);
    end_query(&q);
}

/* Files were replaced under a node that runs. */
static void another_frame_in_its_place_is_noticed(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 16];
    fixture_ok(&b->f, 0, "page.put", ARGS("name=a", "text=one"));
    fixture_ok(&b->f, 0, "page.put", ARGS("name=b", "text=two"));
    fixture_ok(&b->f, 0, "page.put", ARGS("name=c", "text=six"));
    const struct log *log = chain_log(b->f.chain);
    log_folder(folder, chain_core(b->f.chain)->id);
    snprintf(path, sizeof(path), "%s/1.head", folder);
    struct buf *head = memory_disk_file(b->f.disk, path);
    uint64_t last = log_place_at(log, log->end.frames - 1).offset;
    uint64_t before = log_place_at(log, log->end.frames - 2).offset;
    uint64_t size = log->end.offset - last;
    assert_int_equal(last - before, size);
    memmove(head->data + before, head->data + last, size);
    begin(b, &q, "history", "page", "b", false, 3);
    assert_null(q.query);
    assert_int_equal(q.code, ATE_ECORRUPT);
    assert_non_null(strstr(q.err.text, "another frame stands there"));
    end_query(&q);
}

#define frame_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        frame_test(a_list_reads_a_frame_once),
        frame_test(bodies_in_the_body_file_are_read_alone),
        frame_test(a_small_frame_is_kept_without_credit),
        frame_test(a_large_frame_is_not),
        frame_test(who_waits_for_news_keeps_nothing),
        frame_test(a_history_reads_a_frame_once),
        frame_test(one_body_reads_a_frame_once),
        frame_test(a_history_ends_with_its_schema),
        frame_test(another_frame_in_its_place_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
