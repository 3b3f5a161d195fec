#include "acceptance/trial.h"

#include <assert.h>
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/bundle_events.h"
#include "acceptance/door.h"
#include "acceptance/engine_types.h"
#include "acceptance/logic.h"
#include "acceptance/materializer.h"
#include "acceptance/placing.h"
#include "acceptance/trust_events.h"
#include "base/err.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "event/batch.h"
#include "event/body.h"
#include "event/tx.h"
#include "schema/value.h"
#include "state/work.h"

void trial_begin(struct trial *t)
{
    assert(!t->open);
    t->open = true;
    t->count = 0;
    t->header_bytes = 0;
    t->body_bytes = 0;
    t->rows = t->private_rows = (struct trial_rows){0};
    scratch_reset(&t->scratch);
    if (t->replays)
        state_begin_final(&t->core->state);
    else
        state_begin(&t->core->state);
    t->core->logic->begin(t->core->logic, t);
}

void trial_keep(struct trial *t)
{
    if (!t->open)
        return;
    state_keep(&t->core->state);
    t->open = false;
    if (trial_activates(t))
        memcpy(t->core->bundle_hash, t->core->loaded, HASH_SIZE);
}

void trial_undo(struct trial *t)
{
    if (!t->open)
        return;
    state_undo(&t->core->state);
    t->open = false;
}

void trial_deinit(struct trial *t)
{
    trial_undo(t);
    scratch_deinit(&t->scratch);
    mem_free(t->events);
    *t = (struct trial){0};
}

/* ---- judging ---- */

static int find_type(struct trial *t, struct trial_event *e, struct err *err)
{
    const struct schema *schema = t->core->schema;
    e->type = schema_type(schema, e->header.type);
    if (e->type != NULL)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "%.*s: the chain's schema has no such "
                   "type",
                   (int)e->header.type.len, (const char *)e->header.type.data);
}

/* ---- what an accepted event does to the state ---- */

/* Whether bodies are at hand must not show in what a transaction may do: views
 * that read them are counted apart. */
int trial_count_row(struct trial *t, const struct view *view, size_t bytes,
                    struct err *err)
{
    struct trial_rows *rows = view->reads_bodies ? &t->private_rows : &t->rows;
    rows->count++;
    rows->bytes += bytes;
    if (rows->count > LIMIT_TX_ROWS)
        return err_set(err, ATE_ELIMIT,
                       "a transaction writes at most %d rows; split the call",
                       LIMIT_TX_ROWS);
    if (rows->bytes > LIMIT_TX_ROW_BYTES)
        return err_set(err, ATE_ELIMIT,
                       "the rows that a transaction writes are at most %d "
                       "bytes; split the call",
                       LIMIT_TX_ROW_BYTES);
    return 0;
}

