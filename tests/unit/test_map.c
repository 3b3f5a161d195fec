/* map: against a plain array, and its hash against known values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"

static const uint8_t seed[MAP_SEED_LEN] = "0123456789abcde";

static uint64_t next_random(uint64_t *random)
{
    *random += 0x9e3779b97f4a7c15ULL;
    uint64_t x = *random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

/* From CPython's own SipHash-1-3, hash(b'...') with PYTHONHASHSEED=0. */
static void siphash_known_values(void **state)
{
    (void)state;
    static const uint64_t zero[2] = {0, 0};
    assert_true(siphash13(zero, bytes_of_text("a")) == 0x407448d2b89b1813ULL);
    assert_true(siphash13(zero, bytes_of_text("abcdefg")) ==
                0x6db12aae9070f506ULL);
    assert_true(siphash13(zero, bytes_of_text("abcdefgh")) ==
                0x3f7b849c0b8e35eaULL);
    assert_true(siphash13(zero, bytes_of_text("0123456789abcdef!")) ==
                0x9463628f6c8882caULL);
}

static void seed_changes_the_hash(void **state)
{
    (void)state;
    static const uint64_t one[2] = {1, 2};
    static const uint64_t other[2] = {1, 3};
    struct bytes key = bytes_of_text("a key");
    assert_true(siphash13(one, key) != siphash13(other, key));
}

static void empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, seed);
    uint64_t value;
    struct bytes key = bytes_of_text("a");
    size_t position = 0;
    assert_false(map_get(&m, key, &value));
    assert_false(map_delete(&m, key, NULL));
    assert_false(map_each(&m, &position, &key, &value));
    map_deinit(&m);
    map_deinit(&m);
}

static void put_replaces_and_says_so(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, seed);
    uint64_t value;
    assert_true(map_put(&m, bytes_of_text("a"), 1));
    assert_false(map_put(&m, bytes_of_text("a"), 2));
    assert_int_equal(m.count, 1);
    assert_true(map_get(&m, bytes_of_text("a"), &value));
    assert_int_equal(value, 2);
    assert_true(map_put(&m, bytes_of(NULL, 0), 3));
    assert_true(map_delete(&m, bytes_of(NULL, 0), &value));
    assert_int_equal(value, 3);
    map_deinit(&m);
}

static void key_is_copied(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, seed);
    char key[200];
    for (size_t len = 1; len < sizeof(key); len++) {
        memset(key, 'k', len);
        map_put(&m, bytes_of(key, len), len);
    }
    memset(key, 'k', sizeof(key));
    for (size_t len = 1; len < sizeof(key); len++) {
        uint64_t value = 0;
        assert_true(map_get(&m, bytes_of(key, len), &value));
        assert_int_equal(value, len);
    }
    map_deinit(&m);
}

static void pointers_are_values_too(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, seed);
    int thing;
    struct bytes key = bytes_of_text("thing");
    assert_null(map_get_pointer(&m, key));
    map_put_pointer(&m, key, &thing);
    assert_ptr_equal(map_get_pointer(&m, key), &thing);
    assert_ptr_equal(map_delete_pointer(&m, key), &thing);
    assert_null(map_delete_pointer(&m, key));
    map_deinit(&m);
}

enum { KEYS = 4000 };

/* Key i as bytes; every third one too long to stand in its slot. */
static struct bytes key_of(uint8_t room[64], uint32_t i)
{
    memset(room, 'x', 64);
    put_be32(room, i);
    return bytes_of(room, i % 3 == 0 ? 64 : 16);
}

static void check_all(const struct map *m, const uint64_t *model, size_t count)
{
    uint8_t room[64];
    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t value = 0;
        bool found = map_get(m, key_of(room, i), &value);
        assert_int_equal(found, model[i] != 0);
        assert_true(value == model[i]);
    }
    size_t position = 0;
    size_t seen = 0;
    struct bytes key;
    uint64_t value;
    while (map_each(m, &position, &key, &value)) {
        assert_true(model[get_be32(key.data)] == value);
        seen++;
    }
    assert_int_equal(seen, count);
    assert_int_equal(m->count, count);
}

static void map_behaves_as_an_array(void **state)
{
    (void)state;
    static uint64_t model[KEYS];
    uint64_t random = 42;
    print_message("seed %llu\n", (unsigned long long)random);
    struct map m;
    map_init(&m, seed);
    size_t count = 0;
    uint8_t room[64];
    for (int step = 0; step < 200000; step++) {
        uint32_t i = (uint32_t)(next_random(&random) % KEYS);
        struct bytes key = key_of(room, i);
        bool growing = step / 20000 % 2 == 0;
        if (next_random(&random) % 10 < (growing ? 7 : 3)) {
            uint64_t value = next_random(&random) | 1;
            assert_int_equal(map_put(&m, key, value), model[i] == 0);
            count += model[i] == 0;
            model[i] = value;
        } else {
            assert_int_equal(map_delete(&m, key, NULL), model[i] != 0);
            count -= model[i] != 0;
            model[i] = 0;
        }
        if (step % 5000 == 0)
            check_all(&m, model, count);
    }
    check_all(&m, model, count);
    map_clear(&m);
    assert_int_equal(m.count, 0);
    assert_true(map_put(&m, key_of(room, 1), 1));
    map_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_known_values),
        cmocka_unit_test(seed_changes_the_hash),
        cmocka_unit_test(empty_map_has_nothing),
        cmocka_unit_test(put_replaces_and_says_so),
        cmocka_unit_test(key_is_copied),
        cmocka_unit_test(pointers_are_values_too),
        cmocka_unit_test(map_behaves_as_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
