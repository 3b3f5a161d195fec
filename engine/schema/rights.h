/* rights: the engine's own rights; others are declared by types. */
#ifndef ATE_SCHEMA_RIGHTS_H
#define ATE_SCHEMA_RIGHTS_H

#include <stdbool.h>

#define RIGHT_CREATE "create"
#define RIGHT_WRITE "write"
#define RIGHT_DELETE "delete"
#define RIGHT_DELEGATE "delegate"
#define RIGHT_GRANT_READING "grant_reading"
#define RIGHT_ORDER "order"
#define RIGHT_ACT_FOR "act_for"

bool right_is_own(const char *name);
#endif
