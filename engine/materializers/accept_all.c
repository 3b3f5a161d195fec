#include "materializers/materializers.h"

static enum answer accept(struct trial *trial, const struct trial_event *event,
                          struct err *err)
{
    (void)trial;
    (void)event;
    (void)err;
    return ANSWER_YES;
}

const struct materializer accept_all = {
    .name = "accept-all",
    .accept = accept,
};
