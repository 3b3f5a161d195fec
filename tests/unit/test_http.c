/* Whom the service http may ask, what goes out, and what is told of an answer:
 * without a network. */
#define _GNU_SOURCE /* memmem() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mapping.h"
#include "base/msgpack.h"
#include "io/http_rules.h"
#include "io/http_value.h"

/* ---- addresses ---- */

static bool is_public(const char *text)
{
    struct network n;
    assert_int_equal(network_get(&n, text, NULL), 0);
    return address_is_public(n.bytes);
}

static void only_public_addresses_are_public(void **state)
{
    static const char *const yes[] = {
        "1.1.1.1",     "8.8.8.8",         "172.32.0.1", "192.169.0.1",
        "100.128.0.1", "2606:4700::1111", "2a00::1"};
    static const char *const no[] = {"127.0.0.1",
                                     "127.9.9.9",
                                     "10.0.0.1",
                                     "172.16.0.1",
                                     "172.31.255.255",
                                     "192.168.1.1",
                                     "169.254.169.254",
                                     "100.64.0.1",
                                     "0.0.0.0",
                                     "224.0.0.1",
                                     "255.255.255.255",
                                     "198.18.0.1",
                                     "192.0.2.1",
                                     "::1",
                                     "::",
                                     "fe80::1",
                                     "fc00::1",
                                     "fd12::1",
                                     "ff02::1",
                                     "2001:db8::1",
                                     "2002:7f00:1::",
                                     "64:ff9b::7f00:1",
                                     "::ffff:127.0.0.1",
                                     "::ffff:10.0.0.1",
                                     "::127.0.0.1",
                                     "2001::1"};
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        if (!is_public(yes[i]))
            fail_msg("%s is public", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        if (is_public(no[i]))
            fail_msg("%s is not public", no[i]);
}

static void networks_have_what_begins_so(void **state)
{
    struct network net;
    struct network one;
    struct err err;
    (void)state;
    static const char *const bad[] = {
        "",  "10",         "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
        "x", "fd00::/129", "10.0.0.0/8x", "localhost"};
    assert_int_equal(network_get(&net, "10.128.0.0/9", NULL), 0);
    network_get(&one, "10.200.1.1", NULL);
    assert_true(network_has(&net, one.bytes));
    network_get(&one, "10.127.1.1", NULL);
    assert_false(network_has(&net, one.bytes));
    assert_int_equal(network_get(&net, "fd00::/8", NULL), 0);
    network_get(&one, "fdff::1", NULL);
    assert_true(network_has(&net, one.bytes));
    network_get(&one, "::ffff:10.0.0.1", NULL);
    assert_int_equal(network_get(&net, "10.0.0.0/8", NULL), 0);
    assert_true(network_has(&net, one.bytes)); /* the same, in other words */
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(network_get(&net, bad[i], &err), ATE_EINVALID);
}

/* ---- rules ---- */

static void put_config(struct buf *out, const char *const *hosts,
                       const char *private)
{
    struct mapping m = {0};
    uint32_t count = 0;
    while (hosts[count] != NULL)
        count++;
    struct buf *list = mapping_key(&m, "hosts");
    mp_put_array(list, count);
    for (uint32_t i = 0; i < count; i++)
        mp_put_text(list, hosts[i]);
    if (private != NULL) {
        list = mapping_key(&m, "private");
        mp_put_array(list, 1);
        mp_put_text(list, private);
    }
    mapping_put(&m, out);
}

static bool asks(const struct http_rules *rules, const char *host,
                 unsigned port)
{
    return http_rules_host(rules, port == 80 || port == 8080, host, port) !=
           NULL;
}

static void only_named_hosts_are_asked(void **state)
{
    static const char *const hosts[] = {
        "a.example",   "B.example:8443",     "http://c.example:8080",
        "*.d.example", "[2606:4700::1]:444", NULL};
    struct http_rules rules;
    struct buf config = {0};
    (void)state;
    put_config(&config, hosts, "10.0.0.0/8");
    assert_int_equal(http_rules_get(&rules, buf_bytes(&config), NULL), 0);
    assert_true(asks(&rules, "a.example", 443));
    assert_true(asks(&rules, "A.Example", 443));
    assert_false(asks(&rules, "a.example", 80));
    assert_false(asks(&rules, "a.example", 8443));
    assert_false(asks(&rules, "a.example.", 443));
    assert_false(asks(&rules, "xa.example", 443));
    assert_true(asks(&rules, "b.example", 8443));
    assert_true(asks(&rules, "c.example", 8080));
    assert_true(asks(&rules, "x.d.example", 443));
    assert_true(asks(&rules, "x.y.d.example", 443));
    assert_false(asks(&rules, "d.example", 443));
    assert_false(asks(&rules, "xd.example", 443));
    assert_true(asks(&rules, "[2606:4700::1]", 444));
    struct sockaddr_in in = {.sin_family = AF_INET};
    inet_pton(AF_INET, "10.1.2.3", &in.sin_addr);
    assert_true(http_rules_address(&rules, (struct sockaddr *)&in));
    inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
    assert_false(http_rules_address(&rules, (struct sockaddr *)&in));
    in.sin_family = AF_UNIX;
    assert_false(http_rules_address(&rules, (struct sockaddr *)&in));
    http_rules_deinit(&rules);
    http_rules_deinit(&rules);
    buf_deinit(&config);
}

static void bad_configurations_are_refused(void **state)
{
    static const char *const bad[] = {
        "",   "a b",     "a/b",     "a:0",         "a:x",    "a:70000",
        "*a", "ftp://a", "http://", "https://a/b", "a:80:80"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const char *const hosts[] = {bad[i], NULL};
        struct http_rules rules;
        struct buf config = {0};
        struct err err;
        put_config(&config, hosts, NULL);
        if (http_rules_get(&rules, buf_bytes(&config), &err) != ATE_EINVALID)
            fail_msg("'%s' is no host", bad[i]);
        assert_int_equal(rules.host_count, 0);
        buf_deinit(&config);
    }
}

/* ---- what goes out ---- */

static const uint8_t key[SERVICE_KEY_SIZE] = {0xab};

static int request_of(struct http_request *r, const char *name,
                      const char *value, struct err *err)
{
    struct mapping m = {0};
    struct mapping headers = {0};
    struct buf raw = {0};
    mapping_text(&m, "url", "https://a.example/");
    mapping_text(&headers, name, value);
    mapping_put(&headers, mapping_key(&m, "headers"));
    mapping_put(&m, &raw);
    int rc = http_request_get(buf_bytes(&raw), key, r, err);
    buf_deinit(&raw);
    return rc;
}

/* Nothing that a header holds may become another header, or another request. */
/* As the configuration has it. */
static int put_header(struct http_request *r, const char *name,
                      const char *value)
{
    struct mapping m = {0};
    struct buf raw = {0};
    mapping_text(&m, name, value);
    mapping_put(&m, &raw);
    int rc = http_request_headers(r, buf_bytes(&raw), NULL);
    buf_deinit(&raw);
    return rc;
}

static void headers_hold_one_line(void **state)
{
    static const char *const bad[][2] = {{"X", "a\r\nY: b"},
                                         {"X", "a\nb"},
                                         {"X\r\nY", "b"},
                                         {"X Y", "b"},
                                         {"", "b"},
                                         {"X:", "b"},
                                         {"Host", "other"},
                                         {"content-length", "1"},
                                         {"Transfer-Encoding", "chunked"},
                                         {"idempotency-key", "mine"},
                                         {"Proxy-Authorization", "x"},
                                         {"Connection", "close"}};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct http_request r;
        struct err err;
        if (request_of(&r, bad[i][0], bad[i][1], &err) != ATE_EINVALID)
            fail_msg("header '%s'", bad[i][0]);
        http_request_deinit(&r);
    }
    struct http_request r;
    assert_int_equal(request_of(&r, "X-Y", "a b", NULL), 0);
    assert_string_equal((char *)r.headers.data, "X-Y: a b");
    assert_string_equal((char *)r.headers.data + strlen("X-Y: a b") + 1,
                        "Idempotency-Key: \"ab000000000000000000000000000000"
                        "00000000000000000000000000000000\"");
    assert_string_equal(buf_text(&r.method), "GET");
    /* The configuration has the last word. */
    assert_int_equal(put_header(&r, "x-y", "c"), 0);
    assert_null(memmem(r.headers.data, r.headers.len, "a b", 3));
    assert_non_null(memmem(r.headers.data, r.headers.len, "x-y: c", 6));
    http_request_deinit(&r);
    http_request_deinit(&r);
}

