/* The fields of trust events: one encoding each, and nothing left over. Those
 * of this file are written by hand from docs/format.md section 3. */
#include "fixture_event.h"

#include <stdio.h>

#include "acceptance/trust_events.h"

enum { FIELDS_MAX = 8 };

/* A map, as names and encoded values. */
struct map {
    const char *names[FIELDS_MAX];
    struct buf values[FIELDS_MAX];
    size_t count;
};

static struct buf *field(struct map *m, const char *name)
{
    assert_true(m->count < FIELDS_MAX);
    m->names[m->count] = name;
    return &m->values[m->count++];
}

/* Without field number `without`; with `extra` in its place in the order. */
static void put_map(const struct map *m, size_t without, const char *extra,
                    struct buf *out)
{
    bool put = extra == NULL;
    mp_put_map(out,
               (uint32_t)(m->count - (without < m->count) + (extra != NULL)));
    for (size_t i = 0; i < m->count; i++) {
        if (!put && strcmp(extra, m->names[i]) < 0) {
            mp_put_text(out, extra);
            mp_put_nil(out);
            put = true;
        }
        if (i == without)
            continue;
        mp_put_text(out, m->names[i]);
        buf_put_bytes(out, buf_bytes(&m->values[i]));
    }
    if (!put) {
        mp_put_text(out, extra);
        mp_put_nil(out);
    }
}

static void map_deinit(struct map *m)
{
    for (size_t i = 0; i < m->count; i++)
        buf_deinit(&m->values[i]);
}

static void put_record(struct buf *out, uint8_t n)
{
    struct key_pair pair;
    fixture_pair(&pair, n);
    mp_put_array(out, 3);
    mp_put_uint(out, 1);
    mp_put_bin(out, bytes_of(pair.record.sign, 32));
    mp_put_bin(out, bytes_of(pair.record.box, 32));
}

static void put_id(struct buf *out, uint8_t n, size_t len)
{
    uint8_t id[64];
    memset(id, n, sizeof(id));
    mp_put_bin(out, bytes_of(id, len));
}

/* ---- each type: good ones, and how it is read ---- */

static void make_delegation(struct map *m)
{
    put_id(field(m, "act_for"), 1, 32);
    mp_put_uint(field(m, "depth"), 3);
    put_record(field(m, "key"), 1);
    put_id(field(m, "object"), 2, 16);
    struct buf *rights = field(m, "rights");
    mp_put_array(rights, 2);
    mp_put_text(rights, "create");
    mp_put_text(rights, "write");
    put_id(field(m, "to"), 3, 32);
    mp_put_int(field(m, "until"), 1700000000000);
}

static int again_delegation(struct bytes raw, struct buf *out, struct err *err)
{
    struct delegation_fields f;
    int rc = delegation_fields_get(raw, &f, err);
    if (rc == 0)
        delegation_fields_put(out, &f);
    return rc;
}

static void make_revocation(struct map *m)
{
    put_id(field(m, "delegation"), 4, 32);
}

static int again_revocation(struct bytes raw, struct buf *out, struct err *err)
{
    const uint8_t *id = NULL;
    int rc = revocation_fields_get(raw, &id, err);
    if (rc == 0)
        revocation_fields_put(out, id);
    return rc;
}

static void make_roots(struct map *m)
{
    struct buf *keys = field(m, "keys");
    mp_put_array(keys, 3);
    for (uint8_t i = 1; i <= 3; i++)
        put_record(keys, i);
    put_id(field(m, "next"), 5, 32);
    mp_put_uint(field(m, "threshold"), 2);
}

static int again_roots(struct bytes raw, struct buf *out, struct err *err)
{
    struct roots_fields f;
    int rc = roots_fields_get(raw, &f, err);
    if (rc == 0)
        roots_fields_put(out, &f);
    return rc;
}

static void make_order(struct map *m)
{
    put_record(field(m, "key"), 1);
    mp_put_uint(field(m, "term"), 2);
}

static int again_order(struct bytes raw, struct buf *out, struct err *err)
{
    struct order_fields f;
    int rc = order_fields_get(raw, &f, err);
    if (rc == 0)
        order_fields_put(out, &f);
    return rc;
}

static const struct type {
    const char *name;
    const char *optional; /* names, a blank behind each */
    void (*make)(struct map *m);
    int (*again)(struct bytes raw, struct buf *out, struct err *err);
} types[] = {
    {"ate.delegation", "act_for key object until ", make_delegation,
     again_delegation},
    {"ate.revocation", "", make_revocation, again_revocation},
    {"ate.roots", "next ", make_roots, again_roots},
    {"ate.order", "", make_order, again_order},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

static bool is_optional(const struct type *type, const char *name)
{
    char word[32];
    snprintf(word, sizeof(word), "%s ", name);
    return strstr(type->optional, word) != NULL;
}

/* ---- claims ---- */

static void what_is_read_is_written_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        struct map m = {.count = 0};
        struct buf raw = {0};
        struct buf out = {0};
        struct err err = {0};
        types[i].make(&m);
        put_map(&m, SIZE_MAX, NULL, &raw);
        assert_int_equal(mp_check(buf_bytes(&raw), NULL), 0);
        if (types[i].again(buf_bytes(&raw), &out, &err) != 0)
            fail_msg("%s", err.text);
        assert_true(bytes_equal(buf_bytes(&raw), buf_bytes(&out)));
        map_deinit(&m);
        buf_deinit(&raw);
        buf_deinit(&out);
    }
}

