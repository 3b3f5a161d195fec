/* Seeds of fuzz_accept: transactions of every kind that either chain accepts,
 * and some that it does not, with numbers instead of ids. */
#ifndef ATE_FUZZ_ACCEPT_SEEDS_H
#define ATE_FUZZ_ACCEPT_SEEDS_H

#include "accept_world.h"

#include "state/reads.h"

enum {
    SEED_WORLD = 1, /* flags of the first byte */
    SEED_MENDED = 2,
    SEED_FORGED = 4,
    SEED_START = 5, /* what stands before the payload */
    SEED_TXS = 2,
};

static inline void seed_word(struct accept_world *w, struct tx *t)
{
    tx_begin(&w->land.f, t, &w->land.f.keys[0]);
    tx_word(t, "hello");
}

static inline void seed_bodies(struct accept_world *w, struct tx *t)
{
    tx_begin(&w->land.f, t, &w->land.f.keys[0]);
    tx_word_of(t, "inline", 40, NULL);
    tx_word_of(t, "behind", 1200, NULL);
}

static inline void seed_stranger(struct accept_world *w, struct tx *t)
{
    tx_begin(&w->land.f, t, pair(2));
    tx_key(t, &pair(2)->record);
    tx_word(t, "hello");
}

static inline void seed_places(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_place(t, "land.country", NULL, "q", NULL, 0, NULL);
    tx_place(t, "land.town", l->country, "q", NULL, 0, NULL);
    tx_place(t, "land.house", l->town, "q", NULL, 0, NULL);
}

/* Made and deleted at once. */
static inline void seed_deleted(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[0]);
    size_t n = tx_place(t, "land.country", NULL, "q", NULL, 0, NULL);
    tx_place(t, "land.country", NULL, "q", t->ids[n], EVENT_DELETES, NULL);
}

static inline void seed_edited(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    uint8_t event[EVENT_ID_SIZE];
    newest_event(&l->f, l->house, event);
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_place(t, "land.house", l->town, "c", event, 0, NULL);
}

static inline void seed_rules(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_claim(t, l->house, l->f.keys[0].id, NULL);
    tx_taxed(t, l->country);
}

static inline void seed_reads(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    struct reads reads;
    struct err err;
    tx_begin(&l->f, t, &l->f.keys[0]);
    reads_init(&reads);
    reads_note(&reads, STATE_OBJECT, bytes_of("no such object..", 16));
    reads_note_range(&reads, STATE_ROW, bytes_of("a", 1), bytes_of("b", 1));
    reads_pack(&reads);
    assert_int_equal(
        reads_put(&reads, chain_version(l->f.chain), &t->read_set, &err), 0);
    reads_deinit(&reads);
    mp_put_text(&t->result, "done");
    tx_word(t, "read");
}

static inline void seed_co_author(struct accept_world *w, struct tx *t)
{
    seed_word(w, t);
    tx_sign(t, pair(0), "author");
}

/* alice, by what she was given. */
static inline void seed_delegated(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[1]);
    tx_place(t, "land.town", l->country, "q", NULL, 0, w->given[0]);
    tx_place(t, "land.house", l->town, "q", NULL, 0, w->given[0]);
}

/* Nobody lets bob do that. */
static inline void seed_too_far(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[2]);
    tx_place(t, "land.town", l->country, "q", NULL, 0, w->given[1]);
}

static inline void seed_acts(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, pair(0));
    t->caller = l->f.keys[1].id;
    tx_word_of(t, "for her", 0, w->given[2]);
}

static inline void seed_gives(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[1]);
    tx_give(t, (struct give){.to = pair(3)->id,
                             .rights = "create,delegate",
                             .object = l->house,
                             .under = w->given[0],
                             .key = &pair(3)->record,
                             .until = l->f.now + 1000,
                             .depth = 1});
}

static inline void seed_revokes(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_revoke(t, w->given[1]);
}

static inline void seed_roots(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    struct key_set set = {.count = 2, .k = 1};
    set.records[0] = l->f.keys[0].record;
    set.records[1] = pair(3)->record;
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_roots(t, &set, NULL);
    tx_sign(t, &l->f.keys[0], "root");
}

static inline void seed_order(struct accept_world *w, struct tx *t)
{
    struct land *l = &w->land;
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_order(t, &pair(3)->record, 2);
    tx_sign(t, &l->f.keys[0], "root");
}

static inline void seed_two(struct accept_world *w, struct tx *t)
{
    seed_word(w, &t[0]);
    seed_rules(w, &t[1]);
    t[1].first_sequence += t[0].count;
}

static const struct seed {
    const char *name;
    uint8_t world;
    uint8_t count;
    bool is_refused;
    void (*make)(struct accept_world *w, struct tx *t);
} seeds[] = {
    {"word", 0, 1, false, seed_word},
    {"bodies", 0, 1, false, seed_bodies},
    {"stranger", 0, 1, false, seed_stranger},
    {"places", 0, 1, false, seed_places},
    {"deleted", 0, 1, false, seed_deleted},
    {"edited", 0, 1, false, seed_edited},
    {"reads", 0, 1, false, seed_reads},
    {"two", 1, 2, false, seed_two},
    {"rules", 1, 1, false, seed_rules},
    {"co-author", 1, 1, false, seed_co_author},
    {"delegated", 1, 1, false, seed_delegated},
    {"too-far", 1, 1, true, seed_too_far},
    {"acts", 1, 1, true, seed_acts},
    {"gives", 1, 1, false, seed_gives},
    {"revokes", 1, 1, false, seed_revokes},
    {"roots", 1, 1, false, seed_roots},
    {"order", 1, 1, false, seed_order},
    {"stranger-refused", 1, 1, true, seed_stranger},
};

/* Objects of facts and events of this transaction get numbers, too. */
static inline void number_own(struct accept_world *w, const struct tx *t)
{
    uint8_t id[OBJECT_ID_SIZE];
    for (size_t n = 0; n < t->count; n++) {
        fact_id(w->kept.id, t->author->id, t->call_id, n, id);
        add_name(w, NAME_FACT, id, OBJECT_ID_SIZE);
        add_name(w, (uint8_t)(NAME_OWN + n), t->ids[n], EVENT_ID_SIZE);
    }
}

/* The input that it makes. */
static inline void seed_put(struct accept_world *w, const struct seed *seed,
                            struct buf *out)
{
    size_t names = w->name_count;
    struct buf payload = {0};
    struct tx t[SEED_TXS];
    struct handed h;
    seed->make(w, t);
    batch_of(&h, t, seed->count);
    for (size_t n = 0; n < seed->count; n++)
        number_own(w, &t[n]);
    buf_put_bytes(&payload, buf_bytes(&h.payload));
    name_all(w, &payload, number_one);
    w->name_count = names;
    buf_put_u8(out, seed->world | SEED_MENDED |
                        (seed->is_refused ? SEED_FORGED : 0));
    put_le16(buf_grow(out, 2), (uint16_t)payload.len);
    put_le16(buf_grow(out, 2), (uint16_t)h.inlined.len);
    buf_put_bytes(out, buf_bytes(&payload));
    buf_put_bytes(out, buf_bytes(&h.inlined));
    buf_put_bytes(out, buf_bytes(&h.bodies));
    for (size_t n = 0; n < seed->count; n++)
        tx_end(&t[n]);
    handed_end(&h);
    buf_deinit(&payload);
}
#endif
