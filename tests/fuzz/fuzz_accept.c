/* A batch of anybody's, handed in to a chain. Whatever it is, the chain answers
 * and stays open. What is refused leaves nothing, and opening refuses a log
 * that holds it. What is accepted has no other encoding, and the log opens with
 * the same roots again.
 *
 * An input is a byte (which chain; are digests and signatures made right; is it
 * written into the log, too), the lengths of the payload and of the inline
 * bodies, two bytes each, little endian, and those; what is left are the other
 * bodies. Ids are numbers: accept_world.h. With ATE_SEEDS=FOLDER in the
 * environment the program first writes seeds there: build/tests/replay/accept
 * makes the corpus anew. */
#include <assert.h>
#include <stdlib.h>

#include "accept_seeds.h"
#include "accept_world.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct accept_world worlds[WORLDS];

/* ---- make right what only its author can ---- */

static uint8_t *inside(const uint8_t *p)
{
    return (uint8_t *)(uintptr_t)p; /* of a payload that is ours */
}

static void name_own(const uint8_t *id, uint8_t (*ids)[EVENT_ID_SIZE], size_t n)
{
    uint8_t number = id != NULL ? number_at(id, EVENT_ID_SIZE) : 0;
    if (number >= NAME_OWN && (size_t)(number - NAME_OWN) < n)
        memcpy(inside(id), ids[number - NAME_OWN], EVENT_ID_SIZE);
}

static void mend_events(const uint8_t *chain, const struct batch_member *m)
{
    static uint8_t ids[LIMIT_TX_EVENTS][EVENT_ID_SIZE];
    struct batch_events events = batch_events(m);
    struct bytes raw;
    struct event_header h;
    size_t n = 0;
    for (; batch_events_next(&events, &raw); n++) {
        if (event_header_get(raw, &h, NULL) == 0) {
            if (number_at(h.object, OBJECT_ID_SIZE) == NAME_FACT)
                fact_id(chain, m->tx.author, m->tx.call.id, n,
                        inside(h.object));
            name_own(h.previous, ids, n);
            name_own(h.auth_ref, ids, n);
        }
        event_id(SUITE_1, chain, raw, ids[n]);
    }
    merkle_root_of_ids((const uint8_t(*)[HASH_SIZE])ids, n,
                       inside(m->tx.event_root));
}

static void mend_member(const struct accept_world *w,
                        const struct batch_member *m, uint8_t id[TX_ID_SIZE])
{
    static struct further_sig sigs[LIMIT_TX_SIGNATURES];
    const uint8_t *chain = w->kept.id;
    if (m->refused) {
        memcpy(id, m->refused_id, TX_ID_SIZE);
        return;
    }
    mend_events(chain, m);
    if (m->tx.seen_root != NULL)
        memcpy(inside(m->tx.seen_root), w->roots.log, HASH_SIZE);
    if (m->tx.call.reads != NULL && m->read_set.data != NULL)
        reads_digest(m->read_set, inside(m->tx.call.reads));
    if (m->tx.call.result != NULL && m->result.data != NULL)
        result_digest(m->result, inside(m->tx.call.result));
    tx_id(SUITE_1, chain, m->tx_header, id);
    size_t count = sigs_list(&m->sigs, sigs);
    for (size_t i = 0; i < count; i++) {
        const struct key_pair *who = pair_of(w, sigs[i].key_id);
        if (who != NULL)
            further_sig_make(who, chain, sigs[i].purpose, id,
                             inside(sigs[i].signature));
    }
}

static void mend(const struct accept_world *w, struct bytes payload)
{
    static uint8_t ids[LIMIT_BATCH_TXS][TX_ID_SIZE];
    struct batch_reader r;
    struct batch_member m;
    size_t n = 0;
    if (batch_open(&r, payload, NULL) != 0)
        return;
    while (batch_next(&r, &m, NULL) == 1)
        mend_member(w, &m, ids[n++]);
    const struct key_pair *author = pair_of(w, r.author);
    if (author != NULL && n > 0)
        batch_sign(author, w->kept.id, (const uint8_t(*)[TX_ID_SIZE])ids, n,
                   inside(r.signature));
}

/* ---- what has to hold ---- */

static void assert_one_encoding(const struct batch_member *m)
{
    struct batch_events events = batch_events(m);
    struct buf out = {0};
    struct bytes raw;
    struct event_header h;
    tx_header_put(&out, &m->tx);
    assert(bytes_equal(buf_bytes(&out), m->tx_header));
    while (batch_events_next(&events, &raw)) {
        buf_clear(&out);
        int rc = event_header_get(raw, &h, NULL);
        assert(rc == 0);
        event_header_put(&out, &h);
        assert(bytes_equal(buf_bytes(&out), raw));
    }
    buf_deinit(&out);
}

