/* The caller's keys: names, files, what is never written over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "io/memory_disk.h"
#include "node/keys.h"

struct bench {
    struct memory_disk *disk;
    struct keys keys;
    uint8_t random;
};

struct outcome {
    int done; /* how often */
    int code;
    struct err err;
};

static void next_bytes(void *ctx, void *out, size_t len)
{
    struct bench *b = ctx;
    memset(out, ++b->random, len);
}

static void told(void *ctx, int code, const struct err *err)
{
    struct outcome *o = ctx;
    o->done++;
    o->code = code;
    o->err = *err;
}

static void load(struct bench *b)
{
    struct outcome o = {0};
    keys_init(&b->keys, memory_disk_interface(b->disk), next_bytes, b);
    keys_load(&b->keys, told, &o);
    memory_disk_run(b->disk);
    assert_int_equal(o.done, 1);
    assert_int_equal(o.code, 0);
}

static void reload(struct bench *b)
{
    keys_deinit(&b->keys);
    load(b);
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof(*b));
    assert_int_equal(crypto_init(NULL), 0);
    b->disk = memory_disk_new();
    load(b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    keys_deinit(&b->keys);
    memory_disk_free(b->disk);
    mem_free(b);
    return 0;
}

static struct outcome make(struct bench *b, const char *name)
{
    struct outcome o = {0};
    keys_make(&b->keys, bytes_of_text(name), told, &o);
    memory_disk_run(b->disk);
    assert_int_equal(o.done, 1);
    return o;
}

static const struct key_pair *pair_of(struct bench *b, const char *name)
{
    const struct key_pair *pair;
    struct err err;
    keys_find(&b->keys, bytes_of_text(name), &pair, &err);
    return pair;
}

static void a_key_is_read_back(void **state)
{
    struct bench *b = *state;
    assert_int_equal(make(b, "bob").code, 0);
    assert_int_equal(make(b, "al/ice").code, ATE_EINVALID);
    assert_int_equal(make(b, "al ice").code, 0);
    struct key_pair bob = *pair_of(b, "bob");
    reload(b);
    assert_int_equal(b->keys.count, 2);
    assert_memory_equal(pair_of(b, "bob"), &bob, sizeof(bob));
    assert_ptr_equal(&keys_by_id(&b->keys, bob.id)->pair, pair_of(b, "bob"));
    key_pair_wipe(&bob);
}

/* A key that is lost cannot be had again, so nothing replaces one. */
static void a_name_that_is_taken_stays(void **state)
{
    struct bench *b = *state;
    struct outcome first = {0};
    struct outcome second = {0};
    struct outcome needed = {0};
    keys_make(&b->keys, bytes_of_text("me"), told, &first);
    keys_make(&b->keys, bytes_of_text("me"), told, &second);
    keys_need(&b->keys, bytes_of_text("me"), told, &needed);
    assert_int_equal(second.code, ATE_ECONFLICT);
    assert_null(pair_of(b, "me")); /* not durable yet */
    memory_disk_run(b->disk);
    assert_int_equal(first.code, 0);
    assert_int_equal(needed.done, 1);
    assert_int_equal(needed.code, 0);
    struct key_pair before = *pair_of(b, "me");
    assert_int_equal(make(b, "me").code, ATE_ECONFLICT);
    needed = (struct outcome){0};
    keys_need(&b->keys, bytes_of_text("me"), told, &needed);
    assert_int_equal(needed.done, 1);
    assert_memory_equal(pair_of(b, "me"), &before, sizeof(before));
    key_pair_wipe(&before);
}

static void a_damaged_file_is_told_and_kept(void **state)
{
    struct bench *b = *state;
    const struct key_pair *pair;
    struct err err;
    struct outcome o = {0};
    memory_disk_put(b->disk, "keys/me.key", bytes_of_text("ate-key 1\nsign "));
    memory_disk_put(b->disk, "keys/notes.txt", bytes_of_text("no key"));
    memory_disk_put(b->disk, "keys/.new", bytes_of_text("half a key"));
    reload(b);
    assert_int_equal(b->keys.count, 1);
    int rc = keys_find(&b->keys, bytes_of_text("me"), &pair, &err);
    assert_int_equal(rc, ATE_EINVALID);
    assert_null(pair);
    assert_non_null(strstr(err.text, "key me: keys/me.key: "));
    keys_need(&b->keys, bytes_of_text("me"), told, &o);
    assert_int_equal(o.code, ATE_EINVALID);
    assert_int_equal(make(b, "me").code, ATE_ECONFLICT);
    struct buf *file = memory_disk_file(b->disk, "keys/me.key");
    assert_int_equal(file->len, strlen("ate-key 1\nsign "));
}

