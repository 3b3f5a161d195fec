/* A transaction that comes as bytes, read back from a log or handed in by
 * somebody, takes its place: everything that depends on position is judged
 * here. Its batch's signature is checked elsewhere (checks.c, submit.c). */
#include "chain/member.h"

#include <assert.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/engine_types.h"
#include "acceptance/trust_events.h"
#include "base/msgpack.h"
#include "schema/value.h"
#include "state/reads.h"

/* ---- keys ---- */

/* A key that is looked for among those that a transaction brings along. */
struct wanted_key {
    const uint8_t *id;
    struct key_record record; /* when it was found */
    bool found;
};

/* How many of those that are wanted it is: one may sign for two purposes. */
static size_t offer(const struct key_record *record, struct wanted_key *wanted,
                    size_t count)
{
    uint8_t id[KEY_ID_SIZE];
    size_t found = 0;
    key_id(record, id);
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].found || memcmp(wanted[i].id, id, KEY_ID_SIZE) != 0)
            continue;
        wanted[i].record = *record;
        wanted[i].found = true;
        found++;
    }
    return found;
}

/* By an ate.key event at its head, or as one of new root keys. Each event is
 * read once, whatever is wanted: a stranger says how many of both there are. */
static void find_brought(const struct batch_member *m,
                         struct wanted_key *wanted, size_t count)
{
    struct batch_events events = batch_events(m);
    struct bytes raw;
    struct event_header header;
    struct roots_fields roots;
    struct key_record record;
    size_t left = count;
    while (left > 0 && batch_events_next(&events, &raw)) {
        if (event_header_get(raw, &header, NULL) != 0)
            return;
        if (bytes_equal(header.type, bytes_of_text(TYPE_ROOTS)) &&
            roots_fields_get(header.fields, &roots, NULL) == 0)
            for (size_t i = 0; i < roots.count; i++)
                left -= offer(&roots.records[i], wanted, count);
        else if (bytes_equal(header.type, bytes_of_text(TYPE_KEY)) &&
                 key_fields_get(header.fields, &record, NULL) == 0)
            left -= offer(&record, wanted, count);
    }
}

static bool knows_key(struct chain *c, const uint8_t *id,
                      struct key_record *record)
{
    struct author author;
    return state_author(state_head(&c->core.state), id, &author) &&
           key_record_decode(author.record, record, NULL) == 0;
}

int member_author(struct chain *c, struct bytes payload, const uint8_t *id,
                  struct key_record *record, struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    struct wanted_key wanted = {.id = id};
    if (knows_key(c, id, record))
        return 0;
    int rc = batch_open(&r, payload, err);
    while (rc == 0 && batch_next(&r, &m, err) == 1) {
        if (m.refused)
            continue; /* nothing is left of it */
        find_brought(&m, &wanted, 1);
        *record = wanted.record;
        if (wanted.found)
            return 0;
        break;
    }
    return err_set(err, ATE_EDENIED,
                   "the author's key is not in the log; its first transaction "
                   "begins with an " TYPE_KEY " event");
}

/* ---- members ---- */

static int check_purpose(const struct further_sig *sig, struct err *err)
{
    if (bytes_equal(sig->purpose, bytes_of_text(PURPOSE_CO_AUTHOR)) ||
        bytes_equal(sig->purpose, bytes_of_text(PURPOSE_ROOT)))
        return 0;
    return err_set(err, ATE_EINVALID,
                   "a further signature is for '%.*s', which means "
                   "nothing; there are " PURPOSE_CO_AUTHOR " and " PURPOSE_ROOT,
                   (int)sig->purpose.len, (const char *)sig->purpose.data);
}

int member_find_keys(struct chain *c, const struct batch_member *m,
                     const struct further_sig *list, size_t count,
                     struct key_record *records, struct err *err)
{
    struct wanted_key wanted[LIMIT_TX_SIGNATURES];
    size_t place[LIMIT_TX_SIGNATURES]; /* of what is wanted, in `list` */
    size_t missing = 0;
    assert(count <= LIMIT_TX_SIGNATURES);
    for (size_t i = 0; i < count; i++) {
        int rc = check_purpose(&list[i], err);
        if (rc != 0)
            return rc;
        if (knows_key(c, list[i].key_id, &records[i]))
            continue;
        place[missing] = i;
        wanted[missing++] = (struct wanted_key){.id = list[i].key_id};
    }
    find_brought(m, wanted, missing);
    for (size_t i = 0; i < missing; i++) {
        if (!wanted[i].found)
            return err_set(err, ATE_EDENIED,
                           "a further signature is by a key that is not in the "
                           "log");
        records[place[i]] = wanted[i].record;
    }
    return 0;
}

