/* message: what a web socket's asker says, taken apart. It knows no socket.
 *
 *     {"id": 1, "chain": "bank", "call": "transfer", "args": {...},
 *      "context": {...}, "as": "bob", "act_for": "...", "key": "...",
 *      "credit": 16}
 *     {"id": 2, "chain": "bank", "read": "tail", "args": {"follow": true}}
 *     {"id": 2, "credit": 16}
 *     {"id": 2, "cancel": true}
 *
 * `id` is a whole number from 0 to 2^53, the asker's own. */
#ifndef FRONTENDS_REST_MESSAGE_H
#define FRONTENDS_REST_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "rest/call_id.h"

struct problem;

enum message_kind {
    MESSAGE_CALL,
    MESSAGE_READ,
    MESSAGE_CREDIT,
    MESSAGE_CANCEL
};

struct message {
    enum message_kind kind;
    bool has_id; /* also after a failure, so that the asker is told */
    int64_t id;
    json_t *json; /* what follows points into it */
    const char *chain;
    const char *method;
    const char *as;
    const char *act_for;
    struct buffer args;
    struct buffer context; /* empty: none */
    bool has_key;
    uint8_t call_id[CALL_ID];
    uint32_t credit; /* 0: not said */
};

/* After a failure `m` has `has_id` and `id`, and is to be freed, too. */
int message_take(struct message *m, const char *text, size_t len,
                 struct problem *problem);
void message_free(struct message *m);
#endif
