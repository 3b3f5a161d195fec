/* (1) The hash of a chain's bundle is asked for before its schema, so that a
 *     schema that came in between is found out by the next check. */
#include "rest/chains.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "ate.h"
#include "base/buffer.h"
#include "rest/calls.h"
#include "rest/model.h"
#include "rest/target.h"
#include "rest/wire.h"

struct chain_entry {
    char *name;
    char bundle[65]; /* hash of the one in force, or of one before: see (1) */
    struct model *model;
    uint64_t generation; /* of schemas, from before that hash was asked for */
    uint64_t asked_ns;   /* when it was */
    struct chains *chains;
    struct chain_entry *next;
};

struct chains_search {
    struct chains *chains;
    const struct target *target;
    size_t from;
    size_t pieces; /* how many make the name that is tried */
    char bundle[65];
    uint64_t generation; /* of schemas, from before it was asked for */
    uint64_t asked_ns;
    struct call *call;
    struct ate_error near; /* no such chain, but one of a like name */
    chains_fn *fn;
    void *owner;
};

void chains_init(struct chains *c, struct calls *calls)
{
    *c = (struct chains){.calls = calls};
}

/* ---- entries ---- */

static void entry_free(struct chain_entry *e)
{
    model_unref(e->model);
    free(e->name);
    free(e);
}

void chains_free(struct chains *c)
{
    while (c->first != NULL) {
        struct chain_entry *e = c->first;
        c->first = e->next;
        entry_free(e);
    }
    c->count = 0;
}

/* Take an entry out of the list: it is the caller's. */
static struct chain_entry *take(struct chains *c, const char *name)
{
    for (struct chain_entry **at = &c->first; *at != NULL; at = &(*at)->next) {
        struct chain_entry *e = *at;
        if (strcmp(e->name, name) != 0)
            continue;
        *at = e->next;
        c->count--;
        return e;
    }
    return NULL;
}

static void put_first(struct chains *c, struct chain_entry *e)
{
    e->next = c->first;
    c->first = e;
    if (++c->count <= CHAINS_KEPT)
        return;
    struct chain_entry *before = e; /* the last one, which is not this one */
    while (before->next->next != NULL)
        before = before->next;
    entry_free(before->next);
    before->next = NULL;
    c->count--;
}

void chains_forget(struct chains *c, const char *name)
{
    struct chain_entry *e = take(c, name);
    if (e != NULL)
        entry_free(e);
}

/* ---- is it still the same? ---- */

static void bundle_of(const struct ate_answer *answer, char out[65])
{
    json_t *info = wire_tree(answer->value.data, answer->value.len);
    const char *bundle = model_text(info, "bundle");
    snprintf(out, 65, "%s", bundle != NULL ? bundle : "");
    json_decref(info);
}

static bool is_right(const struct chain_entry *e)
{
    uint64_t generation = ate_schema_generation(e->chains->calls->ate);
    if (generation != 0)
        return e->generation == generation;
    return uv_hrtime() - e->asked_ns < (uint64_t)CHAIN_CHECK_MS * 1000000;
}

/* ---- searching ---- */

static char *name_tried(const struct chains_search *s)
{
    struct buffer name = {0};
    for (size_t i = 0; i < s->pieces; i++) {
        if (i > 0)
            buffer_byte(&name, '/');
        buffer_text(&name, s->target->segments[s->from + i]);
    }
    buffer_string(&name);
    return name.data;
}

static void found(struct chains_search *s, struct chain_entry *e)
{
    char *name = memory_text(e->name, strlen(e->name));
    struct chain_found found = {
        .name = name,
        .model = model_ref(e->model),
        .first = s->from + s->pieces,
    };
    put_first(s->chains, e);
    s->fn(s->owner, &found, NULL);
    model_unref(found.model);
    free(name);
    free(s);
}

static void failed(struct chains_search *s, const struct ate_error *error)
{
    s->fn(s->owner, NULL, error);
    free(s);
}

/* The entry is right as of when this search asked. */
static void confirm(const struct chains_search *s, struct chain_entry *e)
{
    e->generation = s->generation;
    e->asked_ns = s->asked_ns;
}

static void described(void *owner, const struct ate_answer *answer)
{
    struct chains_search *s = owner;
    if (answer->kind != ATE_ANSWER_FINAL)
        return;
    if (answer->error.code != 0) {
        failed(s, &answer->error);
        return;
    }
    char *name = name_tried(s);
    struct chain_entry *e = memory_new(sizeof(*e));
    chains_forget(s->chains, name); /* another was faster */
    e->chains = s->chains;
    e->name = name;
    memcpy(e->bundle, s->bundle, sizeof(e->bundle));
    e->model = model_new(wire_tree(answer->value.data, answer->value.len));
    confirm(s, e);
    found(s, e);
}

/* Is there a model of the bundle that the chain has? Then it is right. */
static bool find_same(struct chains_search *s, const char *name)
{
    struct chain_entry *e = take(s->chains, name);
    if (e == NULL)
        return false;
    if (strcmp(e->bundle, s->bundle) != 0) {
        entry_free(e);
        return false;
    }
    confirm(s, e);
    found(s, e);
    return true;
}

static bool try_next(struct chains_search *s);

/* The engine says so; of the paths that were tried one alone was meant. */
static bool names_near(const struct ate_error *error)
{
    return strcmp(error->reason, "misspelt_chain") == 0;
}

static void told(void *owner, const struct ate_answer *answer)
{
    struct chains_search *s = owner;
    if (answer->kind != ATE_ANSWER_FINAL)
        return;
    size_t left = s->target->segment_count - s->from - s->pieces;
    bool is_there = answer->error.code != ATE_NOT_FOUND;
    if (!is_there && s->near.code == 0 && names_near(&answer->error))
        s->near = answer->error;
    if (!is_there && left > 0 && s->pieces < CHAIN_PIECES) {
        try_next(s);
        return;
    }
    if (!is_there && s->near.code != 0) {
        failed(s, &s->near);
        return;
    }
    if (answer->error.code != 0) {
        failed(s, &answer->error);
        return;
    }
    bundle_of(answer, s->bundle);
    char *name = name_tried(s);
    struct ate_request request = {.chain = name, .method = "schema"};
    if (!find_same(s, name))
        s->call = calls_start(s->chains->calls, false, &request, described, s);
    free(name);
}

static void ask_bundle(struct chains_search *s, const char *name)
{
    struct ate_request request = {.chain = name, .method = "info"};
    struct calls *calls = s->chains->calls;
    s->generation = ate_schema_generation(calls->ate);
    s->asked_ns = uv_hrtime();
    s->call = calls_start(calls, false, &request, told, s);
}

/* Try a name one piece longer. True: the search has ended. */
static bool try_next(struct chains_search *s)
{
    s->pieces++;
    char *name = name_tried(s);
    struct chain_entry *e = take(s->chains, name);
    bool is_found = e != NULL && is_right(e);
    if (is_found) {
        found(s, e);
    } else {
        if (e != NULL)
            put_first(s->chains, e);
        ask_bundle(s, name);
    }
    free(name);
    return is_found;
}

struct chains_search *chains_find(struct chains *c, const struct target *target,
                                  size_t from, chains_fn *fn, void *owner)
{
    struct chains_search *s = memory_new(sizeof(*s));
    *s = (struct chains_search){
        .chains = c, .target = target, .from = from, .fn = fn, .owner = owner};
    return try_next(s) ? NULL : s;
}

void chains_stop(struct chains_search *s)
{
    calls_drop(s->chains->calls, s->call);
    free(s);
}
