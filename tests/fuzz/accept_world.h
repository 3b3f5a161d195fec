/* Two small chains that transactions of anybody's are given to: one that
 * accepts all, and one of which root keys and delegations decide.
 *
 * What a transaction names is a hash, and so another one whenever the schema
 * changes. An input therefore names it by a number: a bin of 16 or 32 bytes
 * that is zeros but for the last one. name_all() puts in what is meant. */
#ifndef ATE_FUZZ_ACCEPT_WORLD_H
#define ATE_FUZZ_ACCEPT_WORLD_H

#include "unit/fixture_land.h"

enum {
    WORLDS = 2, /* 0: all is accepted; 1: root keys and delegations decide */
    NAMES = 32,
    PEOPLE = 8,
    STRANGERS = 4,
    GIVEN = 4,

    /* Numbers. Those of keys rise as their ids do, for signatures are sorted.
     */
    NAME_KEY = 1,
    NAME_BUNDLE = 0x10,
    NAME_CHAIN = 0x11,
    NAME_EVENT = 0x20,      /* the newest of country, town, house, other */
    NAME_DELEGATION = 0x28, /* the last one is revoked */
    NAME_PLACE = 0x30,      /* those four, and three that are not there yet */
    NAME_OWN = 0xc0,        /* event n of the transaction itself */
    NAME_FACT = 0xff, /* the object of a fact: of the event it stands in */
};

struct name {
    uint8_t number;
    uint8_t size;
    uint8_t id[32];
};

struct accept_world {
    struct land land;
    const struct key_pair *people[PEOPLE]; /* sorted by id */
    uint8_t given[GIVEN][EVENT_ID_SIZE];
    struct name names[NAMES];
    size_t name_count;
    struct kept kept;
    struct both_roots roots;
};

static inline void add_name(struct accept_world *w, uint8_t number,
                            const uint8_t *id, uint8_t size)
{
    assert_true(w->name_count < NAMES);
    struct name *name = &w->names[w->name_count++];
    *name = (struct name){.number = number, .size = size};
    memcpy(name->id, id, size);
}

static inline int compare_people(const void *a, const void *b)
{
    const struct key_pair *const *one = a;
    const struct key_pair *const *other = b;
    return memcmp((*one)->id, (*other)->id, KEY_ID_SIZE);
}

static inline void name_people(struct accept_world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < FIXTURE_KEYS; i++)
        w->people[count++] = &w->land.f.keys[i];
    for (size_t i = 0; i < STRANGERS; i++)
        w->people[count++] = pair(i);
    w->people[count++] = &w->land.f.order;
    assert_int_equal(count, PEOPLE);
    qsort(w->people, PEOPLE, sizeof(w->people[0]), compare_people);
    for (size_t i = 0; i < PEOPLE; i++)
        add_name(w, (uint8_t)(NAME_KEY + i), w->people[i]->id, KEY_ID_SIZE);
}

static inline void name_places(struct accept_world *w)
{
    struct land *l = &w->land;
    const uint8_t *there[] = {l->country, l->town, l->house, l->other};
    uint8_t id[OBJECT_ID_SIZE];
    uint8_t event[EVENT_ID_SIZE];
    for (uint8_t i = 0; i < 4; i++) {
        add_name(w, NAME_PLACE + i, there[i], OBJECT_ID_SIZE);
        newest_event(&l->f, there[i], event);
        add_name(w, NAME_EVENT + i, event, EVENT_ID_SIZE);
    }
    object_named(&l->f, "land.country", NULL, "q", id);
    add_name(w, NAME_PLACE + 4, id, OBJECT_ID_SIZE);
    object_named(&l->f, "land.town", l->country, "q", id);
    add_name(w, NAME_PLACE + 5, id, OBJECT_ID_SIZE);
    object_named(&l->f, "land.house", l->town, "q", id);
    add_name(w, NAME_PLACE + 6, id, OBJECT_ID_SIZE);
}

/* alice may do all below the country, bob rests on her; the first stranger acts
 * for alice, and the second one no longer. */
