/* Acceptance is decided here and nowhere else. Anything but a plain yes is a
 * no. */
#include <assert.h>
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/materializer.h"
#include "acceptance/trial.h"
#include "base/err.h"

static const struct materializer *find(const struct materializer *const *known,
                                       struct bytes name)
{
    for (; *known != NULL; known++)
        if (bytes_equal(bytes_of_text((*known)->name), name))
            return *known;
    return NULL;
}

static void list_known(struct buf *out, const struct materializer *const *known)
{
    for (size_t i = 0; known[i] != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", known[i]->name);
}

int pipeline_init(struct pipeline *p, const struct bytes *names, size_t count,
                  const struct materializer *const *known, struct err *err)
{
    *p = (struct pipeline){0};
    assert(count <= GENESIS_PIPELINE_MAX);
    for (size_t i = 0; i < count; i++) {
        p->stages[i] = find(known, names[i]);
        if (p->stages[i] != NULL) {
            p->takes_delegations |= p->stages[i]->takes_delegations;
            continue;
        }
        struct buf list = {0};
        list_known(&list, known);
        int rc = err_set(err, ATE_EINVALID,
                         "pipeline: no materializer is called '%.*s'; there "
                         "are: %s",
                         (int)names[i].len, (const char *)names[i].data,
                         buf_text(&list));
        buf_deinit(&list);
        return rc;
    }
    p->count = count;
    return 0;
}

/* A stage that says no has filled `err`; a bug there must not become a yes. */
static int refusal(const struct err *err)
{
    assert(err->code < 0);
    return err->code;
}

static void put_why(const struct materializer *stage, const struct trial *trial,
                    const struct trial_event *event, struct buf *why)
{
    buf_printf(why, "%s%s", why->len > 0 ? ", and " : "", stage->abstains);
    if (stage->takes_delegations && event->type != NULL) {
        buf_printf(why, ", which takes ");
        authority_put_want(trial, event, why);
    }
}

/* Nobody said yes. */
static int deny(const struct pipeline *p, const struct trial *trial,
                const struct trial_event *event, struct err *err)
{
    struct buf why = {0};
    for (size_t i = 0; i < p->count; i++)
        if (p->stages[i]->abstains != NULL)
            put_why(p->stages[i], trial, event, &why);
    int rc = err_set(err, ATE_EDENIED, "%s",
                     why.len > 0 ? buf_text(&why)
                                 : "no stage of the chain's pipeline ever "
                                   "accepts anything");
    buf_deinit(&why);
    return p->takes_delegations ? err_reason(err, "no_right") : rc;
}

int pipeline_judge(const struct pipeline *p, struct trial *trial,
                   const struct trial_event *event, struct err *err)
{
    bool yes = false;
    for (size_t i = 0; i < p->count; i++) {
        if (p->stages[i]->accept == NULL)
            continue;
        switch (p->stages[i]->accept(trial, event, err)) {
        case ANSWER_YES:
            yes = true;
            break;
        case ANSWER_ABSTAIN:
            break;
        case ANSWER_NO:
        default:
            return refusal(err);
        }
    }
    return yes ? 0 : deny(p, trial, event, err);
}

int pipeline_judge_whole(const struct pipeline *p, struct trial *trial,
                         struct err *err)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->stages[i]->accept_whole != NULL &&
            p->stages[i]->accept_whole(trial, err) == ANSWER_NO)
            return refusal(err);
    }
    return 0;
}
