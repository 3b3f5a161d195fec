/* chain.ls: what is known of each chain. One that is open knows itself; at
 * another the node takes a glance, one after the other, up to a number: a
 * folder may hold very many, and whoever lists them all wants their names. */
#include <string.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "node/glance.h"
#include "node/inside.h"
#include "query/args.h"

enum { GLANCES_MAX = 1000 };

struct listing {
    struct asked *asked;
    struct buf name; /* of the chain at hand; empty before the first */
    struct buf list;
    uint32_t count;
    uint32_t glances;
    struct glance glance;
};

static void end(struct listing *l, const struct err *err)
{
    struct buf out = {0};
    mp_put_array(&out, l->count);
    buf_put_bytes(&out, buf_bytes(&l->list));
    asked_end(l->asked, err->code, err,
              err->code == 0 ? buf_bytes(&out) : bytes_of(NULL, 0));
    buf_deinit(&out);
    buf_deinit(&l->list);
    buf_deinit(&l->name);
    mem_free(l);
}

static void put(struct listing *l, struct mapping *m, const uint8_t *id,
                const char *state)
{
    mapping_str(m, "name", buf_bytes(&l->name));
    mapping_hex(m, "id", bytes_of(id, CHAIN_ID_SIZE));
    mapping_text(m, "state", state);
    mapping_put(m, &l->list);
    l->count++;
}

static void put_err(struct mapping *m, const struct err *err)
{
    mapping_text(m, "error", err->text);
    mapping_text(m, "code", err_name(err->code));
    if (err->reason[0] != '\0')
        mapping_text(m, "reason", err->reason);
}

static void put_open(struct listing *l, const struct hosted *h)
{
    const struct schema *s = chain_core(h->chain)->schema;
    const struct err *why;
    struct mapping m = {0};
    bool bad = chain_state(h->chain, &why) != 0;
    mapping_text(&m, "schema", s->main);
    mapping_int(&m, "version", schema_part(s, s->main)->version);
    mapping_uint(&m, "size", chain_size(h->chain));
    if (bad)
        put_err(&m, why);
    put(l, &m, h->id, chain_state_word(h->chain));
}

/* Those without a name of their own stand at the end, with the reason. */
static void put_unnamed(struct listing *l)
{
    const struct unnamed_list *list = &l->asked->node->names.unnamed;
    for (size_t i = 0; i < list->count; i++) {
        struct mapping m = {0};
        buf_clear(&l->name);
        buf_put_text(&l->name, list->items[i].name);
        mapping_text(&m, "error", list->items[i].why.text);
        mapping_bool(&m, "unnamed", true);
        put(l, &m, list->items[i].id, "damaged");
    }
}

static void next(struct listing *l);

static void glanced(struct glance *g)
{
    struct listing *l = g->owner;
    struct mapping m = {0};
    bool bad = g->err.code != 0;
    if (g->err.code == ATE_ENOT_FOUND)
        g->err.code = ATE_ECORRUPT; /* its folder is there, a file is not */
    if (g->err.code == ATE_ECORRUPT)
        err_reason(&g->err, "chain_lost");
    if (bad) {
        put_err(&m, &g->err);
    } else {
        mapping_text(&m, "schema", g->schema);
        if (g->version >= 0)
            mapping_int(&m, "version", g->version);
        mapping_uint(&m, "size", g->size);
    }
    put(l, &m, g->chain, bad ? chain_word_of(g->err.code) : "closed");
    glance_deinit(g);
    next(l);
}

static void next(struct listing *l)
{
    struct node *node = l->asked->node;
    struct bytes name;
    uint8_t id[NAMES_ID_SIZE];
    if (asked_is_canceled(l->asked)) {
        struct err err;
        err_set(&err, ATE_ECANCELED, "chain.ls: canceled");
        err_reason(&err, "by_asker");
        end(l, &err);
        return;
    }
    while (names_next(&node->names.names, buf_bytes(&l->name), &name, id)) {
        struct hosted *h = hosted_find(node, name);
        buf_clear(&l->name);
        buf_put_bytes(&l->name, name);
        if (h != NULL && h->state == HOSTED_OPEN) {
            put_open(l, h);
        } else if (l->glances++ < GLANCES_MAX) {
            glance_start(&l->glance, node->env.disk, node->env.logic, id,
                         glanced, l);
            return;
        } else {
            struct mapping m = {0};
            put(l, &m, id, "closed");
        }
    }
    put_unnamed(l);
    end(l, &(struct err){0});
}

void listing_ask(struct asked *a)
{
    static const char *const names[] = {NULL};
    struct err err;
    if (a->node->read_only && !a->node->env.folder && !a->looked_again) {
        node_search(a); /* the writer may have made more */
        return;
    }
    if (args_check(buf_bytes(&a->args), names, &err) != 0) {
        err_wrap(&err, "chain.ls");
        asked_fail(a, &err);
        return;
    }
    struct listing *l = mem_zero(1, sizeof(*l));
    l->asked = a;
    next(l);
}
