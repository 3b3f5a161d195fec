/* One item in hand, step by step.
 *
 * (1) Callbacks of the chain and of services note what came back and touch the
 *     hosted; what follows is done in work_step(), from hosted_settle().
 * (2) Nothing here has to survive: the log says what was asked and answered.
 *     Attempts are counted in memory, and begin anew in a new process. */
#include "node/work.h"

#include <assert.h>
#include <string.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "state/roots.h"

enum { US_PER_MS = 1000 };

struct work *work_new(struct hosted *h, const char *worker, struct bytes item)
{
    struct work *w = mem_zero(1, sizeof(*w));
    w->hosted = h;
    w->worker = mem_text(worker);
    w->item.len = item.len;
    assert(item.len <= sizeof(w->item.bytes));
    memcpy(w->item.bytes, item.data, item.len);
    ring_init(&w->ring);
    ring_add(&h->works, &w->ring);
    h->users++;
    return w;
}

void work_free(struct work *w)
{
    assert(!w->under_way);
    if (work_is_active(w))
        w->hosted->users--;
    ring_remove(&w->ring);
    buf_deinit(&w->args);
    buf_deinit(&w->call.result);
    buf_deinit(&w->call.receipt);
    buf_deinit(&w->asking.service);
    buf_deinit(&w->asking.request);
    buf_deinit(&w->answer);
    mem_free(w->worker);
    mem_free(w);
}

bool work_is_active(const struct work *w)
{
    return w->step != ITEM_WAIT;
}

/* ---- calls ---- */

static void call_done(struct chain_call *call)
{
    struct work *w = call->owner;
    if (call->wrote)
        hosted_committed(w->hosted);
    w->under_way = false;
    w->came_back = true;
    hosted_touch(w->hosted);
}

static const struct key_pair *order_pair(struct node *node,
                                         const struct chain *chain)
{
    struct term term;
    term_get(chain_version(chain), &term);
    return node->deps.order_pair(node->deps.ctx, term.id);
}

/* False: this node does not order the chain any more. */
static bool call(struct work *w, const char *method, struct mapping *m)
{
    struct hosted *h = w->hosted;
    const struct key_pair *pair = order_pair(h->node, h->chain);
    buf_clear(&w->args);
    mapping_text(m, "worker", w->worker);
    mp_put_bin(mapping_key(m, "item"), work_item_bytes(&w->item));
    mapping_put(m, &w->args);
    if (pair == NULL)
        return false;
    buf_deinit(&w->call.result);
    buf_deinit(&w->call.receipt);
    w->call = (struct chain_call){
        .method = bytes_of_text(method),
        .args = buf_bytes(&w->args),
        .author = pair,
        .asking = w->step == ITEM_RUN ? &w->asking : NULL,
        .done = call_done,
        .owner = w,
    };
    if (work_item_class(work_item_bytes(&w->item)) == WORK_DUE)
        w->call.not_before = work_item_time(work_item_bytes(&w->item));
    h->node->env.random(h->node->env.ctx, w->call.call_id, CALL_ID_SIZE);
    w->under_way = true;
    chain_call(h->chain, &w->call);
    return true;
}

static bool call_run(struct work *w)
{
    struct mapping m = {0};
    buf_deinit(&w->asking.service);
    buf_deinit(&w->asking.request);
    w->asking = (struct work_asking){0};
    return call(w, "ate.work", &m);
}

static bool call_ask_journaled(struct work *w)
{
    struct mapping m = {0};
    mapping_uint(&m, "n", w->asking.n);
    mapping_str(&m, "service", buf_bytes(&w->asking.service));
    mp_put_bin(mapping_key(&m, "request"), buf_bytes(&w->asking.request));
    return call(w, "ate.ask", &m);
}

static bool call_answer(struct work *w)
{
    struct mapping m = {0};
    mapping_uint(&m, "n", w->asking.n);
    mp_put_bin(mapping_key(&m, "answer"), buf_bytes(&w->answer));
    return call(w, "ate.answer", &m);
}

