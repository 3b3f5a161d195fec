/* Every stage that this build has. */
#include "materializers/materializers.h"

#include <stddef.h>

const struct materializer *const materializers[] = {
    &accept_all,       &master_key_validator, &serializer,
    &structured_logic, &trust_delegation,     NULL,
};
