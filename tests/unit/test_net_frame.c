/* Frames between a caller and a daemon: what travels arrives whole, and what is
 * no frame is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "net/frame.h"

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)

/* Take the one frame that `buf` is. */
static struct net_frame only_frame(const struct buf *buf)
{
    struct net_frame frame;
    struct bytes in = buf_bytes(buf);
    struct err err;
    assert_int_equal(net_frame_next(&in, LIMIT_NET_ANSWER, &frame, &err), 1);
    assert_int_equal(in.len, 0);
    return frame;
}

static void assert_bytes(struct bytes got, struct bytes expected)
{
    assert_true(bytes_equal(got, expected));
}

static struct node_request whole_request(void)
{
    struct node_request r = {
        .kind = REQUEST_CALL,
        .propose = true,
        .chain = TEXT("bank/main"),
        .method = TEXT("transfer"),
        .as = TEXT("bob"),
        .act_for = TEXT("key:00"),
        .with = TEXT("eve,dan"),
        .roots = TEXT("ann"),
        .args = TEXT("\x81\xa1x\x01"),
        .context = TEXT("\x81\xa1y\x02"),
        .credit = 7,
        .deadline_ms = 1500,
    };
    for (size_t i = 0; i < NODE_CALL_ID; i++)
        r.call_id[i] = (uint8_t)(i + 1);
    return r;
}

static void a_call_arrives_whole(void **state)
{
    (void)state;
    struct node_request sent = whole_request();
    struct node_request got = {0};
    struct buf buf = {0};
    struct err err;
    net_call_put(&buf, 0x0102030405060708, &sent);
    assert_int_equal(buf.len, net_call_size(&sent));
    struct net_frame frame = only_frame(&buf);
    assert_int_equal(frame.kind, NET_CALL);
    assert_int_equal(frame.call, 0x0102030405060708);
    assert_int_equal(net_call_get(&frame, &got, &err), 0);
    assert_int_equal(got.kind, REQUEST_CALL);
    assert_false(got.of_node);
    assert_true(got.propose);
    assert_bytes(got.chain, sent.chain);
    assert_bytes(got.method, sent.method);
    assert_bytes(got.as, sent.as);
    assert_bytes(got.act_for, sent.act_for);
    assert_bytes(got.with, sent.with);
    assert_bytes(got.roots, sent.roots);
    assert_bytes(got.args, sent.args);
    assert_bytes(got.context, sent.context);
    assert_memory_equal(got.call_id, sent.call_id, NODE_CALL_ID);
    assert_int_equal(got.credit, 7);
    assert_int_equal(got.deadline_ms, 1500);
    buf_clear(&buf);
    sent = (struct node_request){
        .kind = REQUEST_READ, .of_node = true, .method = TEXT("x")};
    net_call_put(&buf, 1, &sent);
    frame = only_frame(&buf);
    assert_int_equal(net_call_get(&frame, &got, &err), 0);
    assert_int_equal(got.kind, REQUEST_READ);
    assert_true(got.of_node);
    assert_int_equal(got.args.len, 0);
    assert_int_equal(got.context.len, 0);
    buf_deinit(&buf);
}