/* What a text field takes, at most so many bytes of it. */
static void put_plain(struct buf *out, const char *text, size_t max)
{
    size_t len = strlen(text);
    size_t cut = len < max ? len : max;
    while (cut > 0 && cut < len && ((uint8_t)text[cut] & 0xc0) == 0x80)
        cut--;
    if (!utf8_valid(bytes_of(text, cut))) {
        buf_put_text(out, "?");
        return;
    }
    for (size_t i = 0; i < cut; i++) {
        uint8_t c = (uint8_t)text[i];
        buf_put_u8(out, c < 0x20 || c == 0x7f ? ' ' : c);
    }
}

static bool call_park(struct work *w)
{
    struct mapping m = {0};
    struct buf why = {0};
    put_plain(&why, w->why.text, WORK_WHY_MAX);
    mapping_str(&m, "why", buf_bytes(&why));
    buf_deinit(&why);
    return call(w, "ate.park", &m);
}

/* ---- services ---- */

static int take_answer(struct work *w, struct bytes answer)
{
    buf_clear(&w->answer);
    int rc = mp_canonical(&w->answer, answer, &w->why);
    if (rc == 0 && w->answer.len > LIMIT_BODY_PIECE)
        rc = err_set(&w->why, ATE_ELIMIT,
                     "an answer has at most %d bytes, this one %zu",
                     LIMIT_BODY_PIECE, w->answer.len);
    return rc != 0
               ? err_wrap(&w->why, "service %s", buf_text(&w->asking.service))
               : 0;
}

static void replied(struct service_request *request,
                    const struct service_reply *reply)
{
    struct work *w = request->owner;
    w->under_way = false;
    w->came_back = true;
    w->reply_code = reply->code;
    w->retry_ms = reply->retry_ms;
    if (reply->code != 0)
        w->why = *reply->err;
    else
        w->reply_code = take_answer(w, reply->answer);
    hosted_touch(w->hosted);
}

static void send(struct work *w)
{
    const struct services *services = w->hosted->node->env.services;
    if (services == NULL) {
        w->came_back = true;
        w->reply_code = err_set(&w->why, ATE_EINVALID,
                                "there is no service '%s' on this node",
                                buf_text(&w->asking.service));
        return;
    }
    w->sent = (struct service_request){
        .service = buf_bytes(&w->asking.service),
        .chain = bytes_of_text(w->hosted->name),
        .worker = bytes_of_text(w->worker),
        .again = !w->is_unsent,
        .request = buf_bytes(&w->asking.request),
        .done = replied,
        .owner = w,
    };
    memcpy(w->sent.key, w->asking.key, sizeof(w->sent.key));
    w->is_unsent = false;
    w->under_way = true;
    services->send(services->ctx, &w->sent);
}

/* ---- what fails ---- */

/* Doubled each time, and a little by chance, so that those that failed together
 * do not come back together. */
static int64_t backoff_ms(const struct work *w)
{
    struct node *node = w->hosted->node;
    int64_t ms = WORK_RETRY_MS;
    uint32_t chance = 0;
    for (uint32_t i = 1; i < w->attempts && ms < WORK_RETRY_MS_MAX; i++)
        ms *= 2;
    if (ms > WORK_RETRY_MS_MAX)
        ms = WORK_RETRY_MS_MAX;
    node->env.random(node->env.ctx, &chance, sizeof(chance));
    ms = ms / 2 + chance % (uint32_t)(ms / 2 + 1);
    if (w->retry_ms > ms)
        ms = w->retry_ms < WORK_RETRY_MS_MAX ? w->retry_ms : WORK_RETRY_MS_MAX;
    return ms;
}

static void wait(struct work *w)
{
    assert(work_is_active(w));
    w->due_us = w->hosted->node->steady_us + backoff_ms(w) * US_PER_MS;
    w->step = ITEM_WAIT;
    w->retry_ms = 0;
    w->hosted->users--;
    working_told(w, WORK_FAILED);
}

/* Waiting does not mend a schema, a grant or a configuration. */
static bool is_hopeless(int code)
{
    return code == ATE_ESCRIPT || code == ATE_EINVALID || code == ATE_ELIMIT ||
           code == ATE_EDENIED;
}

/* It says something of this node, and nothing of the item. */
static bool is_node_trouble(int code)
{
    return code == ATE_EUNAVAILABLE || code == ATE_EIO || code == ATE_EFULL ||
           code == ATE_ECANCELED || code == ATE_ESTALE || code == ATE_ECORRUPT;
}

