/* What a transaction says that its author had read of the state, by
 * docs/format.md sections 6 and 8: that it stood there is asked wherever the
 * transaction takes its place, and by whoever reads the log. */
#include "fixture_land.h"

#include "acceptance/core_open.h"

static void put_head(struct buf *out, uint32_t count)
{
    mp_put_array(out, count);
}

static void put_single(struct buf *out, uint8_t kind, struct bytes key,
                       struct bytes value)
{
    uint8_t digest[HASH_SIZE];
    hash_of(LABEL_SEEN, value, digest);
    mp_put_array(out, 3);
    mp_put_uint(out, kind);
    mp_put_bin(out, key);
    mp_put_bin(out, bytes_of(digest, HASH_SIZE));
}

/* `pairs`: keys and values, one after the other. */
static void put_range(struct buf *out, uint8_t kind, struct bytes from,
                      struct bytes to, const struct bytes *pairs, size_t count)
{
    struct hasher h;
    uint8_t digest[HASH_SIZE];
    hash_begin(&h, LABEL_SEEN);
    for (size_t i = 0; i < count; i++)
        hash_part(&h, pairs[i]);
    hash_end(&h, digest);
    mp_put_array(out, 3);
    mp_put_uint(out, kind);
    mp_put_array(out, 2);
    mp_put_bin(out, from);
    mp_put_bin(out, to);
    mp_put_bin(out, bytes_of(digest, HASH_SIZE));
}

static struct bytes value_at(struct land *l, uint8_t kind, struct bytes key)
{
    struct bytes value = {NULL, 0};
    bool there = state_get(chain_version(l->f.chain), (enum state_kind)kind,
                           key, &value);
    assert_true(there);
    return value;
}

/* "land.words", 00, "hi" in ordered form. */
static struct bytes words_key(struct buf *out, const char *word)
{
    buf_clear(out);
    buf_put_text(out, "land.words");
    buf_put_u8(out, 0);
    if (word != NULL) {
        buf_put_text(out, word);
        buf_put(out, "\0\0", 2);
    }
    return buf_bytes(out);
}

/* So many ranges over all words that begin with w, each from elsewhere; false
 * ones never were so. */
static void put_ranges(struct buf *out, struct fixture_chain *f, uint32_t count,
                       bool is_true)
{
    struct reads r;
    struct buf from = {0};
    struct buf to = {0};
    reads_init(&r);
    words_key(&to, NULL);
    buf_put_u8(&to, 'x');
    for (uint32_t i = 0; i < count; i++) {
        words_key(&from, NULL);
        buf_put_u8(&from, 'b');
        buf_put_u8(&from, (uint8_t)(i >> 8));
        buf_put_u8(&from, (uint8_t)i);
        reads_note_range(&r, STATE_ROW, buf_bytes(&from), buf_bytes(&to));
    }
    assert_int_equal(reads_put(&r, chain_version(f->chain), out, NULL), 0);
    out->data[out->len - 1] ^= is_true ? 0 : 1;
    reads_deinit(&r);
    buf_deinit(&from);
    buf_deinit(&to);
}

/* Two who read the same, and both change it: the second is stale. */
static void what_was_read_and_changed_is_stale(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf key = {0};
    struct buf set = {0};
    struct tx t;
    fixture_ok(f, 0, "word.append", ARGS("text=hi"));
    struct bytes row = words_key(&key, "hi");
    struct bytes house = bytes_of(l->house, OBJECT_ID_SIZE);
    put_head(&set, 3);
    put_single(&set, STATE_OBJECT, house, value_at(l, STATE_OBJECT, house));
    put_single(&set, STATE_ROW, row, value_at(l, STATE_ROW, row));
    words_key(&key, "none");
    put_single(&set, STATE_ROW, buf_bytes(&key), bytes_of(NULL, 0));
    for (int i = 0; i < 3; i++) {
        tx_begin(f, &t, &f->keys[0]);
        buf_put_bytes(&t.read_set, buf_bytes(&set));
        if (i == 0) {
            tx_word(&t, "other");
            tx_ok(&t); /* nothing of it changes by that */
        } else if (i == 1) {
            tx_word(&t, "hi");
            tx_ok(&t);
        } else {
            tx_word(&t, "hi");
            tx_no_in_log(&t, ATE_ESTALE,
                         "what it had read was changed meanwhile; run it "
                         "again: land.words (entry 1 of its read set)",
                         "what it says that it had read did not stand there: "
                         "land.words (entry 1 of its read set)");
        }
    }
    buf_deinit(&key);
    buf_deinit(&set);
}