/* As docs/format.md has it. */
static void the_bytes_are_those_of_the_format(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err;
    struct net_hello hello = {.version = 3,
                              .read_only = true,
                              .calls_max = 0x102,
                              .bytes_max = 0x10203,
                              .engine = TEXT("9")};
    net_hello_put(&buf, &hello);
    assert_bytes(buf_bytes(&buf),
                 TEXT("\x21\0\0\0\x01\0\0\0\0\0\0\0\0ATECALL\x03\x01\0"
                      "\x02\x01\0\0\x03\x02\x01\0\x01"
                      "9"));
    buf_clear(&buf);
    net_credit_put(&buf, 2, 300);
    net_cancel_put(&buf, 3);
    net_data_put(&buf, 4, TEXT("\xc0"));
    net_answer_put(&buf, 5, 0, NULL, TEXT("\xc3"));
    err_set(&err, ATE_EREFUSED, "no");
    memcpy(err.rule, "r1", 3);
    err_reason(&err, "w");
    err_at(&err, "a");
    net_answer_put(&buf, 6, err.code, &err, TEXT(""));
    assert_bytes(buf_bytes(&buf), TEXT("\x11\0\0\0\x04\x02\0\0\0\0\0\0\0"
                                       "\x2c\x01\0\0"
                                       "\x0d\0\0\0\x06\x03\0\0\0\0\0\0\0"
                                       "\x0e\0\0\0\x03\x04\0\0\0\0\0\0\0\xc0"
                                       "\x0f\0\0\0\x05\x05\0\0\0\0\0\0\0\0\xc3"
                                       "\x1d\0\0\0\x05\x06\0\0\0\0\0\0\0\x04"
                                       "\x02\0r1\x01\0w\x02\0/a\x02\0no"));
    buf_clear(&buf);
    struct node_request r = {.kind = REQUEST_READ,
                             .chain = TEXT("c"),
                             .method = TEXT("get"),
                             .args = TEXT("\x80"),
                             .credit = 1,
                             .deadline_ms = 2};
    r.call_id[15] = 9;
    net_call_put(&buf, 7, &r);
    assert_bytes(buf_bytes(&buf),
                 TEXT("\x39\0\0\0\x02\x07\0\0\0\0\0\0\0\x01\x01\0\0\0\x02\0\0\0"
                      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09"
                      "\x01\0c\x03\0get\0\0\0\0\0\0\0\0\0\0\x80"));
    buf_deinit(&buf);
}

static void answers_arrive_whole(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err sent;
    struct err got;
    struct err err;
    struct bytes value;
    err_set(&sent, ATE_EREFUSED, "too deep");
    memcpy(sent.rule, "too_deep", 9);
    err_reason(&sent, "by_rule");
    err_at(&sent, "from");
    err_at_also(&sent, "to");
    net_answer_put(&buf, 1, sent.code, &sent, bytes_of(NULL, 0));
    struct net_frame frame = only_frame(&buf);
    assert_int_equal(net_answer_get(&frame, &got, &value, &err), 0);
    assert_int_equal(got.code, ATE_EREFUSED);
    assert_string_equal(got.rule, "too_deep");
    assert_string_equal(got.reason, "by_rule");
    assert_string_equal(got.at, "/from\n/to");
    assert_string_equal(got.text, "too deep");
    assert_int_equal(value.len, 0);
    buf_clear(&buf);
    net_answer_put(&buf, 1, 0, NULL, TEXT("\x93\x01\x02\x03"));
    frame = only_frame(&buf);
    assert_int_equal(net_answer_get(&frame, &got, &value, &err), 0);
    assert_int_equal(got.code, 0);
    assert_bytes(value, TEXT("\x93\x01\x02\x03"));
    buf_deinit(&buf);
}

/* Texts as long as they may be, of any error. */
static void the_longest_texts_travel(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err sent = {.code = ATE_ECANCELED};
    struct err got;
    struct err err;
    struct bytes value;
    memset(sent.rule, 'r', ERR_RULE_MAX - 1);
    memset(sent.reason, 'w', ERR_REASON_MAX - 1);
    memset(sent.at, '/', ERR_AT_MAX - 1);
    memset(sent.text, 't', ERR_TEXT_MAX - 1);
    net_answer_put(&buf, 1, sent.code, &sent, bytes_of(NULL, 0));
    assert_true(buf.len <= NET_LAST_WORD_MAX);
    struct net_frame frame = only_frame(&buf);
    assert_int_equal(net_answer_get(&frame, &got, &value, &err), 0);
    assert_memory_equal(&got, &sent, sizeof(got));
    buf_deinit(&buf);
}

static void what_is_too_long_does_not_travel(void **state)
{
    (void)state;
    struct node_request r = whole_request();
    struct buf text = {0};
    struct err err;
    memset(buf_grow(&text, LIMIT_NET_TEXT + 1), 'x', LIMIT_NET_TEXT + 1);
    r.with = bytes_of(text.data, LIMIT_NET_TEXT);
    assert_int_equal(net_call_check(&r, &err), 0);
    r.with = buf_bytes(&text);
    assert_int_equal(net_call_check(&r, &err), ATE_ELIMIT);
    assert_non_null(strstr(err.text, "with has at most 65535 bytes"));
    r = whole_request();
    r.args = bytes_of(text.data, LIMIT_ARGS + 1); /* only its length counts */
    assert_int_equal(net_call_check(&r, &err), ATE_ELIMIT);
    assert_non_null(strstr(err.text, "arguments have at most"));
    buf_deinit(&text);
}

