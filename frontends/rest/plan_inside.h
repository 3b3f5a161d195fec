/* plan_inside: what the files of a plan share. Each takes one kind of
 * resource: its verbs, then what a verb means. */
#ifndef FRONTENDS_REST_PLAN_INSIDE_H
#define FRONTENDS_REST_PLAN_INSIDE_H

#include "rest/arguments.h"
#include "rest/cursor.h"
#include "rest/model.h"
#include "rest/plan.h"
#include "rest/problem.h"
#include "rest/wire.h"

/* One request while its plan is made. */
struct planning {
    struct plan *plan;
    const struct model *model;
    const struct ask *ask;
    struct problem *problem;
    json_t *args; /* that the method gets */
};

/* Segment `i` behind the chain's name, or NULL. */
const char *segment(const struct planning *p, size_t i);
size_t segments(const struct planning *p);
/* The segments from `first` on, joined by '/'. The caller frees it. */
char *segments_joined(const struct planning *p, size_t first);

/* The verb is one of `verbs`, or 405. */
int want_verb(struct planning *p, unsigned verbs);
/* The query has no parameters but these; NULL ends the list. */
int want_parameters(struct planning *p, const char *const *names);
int want_no_body(struct planning *p);
/* The asker takes `type`, or a stream where `may_watch`; or 406. */
int want_accept(struct planning *p, const char *type, bool may_watch);
/* There is no such thing; `what` says of what kind. */
int not_there(struct planning *p, const char *what, const char *name);
/* Add to the problem what may have been meant of these (model_names()). */
int near_one(struct planning *p, const char *name, json_t *things,
             const char *const *more);

/* limit, order and cursor of the query, as arguments. */
int take_page(struct planning *p, const char *after);

/* The kinds. */
int plan_types(struct planning *p);
int plan_history(struct planning *p);
int plan_views(struct planning *p);
int plan_methods(struct planning *p);
int plan_route(struct planning *p, const struct route *r);
int plan_events(struct planning *p);
int plan_checkpoint(struct planning *p);
int plan_tile(struct planning *p);
int plan_proof(struct planning *p);
int plan_files(struct planning *p);
int plan_source(struct planning *p);

/* A call of a method with what the query and the body say. */
int plan_call(struct planning *p, const json_t *method);
#endif
