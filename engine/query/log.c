/* tail: transactions as the log has them, and those that come, when it follows.
 */
#include <assert.h>
#include <string.h>

#include "base/msgpack.h"
#include "event/batch.h"
#include "query/inside.h"
#include "schema/time_text.h"

enum { TAIL_PIECE = 64 }; /* transactions read at a time */

/* Whoever goes on behind the end had more than there is, of another log, and
 * would miss what comes before. */
static int check_from(const struct query *q, struct err *err)
{
    uint64_t size = chain_size(q->chain);
    if (q->index <= size)
        return 0;
    err_set(err, ATE_ENOT_FOUND,
            "there is no transaction %llu: the log has %llu; if it had more it "
            "is another one, or was put back from a copy: begin anew, from 0",
            (unsigned long long)q->index, (unsigned long long)size);
    return err_at(err, "from");
}

static int tail_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"follow", "from", "limit", NULL};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = query_take_uint(q, "from", &q->index, err);
    if (rc == 0)
        rc = query_take_flag(q, "follow", &q->follow, err);
    return rc != 0 ? rc : check_from(q, err);
}

static const char *change_of(const struct event_type *type,
                             const struct event_header *h)
{
    if (type == NULL || !type->is_object)
        return "fact";
    if (h->previous == NULL)
        return "new";
    return (h->flags & EVENT_DELETES) != 0 ? "delete" : "edit";
}

static void put_event(struct query *q, uint64_t index, uint64_t n,
                      const struct event_header *h, struct buf *out)
{
    const struct schema *s = chain_core(q->chain)->schema;
    const struct event_type *type = schema_type(s, h->type);
    struct mapping m = {0};
    struct buf text = {0};
    buf_printf(&text, "%llu.%llu", (unsigned long long)index,
               (unsigned long long)n);
    mapping_str(&m, "at", buf_bytes(&text));
    if (type != NULL) {
        mapping_text(&m, "type", schema_short(s, type->name));
        buf_clear(&text);
        door_put_ref(&q->door, h->object, &text);
        mapping_str(&m, "id", buf_bytes(&text));
    } else {
        mapping_str(&m, "type", h->type);
    }
    mapping_text(&m, "change", change_of(type, h));
    query_put_under(q, h, &m);
    if (type != NULL)
        door_give(&q->door, &type->header, h->fields,
                  mapping_key(&m, "fields"));
    else
        query_put_own_fields(q, h, mapping_key(&m, "fields"));
    mapping_put(&m, out);
    buf_deinit(&text);
}

static void put_events(struct query *q, uint64_t index,
                       const struct batch_member *member, struct buf *out)
{
    struct batch_events events = batch_events(member);
    struct bytes raw;
    mp_put_array(out, member->event_count);
    for (uint64_t n = 0; batch_events_next(&events, &raw); n++) {
        struct event_header h;
        if (event_header_get(raw, &h, NULL) == 0)
            put_event(q, index, n, &h, out);
        else
            mp_put_nil(out); /* verified when it was read in: cannot be */
    }
}

static void put_common(struct query *q, struct mapping *m, uint64_t index,
                       const uint8_t *id, const uint8_t *author)
{
    struct buf text = {0};
    mapping_uint(m, "index", index);
    mapping_hex(m, "tx", bytes_of(id, TX_ID_SIZE));
    door_put_identity(&q->door, author, &text);
    mapping_str(m, "author", buf_bytes(&text));
    buf_clear(&text);
    time_put(&text, chain_time_at(q->chain, index));
    mapping_str(m, "time", buf_bytes(&text));
    buf_deinit(&text);
}

static void put_genesis(struct query *q, struct mapping *m)
{
    const struct core *core = chain_core(q->chain);
    uint8_t root[KEY_ID_SIZE];
    key_id(&core->genesis.roots[0], root);
    put_common(q, m, 0, core->id, root);
    mapping_text(m, "method", "genesis");
    mp_put_array(mapping_key(m, "events"), 0);
}

void query_put_member(struct query *q, struct mapping *m, uint64_t index,
                      const struct batch_member *member)
{
    const struct core *core = chain_core(q->chain);
    uint8_t id[TX_ID_SIZE];
    batch_member_id(member, core->genesis.suite, core->id, id);
    put_common(q, m, index, id, member->tx.author);
    mapping_str(m, "method", member->tx.call.method);
    mapping_hex(m, "call", bytes_of(member->tx.call.id, CALL_ID_SIZE));
    put_events(q, index, member, mapping_key(m, "events"));
}

static int visit(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct query *q = ctx;
    struct mapping m = {0};
    (void)err;
    if (q->credit == 0 || q->limit == 0 || tx->index < q->index)
        return 0;
    chain_door(q->chain, &q->door);
    if (tx->member == NULL)
        put_genesis(q, &m);
    else
        query_put_member(q, &m, tx->index, tx->member);
    mapping_put(&m, &q->row);
    q->index = tx->index + 1;
    query_emit(q);
    return 0;
}

static void piece_read(void *ctx, int code, const struct err *err)
{
    query_resume(ctx, code, err);
}

static int tail_step(struct query *q, struct err *err)
{
    (void)err;
    if (q->limit == 0)
        return STEP_END;
    if (q->index >= chain_size(q->chain))
        return q->follow ? STEP_IDLE : STEP_END;
    uint64_t count = q->credit < TAIL_PIECE ? q->credit : TAIL_PIECE;
    q->waiting = true;
    chain_read_transactions(q->chain, q->index, count, visit, piece_read, q);
    return STEP_WAIT;
}

const struct query_kind query_tail = {
    .name = "tail",
    .begin = tail_begin,
    .step = tail_step,
    .of_damaged = true,
};
