/* script: the logic of a chain (acceptance/logic.h) as Lua in sandboxes.
 *
 * A loaded bundle is two sandboxes: the judge runs rules and folds, the host
 * runs methods, so that nothing a method does can show in a verdict. The
 * judge's image is put back for each rule and each fold, the host's for each
 * method that is called from outside: what a function leaves behind is seen by
 * no other. So a verdict is a function of bundle, state and transaction, and a
 * view is folded alike with and without the rules that were asked before. The
 * limit of gas holds for all rules and folds of one event together (and for all
 * rules about a whole transaction), that of memory for each.
 *
 * Chains with the same bundle and the same limits share both sandboxes; a cache
 * and its logics belong to one thread. */
#ifndef ATE_SCRIPT_SCRIPT_H
#define ATE_SCRIPT_SCRIPT_H

#include "acceptance/logic.h"

struct script_cache;
struct watch;

/* `watch` may stop what runs (watch.h); NULL: nobody does. */
struct script_cache *script_cache_new(struct watch *watch);
/* No logic that it made may live. NULL is harmless. */
void script_cache_free(struct script_cache *cache);

/* What `node` passes to its chains; it lives as long as the cache. */
struct logic_maker script_maker(struct script_cache *cache);

#endif
