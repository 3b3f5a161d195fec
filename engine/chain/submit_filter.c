/* What is looked at of a batch when it arrives, by what the head says then
 * (submit.c, invariant (1)): what is wrong with its bytes refuses all of it,
 * what is wrong with the standing of a member, that one. */
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/bundle_events.h"
#include "base/memory.h"
#include "chain/member.h"
#include "chain/submit_inside.h"
#include "state/delegation.h"

void submit_refuse(struct submit_result *r, const struct err *err)
{
    r->code = err->code;
    r->err = mem_copy(err, sizeof(*err));
}

static int filter_delegation(struct chain *c, const uint8_t *auth_ref,
                             struct err *err)
{
    if (auth_ref == NULL)
        return 0;
    struct place_in_log now = {
        .v = state_head(&c->core.state),
        .index = c->next_index,
        .time = state_head_time(&c->core.state),
    };
    struct delegation d;
    return delegation_in_force(&now, auth_ref, &d, err);
}

static int filter_delegations(struct chain *c, const struct submit_member *m,
                              struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < m->m.event_count; i++)
        rc = filter_delegation(c, m->events[i].header.auth_ref, err);
    return rc;
}

/* For what it does it is judged at its place: what that is about may come to be
 * until then. Who calls for himself needs nobody's word. */
static int filter_caller(struct chain *c, const struct batch_member *m,
                         struct err *err)
{
    const struct tx_header *tx = &m->tx;
    struct further_sig list[LIMIT_TX_SIGNATURES];
    if (tx->call.caller == NULL)
        return 0;
    struct trial t = {
        .core = &c->core,
        .index = c->next_index,
        .time = state_head_time(&c->core.state),
        .author = tx->author,
        .caller = tx->call.caller,
        .sigs = list,
        .sig_count = sigs_list(&m->sigs, list),
    };
    return authority_check_caller(&t, NULL, err);
}

static int filter_sequence(const struct submit_state *s,
                           const struct batch_member *m, struct err *err)
{
    if (m->tx.first_sequence >= s->next_sequence)
        return 0;
    return err_set(err, ATE_ECONFLICT,
                   "the author's sequence is at %llu already",
                   (unsigned long long)s->next_sequence);
}

static int filter_standing(struct submit_state *s,
                           const struct submit_member *m, struct err *err)
{
    struct chain *c = s->chain;
    struct call_entry entry;
    int rc = filter_sequence(s, &m->m, err);
    if (rc == 0)
        rc = filter_caller(c, &m->m, err);
    if (rc == 0)
        rc = filter_delegations(c, m, err);
    /* One whose call id is known may be a resend: then its sequence is used,
     * what it rested on may have ended, and none of that matters. */
    if (rc != 0 &&
        state_call(state_head(&c->core.state), m->m.tx.call.id, &entry))
        return 0;
    return rc;
}

static int take_sigs(struct submit_state *s, const struct batch_member *m,
                     const uint8_t *id, struct err *err)
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    struct key_record records[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&m->sigs, list);
    if (s->further_count + count > LIMIT_BATCH_SIGNATURES)
        return err_set(err, ATE_ELIMIT,
                       "the further signatures of a batch are at most %d; make "
                       "several batches of it",
                       LIMIT_BATCH_SIGNATURES);
    int rc = member_find_keys(s->chain, m, list, count, records, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        s->further = mem_array_grow(s->further, s->further_count,
                                    &s->further_cap, sizeof(*s->further));
        s->further[s->further_count++] = (struct further_check){
            .sig = list[i],
            .record = records[i],
            .tx_id = id,
        };
    }
    return rc;
}

void submit_skip_bodies(const struct submit_member *m, struct body_walk *walk)
{
    for (uint32_t i = 0; i < m->m.event_count; i++)
        if (m->events[i].header.body_length > 0)
            body_walk_next(walk, &m->events[i].header);
}