/* Servers answer these with what they were sent: with headers that are in no
 * log. */
static void nothing_is_asked_that_echoes(void **state)
{
    static const char *const bad[] = {"TRACE", "trace", "TRACK", "CONNECT"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct mapping m = {0};
        struct buf raw = {0};
        struct http_request r;
        struct err err;
        mapping_text(&m, "method", bad[i]);
        mapping_text(&m, "url", "https://a.example/");
        mapping_put(&m, &raw);
        if (http_request_get(buf_bytes(&raw), key, &r, &err) != ATE_EINVALID)
            fail_msg("method '%s'", bad[i]);
        assert_non_null(strstr(err.text, bad[i]));
        http_request_deinit(&r);
        buf_deinit(&raw);
    }
}

/* libcurl has another form for a header without value. */
static void an_empty_header_is_replaced_too(void **state)
{
    struct http_request r;
    (void)state;
    assert_int_equal(request_of(&r, "Authorization", "", NULL), 0);
    assert_string_equal((char *)r.headers.data, "Authorization;");
    assert_int_equal(put_header(&r, "authorization", "secret"), 0);
    assert_null(memmem(r.headers.data, r.headers.len, "Authorization;", 14));
    assert_non_null(
        memmem(r.headers.data, r.headers.len, "authorization: secret", 21));
    http_request_deinit(&r);
}

