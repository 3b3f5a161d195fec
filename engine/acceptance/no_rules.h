/* no_rules: a schema's logic of which no function runs. Its declarations count,
 * types, fields and keys; rules pass, folds write nothing, upgrades leave what
 * was stored; a row's item is believed to wait for its worker. So a chain is
 * checked for everything but what its Lua says: chain_skip_rules(). */
#ifndef ATE_ACCEPTANCE_NO_RULES_H
#define ATE_ACCEPTANCE_NO_RULES_H

struct logic_maker;

/* A maker over `real`, which has to outlive what it loads. */
struct logic_maker no_rules_maker(const struct logic_maker *real);
#endif