/* All of the batch, of which some was accepted. */
static void assert_written_alike(const struct handed *h)
{
    static struct further_sig sigs[LIMIT_TX_SIGNATURES];
    struct batch_reader r;
    struct batch_member m;
    struct buf out = {0};
    int rc = batch_open(&r, buf_bytes(&h->payload), NULL);
    assert(rc == 0 && r.count == h->submit.count);
    batch_put(&out, r.author, r.signature, r.count);
    while ((rc = batch_next(&r, &m, NULL)) == 1) {
        if (h->submit.results[r.next - 1].code == 0)
            assert_one_encoding(&m);
        if (m.refused)
            batch_put_refused(&out, m.refused_id);
        else
            batch_copy_member(&out, &m, sigs, sigs_list(&m.sigs, sigs),
                              m.verdict);
    }
    assert(rc == 0);
    assert(bytes_equal(buf_bytes(&out), buf_bytes(&h->payload)));
    buf_deinit(&out);
}

/* How many of it are new in the log. */
static size_t accepted(const struct handed *h)
{
    size_t count = 0;
    for (size_t i = 0; h->submit.code == 0 && i < h->submit.count; i++)
        count += h->submit.results[i].code == 0 && !h->submit.results[i].known;
    return count;
}

/* Is anything in it but marks of what was refused? */
static bool holds_members(struct bytes payload)
{
    struct batch_reader r;
    struct batch_member m;
    int rc = batch_open(&r, payload, NULL);
    while (rc == 0 && (rc = batch_next(&r, &m, NULL)) == 1) {
        if (!m.refused)
            return true;
        rc = 0;
    }
    return rc != 0;
}

/* Written into the log past every check: its verdict is nobody's, at least. */
static void forge(struct accept_world *w, const struct handed *h)
{
    struct fixture_chain *f = &w->land.f;
    struct batch_reader r;
    if (h->payload.len == 0 || h->bodies.len % 8 != 0)
        return; /* no frame */
    uint32_t count =
        batch_open(&r, buf_bytes(&h->payload), NULL) == 0 ? r.count : 1;
    chain_free(f->chain);
    forge_frame(f, w->kept.folder, h, count);
    f->chain = chain_new(&f->deps);
    chain_open(f->chain, w->kept.folder, w->kept.id, LOG_READ_ONLY,
               fixture_done, f);
    fixture_wait(f);
    assert(f->done_code != 0 || !holds_members(buf_bytes(&h->payload)));
    world_reset(w);
}

/* ---- all ---- */

static size_t take_length(const uint8_t *data, size_t left)
{
    size_t len = get_le16(data);
    return len < left ? len : left;
}

/* How many transactions of it were accepted. */
static size_t play(const uint8_t *data, size_t len)
{
    struct handed h = {0};
    const struct err *why;
    if (len < SEED_START)
        return 0;
    struct accept_world *w = &worlds[data[0] & SEED_WORLD];
    const uint8_t *rest = data + SEED_START;
    size_t left = len - SEED_START;
    size_t payload = take_length(data + 1, left);
    size_t inlined = take_length(data + 3, left - payload);
    buf_put(&h.payload, rest, payload);
    buf_put(&h.inlined, rest + payload, inlined);
    buf_put(&h.bodies, rest + payload + inlined, left - payload - inlined);
    name_all(w, &h.payload, name_one);
    if (data[0] & SEED_MENDED)
        mend(w, buf_bytes(&h.payload));
    hand_in(&w->land.f, &h);
    fixture_run(&w->land.f);
    assert(h.done);
    assert(chain_state(w->land.f.chain, &why) == 0);
    size_t count = accepted(&h);
    if (count > 0) {
        assert_written_alike(&h);
        assert_replays(&w->land.f);
        world_reset(w);
    } else {
        assert_same_roots(&w->land.f, w->roots);
        if (data[0] & SEED_FORGED)
            forge(w, &h);
    }
    handed_end(&h);
    return count;
}

/* Write the seeds; each is accepted, or not, as it is meant to be. */
static void write_seeds(const char *folder)
{
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        const struct seed *seed = &seeds[i];
        char path[600];
        struct buf raw = {0};
        seed_put(&worlds[seed->world], seed, &raw);
        if ((play(raw.data, raw.len) == 0) != seed->is_refused)
            fail_msg("seed %s is not what it was", seed->name);
        snprintf(path, sizeof(path), "%s/%s", folder, seed->name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(raw.data, 1, raw.len, file), raw.len);
        assert_int_equal(fclose(file), 0);
        buf_deinit(&raw);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *folder = getenv("ATE_SEEDS");
    (void)argc;
    (void)argv;
    unsetenv("ATE_DUMP"); /* none of these chains is for other readers */
    for (size_t i = 0; i < WORLDS; i++)
        world_open(&worlds[i], i == 0);
    if (folder != NULL)
        write_seeds(folder);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    play(data, len);
    return 0;
}
