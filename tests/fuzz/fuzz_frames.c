/* Frames, as either side reads them: what is accepted is written again to the
 * same bytes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "net/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void again_hello(const struct net_frame *frame, struct buf *out)
{
    struct net_hello hello;
    if (net_hello_get(frame, &hello, NULL) == 0 && hello.version == NET_VERSION)
        net_hello_put(out, &hello);
}

static void again_call(const struct net_frame *frame, struct buf *out)
{
    struct node_request request;
    if (net_call_get(frame, &request, NULL) == 0 &&
        net_call_check(&request, NULL) == 0)
        net_call_put(out, frame->call, &request);
}

static void again_credit(const struct net_frame *frame, struct buf *out)
{
    uint32_t chunks;
    if (net_credit_get(frame, &chunks, NULL) == 0)
        net_credit_put(out, frame->call, chunks);
}

static void again_answer(const struct net_frame *frame, struct buf *out)
{
    struct err answer;
    struct bytes value;
    if (net_answer_get(frame, &answer, &value, NULL) == 0)
        net_answer_put(out, frame->call, answer.code, &answer, value);
}

static void again(const struct net_frame *frame, struct buf *out)
{
    switch (frame->kind) {
    case NET_HELLO:
        again_hello(frame, out);
        break;
    case NET_CALL:
        again_call(frame, out);
        break;
    case NET_DATA:
        net_data_put(out, frame->call, frame->rest);
        break;
    case NET_CREDIT:
        again_credit(frame, out);
        break;
    case NET_ANSWER:
        again_answer(frame, out);
        break;
    case NET_CANCEL:
        if (net_cancel_get(frame, NULL) == 0)
            net_cancel_put(out, frame->call);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    struct net_frame frame;
    struct buf out = {0};
    for (;;) {
        const uint8_t *at = in.data;
        if (net_frame_next(&in, LIMIT_NET_CALL, &frame, NULL) != 1)
            break;
        buf_clear(&out);
        again(&frame, &out);
        if (out.len > 0)
            assert(bytes_equal(buf_bytes(&out),
                               bytes_of(at, (size_t)(in.data - at))));
    }
    buf_deinit(&out);
    return 0;
}
