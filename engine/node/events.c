#include "node/events.h"

#include "base/err.h"
#include "base/mapping.h"
#include "node/work.h"

static void tell(const struct hosted *h, const char *event, struct mapping *m)
{
    const struct node_env *env = &h->node->env;
    struct buf out = {0};
    mapping_text(m, "chain", h->name);
    mapping_text(m, "event", event);
    mapping_put(m, &out);
    if (env->happened != NULL)
        env->happened(env->ctx, buf_bytes(&out));
    buf_deinit(&out);
}

static void put_id(const struct hosted *h, struct mapping *m)
{
    if (!h->node->env.folder)
        mapping_hex(m, "id", bytes_of(h->id, CHAIN_ID_SIZE));
}

static void put_why(struct mapping *m, const struct err *why)
{
    mapping_text(m, "code", err_name(why->code));
    mapping_text(m, "text", why->text);
}

void events_damaged(const struct hosted *h, const struct err *why)
{
    struct mapping m = {0};
    put_id(h, &m);
    put_why(&m, why);
    tell(h, "damaged", &m);
}

/* An older mistake of its clock: the log's time stands still until it comes. */
static void tell_ahead(const struct hosted *h)
{
    struct mapping m = {0};
    int64_t ahead_ms = chain_time_ahead(h->chain);
    if (ahead_ms == 0)
        return;
    put_id(h, &m);
    mapping_uint(&m, "ahead_ms", (uint64_t)ahead_ms);
    tell(h, "time_ahead", &m);
}

void events_opened(const struct hosted *h)
{
    struct mapping m = {0};
    const struct err *why;
    put_id(h, &m);
    mapping_uint(&m, "size", chain_size(h->chain));
    tell(h, "opened", &m);
    tell_ahead(h);
    if (chain_state(h->chain, &why) != 0)
        events_damaged(h, why);
}

void events_worked(const struct work *w, const char *what)
{
    struct mapping m = {0};
    struct buf item = {0};
    const struct schema *s = chain_core(w->hosted->chain)->schema;
    work_item_text(work_item_bytes(&w->item), &item);
    mapping_str(&m, "item", buf_bytes(&item));
    mapping_text(&m, "worker", schema_short(s, w->worker));
    put_why(&m, &w->why);
    tell(w->hosted, what, &m);
    buf_deinit(&item);
}
