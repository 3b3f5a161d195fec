/* frame: the unit of talk between a caller and the process that serves a data
 * folder. docs/format.md has the bytes ("Frames of a socket").
 *
 * Reading trusts nobody: a length is checked against what is there before it is
 * used, and nothing is allocated. Writing trusts its caller, and asserts. */
#ifndef ATE_NET_FRAME_H
#define ATE_NET_FRAME_H

#include "node/node.h"

enum net_frame_kind {
    NET_HELLO = 1,  /* both ways, first */
    NET_CALL = 2,   /* to the daemon */
    NET_DATA = 3,   /* to the caller */
    NET_CREDIT = 4, /* to the daemon */
    NET_ANSWER = 5, /* to the caller; of call 0: the last word */
    NET_CANCEL = 6, /* to the daemon */
};

enum {
    NET_VERSION = 3,
    NET_FRAME_HEAD = 13, /* size, kind, call */
    NET_HELLO_MAX = NET_FRAME_HEAD + 19 + 255,
    NET_LAST_WORD_MAX = NET_FRAME_HEAD + 9 + ERR_RULE_MAX + ERR_REASON_MAX +
                        ERR_AT_MAX + ERR_TEXT_MAX,
    NET_KEEP = 64 << 10, /* a buffer that grew beyond is given back */
};

struct net_frame {
    enum net_frame_kind kind;
    uint64_t call;
    struct bytes rest; /* behind the head; borrowed */
};

/* Take the first frame off `in`: 1, or 0 when it is not whole yet. Errors:
 * INVALID (a size below the head's, or a kind that there is not), LIMIT (more
 * than `size_max` bytes, though few may have come). */
int net_frame_next(struct bytes *in, size_t size_max, struct net_frame *frame,
                   struct err *err);

/* Bytes on their way to becoming frames; all zeros at first. */
struct net_input {
    struct buf kept; /* what is not a whole frame yet */
};
/* All that is there, with what just came: borrowed of one or the other, until
 * net_input_rest() is told what is left of it. */
struct bytes net_input_add(struct net_input *input, struct bytes came);
void net_input_rest(struct net_input *input, struct bytes rest);
void net_input_deinit(struct net_input *input); /* safe twice */

/* What both sides say first. */
struct net_hello {
    uint8_t version;
    bool read_only;      /* the caller wants to write nothing */
    uint32_t calls_max;  /* of the daemon: calls under way at a time, and */
    uint32_t bytes_max;  /* bytes of their frames; of the caller: 0 */
    struct bytes engine; /* its version, for people; at most 255 bytes */
};
void net_hello_put(struct buf *out, const struct net_hello *hello);
/* `engine` is borrowed of the frame. Another version ends what is read of it:
 * only `version` is set then. Errors: INVALID. */
int net_hello_get(const struct net_frame *frame, struct net_hello *hello,
                  struct err *err);

/* The bytes that a call fills; and whether it can travel: each text and the
 * context are at most LIMIT_NET_TEXT long, the arguments LIMIT_ARGS. Errors:
 * LIMIT. */
size_t net_call_size(const struct node_request *request);
int net_call_check(const struct node_request *request, struct err *err);
void net_call_put(struct buf *out, uint64_t call,
                  const struct node_request *request);
/* Sets what travels and nothing else; texts are borrowed. Errors: INVALID. */
int net_call_get(const struct net_frame *frame, struct node_request *request,
                 struct err *err);

/* Append a whole frame. */
void net_data_put(struct buf *out, uint64_t call, struct bytes value);
void net_credit_put(struct buf *out, uint64_t call, uint32_t chunks);
void net_cancel_put(struct buf *out, uint64_t call);
void net_answer_put(struct buf *out, uint64_t call, int code,
                    const struct err *err, struct bytes value);

/* Errors: INVALID. */
int net_credit_get(const struct net_frame *frame, uint32_t *chunks,
                   struct err *err);
int net_cancel_get(const struct net_frame *frame, struct err *err);
/* `answer->code` 0: `value` holds the result, borrowed of the frame. Errors:
 * INVALID. */
int net_answer_get(const struct net_frame *frame, struct err *answer,
                   struct bytes *value, struct err *err);
#endif
