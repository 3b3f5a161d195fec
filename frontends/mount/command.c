/* Files whose lines are calls.
 *
 * A write is taken unit by unit (words.h); each is a call, one after another,
 * and the write ends when the last of them has. The first that fails ends it:
 * when others went before in the same write, it tells how many bytes those
 * took, as write(2) may, and the failure is told when the rest is written
 * again. What is no whole unit yet stays with the descriptor. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"

/* ---- replies ---- */

static void keep_reply(struct door *d, struct op *op, struct inode *node)
{
    if (op->handle != NULL && is_command(node))
        buffer_put(&op->handle->reply, op->reply.data, op->reply.len);
    reply_set(d, node, &op->reply);
}

void op_problem(struct door *d, struct op *op, struct inode *node,
                const struct method *method, int code, const char *why)
{
    struct ate_error error = {.code = code};
    if (method == NULL)
        return; /* its type turns that off: nobody called anything */
    size_t len = strlen(why);
    len = len < sizeof(error.text) ? len : sizeof(error.text) - 1;
    memcpy(error.text, why, len);
    buffer_clear(&op->reply);
    render_problem(&op->reply, node, method, &error);
    keep_reply(d, op, node);
}

/* ---- one call ---- */

int op_call(struct door *d, struct op *op, struct inode *node,
            const struct method *method, const struct buffer *args)
{
    int64_t left_ms = op->deadline_ms - d->now_ms;
    assert(!op->is_calling);
    if (op->caller != node) {
        inode_ref(node);
        inode_unref(d, op->caller);
        op->caller = node;
    }
    op->method = method;
    op->is_calling = true;
    op->has_answer = false;
    op->code = 0;
    op->call = call_start(d, true, node->chain, method->name, args,
                          left_ms > 1 ? (uint32_t)left_ms : 1, op->proposes);
    return DOOR_WAIT;
}

int call_end(struct op *op)
{
    if (!op->has_answer)
        return DOOR_WAIT;
    op->is_calling = false;
    op->has_answer = false;
    return -op->code;
}

/* Rows of a method that streams them are its result. */
static void take_rows(struct op *op, const struct ate_answer *answer)
{
    struct pack row = pack_open(answer->value.data, answer->value.len);
    if (op->reply.len < DOOR_CALL_MAX)
        render_jsonl_row(&op->reply, &row);
}

void command_answer(struct door *d, struct op *op,
                    const struct ate_answer *answer)
{
    if (answer->kind == ATE_ANSWER_DATA) {
        take_rows(op, answer);
        d->world.grant(d->world.ctx, answer->call, 1);
        return;
    }
    struct pack value = pack_open(answer->value.data, answer->value.len);
    op->call = 0;
    op->has_answer = true;
    op->code = answer->error.code != 0 ? errno_of(answer->error.code) : 0;
    if (answer->error.code == ATE_CANCELED && op->is_interrupted)
        op->code = EINTR;
    if (answer->error.code == ATE_CORRUPT)
        chain_damaged(d, op->caller->chain, answer->error.text);
    if (op->code != 0) {
        buffer_clear(&op->reply);
        render_problem(&op->reply, op->caller, op->method, &answer->error);
    } else {
        int64_t index = pack_find_integer(&value, "index", -1);
        if (op->method->writes && index >= 0)
            op->index = (uint64_t)index + 1;
        if (op->method->writes || op->reply.len == 0)
            render_reply(&op->reply, op->caller, op->method, &value);
    }
    if (op->code != 0 || !op->proposes)
        keep_reply(d, op, op->caller);
    buffer_clear(&op->reply);
    op_run(d, op);
}

/* ---- the arguments in a path ---- */

static struct given *take_given(const struct inode *node,
                                const struct source *source)
{
    struct given *given =
        memory_new((source->binding_count + 1) * sizeof(*given));
    for (size_t i = 0; i < source->binding_count; i++)
        given[i] = (struct given){source->bindings[i].name,
                                  binding_text(node, &source->bindings[i])};
    return given;
}

static void free_given(struct given *given, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)given[i].value);
    free(given);
}

static int call_unit(struct door *d, struct op *op, struct inode *node,
                     enum unit_kind kind, const char *data, size_t len)
{
    const struct source *source = inode_writer(node);
    const struct method *method = &node->shape->methods[source->index];
    struct given *given = take_given(node, source);
    struct buffer args = {0};
    struct buffer why = {0};
    int rc = unit_args(&args, kind, data, len,
                       &(struct unit_terms){&method->args, given,
                                            source->binding_count, &why});
    if (rc == 0) {
        rc = op_call(d, op, node, method, &args);
    } else {
        op_problem(d, op, node, method, ATE_INVALID, buffer_string(&why));
        rc = -EINVAL;
    }
    free_given(given, source->binding_count);
    buffer_free(&args);
    buffer_free(&why);
    return rc;
}

/* ---- many calls ---- */

int command_run(struct door *d, struct op *op, struct inode *node,
                const struct buffer *text)
{
    for (;;) {
        if (op->is_calling) {
            int rc = call_end(op);
            if (rc != 0)
                return rc;
            op->taken += op->unit;
        }
        size_t size;
        const char *at = buffer_string(text) + op->taken;
        size_t left = text->len - op->taken;
        enum unit_kind kind = unit_next(at, left, &size);
        if (kind == UNIT_NONE)
            return 0;
        if (kind == UNIT_BLANK) {
            op->taken += size;
            continue;
        }
        bool late = d->now_ms - op->start_ms >= DOOR_STEP_MS;
        if (op->index > 0 && (late || op->is_interrupted)) {
            op->is_partial = true;
            return 0;
        }
        op->unit = size;
        int rc = call_unit(d, op, node, kind, at, size);
        if (rc != 0)
            return rc;
    }
}