/* What was looked for and was not there is a part of what was seen. */
static void what_was_not_there_and_came_is_stale(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf key = {0};
    struct tx t[2];
    struct handed h;
    for (uint64_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
        put_head(&t[i].read_set, 1);
        put_single(&t[i].read_set, STATE_ROW, words_key(&key, "new"),
                   bytes_of(NULL, 0));
        tx_word(&t[i], "new");
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    assert_int_equal(h.submit.results[0].code, 0);
    assert_int_equal(h.submit.results[1].code, ATE_ESTALE);
    handed_end(&h);
    tx_end(&t[0]);
    tx_end(&t[1]);
    buf_deinit(&key);
    assert_replays(f);
}

/* Where the first member of a batch begins. */
static size_t batch_head_size(const struct handed *h)
{
    struct batch_reader r;
    assert_int_equal(batch_open(&r, buf_bytes(&h->payload), NULL), 0);
    return (size_t)(r.mp.at - h->payload.data);
}

/* What its author signed is not for others to take out: it would be compared no
 * more, or answer nothing when the call is repeated. */
static void what_was_left_out_is_missed(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    for (int i = 0; i < 3; i++) {
        struct buf key = {0};
        struct handed h;
        struct tx t;
        tx_begin(f, &t, &f->keys[0]);
        put_head(&t.read_set, 1);
        put_single(&t.read_set, STATE_ROW, words_key(&key, "new"),
                   bytes_of(NULL, 0));
        mp_put_text(&t.result, "done");
        tx_word(&t, "other");
        batch_of(&h, &t, 1);
        h.payload.len = batch_head_size(&h);
        if (i < 2)
            buf_clear(i == 0 ? &t.read_set : &t.result);
        put_tx(&h, &t);
        hand_in(f, &h);
        fixture_run(f);
        const char *text;
        assert_int_equal(handed_code(&h, &text), i < 2 ? ATE_EINVALID : 0);
        if (i < 2)
            assert_non_null(strstr(text, i == 0 ? "read set was left out"
                                                : "result was left out"));
        handed_end(&h);
        tx_end(&t);
        buf_deinit(&key);
    }
    assert_replays(f);
}

enum left_out { NOTHING, READ_SET, RESULT };

/* A transaction as its orderer wrote it, with the verdict of that place, which
 * does not depend on what had been read. */
static void put_as_ordered(struct handed *out, struct tx *t,
                           const uint8_t verdict[HASH_SIZE],
                           enum left_out left_out)
{
    struct handed h;
    struct batch_reader r;
    struct batch_member m;
    struct further_sig none[1];
    struct err err;
    *out = (struct handed){0};
    batch_of(&h, t, 1);
    assert_int_equal(batch_open(&r, buf_bytes(&h.payload), &err), 0);
    assert_int_equal(batch_next(&r, &m, &err), 1);
    if (left_out == READ_SET)
        m.read_set = bytes_of(NULL, 0);
    if (left_out == RESULT)
        m.result = bytes_of(NULL, 0);
    batch_put(&out->payload, t->author->id, r.signature, 1);
    batch_copy_member(&out->payload, &m, none, 0, verdict);
    handed_end(&h);
}

/* Accept it, take its verdict from the log, and put the log back. */
static void verdict_of(struct land *l, struct tx *t, const struct kept *kept,
                       uint8_t verdict[HASH_SIZE])
{
    struct fixture_chain *f = &l->f;
    struct handed h;
    struct log_frame frame;
    struct batch_reader r;
    struct batch_member m;
    struct err err;
    const char *text;
    batch_of(&h, t, 1);
    hand_in(f, &h);
    fixture_run(f);
    assert_int_equal(handed_code(&h, &text), 0);
    const struct log *log = chain_log(f->chain);
    uint64_t at = log_place_at(log, log->end.frames - 1).offset;
    const struct buf *head = land_file(f, kept, "1.head");
    assert_int_equal(
        log_frame_get(&frame, bytes_of(head->data + at, log->end.offset - at),
                      &err),
        0);
    assert_int_equal(batch_open(&r, frame.payload, &err), 0);
    assert_int_equal(batch_next(&r, &m, &err), 1);
    memcpy(verdict, m.verdict, HASH_SIZE);
    handed_end(&h);
    put_back(f, kept);
}

/* A log with that behind its end, for who has never seen it; as code. */
static int strangers_word(struct land *l, const struct kept *kept,
                          const struct handed *h, bool skips_rules,
                          struct err *err)
{
    struct fixture_chain *f = &l->f;
    chain_free(f->chain);
    forge_frame(f, kept->folder, h, 1);
    f->chain = chain_new(&f->deps);
    if (skips_rules)
        chain_skip_rules(f->chain);
    chain_open(f->chain, kept->folder, kept->id, LOG_READ_ONLY, fixture_done,
               f);
    fixture_wait(f);
    int code = f->done_code;
    *err = f->done_err;
    put_back(f, kept);
    return code;
}

/* What the orderer of a chain does not compare, whoever reads its log does: all
 * else of these is good, the verdict included. */
static void an_orderer_who_does_not_compare_is_found_out(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct bytes house = bytes_of(l->house, OBJECT_ID_SIZE);
    struct buf key = {0};
    struct buf sets[4] = {{0}}; /* the first is true */
    static const char *const names[] = {NULL, "land.house ", "land.words (",
                                        "land.words ("};
    uint8_t verdict[HASH_SIZE];
    struct kept kept;
    struct err err;
    struct tx t;
    put_head(&sets[0], 1);
    put_single(&sets[0], STATE_OBJECT, house, value_at(l, STATE_OBJECT, house));
    put_head(&sets[1], 1);
    put_single(&sets[1], STATE_OBJECT, house, bytes_of(NULL, 0));
    put_head(&sets[2], 1);
    put_single(&sets[2], STATE_ROW, words_key(&key, "x"), house);
    put_ranges(&sets[3], f, 1, false);
    fixture_conclude(f);
    keep_files(f, &kept);
    tx_begin(f, &t, &f->keys[0]);
    tx_word(&t, "x");
    verdict_of(l, &t, &kept, verdict);
    for (size_t i = 0; i < 4; i++) {
        struct handed h;
        buf_clear(&t.read_set);
        buf_put_bytes(&t.read_set, buf_bytes(&sets[i]));
        put_as_ordered(&h, &t, verdict, NOTHING);
        int code = strangers_word(l, &kept, &h, false, &err);
        assert_int_equal(code, i == 0 ? 0 : ATE_ECORRUPT);
        if (i > 0) {
            assert_non_null(strstr(err.text, "transaction "));
            assert_non_null(strstr(err.text, "did not stand there"));
            assert_non_null(strstr(err.text, names[i]));
        }
        /* Rows are not known where no rule runs: not all is compared then. */
        assert_int_equal(strangers_word(l, &kept, &h, true, &err), 0);
        handed_end(&h);
        buf_deinit(&sets[i]);
    }
    tx_end(&t);
    buf_deinit(&key);
    drop_kept(&kept);
}

/* Nor can he leave out what would tell: nobody's signature covers that it is
 * there, but whoever reads the log misses it, with or without rules. */
static void an_orderer_who_leaves_out_is_found_out(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf key = {0};
    uint8_t verdict[HASH_SIZE];
    struct kept kept;
    struct err err;
    struct tx t;
    fixture_conclude(f);
    keep_files(f, &kept);
    tx_begin(f, &t, &f->keys[0]);
    put_head(&t.read_set, 1);
    put_single(&t.read_set, STATE_ROW, words_key(&key, "new"),
               bytes_of(NULL, 0));
    mp_put_text(&t.result, "done");
    tx_word(&t, "x");
    verdict_of(l, &t, &kept, verdict);
    for (enum left_out i = NOTHING; i <= RESULT; i++) {
        struct handed h;
        put_as_ordered(&h, &t, verdict, i);
        for (int skips = 0; skips < 2; skips++) {
            int code = strangers_word(l, &kept, &h, skips == 1, &err);
            assert_int_equal(code, i == NOTHING ? 0 : ATE_ECORRUPT);
            if (i != NOTHING)
                assert_non_null(strstr(err.text, i == READ_SET
                                                     ? "read set was left out"
                                                     : "result was left out"));
        }
        handed_end(&h);
    }
    tx_end(&t);
    buf_deinit(&key);
    drop_kept(&kept);
}

/* A read set of two ranges: rows of words, and towns of the country. */
static void put_words_and_towns(struct land *l, struct buf *set)
{
    struct buf from = {0};
    struct buf to = {0};
    struct buf child = {0};
    struct buf child_end = {0};
    struct buf town_key = {0};
    struct buf row = {0};
    struct object o;
    words_key(&from, NULL);
    words_key(&to, NULL);
    to.data[to.len - 1] = 1;
    words_key(&row, "hi");
    /* Kind 0x41: type, 00, parent, key -> id, behind which is the header. */
    buf_put_text(&child, "land.town");
    buf_put_u8(&child, 0);
    buf_put(&child, l->country, OBJECT_ID_SIZE);
    buf_put_bytes(&child_end, buf_bytes(&child));
    child_end.data[child_end.len - 1]++;
    assert_int_equal(state_object(chain_version(l->f.chain), l->town, &o),
                     OBJECT_LIVE);
    buf_put_bytes(&town_key, buf_bytes(&child));
    buf_put(&town_key, "b\0\0", 3);
    const struct bytes rows[] = {buf_bytes(&row),
                                 value_at(l, STATE_ROW, buf_bytes(&row))};
    const struct bytes towns[] = {buf_bytes(&town_key), o.raw};
    put_head(set, 2);
    put_range(set, STATE_ROW, buf_bytes(&from), buf_bytes(&to), rows, 2);
    put_range(set, STATE_CHILD, buf_bytes(&child), buf_bytes(&child_end), towns,
              2);
    buf_deinit(&from);
    buf_deinit(&to);
    buf_deinit(&child);
    buf_deinit(&child_end);
    buf_deinit(&town_key);
    buf_deinit(&row);
}

/* Ranges: rows of a view by key, and children with what stands behind them. */
static void ranges_are_seen_whole(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf set = {0};
    fixture_ok(f, 0, "word.append", ARGS("text=hi"));
    put_words_and_towns(l, &set);
    for (int i = 0; i < 3; i++) {
        struct tx t;
        struct handed h;
        const char *text;
        tx_begin(f, &t, &f->keys[0]);
        buf_put_bytes(&t.read_set, buf_bytes(&set));
        if (i == 0) /* of another type, elsewhere */
            tx_place(&t, "land.country", NULL, "far", NULL, 0, NULL);
        else
            tx_place(&t, "land.town", l->country, i == 1 ? "e" : "g", NULL, 0,
                     NULL);
        batch_of(&h, &t, 1);
        hand_in(f, &h);
        fixture_run(f);
        assert_int_equal(handed_code(&h, &text), i < 2 ? 0 : ATE_ESTALE);
        handed_end(&h);
        tx_end(&t);
    }
    assert_replays(f);
    buf_deinit(&set);
}

/* ---- what it costs to compare them ---- */

enum { WORDS = 250 };

/* Words that begin with w. */
static void fill(struct land *l)
{
    for (int i = 0; i < WORDS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "text=w%d", i);
        fixture_ok(&l->f, 0, "word.append", ARGS(text));
    }
}

