#include "schema/rights.h"

#include <stddef.h>
#include <string.h>

static const char *const own_rights[] = {
    RIGHT_CREATE,        RIGHT_WRITE, RIGHT_DELETE,  RIGHT_DELEGATE,
    RIGHT_GRANT_READING, RIGHT_ORDER, RIGHT_ACT_FOR,
};

bool right_is_own(const char *name)
{
    for (size_t i = 0; i < sizeof(own_rights) / sizeof(own_rights[0]); i++)
        if (strcmp(own_rights[i], name) == 0)
            return true;
    return false;
}
