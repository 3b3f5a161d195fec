/* Says yes to what a delegation covers, and to what k root keys signed. That an
 * event's auth_ref covers it was checked when it took its place (authority.h);
 * whether that counts is this stage's to say. */
#include "acceptance/authority.h"
#include "materializers/materializers.h"

static enum answer accept(struct trial *trial, const struct trial_event *event,
                          struct err *err)
{
    (void)err;
    if (event->header.auth_ref != NULL || authority_is_root(trial))
        return ANSWER_YES;
    /* One of the engine's own: an act_for of the author's. */
    if (event->type == NULL && authority_holds_any(trial))
        return ANSWER_YES;
    return ANSWER_ABSTAIN;
}

const struct materializer trust_delegation = {
    .name = "trust-delegation",
    .accept = accept,
    .takes_delegations = true,
    .abstains = "no delegation gives its author the right to do it here",
};