/* All of one batch together: what comes behind is told to come in another. */
static void read_sets_of_a_batch_have_a_bound(void **state)
{
    enum { RANGES = 150, MEMBERS = 5, MOST = CORE_GAS / LIMIT_READ_GAS };
    static_assert((int)MOST > (int)LIMIT_BATCH_READS, "gas allows more");
    static_assert(RANGES * (1 + WORDS) * 2 <= MOST, "two fit");
    static_assert(RANGES * (1 + WORDS) * 3 > MOST, "three do not");
    static const struct {
        uint32_t ranges;
        int code;
    } members[MEMBERS] = {{RANGES, 0},
                          {RANGES, 0},
                          {RANGES, ATE_ELIMIT},
                          {0, 0}, /* which reads nothing */
                          {1, ATE_ELIMIT}};
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[MEMBERS];
    struct handed h;
    fill(l);
    for (size_t i = 0; i < MEMBERS; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
        if (members[i].ranges > 0)
            put_ranges(&t[i].read_set, f, members[i].ranges, true);
        tx_word(&t[i], "a");
    }
    batch_of(&h, t, MEMBERS);
    hand_in(f, &h);
    fixture_run(f);
    assert_int_equal(h.submit.code, 0);
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct submit_result *r = &h.submit.results[i];
        assert_int_equal(r->code, members[i].code);
        if (r->code != 0)
            assert_non_null(strstr(r->err->text, "make several batches of it"));
    }
    handed_end(&h);
    for (size_t i = 0; i < MEMBERS; i++)
        tx_end(&t[i]);
    assert_replays(f);
    tx_begin(f, &t[0], &f->keys[0]); /* and there it fits */
    put_ranges(&t[0].read_set, f, RANGES, true);
    tx_word(&t[0], "a");
    tx_ok(&t[0]);
}

