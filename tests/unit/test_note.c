#include "fixture_event.h"

#include "crypto/note.h"

static const uint8_t chain[HASH_SIZE] = {0xc0, 0xff, 0xee};

static void put(struct buf *out, uint64_t size)
{
    struct key_pair pair;
    struct checkpoint checkpoint = {.size = size};
    fixture_pair(&pair, 1);
    memset(checkpoint.root, 0x5a, HASH_SIZE);
    note_checkpoint_put(out, chain, &checkpoint, &pair);
}

static int verify(struct bytes text, struct err *err)
{
    struct key_pair pair;
    struct checkpoint checkpoint;
    fixture_pair(&pair, 1);
    return note_checkpoint_verify(text, chain, pair.record.sign, &checkpoint,
                                  err);
}

static void checkpoints_round_trip(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 9, 10, 12345678901, UINT64_MAX};
    struct key_pair pair;
    struct err err;
    fixture_pair(&pair, 1);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf text = {0};
        struct checkpoint checkpoint;
        put(&text, sizes[i]);
        assert_int_equal(note_checkpoint_verify(buf_bytes(&text), chain,
                                                pair.record.sign, &checkpoint,
                                                &err),
                         0);
        assert_true(checkpoint.size == sizes[i]);
        assert_int_equal(checkpoint.root[31], 0x5a);
        fixture_cut_everywhere(verify, buf_bytes(&text));
        buf_deinit(&text);
    }
}

/* Bytes that other tools have to read: docs/format.md section 3. */
static void the_text_is_a_c2sp_note(void **state)
{
    (void)state;
    struct buf text = {0};
    put(&text, 7);
    assert_string_equal(
        buf_text(&text),
        "ate/c0ffee"
        "0000000000000000000000000000000000000000000000000000000000\n"
        "7\n"
        "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n"
        "\n"
        "\xe2\x80\x94 ate/c0ffee"
        "0000000000000000000000000000000000000000000000000000000000 "
        "2h5qa3AfxYFqPP2CGp5q3kCAq3zm4E3klJl6mCCItRY89iuwiRN+TcBChPw5"
        "YUP8YjFeVvyCY2hu9/hK8L2anxy2gA0=\n");
    buf_deinit(&text);
}

static void any_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct err err;
    struct buf text = {0};
    put(&text, 7);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(verify(buf_bytes(&text), &err) < 0);
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(verify(buf_bytes(&text), &err), 0);
    buf_deinit(&text);
}

static void foreign_notes_are_refused(void **state)
{
    (void)state;
    static const uint8_t other_chain[HASH_SIZE] = {1};
    struct key_pair other;
    struct checkpoint checkpoint;
    struct err err;
    struct buf text = {0};
    put(&text, 7);
    fixture_pair(&other, 2);
    assert_error(note_checkpoint_verify(buf_bytes(&text), chain,
                                        other.record.sign, &checkpoint, &err),
                 &err, ATE_ECORRUPT, "another key");
    assert_error(
        note_checkpoint_get(buf_bytes(&text), other_chain, &checkpoint, &err),
        &err, ATE_EINVALID, "not this chain");
    buf_deinit(&text);
}

/* One checkpoint has one text: other spellings of its numbers are refused. */
static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const sizes[] = {
        "",
        "07",
        "+7",
        "-7",
        " 7",
        "7 ",
        "7a",
        "0x7",
        "18446744073709551616",
        "99999999999999999999",
    };
    struct err err;
    struct buf good = {0};
    put(&good, 7);
    const char *text = buf_text(&good);
    size_t at = strlen("ate/") + 64 + 1;
    assert_memory_equal(text + at, "7\n", 2);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf bad = {0};
        buf_put(&bad, text, at);
        buf_put_text(&bad, sizes[i]);
        buf_put_text(&bad, text + at + 1);
        assert_error(verify(buf_bytes(&bad), &err), &err, ATE_EINVALID,
                     "its size");
        buf_deinit(&bad);
    }
    good.data[at + 2 + 42] = 'p'; /* sets bits that the base64 leaves over */
    assert_error(verify(buf_bytes(&good), &err), &err, ATE_EINVALID,
                 "its root");
    buf_deinit(&good);
}