/* The regions are filled exactly, before anything is placed. */
static int check_bodies_fit(const struct submit_state *s, struct err *err)
{
    const struct signed_parts *parts = &s->submit->parts;
    if (s->walk.inline_at == parts->inlined.len &&
        s->walk.file_at == parts->bodies.len)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "submit: its bodies are %zu and %zu bytes, its events say "
                   "%llu and %llu",
                   parts->inlined.len, parts->bodies.len,
                   (unsigned long long)s->walk.inline_at,
                   (unsigned long long)s->walk.file_at);
}

/* What its bytes say, whatever the state is. */
static int read_member(struct submit_state *s, struct submit_member *m,
                       const uint8_t *id, struct err *err)
{
    struct chain *c = s->chain;
    if (member_is_heartbeat(&m->m))
        return err_set(err, ATE_EDENIED, "heartbeats are made here alone");
    int rc = member_decode(&c->core, &m->m, &s->decoded, &m->events, err);
    if (rc == 0)
        rc = batch_member_check(&m->m, m->events, err);
    if (rc == 0)
        rc = batch_member_check_whole(&m->m, err);
    if (rc != 0)
        return rc;
    s->activates |= member_activation(&m->m, m->events) != NULL;
    if (s->activates && s->submit->count > 1)
        return err_set(err, ATE_EINVALID,
                       TYPE_ACTIVATE ": is alone in its batch");
    submit_skip_bodies(m, &s->walk);
    return take_sigs(s, &m->m, id, err);
}

/* What is wrong with its bytes refuses the whole batch; what is wrong with its
 * standing, this member. */
static int filter_member(struct submit_state *s,
                         const struct batch_member *read, struct err *err)
{
    struct chain *c = s->chain;
    struct submit_member *m = &s->members[s->count];
    struct submit_result *r = &s->submit->results[s->count];
    uint8_t *id = s->ids[s->count++];
    struct err why;
    m->m = *read;
    batch_member_id(&m->m, c->core.genesis.suite, c->core.id, id);
    if (m->m.refused) {
        err_set(&why, ATE_EDENIED, "nothing but its id is here");
        submit_refuse(r, &why);
        return 0;
    }
    memcpy(r->tx_id, id, TX_ID_SIZE);
    int rc = read_member(s, m, id, err);
    if (rc == 0 && filter_standing(s, m, &why) != 0)
        submit_refuse(r, &why);
    return rc;
}

static uint64_t next_sequence_of(const struct chain *c, const uint8_t *author)
{
    struct author known;
    bool there = state_author(state_head(&c->core.state), author, &known);
    return there ? known.next_sequence : 0;
}

int submit_filter(struct submit_state *s, struct err *err)
{
    struct chain_submit *submit = s->submit;
    struct batch_reader r;
    struct batch_member m;
    struct bytes payload = submit->parts.payload;
    if (payload.len > LIMIT_FRAME_PAYLOAD / 2)
        return err_set(err, ATE_ELIMIT, "a batch has at most %d bytes",
                       LIMIT_FRAME_PAYLOAD / 2);
    if (submit->parts.bodies.len > LIMIT_TX_BODIES ||
        submit->parts.inlined.len > LIMIT_FRAME_PAYLOAD / 2)
        return err_set(err, ATE_ELIMIT,
                       "the bodies of a batch have at most %d bytes",
                       LIMIT_TX_BODIES);
    int rc = batch_open(&r, payload, err);
    if (rc == 0)
        rc = member_author(s->chain, payload, r.author, &s->author, err);
    if (rc != 0)
        return rc;
    s->next_sequence = next_sequence_of(s->chain, r.author);
    memcpy(s->author_id, r.author, KEY_ID_SIZE);
    memcpy(s->chain_id, s->chain->core.id, CHAIN_ID_SIZE);
    memcpy(s->signature, r.signature, SIGN_SIZE);
    s->ids = mem_zero(r.count, sizeof(*s->ids));
    s->members = mem_zero(r.count, sizeof(*s->members));
    submit->results = mem_zero(r.count, sizeof(*submit->results));
    submit->count = r.count;
    while ((rc = batch_next(&r, &m, err)) == 1) {
        rc = filter_member(s, &m, err);
        if (rc != 0)
            return err_wrap(err, "member %zu", s->count - 1);
    }
    return rc == 0 ? check_bodies_fit(s, err) : rc;
}