/* Words in one batch: w0, w1, ... */
static void fill_with(struct land *l, size_t words)
{
    size_t count = words / TX_EVENTS;
    struct tx *t = mem_alloc(count * sizeof(*t));
    struct handed h;
    const char *text;
    for (size_t i = 0; i < count; i++) {
        tx_begin(&l->f, &t[i], &l->f.keys[0]);
        t[i].first_sequence += i * TX_EVENTS;
        for (size_t k = 0; k < TX_EVENTS; k++) {
            char word[16];
            snprintf(word, sizeof(word), "w%zu", i * TX_EVENTS + k);
            tx_word(&t[i], word);
        }
    }
    batch_of(&h, t, count);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(handed_code(&h, &text), 0);
    handed_end(&h);
    for (size_t i = 0; i < count; i++)
        tx_end(&t[i]);
    mem_free(t);
}

/* A range's digest is over what is in it, so these have the same. */
static void put_same_ranges(struct buf *out, struct fixture_chain *f,
                            uint32_t count)
{
    struct buf one = {0};
    struct buf from = {0};
    struct buf to = {0};
    put_ranges(&one, f, 1, true);
    words_key(&to, NULL);
    buf_put_u8(&to, 'x');
    put_head(out, count);
    for (uint32_t i = 0; i < count; i++) {
        words_key(&from, NULL);
        buf_put_u8(&from, 'b');
        buf_put_u8(&from, (uint8_t)(i >> 8));
        buf_put_u8(&from, (uint8_t)i);
        mp_put_array(out, 3);
        mp_put_uint(out, STATE_ROW);
        mp_put_array(out, 2);
        mp_put_bin(out, buf_bytes(&from));
        mp_put_bin(out, buf_bytes(&to));
        mp_put_bin(out, bytes_of(one.data + one.len - HASH_SIZE, HASH_SIZE));
    }
    buf_deinit(&one);
    buf_deinit(&from);
    buf_deinit(&to);
}

