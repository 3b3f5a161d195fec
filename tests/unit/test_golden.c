/* Chains that were written once, by each version of the format, and have to
 * open for ever: tests/golden/FORMAT/NAME, with what they add up to in
 * `expected`.
 *
 * ATE_GOLDEN=FOLDER writes new ones there instead (tests/golden/make): keys,
 * clock and chance are those of the fixture, so only what is in a bundle or a
 * format makes them differ. */
#include "fixture_bundles.h"
#include "fixture_land.h"

#include <unistd.h>

static const char *const formats[] = {"1"};

/* ---- making ---- */

/* A grant of the root key and one that rests on it; what that lets do. `given`:
 * the first. */
static void make_grants(struct land *l, uint8_t given[EVENT_ID_SIZE])
{
    struct tx t;
    uint8_t handed_on[EVENT_ID_SIZE];
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create,delegate,write",
                             .object = l->country,
                             .key = &pair(0)->record,
                             .depth = 2},
               given);
    one_gives(l, pair(0),
              (struct give){.to = pair(1)->id,
                            .rights = "create",
                            .object = l->town,
                            .under = given,
                            .key = &pair(1)->record,
                            .until = l->f.now + 1000000},
              handed_on);
    tx_begin(&l->f, &t, pair(1));
    tx_place(&t, "land.house", l->town, "d", NULL, 0, handed_on);
    tx_ok(&t);
}

/* A transaction of two authors, and a batch one of whose members is refused. */
static void make_batches(struct land *l)
{
    struct tx t[3];
    struct handed h;
    tx_begin(&l->f, t, &l->f.keys[0]);
    tx_key(t, &pair(2)->record);
    tx_word_of(t, "together", 3000, NULL);
    tx_sign(t, pair(2), PURPOSE_CO_AUTHOR);
    tx_ok(t);
    l->f.now += 60000;
    for (size_t i = 0; i < 3; i++) {
        tx_begin(&l->f, &t[i], &l->f.keys[0]);
        t[i].first_sequence += i;
        if (i == 1)
            tx_place(&t[i], "land.country", NULL, "a", NULL, 0, NULL);
        else
            tx_word_of(&t[i], "apart", 100, NULL);
    }
    batch_of(&h, t, 3);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(h.submit.results[1].code, ATE_ECONFLICT);
    assert_int_equal(h.submit.results[2].code, 0);
    handed_end(&h);
    for (size_t i = 0; i < 3; i++)
        tx_end(&t[i]);
}

/* Something deleted, a grant revoked, other root keys, another order key. */
static void make_ends(struct land *l, const uint8_t *given,
                      const struct key_set *next)
{
    struct tx t;
    fixture_ok(&l->f, 0, "house.delete", ARGS("name=c", "town=a/b"));
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_revoke(&t, given);
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_roots(&t, next, NULL);
    tx_sign(&t, &l->f.keys[1], PURPOSE_ROOT);
    tx_sign(&t, &l->f.keys[2], PURPOSE_ROOT);
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[1]);
    tx_order(&t, &pair(3)->record, 2);
    tx_sign(&t, &l->f.keys[2], PURPOSE_ROOT);
    tx_ok(&t);
}

static void make_land(struct fixture_chain *f)
{
    struct land l = {0};
    uint8_t given[EVENT_ID_SIZE];
    uint8_t digest[HASH_SIZE];
    struct key_set next = {
        {f->keys[1].record, f->keys[2].record}, .count = 2, .k = 2};
    set_digest(&next, digest);
    f->default_pipeline = true;
    f->root_count = 2;
    f->next = digest;
    l.f = *f;
    l.f.deps.ctx = &l.f;
    l.f.names.ctx = &l.f;
    l.f.deps.names = &l.f.names;
    l.f.deps.logic = &l.f.maker;
    land_make(&l);
    land_fill(&l);
    make_grants(&l, given);
    make_batches(&l);
    make_ends(&l, given, &next);
    f->chain = l.f.chain;
    f->bundle = l.f.bundle;
    f->next = NULL;
}