static void json_goes_out_as_json(void **state)
{
    struct mapping m = {0};
    struct mapping json = {0};
    struct buf raw = {0};
    struct http_request r;
    struct err err;
    (void)state;
    mapping_text(&m, "url", "https://a.example/");
    mapping_text(&json, "text", "\"\n\xc3\xa4");
    mapping_int(&json, "n", -5);
    mapping_bool(&json, "yes", true);
    mp_put_nil(mapping_key(&json, "none"));
    mapping_put(&json, mapping_key(&m, "json"));
    mapping_put(&m, &raw);
    assert_int_equal(http_request_get(buf_bytes(&raw), key, &r, NULL), 0);
    assert_string_equal(buf_text(&r.body),
                        "{\"n\":-5,\"none\":null,\"text\":\"\\\"\\n\xc3\xa4"
                        "\",\"yes\":true}");
    assert_string_equal(buf_text(&r.method), "POST");
    assert_non_null(memmem(r.headers.data, r.headers.len, "application/json",
                           strlen("application/json")));
    http_request_deinit(&r);
    buf_clear(&raw);
    mapping_text(&m, "url", "https://a.example/");
    mp_put_bin(mapping_key(&m, "json"), bytes_of("\xff", 1));
    mapping_put(&m, &raw);
    assert_int_equal(http_request_get(buf_bytes(&raw), key, &r, &err),
                     ATE_EINVALID);
    http_request_deinit(&r);
    buf_clear(&raw);
    mapping_text(&m, "uri", "https://a.example/");
    mapping_put(&m, &raw);
    assert_int_equal(http_request_get(buf_bytes(&raw), key, &r, &err),
                     ATE_EINVALID);
    assert_non_null(strstr(err.text, "no 'uri'"));
    http_request_deinit(&r);
    buf_deinit(&raw);
}

/* ---- what comes back ---- */

static void answer_of(struct buf *out, const char *headers, const char *body)
{
    struct buf loose = {0};
    buf_clear(out);
    http_answer_put(&loose, 201, bytes_of_text(headers), bytes_of_text(body));
    assert_int_equal(mp_canonical(out, buf_bytes(&loose), NULL), 0);
    buf_deinit(&loose);
}

static struct bytes text_at(struct bytes map, const char *name)
{
    struct bytes text = {NULL, 0};
    struct mp mp = mp_open(mp_map_get(map, name));
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    return text;
}

static void answers_are_told_as_values(void **state)
{
    struct buf out = {0};
    (void)state;
    answer_of(&out,
              "HTTP/1.1 201 Created\r\nContent-Type: Application/JSON; "
              "charset=utf-8\r\nX-A:  1 \r\nx-a: 2\r\nbad name: 3\r\n"
              "X-Binary: \xff\r\n\r\n",
              "{\"b\": 1.5, \"a\": [1, true, null, \"x\"]}");
    struct bytes headers = mp_map_get(buf_bytes(&out), "headers");
    assert_true(bytes_equal(text_at(headers, "x-a"), bytes_of_text("1")));
    assert_null(mp_map_get(headers, "bad name").data);
    assert_null(mp_map_get(headers, "x-binary").data);
    assert_null(mp_map_get(buf_bytes(&out), "body").data);
    struct bytes json = mp_map_get(buf_bytes(&out), "json");
    assert_true(bytes_equal(text_at(json, "b"), bytes_of_text("1.5")));
    answer_of(&out, "Content-Type: application/json\r\n",
              "{\"a\":9007199254740992,\"b\":9007199254740993,"
              "\"c\":-9223372036854775808}");
    json = mp_map_get(buf_bytes(&out), "json");
    struct mp most = mp_open(mp_map_get(json, "a"));
    int64_t number = 0;
    assert_int_equal(mp_get_int(&most, &number, NULL), 0);
    assert_int_equal(number, INT64_C(1) << 53);
    assert_true(
        bytes_equal(text_at(json, "b"), bytes_of_text("9007199254740993")));
    assert_true(
        bytes_equal(text_at(json, "c"), bytes_of_text("-9223372036854775808")));
    /* What says it is JSON and is not, is told as it came. */
    answer_of(&out, "Content-Type: application/json\r\n", "{\"a\":1,\"a\":2}");
    assert_true(bytes_equal(text_at(buf_bytes(&out), "body"),
                            bytes_of_text("{\"a\":1,\"a\":2}")));
    answer_of(&out, "Content-Type: text/plain\r\n", "{}");
    assert_true(
        bytes_equal(text_at(buf_bytes(&out), "body"), bytes_of_text("{}")));
    answer_of(&out, "", "");
    assert_null(mp_map_get(buf_bytes(&out), "body").data);
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 199);
    deep[399] = '\0';
    answer_of(&out, "Content-Type: application/json\r\n", deep);
    assert_null(mp_map_get(buf_bytes(&out), "json").data);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_public),
        cmocka_unit_test(networks_have_what_begins_so),
        cmocka_unit_test(only_named_hosts_are_asked),
        cmocka_unit_test(bad_configurations_are_refused),
        cmocka_unit_test(headers_hold_one_line),
        cmocka_unit_test(nothing_is_asked_that_echoes),
        cmocka_unit_test(an_empty_header_is_replaced_too),
        cmocka_unit_test(json_goes_out_as_json),
        cmocka_unit_test(answers_are_told_as_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
