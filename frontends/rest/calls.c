#include "rest/calls.h"

#include <stdlib.h>

#include "ate.h"
#include "base/buffer.h"

/* Answers taken in one go before sockets get their turn. */
enum { ANSWERS_AT_ONCE = 256 };

struct call {
    uint64_t number;
    bool is_call;
    call_fn *fn; /* NULL: dropped */
    void *owner;
    struct call *next;
};

static struct call **find(struct calls *c, uint64_t number)
{
    struct call **at = &c->buckets[number % CALL_BUCKETS];
    while (*at != NULL && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void deliver(struct calls *c, const struct ate_answer *answer)
{
    struct call **at = find(c, answer->call);
    struct call *call = *at;
    if (call == NULL)
        return;
    bool is_final = answer->kind == ATE_ANSWER_FINAL;
    if (is_final) {
        *at = call->next;
        c->under_way--;
    }
    if (call->fn != NULL)
        call->fn(call->owner, answer);
    if (is_final)
        free(call);
}

static void no_sleep(uv_idle_t *idle)
{
    (void)idle;
}

/* Before each sleep, as a port that gathers wants it; where answers are left,
 * there is none. */
static void take_answers(uv_prepare_t *prepare)
{
    struct calls *c = prepare->data;
    struct ate_answer answer;
    int count = 0;
    while (count < ANSWERS_AT_ONCE && ate_port_next(c->port, &answer, 0) == 1) {
        deliver(c, &answer);
        ate_free(&answer.value);
        count++;
    }
    if (count == ANSWERS_AT_ONCE)
        uv_idle_start(&c->awake, no_sleep);
    else
        uv_idle_stop(&c->awake);
}

/* The loop is awake; see take_answers(). */
static void readable(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

bool calls_open(struct calls *c, struct ate *ate, uv_loop_t *loop)
{
    *c = (struct calls){.ate = ate, .port = ate_port_new()};
    if (c->port == NULL)
        return false;
    ate_port_gather(c->port);
    c->poll.data = c;
    c->before_sleep.data = c;
    return uv_prepare_init(loop, &c->before_sleep) == 0 &&
           uv_prepare_start(&c->before_sleep, take_answers) == 0 &&
           uv_idle_init(loop, &c->awake) == 0 &&
           uv_poll_init(loop, &c->poll, ate_port_fd(c->port)) == 0 &&
           uv_poll_start(&c->poll, UV_READABLE, readable) == 0;
}

static void closed(uv_handle_t *poll)
{
    struct calls *c = poll->data;
    for (size_t i = 0; i < CALL_BUCKETS; i++) {
        while (c->buckets[i] != NULL) {
            struct call *call = c->buckets[i];
            c->buckets[i] = call->next;
            free(call);
        }
    }
}

void calls_close(struct calls *c)
{
    if (c->port == NULL)
        return;
    for (size_t i = 0; i < CALL_BUCKETS; i++)
        for (struct call *call = c->buckets[i]; call != NULL; call = call->next)
            calls_drop(c, call);
    uv_close((uv_handle_t *)&c->before_sleep, NULL);
    uv_close((uv_handle_t *)&c->awake, NULL);
    uv_close((uv_handle_t *)&c->poll, closed);
}

struct call *calls_start(struct calls *c, bool is_call,
                         const struct ate_request *request, call_fn *fn,
                         void *owner)
{
    struct call *call = memory_new(sizeof(*call));
    *call = (struct call){.is_call = is_call, .fn = fn, .owner = owner};
    call->number = is_call ? ate_call(c->ate, c->port, request)
                           : ate_read(c->ate, c->port, request);
    struct call **bucket = &c->buckets[call->number % CALL_BUCKETS];
    call->next = *bucket;
    *bucket = call;
    c->under_way++;
    return call;
}

void calls_drop(struct calls *c, struct call *call)
{
    if (call->fn != NULL && !call->is_call)
        ate_cancel(c->ate, call->number);
    call->fn = NULL;
}

void calls_grant(struct calls *c, const struct call *call, uint32_t chunks)
{
    ate_grant(c->ate, call->number, chunks);
}