/* One transaction's have another, which its orderer cannot pass over. */
static void read_sets_in_a_log_have_a_bound(void **state)
{
    enum { MANY = 2400, FIT = LIMIT_TX_READS / (1 + MANY) };
    struct land *l = *state;
    uint8_t verdict[HASH_SIZE];
    struct kept kept;
    struct err err;
    struct tx t;
    fill_with(l, MANY);
    fixture_conclude(&l->f);
    keep_files(&l->f, &kept);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "a");
    verdict_of(l, &t, &kept, verdict);
    for (uint32_t ranges = FIT; ranges <= FIT + 1; ranges++) {
        struct handed h;
        buf_clear(&t.read_set);
        put_same_ranges(&t.read_set, &l->f, ranges);
        assert_true(t.read_set.len <= LIMIT_READ_SET);
        put_as_ordered(&h, &t, verdict, NOTHING);
        int code = strangers_word(l, &kept, &h, false, &err);
        assert_int_equal(code, ranges == FIT ? 0 : ATE_ECORRUPT);
        if (code != 0)
            assert_non_null(strstr(err.text, "stands for too many entries"));
        handed_end(&h);
    }
    tx_end(&t);
    drop_kept(&kept);
}

/* Who may not write is told so, whatever it says that it read. */
static void who_has_no_right_makes_nobody_walk(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, pair(1));
    tx_key(&t, &pair(1)->record);
    tx_word(&t, "a");
    put_ranges(&t.read_set, &l->f, 1, false);
    tx_no(&t, ATE_EDENIED, "");
}

/* What is refused is stale where something else had been read, so that it is
 * run again; but for that, not much is walked. */
