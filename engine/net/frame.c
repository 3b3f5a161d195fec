/* (1) What is accepted is written again to the same bytes: no length, flag or
 *     code has two forms. */
#include "net/frame.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"

#define MAGIC "ATECALL"

enum {
    MAGIC_SIZE = 7,
    HELLO_READ_ONLY = 1,
    CALL_IS_READ = 1,
    CALL_OF_NODE = 2,
    CALL_PROPOSES = 4,
    CALL_FLAGS = CALL_IS_READ | CALL_OF_NODE | CALL_PROPOSES,
    CALL_FIXED = 1 + 4 + 4 + NODE_CALL_ID, /* flags, credit, deadline, id */
    CALL_TEXTS = 7, /* the context is none, but as long as one */
    ERROR_TEXTS = 4,
};

static_assert(NET_HELLO_MAX ==
                  NET_FRAME_HEAD + MAGIC_SIZE + 1 + 2 + 4 + 4 + 1 + 255,
              "as its fields add up");
static_assert(NET_HELLO_MAX <= NET_LAST_WORD_MAX, "either may come first");
static_assert(LIMIT_NET_CALL >= NET_FRAME_HEAD + CALL_FIXED +
                                    CALL_TEXTS * (2 + LIMIT_NET_TEXT) +
                                    LIMIT_ARGS,
              "every call that may be fits a frame");

/* ---- all frames ---- */

int net_frame_next(struct bytes *in, size_t size_max, struct net_frame *frame,
                   struct err *err)
{
    if (in->len < 4)
        return 0;
    uint32_t size = get_le32(in->data);
    if (size < NET_FRAME_HEAD)
        return err_set(err, ATE_EINVALID,
                       "a frame has at least %d bytes, this one says %lu",
                       NET_FRAME_HEAD, (unsigned long)size);
    if (size > size_max)
        return err_set(err, ATE_ELIMIT,
                       "a frame has at most %zu bytes here, this one says %lu",
                       size_max, (unsigned long)size);
    if (in->len > 4 && (in->data[4] < NET_HELLO || in->data[4] > NET_CANCEL))
        return err_set(err, ATE_EINVALID, "there is no frame of kind %u",
                       in->data[4]);
    if (in->len < size)
        return 0;
    frame->kind = in->data[4];
    frame->call = get_le64(in->data + 5);
    frame->rest = bytes_of(in->data + NET_FRAME_HEAD, size - NET_FRAME_HEAD);
    *in = bytes_of(in->data + size, in->len - size);
    return 1;
}

struct bytes net_input_add(struct net_input *input, struct bytes came)
{
    if (input->kept.len == 0)
        return came;
    buf_put_bytes(&input->kept, came);
    return buf_bytes(&input->kept);
}

void net_input_rest(struct net_input *input, struct bytes rest)
{
    struct buf *kept = &input->kept;
    if (kept->len == 0) {
        buf_put_bytes(kept, rest);
        return;
    }
    assert(rest.len <= kept->len);
    if (rest.len > 0 && rest.data != kept->data)
        memmove(kept->data, rest.data, rest.len);
    kept->len = rest.len;
    if (rest.len == 0 && kept->cap > NET_KEEP)
        buf_deinit(kept);
}

void net_input_deinit(struct net_input *input)
{
    buf_deinit(&input->kept);
}

/* The head, and room for `len` bytes behind it. */
static uint8_t *put_head(struct buf *out, enum net_frame_kind kind,
                         uint64_t call, size_t len)
{
    assert(len <= LIMIT_NET_ANSWER - NET_FRAME_HEAD);
    uint8_t *p = buf_grow(out, NET_FRAME_HEAD + len);
    put_le32(p, (uint32_t)(NET_FRAME_HEAD + len));
    p[4] = (uint8_t)kind;
    put_le64(p + 5, call);
    return p + NET_FRAME_HEAD;
}

/* Each with its length in front; returns where the last one ends. */
static uint8_t *put_texts(uint8_t *p, const struct bytes *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(texts[i].len <= UINT16_MAX);
        put_le16(p, (uint16_t)texts[i].len);
        if (texts[i].len > 0)
            memcpy(p + 2, texts[i].data, texts[i].len);
        p += 2 + texts[i].len;
    }
    return p;
}

/* Reading the rest of a frame from front to back. */
struct taking {
    struct bytes left;
    bool failed;
};

static const uint8_t *take(struct taking *t, size_t len)
{
    static const uint8_t zeros[16];
    assert(len <= sizeof(zeros));
    if (t->left.len < len) {
        t->failed = true;
        return zeros;
    }
    const uint8_t *at = t->left.data;
    t->left = bytes_of(at + len, t->left.len - len);
    return at;
}

static struct bytes take_bytes(struct taking *t, size_t len)
{
    if (t->left.len < len) {
        t->failed = true;
        return bytes_of(NULL, 0);
    }
    struct bytes taken = bytes_of(t->left.data, len);
    t->left = bytes_of(t->left.data + len, t->left.len - len);
    return taken;
}