#define GOLDEN_FILE                                                            \
    "shop:event('file', {doc = 'd', header = {name = t.name()},\n"             \
    "    body = t.blob({max = 1000000})})\n"
#define GOLDEN_MORE                                                            \
    "shop:event('note', {doc = 'd', header = {n = t.integer()},\n"             \
    "    body = {more = t.optional(t.text({max = 20000}))}})\n"                \
    "shop:view('more', {doc = 'd', reads = 'bodies', key = {'k'},\n"           \
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"          \
    "    fold = {note = function(rows, note)\n"                                \
    "        rows:add(1, {sum = note.more and #note.more or 0})\n"             \
    "    end}})\n"
#define GOLDEN_1                                                               \
    GOLDEN_FILE GOLDEN_MORE                                                    \
        "shop:object('item', {doc = 'd', key = {'name'},\n"                    \
        "    header = {name = t.name(), price = t.text()}})\n"
#define GOLDEN_2                                                               \
    GOLDEN_FILE GOLDEN_MORE                                                    \
        "shop:object('item', {doc = 'd', key = {'name'},\n"                    \
        "    header = {name = t.name(), price = t.integer()},\n"               \
        "    upgrade = {[1] = function(old)\n"                                 \
        "        old.price = tonumber(old.price) or 0\n"                       \
        "        return old\n"                                                 \
        "    end}})\n"                                                         \
        "shop:view('worth', {doc = 'd', key = {'k'},\n"                        \
        "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"      \
        "    fold = {item = function(rows, item)\n"                            \
        "        local was = item.before and item.before.price or 0\n"         \
        "        local is = item.change ~= 'delete' and item.price or 0\n"     \
        "        rows:add(1, {sum = is - was})\n"                              \
        "    end}})\n"

enum { LARGE_BODY = 66000 };

static void was_put(struct put *put)
{
    *(bool *)put->owner = true;
}

/* A body that is put first, then named. */
static void put_large(struct fixture_chain *f)
{
    static uint8_t bytes[LARGE_BODY];
    bool is_there = false;
    struct tx t;
    struct buf fields = {0};
    for (size_t i = 0; i < LARGE_BODY; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    struct put put = {
        .id = f->keys[0].id,
        .data = bytes_of(bytes, LARGE_BODY),
        .ends = true,
        .done = was_put,
        .owner = &is_there,
    };
    chain_put(f->chain, &put);
    fixture_run(f);
    assert_true(is_there);
    if (put.code != 0)
        fail_msg("put: %s", put.err.text);
    tx_begin(f, &t, &f->keys[0]);
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "name");
    mp_put_text(&fields, "large");
    tx_event(&t, (struct event_header){
                     .type = bytes_of_text("shop.file"),
                     .body_length = LARGE_BODY,
                     .body_hash = put.body_hash,
                     .fields = buf_bytes(&fields),
                 });
    buf_deinit(&fields);
    tx_ok(&t);
}

/* Bodies of all sizes, another bundle, and what was converted and deleted. */
static void make_shop(struct fixture_chain *f)
{
    char more[2100];
    shop_birth(f, GOLDEN_1);
    fixture_ok(f, 0, "item.create", ARGS("name=hat", "price=12"));
    fixture_ok(f, 1, "item.create", ARGS("name=shoe", "price=much"));
    fixture_ok(f, 0, "item.delete", ARGS("name=shoe"));
    snprintf(more, sizeof(more), "more=%02000d", 7);
    fixture_ok(f, 0, "note.append", ARGS("more=small", "n=1"));
    fixture_ok(f, 2, "note.append", ARGS(more, "n=2"));
    put_large(f);
    switch_ok(f, 2, GOLDEN_2);
    f->now += 5000;
    fixture_ok(f, 0, "item.put", ARGS("name=hat", "price=13"));
    fixture_ok(f, 1, "item.put", ARGS("name=cap", "price=4"));
}

/* An event of the engine's own that only a later version knows. */
static void make_later(struct fixture_chain *f)
{
    struct tx t;
    struct handed h;
    struct buf fields = {0};
    char folder[LOG_PATH_MAX];
    uint8_t id[CHAIN_ID_SIZE];
    f->now += 1000; /* another chain than the shop */
    shop_birth(f, GOLDEN_1);
    fixture_ok(f, 0, "item.create", ARGS("name=hat", "price=12"));
    tx_begin(f, &t, &f->keys[0]);
    mp_put_map(&fields, 0);
    tx_fact(&t, "ate.later", &fields, NULL);
    batch_of(&h, &t, 1);
    memcpy(id, chain_core(f->chain)->id, sizeof(id));
    log_folder(folder, id);
    chain_free(f->chain);
    forge_frame(f, folder, &h, 1);
    handed_end(&h);
    tx_end(&t);
    f->chain = chain_new(&f->deps);
    chain_open(f->chain, folder, id, LOG_READ_ONLY, fixture_done, f);
    fixture_wait(f);
}

static const struct golden {
    const char *name;
    void (*make)(struct fixture_chain *f);
    bool goes_on; /* whoever has the fixture's keys may write */
} goldens[] = {
    {"land", make_land, false},
    {"shop", make_shop, true},
    {"later", make_later, false},
};

/* ---- what they add up to ---- */

static void put_hash(struct buf *out, const char *name, const uint8_t *hash)
{
    buf_printf(out, "%s ", name);
    hex_put(out, bytes_of(hash, HASH_SIZE));
    buf_put_text(out, "\n");
}

static void put_views(struct fixture_chain *f, struct buf *out)
{
    const struct schema *s = chain_core(f->chain)->schema;
    struct buf rows = {0};
    uint8_t hash[HASH_SIZE];
    size_t count;
    for (size_t i = 0; i < s->view_count; i++) {
        const char *name = schema_short(s, s->views[i].name);
        rows_of(f, name, &rows, &count);
        sha256(buf_bytes(&rows), hash);
        buf_printf(out, "rows %s %zu ", name, count);
        hex_put(out, bytes_of(hash, HASH_SIZE));
        buf_put_text(out, "\n");
    }
    buf_deinit(&rows);
}

static void describe(struct fixture_chain *f, struct buf *out)
{
    const struct err *why;
    struct both_sides sides = sides_now(f);
    int code = chain_state(f->chain, &why);
    put_hash(out, "id", chain_core(f->chain)->id);
    buf_printf(out, "state %s\n", chain_state_word(f->chain));
    if (code != 0)
        buf_printf(out, "code %s\n", err_name(code));
    buf_printf(out, "size %llu\n", (unsigned long long)sides.size);
    put_hash(out, "root", sides.log);
    put_hash(out, "state_root", sides.state);
    put_views(f, out);
}

/* ---- files ---- */

static void put_file(const char *path, struct bytes bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        fail_msg("%s cannot be written", path);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    fclose(file);
}

/* The large body's name, below its chain's folder. */
static void large_name(char out[96])
{
    static uint8_t bytes[LARGE_BODY];
    uint8_t hash[HASH_SIZE];
    struct buf hex = {0};
    for (size_t i = 0; i < LARGE_BODY; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    body_hash(bytes_of(bytes, LARGE_BODY), hash);
    hex_put(&hex, bytes_of(hash, HASH_SIZE));
    snprintf(out, 96, "large/%s", buf_text(&hex));
    buf_deinit(&hex);
}

static void write_golden(const char *root, const struct golden *g)
{
    struct fixture_chain f;
    struct buf text = {0};
    char large[96];
    char folder[LOG_PATH_MAX];
    char from[LOG_PATH_MAX + 128];
    char to[512];
    fixture_open_disk(&f, NULL, NULL, NULL);
    f.deps.node_pair = NULL; /* files of the node's own are left out */
    g->make(&f);
    describe(&f, &text);
    log_folder(folder, chain_core(f.chain)->id);
    large_name(large);
    snprintf(to, sizeof(to), "%s/%s", root, g->name);
    if (mkdir(root, 0755) != 0 && access(root, W_OK) != 0)
        fail_msg("%s cannot be made", root);
    if (mkdir(to, 0755) != 0)
        fail_msg("%s is there; golden files are never written again", to);
    snprintf(to, sizeof(to), "%s/%s/large", root, g->name);
    const char *const names[] = {"cur", "1.head", "1.body", large};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(from, sizeof(from), "%s/%s", folder, names[i]);
        const struct buf *file = memory_disk_file(f.disk, from);
        if (file == NULL)
            continue;
        if (names[i] == large)
            mkdir(to, 0755);
        snprintf(from, sizeof(from), "%s/%s/%s", root, g->name, names[i]);
        put_file(from, buf_bytes(file));
    }
    snprintf(to, sizeof(to), "%s/%s/expected", root, g->name);
    put_file(to, buf_bytes(&text));
    buf_deinit(&text);
    fixture_close(&f);
}

/* ---- reading ---- */

static void load_file(struct fixture_chain *f, const char *root,
                      const char *folder, const char *name)
{
    struct buf bytes = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    if (fixture_read(path, &bytes)) {
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        memory_disk_put(f->disk, path, buf_bytes(&bytes));
    }
    buf_deinit(&bytes);
}

/* Put its files on the disk of f and open it. */
static void open_golden(struct fixture_chain *f, const char *root,
                        struct bytes expected, enum log_mode mode)
{
    uint8_t id[CHAIN_ID_SIZE];
    char folder[LOG_PATH_MAX];
    char large[96];
    assert_true(expected.len > 3 + 2 * CHAIN_ID_SIZE);
    assert_true(
        hex_get((const char *)expected.data + 3, 2 * CHAIN_ID_SIZE, id));
    log_folder(folder, id);
    large_name(large);
    load_file(f, root, folder, "cur");
    load_file(f, root, folder, "1.head");
    load_file(f, root, folder, "1.body");
    load_file(f, root, folder, large);
    f->chain = chain_new(&f->deps);
    chain_check_bodies(f->chain);
    chain_open(f->chain, folder, id, mode, fixture_done, f);
    fixture_wait(f);
}

/* It opens, adds up to what it did when it was written, and goes on. */
static void check_golden(const char *format, const struct golden *g)
{
    struct fixture_chain f;
    struct buf expected = {0};
    struct buf found = {0};
    char root[256];
    char path[300];
    snprintf(root, sizeof(root), "tests/golden/%s/%s", format, g->name);
    snprintf(path, sizeof(path), "%s/expected", root);
    if (!fixture_read(path, &expected))
        fail_msg("there is no %s", path);
    for (int mode = 0; mode < 2; mode++) {
        fixture_open_disk(&f, NULL, NULL, NULL);
        open_golden(&f, root, buf_bytes(&expected),
                    mode == 0 ? LOG_READ_ONLY : LOG_READ_WRITE);
        buf_clear(&found);
        describe(&f, &found);
        assert_string_equal(buf_text(&found), buf_text(&expected));
        if (mode == 1 && g->goes_on) {
            fixture_run(&f);
            f.calls = 1000;
            fixture_ok(&f, 0, "item.put", ARGS("name=late", "price=1"));
            assert_reopens(&f);
        }
        fixture_run(&f);
        fixture_close(&f);
    }
    buf_deinit(&expected);
    buf_deinit(&found);
}

static void golden_chains_open_for_ever(void **state)
{
    const char *root = getenv("ATE_GOLDEN");
    (void)state;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(*goldens); i++) {
        if (root != NULL)
            write_golden(root, &goldens[i]);
        for (size_t k = 0; k < sizeof(formats) / sizeof(*formats); k++)
            if (root == NULL)
                check_golden(formats[k], &goldens[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_chains_open_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
