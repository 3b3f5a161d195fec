/* A chain of the schema land, and claims about transactions on it. What is
 * accepted is replayed: the chain opens again with the same roots. What is
 * refused is also written into the log past every check, and then opening has
 * to refuse it: a stranger who reads the log judges as its orderer did. */
#ifndef ATE_TESTS_FIXTURE_LAND_H
#define ATE_TESTS_FIXTURE_LAND_H

#include "fixture_tx.h"

#include "state/delegation.h"
#include "state/roots.h"

/* ---- what a stranger finds ---- */

struct both_roots {
    uint8_t log[HASH_SIZE];
    uint8_t state[HASH_SIZE];
};

static inline struct both_roots roots_now(struct fixture_chain *f)
{
    struct both_roots r;
    chain_root(f->chain, r.log);
    state_root(chain_version(f->chain), r.state);
    return r;
}

static inline void assert_same_roots(struct fixture_chain *f,
                                     struct both_roots before)
{
    struct both_roots now = roots_now(f);
    assert_memory_equal(before.log, now.log, HASH_SIZE);
    assert_memory_equal(before.state, now.state, HASH_SIZE);
}

/* Opened again, everything is as it was. */
static inline void assert_replays(struct fixture_chain *f)
{
    struct both_roots before = roots_now(f);
    if (fixture_reopen(f, LOG_READ_WRITE) != 0)
        fail_msg("replay refuses: %s", f->done_err.text);
    assert_same_roots(f, before);
}

static inline int take_frame(void *ctx, const struct log_frame *frame,
                             struct err *err)
{
    (void)ctx;
    (void)frame;
    (void)err;
    return 0;
}

/* Write the batch as the next frame, whatever it is. */
static inline void forge_frame(struct fixture_chain *f, const char *folder,
                               const struct handed *h, uint32_t count)
{
    struct log log = {0};
    struct err err;
    struct log_entry entry = {
        .type = LOG_BATCH,
        .count = count,
        .payload = buf_bytes(&h->payload),
        .inlined = buf_bytes(&h->inlined),
        .body_len = h->bodies.len,
    };
    struct log_group group = {&entry, 1, buf_bytes(&h->bodies)};
    log_open(&log, f->deps.disk, folder, NULL, LOG_READ_WRITE, take_frame, NULL,
             fixture_done, f);
    fixture_wait(f);
    assert_int_equal(f->done_code, 0);
    assert_int_equal(log_append(&log, &group, fixture_done, f, &err), 0);
    fixture_wait(f);
    assert_int_equal(f->done_code, 0);
    if (log_mark(&log, fixture_done, f, &err) == 0)
        fixture_wait(f);
    log_close(&log);
}

/* A batch of this one transaction of one event, as its orderer wrote it, with
 * the verdict of an event that changes no row, object or right. `refused`: the
 * id of one that stood before it, or NULL. */
static inline void as_ordered(struct handed *h, struct tx *t,
                              const uint8_t *refused)
{
    uint8_t ids[2][TX_ID_SIZE];
    uint8_t signature[SIGN_SIZE];
    uint8_t digest[HASH_SIZE];
    size_t count = 0;
    struct verdict v;
    struct bytes event = buf_bytes(&t->events[0]);
    assert_true(t->count == 1);
    *h = (struct handed){0};
    tx_encode(t);
    if (refused != NULL)
        memcpy(ids[count++], refused, TX_ID_SIZE);
    memcpy(ids[count++], t->id, TX_ID_SIZE);
    batch_sign(t->author, chain_core(t->f->chain)->id,
               (const uint8_t(*)[TX_ID_SIZE])ids, count, signature);
    batch_put(&h->payload, t->author->id, signature, count);
    if (refused != NULL)
        batch_put_refused(&h->payload, refused);
    verdict_begin(&v);
    verdict_event(&v, t->ids[0]);
    verdict_end(&v, digest);
    batch_put_member(&h->payload,
                     &(struct batch_part){.tx_header = buf_bytes(&t->header),
                                          .sigs = t->sigs,
                                          .sig_count = t->signer_count,
                                          .events = &event,
                                          .event_count = 1,
                                          .verdict = digest});
    buf_put_bytes(&h->inlined, buf_bytes(&t->inlined));
    buf_put_bytes(&h->bodies, buf_bytes(&t->bodies));
}