int member_check_sigs(struct chain *c, const struct batch_member *m,
                      const uint8_t *tx, struct err *err)
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    struct key_record records[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&m->sigs, list);
    int rc = member_find_keys(c, m, list, count, records, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        if (!further_sig_verify(&list[i], &records[i], c->core.id, tx))
            return err_set(err, ATE_ECORRUPT,
                           "the further signature for '%.*s' is not good",
                           (int)list[i].purpose.len,
                           (const char *)list[i].purpose.data);
    c->progress.signatures += count;
    return 0;
}

bool member_is_heartbeat(const struct batch_member *m)
{
    return bytes_equal(m->tx.call.method, bytes_of_text(TYPE_HEARTBEAT));
}

const struct batch_event *member_activation(const struct batch_member *m,
                                            const struct batch_event *events)
{
    for (uint32_t i = 0; i < m->event_count; i++)
        if (bytes_equal(events[i].header.type, bytes_of_text(TYPE_ACTIVATE)))
            return &events[i];
    return NULL;
}

/* A heartbeat is nobody's call. */
static int check_beat(struct chain *c, const struct batch_member *m,
                      struct err *err)
{
    const struct call_record *call = &m->tx.call;
    if (call->bundle != NULL || call->args != NULL || call->reads != NULL ||
        call->result != NULL || call->caller != NULL || m->sigs.count > 0)
        return err_set(err, ATE_EINVALID,
                       TYPE_HEARTBEAT ": says more of its call than an id");
    return history_check(&c->history, m->tx.seen_size, m->tx.seen_root, err);
}

static int check_call(struct chain *c, const struct batch_member *m,
                      struct err *err)
{
    const struct call_record *call = &m->tx.call;
    struct call_entry entry;
    if (call->token != NULL)
        return err_set(err, ATE_EUNAVAILABLE,
                       "it was made with a token, which this version does not "
                       "know");
    if (member_is_heartbeat(m))
        return check_beat(c, m, err);
    if (call->bundle == NULL ||
        memcmp(call->bundle, c->core.bundle_hash, HASH_SIZE) != 0)
        return err_set(err, ATE_ESTALE,
                       "the call was made with another bundle than the one "
                       "in force");
    if (state_call(state_head(&c->core.state), call->id, &entry))
        return err_set(err, ATE_ECONFLICT,
                       "its call id was used by transaction %llu",
                       (unsigned long long)entry.index);
    if (m->read_set.data != NULL && reads_check_form(m->read_set, err) != 0)
        return err->code;
    return history_check(&c->history, m->tx.seen_size, m->tx.seen_root, err);
}

int member_body(struct member_bodies *b, const struct event_header *h,
                struct bytes *body, struct err *err)
{
    uint64_t length = h->body_length;
    struct body_place place = body_walk_next(&b->walk, h);
    struct bytes from = place.home == BODY_INLINE ? b->inlined : b->file;
    *body = bytes_of(NULL, 0);
    if (place.home == BODY_LARGE || from.data == NULL)
        return 0; /* it is not at hand */
    bool is_inline = place.home == BODY_INLINE;
    uint64_t size = is_inline ? length : body_file_size(length);
    if (place.offset > from.len || size > from.len - place.offset)
        return err_set(err, ATE_ECORRUPT, "a body lies outside its frame");
    *body = bytes_of(from.data + place.offset, length);
    b->is_inlined = is_inline;
    b->at = place.offset;
    if (is_inline)
        return 0;
    if (!body_padding_is(bytes_of(body->data + length, size - length)))
        return err_set(err, ATE_ECORRUPT,
                       "what stands behind the body is not its padding");
    return 0;
}

