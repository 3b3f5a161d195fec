/* Bits flip in the files of a chain that was closed in order, one at a time, in
 * each of them. What holds the log (header file, body files, large bodies)
 * shows it: opening refuses, or verify does. What only makes opening fast
 * (snapshot, mark of what was verified) is passed over. Nothing is ever
 * taken for another state. */
#include "sim/chain_life.h"

#include "chain/inside.h"
#include "chain/large_check.h"
#include "sim/rng.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"

enum { FLIPS = 60 }; /* in each file */

struct rot {
    struct life life;
    struct sim_disk *disk;
    struct rng rng;
    uint64_t size;
    uint8_t root[HASH_SIZE];
    uint64_t flips;
    uint64_t noticed;
    unsigned kinds; /* of files, one bit each */
};

static const struct {
    const char *name; /* that the path has in it */
    bool is_log;
} kinds[] = {
    {".head", true},      {".body", true},     {"/large/", true},
    {"/verified", false}, {"snapshot", false}, {"/cur", true},
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static bool pump(void *ctx)
{
    return sim_disk_step(ctx);
}

static void checked(void *ctx, int code, const struct err *err)
{
    (void)err;
    *(int *)ctx = code;
}

static int check_larges(struct life *l)
{
    int code = 1;
    if (large_check_start(l->f.chain, checked, &code) == NULL)
        return 0;
    while (code == 1 && l->f.pump(l->f.pump_ctx)) {
    }
    return code;
}

static bool is_same(const struct rot *r, const struct chain *c)
{
    uint8_t root[HASH_SIZE];
    state_root(chain_version(c), root);
    return chain_size(c) == r->size && memcmp(root, r->root, HASH_SIZE) == 0;
}

/* Is it noticed? What is opened all the same has to be what was written. */
static bool open_rotten(struct rot *r, struct sim_disk *disk, bool verifies,
                        bool is_log, const char *what)
{
    struct life l = r->life;
    int code = life_open(&l, sim_disk_interface(disk), pump, disk, verifies);
    bool told = code != 0;
    if (code != 0 && code != ATE_ECORRUPT)
        fail_msg("%s: %s", what, l.f.done_err.text);
    if (code != 0 && !is_log && !verifies)
        fail_msg("%s keeps it from opening: %s", what, l.f.done_err.text);
    if (code == 0) {
        if (!is_same(r, l.f.chain))
            fail_msg("%s: it is another state", what);
        told = l.f.chain->log.bad_slot.code != 0 ||
               (verifies && check_larges(&l) != 0);
    }
    life_close(&l);
    return told;
}

static void flip(struct rot *r, const char *path, uint64_t bit, bool is_log)
{
    struct sim_disk *disk = sim_disk_copy(r->disk, r->flips);
    struct buf *file = sim_disk_file(disk, path);
    char what[200];
    snprintf(what, sizeof(what), "bit %llu of %s", (unsigned long long)bit,
             path);
    file->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    bool told = open_rotten(r, disk, true, is_log, what);
    told |= open_rotten(r, disk, false, is_log, what);
    /* Between the slots nothing stands; verify calls that a stain. */
    bool is_gap = strstr(path, ".head") != NULL && bit / 8 < LOG_FRAMES_START;
    if (is_log && !told && !is_gap)
        fail_msg("%s: nobody noticed", what);
    r->noticed += told;
    r->flips++;
    sim_disk_free(disk);
}

static void rot_file(struct rot *r, const char *path)
{
    const struct buf *file = sim_disk_file(r->disk, path);
    for (unsigned k = 0; k < KINDS; k++) {
        if (file == NULL || file->len == 0 ||
            strstr(path, kinds[k].name) == NULL)
            continue;
        r->kinds |= 1U << k;
        for (unsigned i = 0; i < seeds_times(FLIPS); i++)
            flip(r, path, rng_below(&r->rng, file->len * 8), kinds[k].is_log);
        return;
    }
}

static void no_bit_flips_unnoticed(void **state)
{
    struct rot *r = mem_zero(1, sizeof(*r));
    struct buf names = {0};
    (void)state;
    r->rng.state = seeds_first();
    print_message("seed %llu (SEED sets it)\n",
                  (unsigned long long)r->rng.state);
    life_init(&r->life);
    r->disk = sim_disk_new(1);
    life_run(&r->life, sim_disk_interface(r->disk), pump, r->disk);
    assert_int_equal(r->life.refused, 0);
    struct life l = r->life;
    assert_int_equal(
        life_open(&l, sim_disk_interface(r->disk), pump, r->disk, false), 0);
    r->size = chain_size(l.f.chain);
    state_root(chain_version(l.f.chain), r->root);
    life_close(&l);
    sim_disk_names(r->disk, &names);
    for (size_t at = 0; at < names.len;
         at += strlen((const char *)names.data + at) + 1)
        rot_file(r, (const char *)names.data + at);
    print_message("%llu bits flipped, %llu noticed\n",
                  (unsigned long long)r->flips, (unsigned long long)r->noticed);
    assert_int_equal(r->kinds, (1U << KINDS) - 1);
    assert_true(r->noticed > FLIPS);
    buf_deinit(&names);
    sim_disk_free(r->disk);
    life_deinit(&r->life);
    mem_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bit_flips_unnoticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