/* Each way of being cut short gives nothing yet; whole it gives the frame. */
static void a_frame_comes_in_pieces(void **state)
{
    (void)state;
    struct node_request r = whole_request();
    struct buf buf = {0};
    struct net_frame frame;
    struct err err;
    net_call_put(&buf, 1, &r);
    for (size_t len = 0; len < buf.len; len++) {
        struct bytes in = bytes_of(buf.data, len);
        assert_int_equal(net_frame_next(&in, LIMIT_NET_CALL, &frame, &err), 0);
        assert_int_equal(in.len, len);
    }
    buf_deinit(&buf);
}

static void pieces_are_put_together(void **state)
{
    (void)state;
    struct node_request r = whole_request();
    struct buf buf = {0};
    struct net_input input = {0};
    size_t frames = 0;
    for (uint64_t call = 1; call <= 5; call++)
        net_call_put(&buf, call, &r);
    for (size_t at = 0; at < buf.len; at += 7) {
        size_t len = buf.len - at < 7 ? buf.len - at : 7;
        struct net_frame frame;
        struct err err;
        struct bytes in = net_input_add(&input, bytes_of(buf.data + at, len));
        while (net_frame_next(&in, LIMIT_NET_CALL, &frame, &err) == 1)
            assert_int_equal(frame.call, ++frames);
        net_input_rest(&input, in);
    }
    assert_int_equal(frames, 5);
    assert_int_equal(input.kept.len, 0);
    net_input_deinit(&input);
    buf_deinit(&buf);
}

