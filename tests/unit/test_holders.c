/* Who holds what is found as a walk over all delegations would find it, and by
 * one look, however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "acceptance/authority.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "state/holders.h"

enum { PEOPLE = 3, PLACES = 3, ROUNDS = 300, GIVEN = 4 * ROUNDS, SEEDS = 4 };

/* ---- a small random source, so that a seed says everything ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15ULL;
    uint64_t x = *seed;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

static uint32_t below(uint64_t *seed, uint64_t end)
{
    return (uint32_t)(next_random(seed) % end);
}

/* ---- a state, and a list of what was given in it ---- */

struct given {
    uint8_t id[EVENT_ID_SIZE];
    uint8_t to; /* number of a person */
    uint8_t act_for;
    uint8_t object; /* of a place; 0: the whole chain */
    size_t under;   /* in the list; SIZE_MAX: nothing */
    uint64_t depth;
    int64_t until;
};

struct world {
    struct core core;
    struct given list[GIVEN];
    size_t count;
    uint64_t index;
    int64_t time;
    uint64_t seed;
};

/* Of a person or a place, none: zeros or NULL. */
static const uint8_t *named(uint8_t n)
{
    static uint8_t names[UINT8_MAX + 1][KEY_ID_SIZE];
    if (n == 0)
        return NULL;
    names[n][0] = 0x02;
    names[n][KEY_ID_SIZE - 1] = n;
    names[n][OBJECT_ID_SIZE - 1] = n;
    return names[n];
}

static struct world *world_new(uint64_t seed)
{
    struct world *w = mem_zero(1, sizeof(*w));
    state_init(&w->core.state);
    w->index = 1;
    w->time = -50; /* so that it becomes 0 on the way */
    w->seed = seed;
    return w;
}

static void world_free(struct world *w)
{
    state_deinit(&w->core.state);
    mem_free(w);
}

static struct place_in_log now(const struct world *w)
{
    return (struct place_in_log){
        .v = state_head(&w->core.state),
        .index = w->index,
        .time = w->time,
    };
}

/* `rights`: one, or "create,write". */
static void give(struct world *w, struct given g, const char *rights)
{
    struct state *s = &w->core.state;
    struct buf names = {0};
    struct given *to = &w->list[w->count];
    assert_true(w->count < GIVEN);
    *to = g;
    memset(to->id, 0, EVENT_ID_SIZE);
    to->id[0] = (uint8_t)below(&w->seed, 256);
    put_be64(to->id + 8, w->count++);
    if (strcmp(rights, "create,write") == 0) {
        mp_put_array(&names, 2);
        mp_put_text(&names, "create");
        mp_put_text(&names, "write");
    } else {
        mp_put_array(&names, 1);
        mp_put_text(&names, rights);
    }
    struct delegation d = {
        .to = named(g.to),
        .object = named(g.object),
        .rights = buf_bytes(&names),
        .depth = g.depth,
        .until = g.until,
        .act_for = named(g.act_for),
        .by = named(1),
        .auth_ref = g.under == SIZE_MAX ? NULL : w->list[g.under].id,
        .index = w->index,
        .n = w->count,
    };
    delegation_put(s, to->id, &d);
    buf_deinit(&names);
}

/* The transaction ends that gave those from `first` on. */
static void keep(struct world *w, size_t first)
{
    for (size_t i = first; i < w->count; i++)
        holders_add(&w->core.state, w->list[i].id);
    state_keep(&w->core.state);
    w->index++;
}

static void revoke(struct world *w, const struct given *g)
{
    struct delegation d;
    struct state *s = &w->core.state;
    assert_true(delegation_get(state_head(s), g->id, &d));
    if (d.revoked)
        return;
    delegation_revoke(s, g->id, w->index);
    holders_drop(s, g->id);
}

/* ---- the walk ---- */

static bool is_held(const struct world *w, const struct given *g, uint8_t to,
                    const char *right, uint8_t act_for)
{
    struct place_in_log at = now(w);
    struct delegation d;
    return g->to == to &&
           (right == NULL ||
            (g->act_for == act_for && delegation_get(at.v, g->id, &d) &&
             delegation_gives(&d, right))) &&
           delegation_in_force(&at, g->id, &d, NULL) == 0;
}

/* UINT8_MAX: anywhere. */
static bool walk(const struct world *w, uint8_t to, const char *right,
                 uint8_t act_for, uint8_t object)
{
    for (size_t i = 0; i < w->count; i++)
        if ((object == UINT8_MAX || w->list[i].object == object) &&
            is_held(w, &w->list[i], to, right, act_for))
            return true;
    return false;
}

static void compare(const struct world *w, uint8_t to, const char *right,
                    uint8_t act_for)
{
    struct held hold = {named(to), right, named(act_for)};
    struct place_in_log at = now(w);
    uint8_t id[EVENT_ID_SIZE];
    for (uint8_t object = 0; right != NULL && object <= PLACES; object++)
        assert_int_equal(holders_find(&at, &hold, named(object), id),
                         walk(w, to, right, act_for, object));
    if (right == NULL || act_for != 0)
        assert_int_equal(holders_find_anywhere(&at, &hold, id),
                         walk(w, to, right, act_for, UINT8_MAX));
}