static void a_refusal_may_be_stale(void **state)
{
    enum { FEW = 10, MANY = 100 };
    static_assert(MANY * WORDS > 4096, "too many");
    static const struct {
        uint32_t ranges;
        bool is_true;
        int code;
    } cases[] = {{FEW, true, ATE_EREFUSED},
                 {FEW, false, ATE_ESTALE},
                 {MANY, false, ATE_EREFUSED}};
    struct land *l = *state;
    fill(l);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tx t;
        struct handed h;
        const char *text;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        put_ranges(&t.read_set, &l->f, cases[i].ranges, cases[i].is_true);
        tx_claim(&t, l->house, pair(1)->id, NULL); /* for somebody else */
        batch_of(&h, &t, 1);
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        int code = handed_code(&h, &text);
        if (code != cases[i].code)
            fail_msg("case %zu: %s", i, text);
        handed_end(&h);
        tx_end(&t);
    }
}

/* Frees the set. */
static void assert_form(struct land *l, struct buf *set, bool is_good)
{
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    buf_put_bytes(&t.read_set, buf_bytes(set));
    tx_word(&t, "x");
    if (is_good)
        tx_ok(&t);
    else
        tx_no(&t, ATE_EINVALID, "read set");
    buf_deinit(set);
}

/* `to` NULL: a single one. */
struct read {
    uint8_t kind;
    const char *from;
    const char *to;
};

static void put_read(struct buf *set, const struct read *r)
{
    struct bytes from = bytes_of_text(r->from);
    if (r->to == NULL)
        put_single(set, r->kind, from, bytes_of(NULL, 0));
    else
        put_range(set, r->kind, from, bytes_of_text(r->to), NULL, 0);
}

/* Sorted by kind, single ones first, then by key, each once; of kinds that are
 * read. */
static void a_read_set_has_one_form(void **state)
{
    static const struct {
        struct read reads[2]; /* kind 0: none */
        bool is_good;
    } cases[] = {
        {{{2, "a", NULL}, {3, "a", NULL}}, true},
        {{{3, "a", NULL}, {2, "a", NULL}}, false}, /* kinds not sorted */
        {{{3, "b", NULL}, {3, "a", NULL}}, false}, /* keys not sorted */
        {{{3, "a", NULL}, {3, "a", NULL}}, false}, /* twice */
        {{{3, "a", "b"}, {3, "b", NULL}}, false},  /* a range before a single */
        {{{3, "a", "a"}, {3, "a", "b"}}, true},    /* sorted by their ends */
        {{{3, "a", "b"}, {3, "a", "a"}}, false},
        {{{0x41, "a", "b"}, {0x42, "a", "b"}}, true},
        {{{1, "time", NULL}}, false}, /* kinds that nobody reads so */
        {{{0x41, "a", NULL}}, false},
        {{{2, "a", "b"}}, false},
        {{{6, "a", NULL}}, false},
        {{{0x43, "a", "b"}}, false},
        {{{3, "b", "a"}}, true}, /* nothing is there */
        {{{0}}, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct read *reads = cases[i].reads;
        struct buf set = {0};
        uint32_t count = (reads[0].kind != 0) + (reads[1].kind != 0);
        put_head(&set, count);
        for (uint32_t k = 0; k < count; k++)
            put_read(&set, &reads[k]);
        assert_form(*state, &set, cases[i].is_good);
    }
}

static void a_read_set_is_whole(void **state)
{
    static uint8_t room[40000];
    const struct bytes none = {NULL, 0};
    struct buf set = {0};
    /* longer than any key, which nobody will find */
    put_head(&set, 1);
    put_single(&set, 3, bytes_of(room, sizeof(room)), none);
    assert_form(*state, &set, true);
    put_head(&set, 1);
    put_range(&set, 3, bytes_of(room, 2000), bytes_of(room, 2001), NULL, 0);
    assert_form(*state, &set, true);
    /* no two of them */
    put_head(&set, 2);
    put_single(&set, 3, bytes_of("a", 1), none);
    mp_put_nil(&set);
    assert_form(*state, &set, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(what_was_read_and_changed_is_stale),
        open_test(what_was_not_there_and_came_is_stale),
        open_test(what_was_left_out_is_missed),
        open_test(an_orderer_who_does_not_compare_is_found_out),
        open_test(an_orderer_who_leaves_out_is_found_out),
        open_test(ranges_are_seen_whole),
        open_test(read_sets_of_a_batch_have_a_bound),
        open_test(read_sets_in_a_log_have_a_bound),
        trust_test(who_has_no_right_makes_nobody_walk),
        open_test(a_refusal_may_be_stale),
        open_test(a_read_set_has_one_form),
        open_test(a_read_set_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