static void each_field_is_needed_or_optional(void **state)
{
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        struct map m = {.count = 0};
        types[i].make(&m);
        for (size_t k = 0; k < m.count; k++) {
            struct buf raw = {0};
            struct buf out = {0};
            struct err err = {0};
            put_map(&m, k, NULL, &raw);
            int rc = types[i].again(buf_bytes(&raw), &out, &err);
            if (is_optional(&types[i], m.names[k])) {
                assert_int_equal(rc, 0);
                assert_true(bytes_equal(buf_bytes(&raw), buf_bytes(&out)));
            } else {
                char words[64];
                snprintf(words, sizeof(words), "the field '%s' is missing",
                         m.names[k]);
                assert_error(rc, &err, ATE_EINVALID, words);
                assert_non_null(strstr(err.text, types[i].name));
            }
            buf_deinit(&raw);
            buf_deinit(&out);
        }
        map_deinit(&m);
    }
}

static void no_other_field_is_there(void **state)
{
    static const char *const names[] = {"a", "kez", "n", "top", "zz", ""};
    (void)state;
    for (size_t i = 0; i < TYPES; i++) {
        struct map m = {.count = 0};
        types[i].make(&m);
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            struct buf raw = {0};
            struct buf out = {0};
            struct err err = {0};
            put_map(&m, SIZE_MAX, names[k], &raw);
            assert_error(types[i].again(buf_bytes(&raw), &out, &err), &err,
                         ATE_EINVALID, "a field that it does not know");
            buf_deinit(&raw);
            buf_deinit(&out);
        }
        map_deinit(&m);
    }
}

/* Each field in turn is something else; the text names it. */
static void a_field_of_another_kind_is_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "\xc0",      /* nil: an absent field has no entry */
        "\xc3",      /* true */
        "\xff",      /* -1 */
        "\xa1x",     /* text */
        "\xc4\x01x", /* too short a bin */
        "\x90",      /* an empty array */
        "\x91\xc0",  /* an array of nil */
        "\x80",      /* a map */
        "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", /* above int64 */
    };
    static const size_t lengths[] = {1, 1, 1, 2, 3, 1, 2, 1, 9};
    for (size_t i = 0; i < TYPES; i++) {
        for (size_t w = 0; w < sizeof(wrong) / sizeof(wrong[0]); w++) {
            struct map m = {.count = 0};
            types[i].make(&m);
            for (size_t k = 0; k < m.count; k++) {
                struct buf raw = {0};
                struct buf out = {0};
                struct err err = {0};
                struct buf kept = m.values[k];
                bool number = strcmp(m.names[k], "depth") == 0 ||
                              strcmp(m.names[k], "threshold") == 0 ||
                              strcmp(m.names[k], "term") == 0;
                /* Numbers are judged elsewhere; `until` may be negative. */
                bool good = (w == 8 && number) ||
                            (w == 2 && strcmp(m.names[k], "until") == 0);
                m.values[k] = (struct buf){0};
                buf_put(&m.values[k], wrong[w], lengths[w]);
                put_map(&m, SIZE_MAX, NULL, &raw);
                int rc = types[i].again(buf_bytes(&raw), &out, &err);
                if (good)
                    assert_int_equal(rc, 0);
                else
                    assert_error(rc, &err, ATE_EINVALID, m.names[k]);
                buf_deinit(&m.values[k]);
                m.values[k] = kept;
                buf_deinit(&raw);
                buf_deinit(&out);
            }
            map_deinit(&m);
        }
    }
}

static void names_of_rights_have_a_length(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, LIMIT_KIND_NAME,
                                     LIMIT_KIND_NAME + 1};
    for (size_t i = 0; i < 4; i++) {
        struct map m = {.count = 0};
        struct buf raw = {0};
        struct buf out = {0};
        struct err err = {0};
        char name[LIMIT_KIND_NAME + 2];
        memset(name, 'x', sizeof(name));
        make_delegation(&m);
        struct buf *rights = &m.values[4];
        buf_clear(rights);
        mp_put_array(rights, 1);
        mp_put_str(rights, bytes_of(name, lengths[i]));
        put_map(&m, SIZE_MAX, NULL, &raw);
        int rc = again_delegation(buf_bytes(&raw), &out, &err);
        if (i == 1 || i == 2)
            assert_int_equal(rc, 0);
        else
            assert_error(rc, &err, ATE_EINVALID, "a right's name has 1 to 64");
        map_deinit(&m);
        buf_deinit(&raw);
        buf_deinit(&out);
    }
}

static int decode_delegation(struct bytes raw, struct err *err)
{
    struct delegation_fields f;
    int rc = mp_check(raw, err); /* as the header codec does */
    return rc == 0 ? delegation_fields_get(raw, &f, err) : rc;
}

static int decode_roots(struct bytes raw, struct err *err)
{
    struct roots_fields f;
    int rc = mp_check(raw, err);
    return rc == 0 ? roots_fields_get(raw, &f, err) : rc;
}

static void cut_short_they_are_refused(void **state)
{
    (void)state;
    struct map m = {.count = 0};
    struct buf raw = {0};
    make_delegation(&m);
    put_map(&m, SIZE_MAX, NULL, &raw);
    fixture_cut_everywhere(decode_delegation, buf_bytes(&raw));
    map_deinit(&m);
    buf_clear(&raw);
    m = (struct map){.count = 0};
    make_roots(&m);
    put_map(&m, SIZE_MAX, NULL, &raw);
    fixture_cut_everywhere(decode_roots, buf_bytes(&raw));
    map_deinit(&m);
    buf_deinit(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_the_same),
        cmocka_unit_test(each_field_is_needed_or_optional),
        cmocka_unit_test(no_other_field_is_there),
        cmocka_unit_test(a_field_of_another_kind_is_named),
        cmocka_unit_test(names_of_rights_have_a_length),
        cmocka_unit_test(cut_short_they_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