static int torn(const char *name, struct err *err)
{
    return err_set(err, ATE_EINVALID, "%s: its fields do not fill the frame",
                   name);
}

/* ---- HELLO ---- */

void net_hello_put(struct buf *out, const struct net_hello *hello)
{
    assert(hello->engine.len <= 255);
    size_t fixed = NET_HELLO_MAX - NET_FRAME_HEAD - 255;
    uint8_t *p = put_head(out, NET_HELLO, 0, fixed + hello->engine.len);
    memcpy(p, MAGIC, MAGIC_SIZE);
    p[7] = hello->version;
    put_le16(p + 8, hello->read_only ? HELLO_READ_ONLY : 0);
    put_le32(p + 10, hello->calls_max);
    put_le32(p + 14, hello->bytes_max);
    p[18] = (uint8_t)hello->engine.len;
    if (hello->engine.len > 0)
        memcpy(p + fixed, hello->engine.data, hello->engine.len);
}

int net_hello_get(const struct net_frame *frame, struct net_hello *hello,
                  struct err *err)
{
    struct taking t = {.left = frame->rest};
    *hello = (struct net_hello){0};
    struct bytes magic = take_bytes(&t, MAGIC_SIZE);
    if (!bytes_equal(magic, bytes_of(MAGIC, MAGIC_SIZE)))
        return err_set(err, ATE_EINVALID, "HELLO: this is not " MAGIC);
    hello->version = take(&t, 1)[0];
    if (t.failed)
        return torn("HELLO", err);
    if (hello->version != NET_VERSION)
        return 0;
    uint16_t flags = get_le16(take(&t, 2));
    hello->read_only = (flags & HELLO_READ_ONLY) != 0;
    hello->calls_max = get_le32(take(&t, 4));
    hello->bytes_max = get_le32(take(&t, 4));
    hello->engine = take_bytes(&t, take(&t, 1)[0]);
    if (t.failed || t.left.len > 0 || frame->call != 0)
        return torn("HELLO", err);
    if ((flags & ~HELLO_READ_ONLY) != 0)
        return err_set(err, ATE_EINVALID, "HELLO: unknown flags %x", flags);
    return 0;
}

/* ---- CALL ---- */

/* In the order in which they travel. */
static void texts_of(const struct node_request *r,
                     struct bytes texts[CALL_TEXTS])
{
    texts[0] = r->chain;
    texts[1] = r->method;
    texts[2] = r->as;
    texts[3] = r->act_for;
    texts[4] = r->with;
    texts[5] = r->roots;
    texts[6] = r->context;
}

size_t net_call_size(const struct node_request *request)
{
    struct bytes texts[CALL_TEXTS];
    size_t size = NET_FRAME_HEAD + CALL_FIXED + request->args.len;
    texts_of(request, texts);
    for (size_t i = 0; i < CALL_TEXTS; i++)
        size += 2 + texts[i].len;
    return size;
}

int net_call_check(const struct node_request *request, struct err *err)
{
    static const char *const names[] = {
        "the chain's name", "the method", "the key's name",
        "act_for",          "with",       "roots",
        "the context"};
    struct bytes texts[CALL_TEXTS];
    texts_of(request, texts);
    for (size_t i = 0; i < CALL_TEXTS; i++)
        if (texts[i].len > LIMIT_NET_TEXT)
            return err_set(err, ATE_ELIMIT, "%s has at most %d bytes, here %zu",
                           names[i], LIMIT_NET_TEXT, texts[i].len);
    if (request->args.len > LIMIT_ARGS)
        return err_set(err, ATE_ELIMIT,
                       "arguments have at most %d bytes, these %zu", LIMIT_ARGS,
                       request->args.len);
    return 0;
}

void net_call_put(struct buf *out, uint64_t call,
                  const struct node_request *request)
{
    struct bytes texts[CALL_TEXTS];
    uint8_t *p =
        put_head(out, NET_CALL, call, net_call_size(request) - NET_FRAME_HEAD);
    assert(net_call_check(request, NULL) == 0);
    p[0] = (uint8_t)((request->kind == REQUEST_READ ? CALL_IS_READ : 0) |
                     (request->of_node ? CALL_OF_NODE : 0) |
                     (request->propose ? CALL_PROPOSES : 0));
    put_le32(p + 1, request->credit);
    put_le32(p + 5, request->deadline_ms);
    memcpy(p + 9, request->call_id, NODE_CALL_ID);
    texts_of(request, texts);
    p = put_texts(p + CALL_FIXED, texts, CALL_TEXTS);
    if (request->args.len > 0)
        memcpy(p, request->args.data, request->args.len);
}

static struct bytes take_text(struct taking *t)
{
    return take_bytes(t, get_le16(take(t, 2)));
}

