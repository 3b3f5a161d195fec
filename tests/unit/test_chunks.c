/* Bodies in chunks: what is one, and that the pieces it comes in mean nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rest/chunks.h"

#define TEXT(text) text, sizeof(text) - 1

/* Decode in pieces of `piece` bytes, as they come from a connection: `out` gets
 * the body, *rest what was not used. */
static ssize_t decode(const char *text, size_t len, size_t piece, char *out,
                      size_t *body, size_t *rest)
{
    struct chunks c = {0};
    ssize_t rc = CHUNKS_MORE;
    *body = *rest = 0;
    for (size_t at = 0; at < len && rc == CHUNKS_MORE; at += piece) {
        size_t size = len - at < piece ? len - at : piece;
        size_t more = len - at - size;
        memcpy(out + *body, text + at, size);
        rc = chunks_decode(&c, out + *body, &size);
        *body += size;
        *rest = rc >= 0 ? (size_t)rc + more : 0;
    }
    return rc;
}

static void is(const char *text, size_t len, ssize_t rc, const char *body,
               size_t rest)
{
    char out[8192];
    size_t size, left;
    assert_true(len <= sizeof(out));
    for (size_t piece = 1; piece <= len; piece += piece < 32 ? 1 : 1000) {
        ssize_t is = decode(text, len, piece, out, &size, &left);
        assert_int_equal(is < 0 ? is : 0, rc);
        if (rc < 0)
            continue;
        assert_int_equal(size, strlen(body));
        assert_memory_equal(out, body, size);
        assert_int_equal(left, rest);
    }
}

static void what_the_standard_writes_is_taken(void **state)
{
    (void)state;
    is(TEXT("0\r\n\r\n"), 0, "", 0);
    is(TEXT("5\r\nhello\r\n0\r\n\r\n"), 0, "hello", 0);
    is(TEXT("5\r\nhello\r\n01\r\n!\r\n000\r\n\r\nGET /"), 0, "hello!", 5);
    is(TEXT("A\r\n0123456789\r\n0\r\n\r\n"), 0, "0123456789", 0);
    is(TEXT("a;x=\"y;z\";w\r\n0\r\n\r\n56789\r\n0;end\r\n\r\n"), 0,
       "0\r\n\r\n56789", 0);
    is(TEXT("1 \t\r\nx\r\n0 ; a\r\n\r\n"), 0, "x", 0);
    is(TEXT("1\r\n\n\r\n0\r\na: b\r\nc:\r\n\r\nmore"), 0, "\n", 4);
}

static void what_is_not_whole_waits(void **state)
{
    (void)state;
    static const char text[] = "5;x\r\nhello\r\n0\r\na: b\r\n\r\n";
    for (size_t len = 1; len < sizeof(text) - 1; len++)
        is(text, len, CHUNKS_MORE, "", 0);
}

/* Each of these ends the body, or has another length, to some decoder. */
static void what_others_read_otherwise_is_malformed(void **state)
{
    (void)state;
    is(TEXT("0x5f\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0X5\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0_17\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0g\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0 17\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0\0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0\r\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0;a\nb\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0;a\rb\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0;\x01\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0\r\n\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0\r\na: b\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("0\r\n\rx"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("2\r\nab\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("2\r\nab\r\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("2\r\nabc\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT(" 2\r\nab\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("+2\r\nab\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("-1\r\nab\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT(";\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL, 0);
    is(TEXT("10000000000000005\r\nhello\r\n0\r\n\r\n"), CHUNKS_MALFORMED, NULL,
       0);
    is(TEXT("ffffffffffffffff\r\nhello"), CHUNKS_MALFORMED, NULL, 0);
}

/* An extension, or trailers, that never end would be read for ever. */
static void what_is_no_body_has_a_bound(void **state)
{
    (void)state;
    static char text[2 * CHUNKS_LINE];
    memset(text, 'a', sizeof(text));
    memcpy(text, "0;", 2);
    is(text, CHUNKS_LINE, CHUNKS_MORE, NULL, 0);
    is(text, sizeof(text) - 1, CHUNKS_MALFORMED, NULL, 0);
    memcpy(text, "0\r\n", 3);
    for (size_t at = 3; at + 4 < sizeof(text); at += 4)
        memcpy(text + at, "a:\r\n", 4);
    is(text, sizeof(text) - 8, CHUNKS_MALFORMED, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_standard_writes_is_taken),
        cmocka_unit_test(what_is_not_whole_waits),
        cmocka_unit_test(what_others_read_otherwise_is_malformed),
        cmocka_unit_test(what_is_no_body_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