static void fail(struct work *w, bool may_park, bool at_once)
{
    w->attempts++;
    if (may_park && (at_once || w->attempts >= WORK_ATTEMPTS_MAX)) {
        w->step = ITEM_PARK;
        return;
    }
    wait(w);
}

static bool is_gone(const struct work *w)
{
    struct bytes value;
    return !work_get(chain_version(w->hosted->chain), w->worker,
                     work_item_bytes(&w->item), &value);
}

static void end(struct work *w, enum work_end how)
{
    working_told(w, how);
    work_free(w);
}

/* ---- steps: true, there is another now ---- */

static bool after_run(struct work *w, int code)
{
    if (code == 0) {
        end(w, WORK_IS_DONE);
        return false;
    }
    if (code == ATE_ENEED) {
        w->step = w->asking.is_journaled ? ITEM_SEND : ITEM_ASK;
        return true;
    }
    w->why = w->call.err;
    if (is_gone(w)) {
        end(w, WORK_IS_GONE);
        return false;
    }
    fail(w, !is_node_trouble(code), is_hopeless(code));
    return w->step == ITEM_PARK;
}

/* After an ask the next run gives its key, after an answer it goes on behind
 * it; in a conflict somebody else journaled, and it sees what. */
static bool after_journal(struct work *w, int code)
{
    if (code == 0 || code == ATE_ECONFLICT) {
        w->is_unsent = code == 0 && w->step == ITEM_ASK;
        w->step = ITEM_RUN;
        return true;
    }
    w->why = w->call.err;
    if (is_gone(w))
        end(w, WORK_IS_GONE);
    else
        fail(w, false, false);
    return false;
}

static bool after_send(struct work *w)
{
    int code = w->reply_code;
    if (code == 0) {
        w->step = ITEM_ANSWER;
        w->attempts = 0;
        return true;
    }
    bool again =
        code == ATE_EUNAVAILABLE || code == ATE_EIO || code == ATE_ECANCELED;
    fail(w, true, !again);
    return w->step == ITEM_PARK;
}

static bool after_park(struct work *w, int code)
{
    if (code == 0) {
        end(w, WORK_WAS_PARKED);
        return false;
    }
    if (is_gone(w)) {
        end(w, WORK_IS_GONE);
        return false;
    }
    w->why = w->call.err;
    fail(w, false, false);
    return false;
}

static bool take_result(struct work *w)
{
    int code = w->call.code;
    w->came_back = false;
    switch (w->step) {
    case ITEM_RUN:
        return after_run(w, code);
    case ITEM_ASK:
    case ITEM_ANSWER:
        return after_journal(w, code);
    case ITEM_SEND:
        return after_send(w);
    case ITEM_PARK:
        return after_park(w, code);
    case ITEM_WAIT:
    default:
        assert(!"what waits does not come back");
        return false;
    }
}

static void begin(struct work *w)
{
    bool orders = true;
    if (w->step == ITEM_SEND) {
        send(w);
        return;
    }
    if (w->step == ITEM_RUN)
        orders = call_run(w);
    else if (w->step == ITEM_ASK)
        orders = call_ask_journaled(w);
    else if (w->step == ITEM_ANSWER)
        orders = call_answer(w);
    else
        orders = call_park(w);
    if (orders)
        return;
    err_set(&w->why, ATE_EUNAVAILABLE,
            "this node does not order the chain any more");
    w->attempts++;
    wait(w);
}

void work_step(struct work *w)
{
    if (w->under_way)
        return;
    if (w->came_back && !take_result(w))
        return;
    if (!work_is_active(w))
        return;
    w->pass = w->hosted->pass;
    begin(w);
    if (w->came_back) /* of itself, as there is no service */
        hosted_touch(w->hosted);
}

void work_try_now(struct work *w)
{
    assert(!work_is_active(w));
    w->step = ITEM_RUN;
    w->hosted->users++;
}

void work_cancel(struct work *w)
{
    const struct services *services = w->hosted->node->env.services;
    if (w->step != ITEM_SEND || !w->under_way)
        return;
    services->cancel(services->ctx, &w->sent);
    w->under_way = false;
    w->came_back = true;
    w->reply_code =
        err_set(&w->why, ATE_ECANCELED, "the chain is being closed");
}
