#include "chain/trial.h"
#include "materializers/materializers.h"

static bool root_signed(const struct trial *trial)
{
    if (core_is_root_key(trial->core, trial->author))
        return true;
    for (size_t i = 0; i < trial->co_author_count; i++)
        if (core_is_root_key(trial->core, trial->co_authors[i].key_id))
            return true;
    return false;
}

static enum answer accept(struct trial *trial, const struct trial_event *event,
                          struct err *err)
{
    (void)event;
    (void)err;
    return root_signed(trial) ? ANSWER_YES : ANSWER_ABSTAIN;
}

const struct materializer master_key_validator = {
    .name = "master-key-validator",
    .accept = accept,
};