/* ---- a write ---- */

/* The kernel cuts a large write into several, and when one fails tells how long
 * those before it were. Whoever writes the rest again writes the end of the
 * call that failed: it is no call by itself, whatever it looks like, and gets
 * the error. */
static void keep_end(struct handle *h, const void *data, size_t len, int code)
{
    buffer_clear(&h->refused);
    buffer_put(&h->refused, data, len);
    h->refused_code = code;
}

static bool is_end_again(struct handle *h, const struct ask *ask)
{
    size_t len = h->refused.len < ask->size ? h->refused.len : ask->size;
    if (len > 0 && memcmp(h->refused.data, ask->data, len) == 0)
        return true;
    buffer_free(&h->refused);
    return false;
}

static int begin_write(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    if (h->is_busy)
        return -EBUSY;
    if (is_end_again(h, &op->ask))
        return h->refused_code;
    if (h->pending.len + op->ask.size > DOOR_CALL_MAX) {
        buffer_clear(&h->pending);
        keep_end(h, op->ask.data, op->ask.size, -E2BIG);
        op_problem(d, op, h->node,
                   &h->node->shape->methods[inode_writer(h->node)->index],
                   ATE_LIMIT, "one call has at most 16 MiB");
        return -E2BIG;
    }
    h->is_busy = true;
    if (!h->has_written)
        buffer_clear(&h->reply);
    h->has_written = true;
    op->carried = h->pending.len;
    buffer_put(&h->pending, op->ask.data, op->ask.size);
    op->stage = STAGE_CALL;
    return 0;
}

/* All of it, or what whole calls took: then the rest is not kept, for it is
 * written again. */
static size_t end_write(struct op *op, int rc)
{
    struct handle *h = op->handle;
    size_t taken = op->taken > op->carried ? op->taken - op->carried : 0;
    h->is_busy = false;
    if (rc == 0 && !op->is_partial) {
        buffer_drop(&h->pending, op->taken);
        return op->ask.size;
    }
    if (op->taken < op->carried)
        keep_end(h, h->pending.data + op->carried, op->ask.size, rc);
    buffer_clear(&h->pending);
    return taken;
}

int command_write(struct door *d, struct op *op)
{
    if (op->stage == STAGE_BEGIN) {
        int rc = begin_write(d, op);
        if (rc != 0)
            return rc;
    }
    if (op->stage == STAGE_CALL) {
        int rc = command_run(d, op, op->handle->node, &op->handle->pending);
        if (rc == DOOR_WAIT)
            return rc;
        op->taken = end_write(op, rc);
        op->code = op->taken > 0 || rc == 0 ? 0 : rc;
        op->stage = STAGE_SETTLE;
    }
    if (command_settle(d, op) == DOOR_WAIT)
        return DOOR_WAIT;
    if (op->code != 0)
        return op->code;
    struct told told = {.len = op->taken};
    return op_tell(d, op, &told);
}

/* A rest that is no whole call: told at every close, kept for the next write,
 * which another descriptor may still make. */
int command_flush(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    const struct source *source = inode_writer(h->node);
    const char *blanks = " \t\r\n";
    bool rest = h->pending.len > 0 &&
                strspn(h->pending.data, blanks) < h->pending.len &&
                h->pending.data[strspn(h->pending.data, blanks)] != '#';
    if (!rest || h->is_busy)
        return op_done(d, op);
    op_problem(d, op, h->node, &h->node->shape->methods[source->index],
               ATE_INVALID,
               "what was written last is no whole call: a line ends with a "
               "newline, a JSON object with its brace");
    return -EINVAL;
}

/* What the calls of this descriptor said, once. */
int command_read(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    size_t left = h->reply.len - h->reply_read;
    struct told told = {
        .data = buffer_string(&h->reply) + h->reply_read,
        .len = left < op->ask.size ? left : op->ask.size,
    };
    h->reply_read += told.len;
    op_tell(d, op, &told);
    if (h->reply_read == h->reply.len) {
        buffer_clear(&h->reply);
        h->reply_read = 0;
    }
    return 0;
}

/* ---- its news ---- */

static bool is_late(const struct door *d, const struct op *op)
{
    return d->now_ms >= op->settle_ms || op->is_interrupted;
}

int command_hears(struct door *d, struct op *op)
{
    const struct chain *chain = op->caller != NULL ? op->caller->chain : NULL;
    if (op->index == 0 || chain == NULL)
        return 0;
    if (op->settle_ms == 0)
        op->settle_ms = d->now_ms + DOOR_SETTLE_MS;
    if (chain->seen < op->index && !is_late(d, op) && chain->follow != NULL) {
        op->waits_for_more = true;
        return DOOR_WAIT;
    }
    return 0;
}

static uint64_t flush_for(struct door *d, const struct op *op)
{
    bool holds = op_holds(op);
    return d->world.flush(d->world.ctx, holds ? op->ask.ino : 0,
                          holds ? op->ask.to : 0);
}

int command_settle(struct door *d, struct op *op)
{
    if (op->index == 0 || op->caller == NULL)
        return 0;
    if (command_hears(d, op) == DOOR_WAIT)
        return DOOR_WAIT;
    if (op->flush == 0 && !is_late(d, op))
        op->flush = flush_for(d, op);
    if (op->flush != 0 && !is_late(d, op)) {
        op->waits_for_more = true;
        return DOOR_WAIT;
    }
    op->index = 0;
    op->flush = 0;
    op->settle_ms = 0;
    return 0;
}