static int fold_view(struct trial *t, const struct view *view, size_t n,
                     struct err *err)
{
    struct logic *logic = t->core->logic;
    const char *type = t->events[n]->type->name;
    for (size_t i = 0; i < view->fold_count; i++) {
        if (strcmp(view->folds[i].type, type) != 0)
            continue;
        int rc = logic->fold(logic, t, view, view->folds[i].function, n, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* A view that reads bodies is its reader's own: where it fails, its rows stay
 * as they were, and the transaction does not care. But an alarm is about this
 * machine, at this moment: rows would depend on it. */
static int fold_private(struct trial *t, const struct view *view, size_t n,
                        struct err *err)
{
    struct tree *tree = t->core->state.tree;
    struct tree_mark mark = tree_mark(tree);
    struct err why;
    int rc = fold_view(t, view, n, &why);
    if (rc == 0) {
        tree_keep(tree, mark);
        return 0;
    }
    tree_undo(tree, mark);
    if (rc == ATE_EUNAVAILABLE) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    t->core->fold_failure = why;
    t->core->fold_failures++;
    return 0;
}

/* Private views come last: whatever they do, the others are done. */
static int fold_all(struct trial *t, const struct trial_event *e, size_t n,
                    struct err *err)
{
    const struct schema *schema = t->core->schema;
    bool body_missing = e->header.body_length > 0 && e->body.data == NULL;
    int rc = 0;
    for (size_t i = 0; i < schema->view_count && rc == 0; i++)
        if (!schema->views[i].reads_bodies)
            rc = fold_view(t, &schema->views[i], n, err);
    for (size_t i = 0; i < schema->view_count && rc == 0; i++)
        if (schema->views[i].reads_bodies && !body_missing)
            rc = fold_private(t, &schema->views[i], n, err);
    return rc;
}

static void note_large(struct state *state, struct trial_event *e)
{
    const struct event_header *header = &e->header;
    struct large large = {header->body_length, header->seal.data != NULL};
    struct large known;
    if (body_home_of(header) != BODY_LARGE ||
        state_large(state_head(state), header->body_hash, &known))
        return;
    e->has_new_large = true;
    state_put_large(state, header->body_hash, &large);
}

static int apply(struct trial *t, struct trial_event *e, size_t n,
                 struct err *err)
{
    struct state *state = &t->core->state;
    if (e->change == CHANGE_DELETE)
        state_spend_object(state, e->type, e->id, t->index, n,
                           &e->before_header);
    else
        state_put_object(state, e->type, e->id, t->index, n, e->raw, &e->header,
                         e->converted);
    note_large(state, e);
    if (t->refold == NULL)
        work_note_event(state, e->type, e->id, t->index, n, e->raw);
    return fold_all(t, e, n, err);
}

/* Rules have their own words; what else is refused is called by its key. */
static int say_of_what(struct trial *t, const struct trial_event *e,
                       struct err *err)
{
    struct buf key = {0};
    struct door door = {
        .core = t->core,
        .version = state_head(&t->core->state),
        .names = t->core->names,
    };
    if (err->code == ATE_EREFUSED || err->code == ATE_ESCRIPT)
        return err->code;
    door_put_key(&door, e->type, &e->header, &key);
    int rc =
        err_wrap(err, "%s%s%s", schema_short(t->core->schema, e->type->name),
                 key.len > 0 ? " " : "", buf_text(&key));
    buf_deinit(&key);
    return rc;
}

/* What the pipeline says; of what was accepted before it is only told. */
static int ask_pipeline(struct trial *t, const struct trial_event *e,
                        struct err *err)
{
    const struct trial_refold *refold = t->refold;
    struct err why = {0};
    if (refold == NULL) {
        int rc = pipeline_judge(&t->core->pipeline, t, e, err);
        return rc != 0 ? say_of_what(t, e, err) : 0;
    }
    if (refold->judged != NULL) {
        int code = pipeline_judge(&t->core->pipeline, t, e, &why);
        if (code != 0)
            say_of_what(t, e, &why);
        if (code == ATE_EUNAVAILABLE) { /* an alarm is no verdict */
            if (err != NULL)
                *err = why;
            return code;
        }
        refold->judged(refold->ctx, e, code, &why);
    }
    return 0;
}

/* No stage looks at what was accepted before, and that may have been where its
 * body was not at hand: one that does not fit its type is no body here. */
static void pass_over_misfit(const struct trial *t, struct trial_event *e)
{
    if (e->body.data != NULL &&
        body_fits(t->core->schema, e->type, e->body, e->type->name, NULL) != 0)
        e->body = bytes_of(NULL, 0);
}

/* Whom it is done for, and by which right; its spot is known to be true. */
static int check_rights(struct trial *t, const struct trial_event *e,
                        struct err *err)
{
    struct spot spot = {e->header.object, e->header.parent};
    if (authority_check_caller(t, &spot, err) != 0)
        return say_of_what(t, e, err);
    return e->header.auth_ref != NULL ? authority_check_event(t, e, err) : 0;
}

/* Of the engine's own; a key that comes along is its own and nobody else's. */
static int check_own_caller(struct trial *t, const struct trial_event *e,
                            struct err *err)
{
    struct spot spot;
    if (t->refold != NULL || engine_type_is_key(e))
        return 0;
    engine_type_spot(t, e, &spot);
    return authority_check_caller(t, &spot, err);
}

/* Keys alone do not say for whom they come. */
static int check_caller_of_keys(const struct trial *t, struct err *err)
{
    struct spot all = {NULL, NULL};
    for (size_t i = 0; i < t->count; i++)
        if (!engine_type_is_key(t->events[i]))
            return 0;
    return authority_check_caller(t, &all, err);
}

static int judge(struct trial *t, struct trial_event *e, size_t n,
                 struct err *err)
{
    int rc = find_type(t, e, err);
    if (rc == 0 && t->refold != NULL) {
        pass_over_misfit(t, e);
        rc = t->refold->convert(t->refold->ctx, t, e, err);
    }
    if (rc == 0)
        rc = placing_check(t, e, err);
    if (rc != 0)
        return rc;
    if (t->refold == NULL)
        rc = check_rights(t, e, err);
    if (rc != 0)
        return rc;
    /* From here on the event is one of the transaction, for rules to see. */
    t->count = n + 1;
    rc = ask_pipeline(t, e, err);
    if (rc == 0)
        rc = apply(t, e, n, err);
    return rc;
}

/* ---- the transaction ---- */

static int check_shape(struct trial *t, const struct trial_event *e,
                       struct err *err)
{
    if (memcmp(e->header.author, t->author, KEY_ID_SIZE) != 0)
        return err_set(err, ATE_EINVALID,
                       "the event's author is not the transaction's");
    if (e->header.seal.data != NULL)
        return err_set(err, ATE_EINVALID,
                       "the event's body is sealed, and this chain's "
                       "pipeline cannot have that");
    if (e->body.data != NULL)
        return body_check(e->body, e->header.body_length, e->header.body_hash,
                          err);
    return 0;
}

static struct trial_event *new_event(struct trial *t)
{
    struct trial_event *e = scratch_alloc(&t->scratch, sizeof(*e));
    t->events = mem_array_grow(t->events, t->count, &t->cap,
                               sizeof(struct trial_event *));
    t->events[t->count] = e;
    return e;
}

/* Before anything is made of it. */
static int check_size(struct trial *t, struct bytes raw, struct bytes body,
                      struct err *err)
{
    if (t->count == LIMIT_TX_EVENTS)
        return err_set(err, ATE_ELIMIT,
                       "a transaction has at most %d events; split the call",
                       LIMIT_TX_EVENTS);
    t->header_bytes += raw.len;
    if (t->header_bytes > LIMIT_TX_HEADERS)
        return err_set(err, ATE_ELIMIT,
                       "the headers of a transaction are at most %d bytes; "
                       "split the call or put more into bodies",
                       LIMIT_TX_HEADERS);
    t->body_bytes += body.len;
    if (!t->replays && t->body_bytes > LIMIT_TX_BODIES)
        return err_set(err, ATE_ELIMIT,
                       "the bodies of a call's events are at most %d bytes; "
                       "split the call",
                       LIMIT_TX_BODIES);
    return 0;
}

static int check_company(const struct trial *t, struct err *err)
{
    if (engine_type_alone(t))
        return err_set(err, ATE_EINVALID,
                       TYPE_HEARTBEAT ": is alone in its transaction");
    if (trial_activates(t))
        return err_set(err, ATE_EINVALID,
                       TYPE_ACTIVATE ": is alone in its transaction");
    return 0;
}

int trial_add_decoded(struct trial *t, const struct batch_event *event,
                      struct bytes body, struct err *err)
{
    assert(t->open);
    size_t n = t->count;
    int rc = check_size(t, event->raw, body, err);
    if (rc == 0)
        rc = check_company(t, err);
    if (rc != 0)
        return rc;
    struct trial_event *e = new_event(t);
    *e = (struct trial_event){
        .raw = event->raw,
        .header = event->header,
        .body = body,
    };
    memcpy(e->id, event->id, EVENT_ID_SIZE);
    rc = check_shape(t, e, err);
    if (rc != 0)
        return rc;
    if (!engine_type_is(e->header.type))
        return judge(t, e, n, err);
    rc = check_own_caller(t, e, err);
    if (rc == 0)
        rc = engine_type_apply(t, e, n, err);
    if (rc == 0)
        t->count = n + 1;
    return rc;
}

int trial_add(struct trial *t, struct bytes raw, struct bytes body,
              struct err *err)
{
    struct batch_event event = {.raw = scratch_copy(&t->scratch, raw)};
    int rc = event_header_get(event.raw, &event.header, err);
    if (rc != 0)
        return rc;
    event_id(t->core->genesis.suite, t->core->id, event.raw, event.id);
    if (body.data != NULL)
        body = scratch_copy(&t->scratch, body);
    return trial_add_decoded(t, &event, body, err);
}

int trial_add_own(struct trial *t, const char *type, struct bytes fields,
                  const uint8_t *auth_ref, struct bytes body, struct err *err)
{
    uint8_t id[OBJECT_ID_SIZE];
    uint8_t hash[HASH_SIZE];
    struct buf raw = {0};
    fact_id(t->core->id, t->author, t->call_id, t->count, id);
    struct event_header header = {
        .object = id,
        .type = bytes_of_text(type),
        .author = t->author,
        .auth_ref = auth_ref,
        .fields = fields,
    };
    if (body.len > 0) {
        body_hash(body, hash);
        header.body_length = body.len;
        header.body_hash = hash;
    }
    event_header_put(&raw, &header);
    int rc = trial_add(t, buf_bytes(&raw), body, err);
    buf_deinit(&raw);
    return rc;
}

static void make_verdict(struct trial *t)
{
    struct state *state = &t->core->state;
    struct verdict v;
    state_sort_changes(state);
    verdict_begin(&v);
    for (size_t i = 0; i < t->count; i++)
        verdict_event(&v, t->events[i]->id);
    for (size_t i = 0; i < state->change_count; i++) {
        struct bytes key = state->changes[i];
        if (key.data[0] > STATE_KEYRING)
            break; /* they are in order: no verdict covers what follows */
        struct bytes rest = bytes_of(key.data + 1, key.len - 1);
        struct bytes value;
        bool there = state_get(state_head(state), key.data[0], rest, &value);
        verdict_entry(&v, key.data[0], rest, there ? &value : NULL);
    }
    verdict_end(&v, t->verdict);
}

static int finish_author(struct trial *t, struct err *err)
{
    struct state *state = &t->core->state;
    struct author author;
    if (t->first_sequence > TX_SEQUENCE_MAX)
        return err_set(err, ATE_ELIMIT,
                       "the sequences of this key are used up; write with "
                       "another key");
    if (!state_author(state_head(state), t->author, &author))
        return err_set(err, ATE_EDENIED,
                       "the author's key is not in the log; its first "
                       "transaction begins with an ate.key event");
    if (t->first_sequence < author.next_sequence)
        return err_set(err, ATE_ECONFLICT,
                       "the author's sequence is at %llu already, %llu is a "
                       "replay",
                       (unsigned long long)author.next_sequence,
                       (unsigned long long)t->first_sequence);
    uint8_t record[KEY_RECORD_MAX];
    assert(author.record.len <= sizeof(record));
    memcpy(record, author.record.data, author.record.len);
    author.record.data = record;
    author.next_sequence = t->first_sequence + t->count;
    state_put_author(state, t->author, &author);
    return 0;
}

/* As ask_pipeline(), about the transaction. */
static int ask_about_whole(struct trial *t, struct err *err)
{
    const struct trial_refold *refold = t->refold;
    struct err why = {0};
    if (refold == NULL)
        return pipeline_judge_whole(&t->core->pipeline, t, err);
    if (refold->judged == NULL)
        return 0;
    int code = pipeline_judge_whole(&t->core->pipeline, t, &why);
    if (code == ATE_EUNAVAILABLE) {
        if (err != NULL)
            *err = why;
        return code;
    }
    refold->judged(refold->ctx, NULL, code, &why);
    return 0;
}

int trial_finish(struct trial *t, struct err *err)
{
    assert(t->open);
    if (t->count == 0)
        return err_set(err, ATE_EINVALID, "a transaction without events");
    if (t->refold == NULL && !engine_types_have_company(t))
        return err_set(err, ATE_EINVALID,
                       TYPE_KEY ": an event that the pipeline judges has to "
                                "follow it");
    int rc = t->refold == NULL ? check_caller_of_keys(t, err) : 0;
    if (rc == 0)
        rc = finish_author(t, err);
    if (rc == 0 && !engine_type_alone(t))
        rc = ask_about_whole(t, err);
    if (rc == 0 && t->refold == NULL)
        make_verdict(t);
    if (rc == 0)
        trust_finish(t);
    return rc;
}
