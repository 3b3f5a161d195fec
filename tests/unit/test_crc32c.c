/* crc32c: known values, both ways of computing it, and in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

/* RFC 3720, appendix B.4, and the catalogue's check value. */
static void known_values(void **state)
{
    (void)state;
    uint8_t data[32] = {0};
    assert_int_equal(crc32c(0, "", 0), 0);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, data, 32), 0x8a9136aa);
    memset(data, 0xff, 32);
    assert_int_equal(crc32c(0, data, 32), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        data[i] = i;
    assert_int_equal(crc32c(0, data, 32), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(0, data, 32), 0x113fdb5c);
}

static void both_ways_agree_at_every_length(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 131 + 7);
    for (size_t from = 0; from < 8; from++)
        for (size_t len = 0; len + from <= sizeof(data); len++)
            assert_int_equal(crc32c(0, data + from, len),
                             crc32c_portable(0, data + from, len));
}

static void pieces_make_the_whole(void **state)
{
    (void)state;
    static const char text[] = "the log is a linear, totally ordered one";
    size_t len = sizeof(text) - 1;
    uint32_t whole = crc32c(0, text, len);
    for (size_t cut = 0; cut <= len; cut++) {
        uint32_t crc = crc32c(0, text, cut);
        assert_int_equal(crc32c(crc, text + cut, len - cut), whole);
        crc = crc32c_portable(0, text, cut);
        assert_int_equal(crc32c_portable(crc, text + cut, len - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(both_ways_agree_at_every_length),
        cmocka_unit_test(pieces_make_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