int net_call_get(const struct net_frame *frame, struct node_request *request,
                 struct err *err)
{
    struct taking t = {.left = frame->rest};
    uint8_t flags = take(&t, 1)[0];
    request->kind = (flags & CALL_IS_READ) != 0 ? REQUEST_READ : REQUEST_CALL;
    request->of_node = (flags & CALL_OF_NODE) != 0;
    request->propose = (flags & CALL_PROPOSES) != 0;
    request->credit = get_le32(take(&t, 4));
    request->deadline_ms = get_le32(take(&t, 4));
    memcpy(request->call_id, take(&t, NODE_CALL_ID), NODE_CALL_ID);
    request->chain = take_text(&t);
    request->method = take_text(&t);
    request->as = take_text(&t);
    request->act_for = take_text(&t);
    request->with = take_text(&t);
    request->roots = take_text(&t);
    request->context = take_text(&t);
    request->args = t.left;
    if (t.failed)
        return torn("CALL", err);
    if ((flags & ~CALL_FLAGS) != 0)
        return err_set(err, ATE_EINVALID, "CALL: unknown flags %x", flags);
    if (frame->call == 0)
        return err_set(err, ATE_EINVALID, "CALL: numbers begin at 1");
    if (request->of_node && request->chain.len > 0)
        return err_set(err, ATE_EINVALID,
                       "CALL: either the node is asked, or a chain");
    return 0;
}

/* ---- DATA, CREDIT, CANCEL ---- */

void net_data_put(struct buf *out, uint64_t call, struct bytes value)
{
    uint8_t *p = put_head(out, NET_DATA, call, value.len);
    if (value.len > 0)
        memcpy(p, value.data, value.len);
}

void net_credit_put(struct buf *out, uint64_t call, uint32_t chunks)
{
    assert(chunks > 0);
    put_le32(put_head(out, NET_CREDIT, call, 4), chunks);
}

int net_credit_get(const struct net_frame *frame, uint32_t *chunks,
                   struct err *err)
{
    *chunks = 0;
    if (frame->rest.len != 4)
        return torn("CREDIT", err);
    *chunks = get_le32(frame->rest.data);
    if (*chunks == 0)
        return err_set(err, ATE_EINVALID, "CREDIT: of no chunks");
    return 0;
}

void net_cancel_put(struct buf *out, uint64_t call)
{
    put_head(out, NET_CANCEL, call, 0);
}

int net_cancel_get(const struct net_frame *frame, struct err *err)
{
    return frame->rest.len == 0 ? 0 : torn("CANCEL", err);
}

/* ---- ANSWER ---- */

/* In the order in which they travel. */
static void error_texts(const struct err *err, struct bytes texts[ERROR_TEXTS])
{
    texts[0] = bytes_of_text(err->rule);
    texts[1] = bytes_of_text(err->reason);
    texts[2] = bytes_of_text(err->at);
    texts[3] = bytes_of_text(err->text);
}

void net_answer_put(struct buf *out, uint64_t call, int code,
                    const struct err *err, struct bytes value)
{
    if (code == 0) {
        uint8_t *p = put_head(out, NET_ANSWER, call, 1 + value.len);
        p[0] = 0;
        if (value.len > 0)
            memcpy(p + 1, value.data, value.len);
        return;
    }
    struct bytes texts[ERROR_TEXTS];
    size_t len = 1;
    assert(code == err->code && code < 0 && code >= -255);
    error_texts(err, texts);
    for (size_t i = 0; i < ERROR_TEXTS; i++)
        len += 2 + texts[i].len;
    uint8_t *p = put_head(out, NET_ANSWER, call, len);
    p[0] = (uint8_t)-code;
    put_texts(p + 1, texts, ERROR_TEXTS);
}

/* Copy a text that a zero ends; false: it has one inside, or is too long. */
static bool keep_text(char *to, size_t size, struct bytes text)
{
    if (text.len >= size || (text.len > 0 && memchr(text.data, 0, text.len)))
        return false;
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return true;
}

int net_answer_get(const struct net_frame *frame, struct err *answer,
                   struct bytes *value, struct err *err)
{
    struct taking t = {.left = frame->rest};
    *answer = (struct err){0};
    *value = bytes_of(NULL, 0);
    answer->code = -take(&t, 1)[0];
    if (answer->code == 0) {
        *value = t.left;
        return t.failed ? torn("ANSWER", err) : 0;
    }
    struct bytes rule = take_text(&t);
    struct bytes reason = take_text(&t);
    struct bytes at = take_text(&t);
    struct bytes text = take_text(&t);
    if (t.failed || t.left.len > 0)
        return torn("ANSWER", err);
    if (answer->code < ATE_ECANCELED ||
        !keep_text(answer->rule, sizeof(answer->rule), rule) ||
        !keep_text(answer->reason, sizeof(answer->reason), reason) ||
        !keep_text(answer->at, sizeof(answer->at), at) ||
        !keep_text(answer->text, sizeof(answer->text), text))
        return err_set(err, ATE_EINVALID, "ANSWER: not an error");
    return 0;
}