/* Witnesses may add lines; the chain's own line stays first and is the one that
 * counts. */
static void further_signers_are_let_by(void **state)
{
    (void)state;
    struct err err;
    struct buf text = {0};
    put(&text, 7);
    for (int i = 1; i < NOTE_SIGNATURES_MAX; i++) {
        buf_put_text(&text, "\xe2\x80\x94 witness.example AAAAAAAA\n");
        assert_int_equal(verify(buf_bytes(&text), &err), 0);
    }
    buf_put_text(&text, "\xe2\x80\x94 witness.example AAAAAAAA\n");
    assert_error(verify(buf_bytes(&text), &err), &err, ATE_EINVALID,
                 "too many");
    buf_deinit(&text);

    static const char *const lines[] = {
        "\n",
        "witness AAAAAAAA\n",
        "\xe2\x80\x94 AAAAAAAA\n",
        "\xe2\x80\x94 a+b AAAAAAAA\n",
        "\xe2\x80\x94 witness AAAAAA==\n",
        "\xe2\x80\x94 witness AAAA AAAA\n",
        "\xe2\x80\x94  AAAAAAAA\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        put(&text, 7);
        buf_put_text(&text, lines[i]);
        assert_error(verify(buf_bytes(&text), &err), &err, ATE_EINVALID,
                     "malformed");
        buf_deinit(&text);
    }
}

static void long_notes_are_refused(void **state)
{
    (void)state;
    struct err err;
    struct buf text = {0};
    put(&text, 7);
    memset(buf_grow(&text, NOTE_MAX), 'a', NOTE_MAX);
    assert_error(verify(buf_bytes(&text), &err), &err, ATE_ELIMIT, "at most");
    buf_deinit(&text);
}

/* The form that signed-note of C2SP gives to verifier keys. */
static void vkeys_round_trip(void **state)
{
    (void)state;
    struct key_pair pair;
    struct err err;
    struct buf text = {0};
    uint8_t id[HASH_SIZE];
    uint8_t key[SIGN_PUBLIC_SIZE];
    fixture_pair(&pair, 1);
    note_vkey_put(&text, chain, pair.record.sign);
    assert_string_equal(
        buf_text(&text),
        "ate/c0ffee"
        "0000000000000000000000000000000000000000000000000000000000"
        "+da1e6a6b+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c");
    assert_int_equal(note_vkey_get(buf_bytes(&text), id, key, &err), 0);
    assert_memory_equal(id, chain, HASH_SIZE);
    assert_memory_equal(key, pair.record.sign, SIGN_PUBLIC_SIZE);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_error(note_vkey_get(buf_bytes(&text), id, key, &err), &err,
                     ATE_EINVALID, "ate/<chain id>");
        text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buf_deinit(&text);
}

static void a_note_names_its_chain(void **state)
{
    (void)state;
    struct err err;
    struct buf text = {0};
    uint8_t id[HASH_SIZE];
    put(&text, 7);
    assert_int_equal(note_origin(buf_bytes(&text), id, &err), 0);
    assert_memory_equal(id, chain, HASH_SIZE);
    text.data[4] = 'C'; /* upper case is another spelling */
    assert_error(note_origin(buf_bytes(&text), id, &err), &err, ATE_EINVALID,
                 "names no chain");
    assert_error(note_origin(bytes_of_text("ate/"), id, &err), &err,
                 ATE_EINVALID, "names no chain");
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoints_round_trip),
        cmocka_unit_test(the_text_is_a_c2sp_note),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(foreign_notes_are_refused),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(further_signers_are_let_by),
        cmocka_unit_test(long_notes_are_refused),
        cmocka_unit_test(vkeys_round_trip),
        cmocka_unit_test(a_note_names_its_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