static void compare_all(const struct world *w)
{
    for (uint8_t to = 1; to <= PEOPLE; to++) {
        compare(w, to, NULL, 0);
        compare(w, to, "create", 0);
        compare(w, to, "write", 0);
        compare(w, to, "creat", 0);
        compare(w, to, RIGHT_ACT_FOR, 0);
        for (uint8_t who = 1; who <= PEOPLE; who++)
            compare(w, to, RIGHT_ACT_FOR, who);
    }
}

/* ---- tests ---- */

static void give_some(struct world *w)
{
    uint64_t *seed = &w->seed;
    struct given g = {
        .to = (uint8_t)(1 + below(seed, PEOPLE)),
        .act_for = (uint8_t)below(seed, PEOPLE + 1),
        .object = (uint8_t)below(seed, PLACES + 1),
        .under = SIZE_MAX,
        .depth = DELEGATION_DEPTH_MAX,
        .until = below(seed, 4) == 0 ? INT64_MAX
                                     : w->time + 1 + (int64_t)below(seed, 40),
    };
    size_t up = w->count > 0 ? below(seed, w->count) : 0;
    struct place_in_log at = now(w);
    struct delegation d;
    if (w->count > 0 && w->list[up].depth > 0 && below(seed, 4) != 0 &&
        delegation_in_force(&at, w->list[up].id, &d, NULL) == 0) {
        const struct given *above = &w->list[up];
        g.under = up;
        g.act_for = above->act_for;
        g.depth = above->depth - 1;
        if (g.until > above->until)
            g.until = above->until;
    }
    give(w, g, g.act_for != 0 ? RIGHT_ACT_FOR : "create,write");
}

static void find_with(uint64_t seed)
{
    struct world *w = world_new(seed);
    size_t found = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct state *s = &w->core.state;
        state_begin(s);
        size_t before = w->count;
        for (size_t i = below(&w->seed, 4); i > 0; i--)
            give_some(w);
        if (w->count > 0 && below(&w->seed, 3) == 0)
            revoke(w, &w->list[below(&w->seed, w->count)]);
        if (below(&w->seed, 5) == 0) {
            state_undo(s);
            w->count = before;
        } else {
            keep(w, before);
        }
        w->time += (int64_t)below(&w->seed, 5);
        compare_all(w);
        found += walk(w, 1, NULL, 0, UINT8_MAX);
    }
    assert_true(found > 0 && found < ROUNDS);
    world_free(w);
}

static void it_finds_what_a_walk_would(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        find_with(seed);
    }
}

/* With what stands below it, and of that nothing is left behind. */
static void what_is_revoked_leaves_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct state *s = &w->core.state;
    struct tree_stats stats;
    struct given g = {.to = 1, .under = SIZE_MAX, .until = INT64_MAX};
    state_begin(s);
    g.depth = DELEGATION_DEPTH_MAX;
    give(w, g, "create,write");
    while (g.depth-- > 0) {
        g.under = w->count - 1;
        for (int i = 0; i < 3; i++)
            give(w, g, "create,write");
    }
    keep(w, 0);
    state_begin(s);
    revoke(w, &w->list[5]);
    revoke(w, &w->list[0]);
    g.under = 7;
    give(w, g, "create,write");
    keep(w, w->count - 1);
    tree_stats(s->tree, &stats);
    assert_int_equal(stats.entries,
                     2 * w->count); /* themselves, their places */
    world_free(w);
}

/* ---- how many looks ---- */

static uint64_t looks_of_all(struct world *w)
{
    const struct spot spots[] = {{NULL, NULL}, {named(2), named(3)}};
    const struct trial t = {
        .core = &w->core,
        .index = w->index,
        .time = w->time,
        .author = named(1),
        .caller = named(2),
    };
    uint8_t id[EVENT_ID_SIZE];
    uint64_t before = w->core.looks;
    for (size_t i = 0; i < 2; i++) {
        assert_false(authority_by(&t, named(2), &spots[i]));
        assert_false(authority_find(&t, "write", &spots[i], id));
    }
    authority_find_act_for(&t, named(2), NULL, id);
    authority_holds_any(&t);
    return w->core.looks - before;
}

/* What somebody was given for somebody else, somewhere else, for another right,
 * for a time, until it was taken back, or under what was: a hundred of each. */
static void useless_ones_are_not_looked_at(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct state *s = &w->core.state;
    enum { EACH = 100 };
    uint64_t none = looks_of_all(w);
    for (size_t i = 0; i < EACH; i++) {
        struct given g = {.to = 1,
                          .act_for = 2,
                          .object = 4,
                          .depth = 1,
                          .under = SIZE_MAX,
                          .until = INT64_MAX};
        size_t first = w->count;
        state_begin(s);
        give(w, g, RIGHT_ACT_FOR);
        g.object = 0;
        give(w, g, RIGHT_ACT_FOR);
        g.under = w->count - 1;
        g.depth = 0;
        give(w, g, RIGHT_ACT_FOR);
        keep(w, first);
        first = w->count;
        state_begin(s);
        revoke(w, &w->list[g.under]);
        g.under = SIZE_MAX;
        g.until = w->time + 1;
        give(w, g, RIGHT_ACT_FOR);
        g.act_for = 3;
        g.until = INT64_MAX;
        give(w, g, RIGHT_ACT_FOR);
        g.act_for = 0;
        give(w, g, "create");
        keep(w, first);
        w->time++;
    }
    assert_int_equal(looks_of_all(w), none);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_walk_would),
        cmocka_unit_test(what_is_revoked_leaves_nothing),
        cmocka_unit_test(useless_ones_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
