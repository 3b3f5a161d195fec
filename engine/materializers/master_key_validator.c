/* Says yes to what k different root keys signed. */
#include "acceptance/authority.h"
#include "materializers/materializers.h"

static enum answer accept(struct trial *trial, const struct trial_event *event,
                          struct err *err)
{
    (void)event;
    (void)err;
    return authority_is_root(trial) ? ANSWER_YES : ANSWER_ABSTAIN;
}

const struct materializer master_key_validator = {
    .name = "master-key-validator",
    .accept = accept,
    .abstains = "the root keys did not sign it",
};
