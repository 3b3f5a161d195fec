/* upgrade: a chain's log tried again, from its beginning, under another bundle.
 *
 * What comes of it is a second core, with the objects, rows and all other
 * entries that the new bundle gives. It is made beside the one in force, in
 * slices, while work goes on; switch.c puts it in place. Nothing is
 * accepted or refused here: what the log holds was accepted. But what cannot be
 * converted or folded by the new bundle makes it one that cannot be activated.
 */
#ifndef ATE_CHAIN_UPGRADE_H
#define ATE_CHAIN_UPGRADE_H

#include "chain/inside.h"

struct upgrade;

struct upgrade_report {
    uint64_t transactions;
    uint64_t events;    /* of the schema's types */
    uint64_t converted; /* events whose fields changed */
    uint64_t refused;   /* events that the new bundle would refuse */
    struct err refusal; /* the first of them */
    uint64_t refused_index;
};

/* `bundle` is copied; its bundle may follow on the one in force. `judges`: ask
 * the new rules about each event, too, for the report. Errors: SCRIPT, INVALID,
 * CONFLICT, LIMIT. */
int upgrade_new(struct upgrade **out, struct chain *c, struct bytes bundle,
                bool judges, struct err *err);
void upgrade_free(struct upgrade *u); /* nothing under way; NULL is harmless */

/* Go on until frame `end`, not included, has been tried. `done` is called,
 * later or at once. While the log opens: only in a pause of its visits. Errors:
 * those of the folds and conversions, named by transaction; IO, CORRUPT. */
void upgrade_run(struct upgrade *u, uint64_t end, chain_done *done, void *ctx);

/* All of the log was tried: what workers of the core in force have still to do
 * comes along, and where the root of that state is wanted, the pool makes it
 * (core_root()). Once; nothing may be tried afterwards. `done` is called, later
 * or at once. Errors: those of conversions. */
void upgrade_finish(struct upgrade *u, bool wants_root, chain_done *done,
                    void *ctx);

uint64_t upgrade_frame(const struct upgrade *u); /* the next to be tried */
const struct upgrade_report *upgrade_report(const struct upgrade *u);
/* The core; whoever takes it leaves another in its place. */
struct core *upgrade_core(struct upgrade *u);
#endif