/* The chain's files, to be put back. */
struct kept {
    char folder[LOG_PATH_MAX];
    uint8_t id[CHAIN_ID_SIZE];
    struct buf head;
    struct buf body;
};

static inline struct buf *land_file(struct fixture_chain *f,
                                    const struct kept *k, const char *name)
{
    char path[LOG_PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/%s", k->folder, name);
    return memory_disk_file(f->disk, path);
}

static inline void keep_files(struct fixture_chain *f, struct kept *k)
{
    *k = (struct kept){.folder = ""};
    memcpy(k->id, chain_core(f->chain)->id, sizeof(k->id));
    log_folder(k->folder, k->id);
    buf_put_bytes(&k->head, buf_bytes(land_file(f, k, "1.head")));
    buf_put_bytes(&k->body, buf_bytes(land_file(f, k, "1.body")));
}

/* Put them back and open the chain again, instead of the one that is open. */
static inline void put_back(struct fixture_chain *f, const struct kept *k)
{
    struct buf *head = land_file(f, k, "1.head");
    struct buf *body = land_file(f, k, "1.body");
    buf_clear(head);
    buf_put_bytes(head, buf_bytes(&k->head));
    buf_clear(body);
    buf_put_bytes(body, buf_bytes(&k->body));
    chain_free(f->chain);
    f->chain = chain_new(&f->deps);
    chain_open(f->chain, k->folder, k->id, LOG_READ_WRITE, fixture_done, f);
    fixture_wait(f);
    if (f->done_code != 0)
        fail_msg("put back: %s", f->done_err.text);
}

static inline void drop_kept(struct kept *k)
{
    buf_deinit(&k->head);
    buf_deinit(&k->body);
}

/* Opening takes a log with this batch of one at its end; the chain has it. */
static inline void assert_forgery_taken(struct fixture_chain *f,
                                        const struct handed *h)
{
    struct kept kept;
    uint64_t size = chain_size(f->chain);
    keep_files(f, &kept);
    chain_free(f->chain);
    forge_frame(f, kept.folder, h, 1);
    f->chain = chain_new(&f->deps);
    chain_open(f->chain, kept.folder, kept.id, LOG_READ_WRITE, fixture_done, f);
    fixture_wait(f);
    if (f->done_code != 0)
        fail_msg("replay: %s", f->done_err.text);
    assert_int_equal(chain_size(f->chain), size + 1);
    drop_kept(&kept);
}

/* Opening refuses a log with this batch of `count` at its end, with these
 * words. */
static inline void assert_forgery_refused(struct fixture_chain *f,
                                          const struct handed *h,
                                          uint32_t count, const char *words)
{
    struct kept kept;
    char what[64] = "bad-FORGED";
    const char *text = "";
    if (h->done)
        snprintf(what, sizeof(what), "bad-%s", err_name(handed_code(h, &text)));
    uint8_t root[HASH_SIZE];
    uint8_t state[HASH_SIZE];
    uint8_t again[HASH_SIZE];
    chain_root(f->chain, root);
    state_root(chain_version(f->chain), state);
    keep_files(f, &kept);
    chain_free(f->chain);
    forge_frame(f, kept.folder, h, count);
    dump_chain(f->disk, kept.folder, what);
    f->chain = chain_new(&f->deps);
    if (f->skips_rules)
        chain_skip_rules(f->chain);
    chain_open(f->chain, kept.folder, kept.id, LOG_READ_ONLY, fixture_done, f);
    fixture_wait(f);
    /* UNAVAILABLE: by a later version. */
    bool refused =
        f->done_code == ATE_ECORRUPT || f->done_code == ATE_EUNAVAILABLE;
    if (!refused || strstr(f->done_err.text, words) == NULL)
        fail_msg("replay: code %d, want: %s, got: %s", f->done_code, words,
                 f->done_code != 0 ? f->done_err.text : "accepted");
    chain_root(f->chain, again);
    assert_memory_equal(again, root, HASH_SIZE);
    state_root(chain_version(f->chain), again); /* nothing of it is seen */
    assert_memory_equal(again, state, HASH_SIZE);
    put_back(f, &kept);
    drop_kept(&kept);
}

/* ---- claims about one transaction; both end it ---- */

/* It is accepted; its index. */
static inline uint64_t tx_ok(struct tx *t)
{
    struct handed h;
    const char *text;
    batch_of(&h, t, 1);
    hand_in(t->f, &h);
    fixture_run(t->f);
    if (handed_code(&h, &text) != 0)
        fail_msg("refused: %s", text);
    uint64_t index = h.submit.results[0].index;
    assert_true(h.submit.results[0].receipt.len > 0);
    handed_end(&h);
    assert_replays(t->f);
    tx_end(t);
    return index;
}

/* It is refused with this code and these words, nothing of it remains, and
 * whoever finds it in a log refuses it, too, with those words. */
static inline void tx_no_in_log(struct tx *t, int code, const char *words,
                                const char *words_in_log)
{
    struct handed h;
    const char *text;
    struct both_roots before = roots_now(t->f);
    batch_of(&h, t, 1);
    hand_in(t->f, &h);
    fixture_run(t->f);
    int got = handed_code(&h, &text);
    if (got != code || strstr(text, words) == NULL)
        fail_msg("want %s: ...%s..., got %s: %s", err_name(code), words,
                 err_name(got), got != 0 ? text : "accepted");
    assert_same_roots(t->f, before);
    assert_forgery_refused(t->f, &h, 1, words_in_log);
    assert_same_roots(t->f, before);
    handed_end(&h);
    tx_end(t);
}

static inline void tx_no(struct tx *t, int code, const char *words)
{
    tx_no_in_log(t, code, words, words);
}

/* ---- a chain of the schema land ---- */

struct land {
    struct fixture_chain f;
    uint8_t country[OBJECT_ID_SIZE]; /* a */
    uint8_t town[OBJECT_ID_SIZE];    /* a/b */
    uint8_t house[OBJECT_ID_SIZE];   /* a/b/c */
    uint8_t other[OBJECT_ID_SIZE];   /* a country, z */
};

static inline void object_named(struct fixture_chain *f, const char *type,
                                const uint8_t *parent, const char *name,
                                uint8_t id[OBJECT_ID_SIZE])
{
    struct buf key = {0};
    mp_put_array(&key, 1);
    mp_put_text(&key, name);
    object_id(chain_core(f->chain)->id, bytes_of_text(type), parent,
              buf_bytes(&key), id);
    buf_deinit(&key);
}

/* Set f's fields before: pipeline, root keys. */
static inline void land_make(struct land *l)
{
    struct fixture_chain *f = &l->f;
    fixture_create_here(f, "tests/lua/schemas", "land");
    object_named(f, "land.country", NULL, "a", l->country);
    object_named(f, "land.country", NULL, "z", l->other);
    object_named(f, "land.town", l->country, "b", l->town);
    object_named(f, "land.house", l->town, "c", l->house);
}

static inline void land_fill(struct land *l)
{
    struct fixture_chain *f = &l->f;
    fixture_ok(f, 0, "country.create", ARGS("name=a"));
    fixture_ok(f, 0, "country.create", ARGS("name=z"));
    fixture_ok(f, 0, "town.create", ARGS("country=a", "name=b"));
    fixture_ok(f, 0, "house.create", ARGS("name=c", "town=a/b"));
}

/* Only root keys, one of them, and whom they let, may write. */
static inline int land_open(void **state)
{
    struct land *l = mem_zero(1, sizeof(*l));
    fixture_open_disk(&l->f, NULL, NULL, NULL);
    l->f.default_pipeline = true;
    land_make(l);
    land_fill(l);
    *state = l;
    return 0;
}

/* Strangers may, too. */
static inline int land_open_to_all(void **state)
{
    struct land *l = mem_zero(1, sizeof(*l));
    fixture_open_disk(&l->f, NULL, NULL, NULL);
    land_make(l);
    land_fill(l);
    *state = l;
    return 0;
}

static inline int land_close(void **state)
{
    struct land *l = *state;
    fixture_close(&l->f);
    mem_free(l);
    return 0;
}

/* Log time moves on: to it and back to a chain whose log says so. */
static inline void land_pass(struct land *l, int64_t ms)
{
    l->f.now += ms;
    fixture_ok(&l->f, 0, "word.append", ARGS("text=tick"));
}

/* A version of a place; `previous` NULL: its first. */
static inline size_t tx_place(struct tx *t, const char *type,
                              const uint8_t *parent, const char *name,
                              const uint8_t *previous, uint64_t flags,
                              const uint8_t *auth_ref)
{
    struct buf fields = {0};
    uint8_t id[OBJECT_ID_SIZE];
    object_named(t->f, type, parent, name, id);
    mp_put_map(&fields, parent != NULL ? 2 : 1);
    if (strcmp(type, "land.town") == 0) {
        mp_put_text(&fields, "country");
        mp_put_bin(&fields, bytes_of(parent, OBJECT_ID_SIZE));
    }
    mp_put_text(&fields, "name");
    mp_put_text(&fields, name);
    if (strcmp(type, "land.house") == 0) {
        mp_put_text(&fields, "town");
        mp_put_bin(&fields, bytes_of(parent, OBJECT_ID_SIZE));
    }
    size_t n = tx_event(t, (struct event_header){
                               .object = id,
                               .type = bytes_of_text(type),
                               .parent = parent,
                               .previous = previous,
                               .flags = flags,
                               .auth_ref = auth_ref,
                               .fields = buf_bytes(&fields),
                           });
    buf_deinit(&fields);
    return n;
}

/* The newest event of a place that is there. */
static inline void newest_event(struct fixture_chain *f, const uint8_t *id,
                                uint8_t event[EVENT_ID_SIZE])
{
    struct object o;
    assert_int_equal(state_object(chain_version(f->chain), id, &o),
                     OBJECT_LIVE);
    memcpy(event, o.event, EVENT_ID_SIZE);
}

/* The root key gives; the event's id. */
static inline void root_gives(struct land *l, struct give g,
                              uint8_t id[EVENT_ID_SIZE])
{
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    size_t n = tx_give(&t, g);
    memcpy(id, t.ids[n], EVENT_ID_SIZE);
    tx_ok(&t);
}

/* `by` gives, resting on g.under. */
static inline void one_gives(struct land *l, const struct key_pair *by,
                             struct give g, uint8_t id[EVENT_ID_SIZE])
{
    struct tx t;
    tx_begin(&l->f, &t, by);
    size_t n = tx_give(&t, g);
    memcpy(id, t.ids[n], EVENT_ID_SIZE);
    tx_ok(&t);
}

/* A stranger writes for the first time, so that the log knows the key. */
static inline void meets(struct land *l, const struct key_pair *stranger)
{
    struct tx t;
    tx_begin(&l->f, &t, stranger);
    tx_key(&t, &stranger->record);
    tx_word(&t, "hello");
    tx_ok(&t);
}

/* land.claim of the house for `who`. */
static inline size_t tx_claim(struct tx *t, const uint8_t *house,
                              const uint8_t *who, const uint8_t *auth_ref)
{
    struct buf fields = {0};
    mp_put_map(&fields, 2);
    mp_put_text(&fields, "house");
    mp_put_bin(&fields, bytes_of(house, OBJECT_ID_SIZE));
    mp_put_text(&fields, "who");
    mp_put_bin(&fields, bytes_of(who, 32));
    size_t n = tx_event(t, (struct event_header){
                               .type = bytes_of_text("land.claim"),
                               .parent = house,
                               .auth_ref = auth_ref,
                               .fields = buf_bytes(&fields),
                           });
    buf_deinit(&fields);
    return n;
}

/* land.taxed of the country. */
static inline size_t tx_taxed(struct tx *t, const uint8_t *country)
{
    struct buf fields = {0};
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "country");
    mp_put_bin(&fields, bytes_of(country, OBJECT_ID_SIZE));
    return tx_fact(t, "land.taxed", &fields, NULL);
}

/* A test of the land as it is, and of one in which everybody may everything. */
#define trust_test(name)                                                       \
    cmocka_unit_test_setup_teardown(name, land_open, land_close)
#define open_test(name)                                                        \
    cmocka_unit_test_setup_teardown(name, land_open_to_all, land_close)
#endif