/* Where the body of a bad event is, when that is what is bad. */
static void name_body(const struct trial *t, const struct member_bodies *b,
                      uint32_t n, const struct event_header *h,
                      struct bytes body, struct err *err)
{
    const struct event_type *type = schema_type(t->core->schema, h->type);
    bool good = body_check(body, h->body_length, h->body_hash, NULL) == 0 &&
                (type == NULL ||
                 body_fits(t->core->schema, type, body, type->name, NULL) == 0);
    if (b->path == NULL || b->is_inlined || body.data == NULL || good)
        err_wrap(err, "event %u", n);
    else
        err_wrap(err, "event %u: body in %s at offset %llu", n, b->path,
                 (unsigned long long)(b->offset + b->at));
}

int member_decode(const struct core *core, const struct batch_member *m,
                  struct scratch *room, struct batch_event **events,
                  struct err *err)
{
    *events = scratch_alloc(room, m->event_count * sizeof(**events));
    return batch_member_decode(m, core->genesis.suite, core->id, *events, err);
}

int member_add(struct trial *t, const struct batch_event *event, uint32_t n,
               struct member_bodies *bodies, struct err *err)
{
    struct bytes body = {NULL, 0};
    int rc = 0;
    if (event->header.body_length > 0)
        rc = member_body(bodies, &event->header, &body, err);
    if (rc == 0)
        rc = trial_add_decoded(t, event, body, err);
    if (rc != 0)
        name_body(t, bodies, n, &event->header, body, err);
    return rc;
}

void member_begin(struct trial *t, uint64_t index, const struct batch_member *m,
                  struct member_sigs *sigs, bool replays)
{
    sigs->count = sigs_list(&m->sigs, sigs->list);
    t->index = index;
    t->time = state_head_time(&t->core->state);
    t->author = m->tx.author;
    t->caller = m->tx.call.caller != NULL ? m->tx.call.caller : m->tx.author;
    t->call_id = m->tx.call.id;
    t->first_sequence = m->tx.first_sequence;
    t->sigs = sigs->list;
    t->sig_count = sigs->count;
    t->replays = replays;
    trial_begin(t);
}

/* What an activation says of the state that it starts from, if it does. */
static int check_start(struct chain *c, const struct batch_event *event,
                       bool replays, struct err *err)
{
    struct activate_fields f;
    uint8_t root[HASH_SIZE];
    int rc = activate_fields_get(event->header.fields, &f, err);
    c->rows_unknown |= c->skips_rules;
    if (rc != 0 || f.state == NULL || c->rows_unknown)
        return rc;
    core_root(&c->core, state_head(&c->core.state), root);
    if (memcmp(f.state, root, HASH_SIZE) == 0)
        return 0;
    return err_set(err, replays ? ATE_ECORRUPT : ATE_ESTALE,
                   TYPE_ACTIVATE ": the state root under the new bundle "
                                 "differs");
}

int member_judge(struct chain *c, struct trial *t, uint64_t index,
                 const struct batch_member *m, const struct batch_event *events,
                 struct member_sigs *sigs, struct member_bodies *bodies,
                 bool replays, struct err *err)
{
    int rc = check_call(c, m, err);
    const struct batch_event *activation = member_activation(m, events);
    /* Behind another event it starts from what that leaves. */
    if (rc == 0 && activation != NULL && activation == events)
        rc = check_start(c, activation, replays, err);
    if (rc != 0)
        return rc;
    t->core = &c->core;
    member_begin(t, index, m, sigs, replays);
    for (uint32_t n = 0; rc == 0 && n < m->event_count; n++)
        rc = member_add(t, &events[n], n, bodies, err);
    if (rc == 0)
        rc = trial_finish(t, err);
    if (rc == 0 && member_is_heartbeat(m) != engine_type_alone(t))
        rc = err_set(err, ATE_EINVALID,
                     "its method and its events are not of one kind");
    if (rc != 0)
        trial_undo(t);
    return rc;
}

void member_keep(struct core *core, struct trial *t,
                 const struct batch_member *m)
{
    struct call_entry entry = {
        .index = t->index,
        .args_digest = m->tx.call.args,
        .result_digest = m->tx.call.result,
    };
    if (!member_is_heartbeat(m))
        state_put_call(&core->state, m->tx.call.id, &entry, t->time,
                       core->call_ms);
    trial_keep(t);
}