static inline void world_delegate(struct accept_world *w)
{
    struct land *l = &w->land;
    const struct key_pair *alice = &l->f.keys[1];
    const struct key_pair *bob = &l->f.keys[2];
    struct tx t;
    root_gives(l,
               (struct give){.to = alice->id,
                             .rights = "create,delegate,delete,write",
                             .object = l->country,
                             .key = &alice->record,
                             .depth = 2},
               w->given[0]);
    one_gives(l, alice,
              (struct give){.to = bob->id,
                            .rights = "create,write",
                            .object = l->town,
                            .under = w->given[0],
                            .key = &bob->record,
                            .depth = 1},
              w->given[1]);
    for (size_t i = 0; i < 2; i++)
        one_gives(l, alice,
                  (struct give){.to = pair(i)->id,
                                .rights = "act_for",
                                .act_for = alice->id,
                                .key = &pair(i)->record},
                  w->given[2 + i]);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, w->given[3]);
    tx_ok(&t);
    for (uint8_t i = 0; i < GIVEN; i++)
        add_name(w, NAME_DELEGATION + i, w->given[i], EVENT_ID_SIZE);
}

static inline void world_open(struct accept_world *w, bool is_for_all)
{
    struct fixture_chain *f = &w->land.f;
    fixture_open_disk(f, NULL, NULL, NULL);
    if (!is_for_all) {
        f->pipeline[0] = bytes_of_text("master-key-validator");
        f->pipeline[1] = bytes_of_text("trust-delegation");
        f->pipeline[2] = bytes_of_text("serializer");
        f->pipeline[3] = bytes_of_text("structured-logic");
        f->pipeline_count = 4;
    }
    land_make(&w->land);
    land_fill(&w->land);
    name_people(w);
    name_places(w);
    if (is_for_all)
        meets(&w->land, pair(0));
    else
        world_delegate(w);
    add_name(w, NAME_BUNDLE, chain_core(f->chain)->bundle_hash, HASH_SIZE);
    add_name(w, NAME_CHAIN, chain_core(f->chain)->id, HASH_SIZE);
    w->roots = roots_now(f);
    keep_files(f, &w->kept);
}

/* As it was when it was opened. */
static inline void world_reset(struct accept_world *w)
{
    put_back(&w->land.f, &w->kept);
    assert_same_roots(&w->land.f, w->roots);
}

/* ---- names ---- */

/* The number that stands there instead of an id; 0: none does. */
static inline uint8_t number_at(const uint8_t *id, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++)
        if (id[i] != 0)
            return 0;
    return id[size - 1];
}

static inline void name_one(const struct accept_world *w, uint8_t *id,
                            size_t size)
{
    uint8_t number = number_at(id, size);
    for (size_t i = 0; number != 0 && i < w->name_count; i++)
        if (w->names[i].number == number && w->names[i].size == size)
            memcpy(id, w->names[i].id, size);
}

/* The other way, for seeds. */
static inline void number_one(const struct accept_world *w, uint8_t *id,
                              size_t size)
{
    for (size_t i = 0; i < w->name_count; i++) {
        if (w->names[i].size != size || memcmp(id, w->names[i].id, size) != 0)
            continue;
        memset(id, 0, size);
        id[size - 1] = w->names[i].number;
    }
}

/* All bins of either size, wherever they stand. */
static inline void name_all(const struct accept_world *w, struct buf *raw,
                            void (*one)(const struct accept_world *w,
                                        uint8_t *id, size_t size))
{
    static const uint8_t sizes[] = {OBJECT_ID_SIZE, HASH_SIZE};
    for (size_t k = 0; k < 2; k++)
        for (size_t at = 0; at + 2 + sizes[k] <= raw->len; at++)
            if (raw->data[at] == 0xc4 && raw->data[at + 1] == sizes[k])
                one(w, raw->data + at + 2, sizes[k]);
}

static inline const struct key_pair *pair_of(const struct accept_world *w,
                                             const uint8_t *id)
{
    for (size_t i = 0; i < PEOPLE; i++)
        if (memcmp(w->people[i]->id, id, KEY_ID_SIZE) == 0)
            return w->people[i];
    return NULL;
}
#endif