/* A size is believed only as far as it may be, before anything is kept. */
static void sizes_and_kinds_are_checked_first(void **state)
{
    (void)state;
    static const struct {
        struct bytes in;
        int rc;
    } cases[] = {
        {{(const uint8_t *)"\x0c\0\0\0", 4}, ATE_EINVALID},
        {{(const uint8_t *)"\0\0\0\0", 4}, ATE_EINVALID},
        {{(const uint8_t *)"\xff\xff\xff\xff", 4}, ATE_ELIMIT},
        {{(const uint8_t *)"\x65\0\0\0", 4}, ATE_ELIMIT},
        {{(const uint8_t *)"\x64\0\0\0", 4}, 0},
        {{(const uint8_t *)"\x64\0\0", 3}, 0},
        {{(const uint8_t *)"\x0d\0\0\0\0", 5}, ATE_EINVALID},
        {{(const uint8_t *)"\x0d\0\0\0\7", 5}, ATE_EINVALID},
        {{(const uint8_t *)"\x0d\0\0\0\xff", 5}, ATE_EINVALID},
        {{(const uint8_t *)"GET / HTTP/1.1", 14}, ATE_ELIMIT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct net_frame frame;
        struct bytes in = cases[i].in;
        struct err err;
        assert_int_equal(net_frame_next(&in, 100, &frame, &err), cases[i].rc);
    }
}

static int decode(struct bytes raw)
{
    struct net_frame frame;
    struct net_hello hello;
    struct node_request request;
    struct err answer;
    struct err err;
    struct bytes value;
    uint32_t chunks;
    int rc = net_frame_next(&raw, LIMIT_NET_ANSWER, &frame, &err);
    assert_int_equal(rc, 1);
    assert_int_equal(raw.len, 0);
    switch (frame.kind) {
    case NET_HELLO:
        return net_hello_get(&frame, &hello, &err);
    case NET_CALL:
        return net_call_get(&frame, &request, &err);
    case NET_CREDIT:
        return net_credit_get(&frame, &chunks, &err);
    case NET_CANCEL:
        return net_cancel_get(&frame, &err);
    case NET_ANSWER:
        return net_answer_get(&frame, &answer, &value, &err);
    default:
        return 0;
    }
}

/* One byte less or one more, with a size that says so, is another frame: where
 * the fields have to fill it, it is refused. */
static void fields_have_to_fill_their_frame(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err;
    struct net_hello hello = {.version = NET_VERSION, .engine = TEXT("1")};
    err_set(&err, ATE_EIO, "broken");
    for (int kind = NET_HELLO; kind <= NET_CANCEL; kind++) {
        buf_clear(&buf);
        if (kind == NET_HELLO)
            net_hello_put(&buf, &hello);
        else if (kind == NET_CREDIT)
            net_credit_put(&buf, 1, 1);
        else if (kind == NET_ANSWER)
            net_answer_put(&buf, 1, err.code, &err, bytes_of(NULL, 0));
        else if (kind == NET_CANCEL)
            net_cancel_put(&buf, 1);
        else
            continue; /* their last field is whatever is left */
        assert_int_equal(decode(buf_bytes(&buf)), 0);
        for (size_t len = NET_FRAME_HEAD; len < buf.len; len++) {
            put_le32(buf.data, (uint32_t)len);
            assert_int_equal(decode(bytes_of(buf.data, len)), ATE_EINVALID);
        }
        buf_put_u8(&buf, 0);
        put_le32(buf.data, (uint32_t)buf.len);
        assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    }
    struct node_request r = whole_request();
    buf_clear(&buf);
    net_call_put(&buf, 1, &r);
    size_t whole = buf.len - r.args.len;
    for (size_t len = NET_FRAME_HEAD; len < buf.len; len++) {
        put_le32(buf.data, (uint32_t)len);
        assert_int_equal(decode(bytes_of(buf.data, len)),
                         len < whole ? ATE_EINVALID : 0);
    }
    buf_deinit(&buf);
}

static void what_means_nothing_is_refused(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err;
    struct node_request r = whole_request();
    struct net_hello hello = {.version = NET_VERSION};
    net_call_put(&buf, 1, &r);
    buf.data[NET_FRAME_HEAD] = 8; /* a flag that there is not */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf.data[NET_FRAME_HEAD] = 2; /* the node, and a chain */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf.data[NET_FRAME_HEAD] = 0;
    buf.data[5] = 0; /* call 0 */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf_clear(&buf);
    net_credit_put(&buf, 1, 1);
    buf.data[NET_FRAME_HEAD] = 0;
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf_clear(&buf);
    net_hello_put(&buf, &hello);
    buf.data[NET_FRAME_HEAD] ^= 1; /* the magic */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf.data[NET_FRAME_HEAD] ^= 1;
    buf.data[NET_FRAME_HEAD + 8] = 2; /* a flag */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf.data[NET_FRAME_HEAD + 8] = 0;
    buf.data[5] = 1; /* of a call */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf_clear(&buf);
    err_set(&err, ATE_EIO, "io");
    net_answer_put(&buf, 1, err.code, &err, bytes_of(NULL, 0));
    buf.data[NET_FRAME_HEAD] = 14; /* never told */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf.data[NET_FRAME_HEAD] = 1;
    buf.data[NET_FRAME_HEAD + 9] = 0; /* a text ends before its end */
    assert_int_equal(decode(buf_bytes(&buf)), ATE_EINVALID);
    buf_deinit(&buf);
}

/* Whoever speaks another one can be told so. */
static void another_version_is_seen(void **state)
{
    (void)state;
    struct buf buf = {0};
    struct err err;
    struct net_hello hello = {.version = NET_VERSION + 1,
                              .engine = TEXT("later")};
    struct net_hello got;
    net_hello_put(&buf, &hello);
    buf_put_u8(&buf, 0); /* and fields that nobody knows yet */
    put_le32(buf.data, (uint32_t)buf.len);
    struct net_frame frame = only_frame(&buf);
    assert_int_equal(net_hello_get(&frame, &got, &err), 0);
    assert_int_equal(got.version, NET_VERSION + 1);
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_arrives_whole),
        cmocka_unit_test(the_bytes_are_those_of_the_format),
        cmocka_unit_test(answers_arrive_whole),
        cmocka_unit_test(the_longest_texts_travel),
        cmocka_unit_test(what_is_too_long_does_not_travel),
        cmocka_unit_test(a_frame_comes_in_pieces),
        cmocka_unit_test(pieces_are_put_together),
        cmocka_unit_test(sizes_and_kinds_are_checked_first),
        cmocka_unit_test(fields_have_to_fill_their_frame),
        cmocka_unit_test(what_means_nothing_is_refused),
        cmocka_unit_test(another_version_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