static void names_are_checked(void **state)
{
    static const char *const bad[] = {"", ".hidden", "a/b", "key:ab", "a\nb"};
    struct bench *b = *state;
    char long_name[KEY_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(make(b, bad[i]).code, ATE_EINVALID);
    memset(long_name, 'x', sizeof(long_name));
    long_name[KEY_NAME_MAX + 1] = '\0';
    assert_int_equal(make(b, long_name).code, ATE_EINVALID);
    long_name[KEY_NAME_MAX] = '\0';
    assert_int_equal(make(b, long_name).code, 0);
    assert_int_equal(b->keys.count, 1);
}

static void unknown_names_are_suggested(void **state)
{
    struct bench *b = *state;
    const struct key_pair *pair;
    struct err err;
    make(b, "alice");
    assert_int_equal(keys_find(&b->keys, bytes_of_text("alise"), &pair, &err),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(err.text, "did you mean 'alice'"));
}

static void doors_see_names_but_not_the_node_listed(void **state)
{
    struct bench *b = *state;
    struct door_names names = keys_door_names(&b->keys);
    struct buf text = {0};
    uint8_t id[32];
    make(b, "node");
    make(b, "bob");
    make(b, "alice");
    names.list(names.ctx, &text);
    assert_string_equal(buf_text(&text), "alice, bob");
    buf_clear(&text);
    assert_true(names.find(names.ctx, bytes_of_text("node"), id));
    assert_true(names.name(names.ctx, id, &text));
    assert_string_equal(buf_text(&text), "node");
    id[0] ^= 1;
    assert_false(names.name(names.ctx, id, &text));
    assert_false(names.find(names.ctx, bytes_of_text("carol"), id));
    buf_deinit(&text);
}

static struct outcome add(struct bench *b, const char *name,
                          const struct key_record *record)
{
    struct outcome o = {0};
    keys_add(&b->keys, bytes_of_text(name), record, told, &o);
    memory_disk_run(b->disk);
    assert_int_equal(o.done, 1);
    return o;
}

static void a_public_half_is_known_and_does_not_sign(void **state)
{
    struct bench *b = *state;
    const struct key_pair *pair;
    struct err err;
    struct key_record record = {.suite = SUITE_1, .sign = {1}, .box = {2}};
    uint8_t id[KEY_ID_SIZE];
    key_id(&record, id);
    assert_int_equal(add(b, "carol", &record).code, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(keys_by_id(&b->keys, id)->is_public);
        assert_int_equal(
            keys_find(&b->keys, bytes_of_text("carol"), &pair, &err),
            ATE_EDENIED);
        assert_null(pair);
        reload(b);
    }
}

/* Whoever adds the public half of a key that is here still signs with it. */
static void a_pair_goes_before_its_public_half(void **state)
{
    struct bench *b = *state;
    make(b, "bob");
    struct key_pair bob = *pair_of(b, "bob");
    assert_int_equal(add(b, "also", &bob.record).code, 0);
    assert_int_equal(add(b, "bobby", &bob.record).code, 0);
    for (int i = 0; i < 2; i++) {
        assert_false(keys_by_id(&b->keys, bob.id)->is_public);
        assert_ptr_equal(&keys_by_id(&b->keys, bob.id)->pair,
                         pair_of(b, "bob"));
        reload(b);
    }
    key_pair_wipe(&bob);
}

static void me_and_node_are_nobody_else(void **state)
{
    struct bench *b = *state;
    struct key_record record = {.suite = SUITE_1, .sign = {1}, .box = {2}};
    struct outcome needed = {0};
    struct outcome o = {0};
    keys_add(&b->keys, bytes_of_text("node"), &record, told, &o);
    keys_need(&b->keys, bytes_of_text("node"), told, &needed);
    memory_disk_run(b->disk);
    assert_int_equal(o.code, ATE_EINVALID);
    assert_int_equal(needed.code, 0);
    assert_non_null(pair_of(b, "node"));
    assert_int_equal(add(b, "me", &record).code, ATE_EINVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Like ssh: what others can read may be anybody's by now. */
static void a_file_that_others_can_read_signs_nothing(void **state)
{
    struct bench *b = *state;
    const struct key_pair *pair;
    const struct key_entry *entry;
    struct err err;
    make(b, "bob");
    static const unsigned bad[] = {0640, 0604, 0620, 0601, 0777};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        memory_disk_chmod(b->disk, "keys/bob.key", bad[i]);
        reload(b);
        b->keys.folder = "/data";
        assert_int_equal(keys_find(&b->keys, bytes_of_text("bob"), &pair, &err),
                         ATE_EDENIED);
        assert_non_null(strstr(err.text, "chmod 600 '/data/keys/bob.key'"));
        assert_int_equal(
            keys_entry(&b->keys, bytes_of_text("bob"), &entry, &err), 0);
    }
    memory_disk_chmod(b->disk, "keys/bob.key", 0400);
    reload(b);
    assert_int_equal(keys_find(&b->keys, bytes_of_text("bob"), &pair, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_file_that_others_can_read_signs_nothing, set_up, tear_down),
        TEST(a_key_is_read_back),
        TEST(a_name_that_is_taken_stays),
        TEST(a_damaged_file_is_told_and_kept),
        TEST(names_are_checked),
        TEST(unknown_names_are_suggested),
        TEST(doors_see_names_but_not_the_node_listed),
        TEST(a_public_half_is_known_and_does_not_sign),
        TEST(a_pair_goes_before_its_public_half),
        TEST(me_and_node_are_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
