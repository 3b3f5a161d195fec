#include "mount/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

struct content *content_new(const void *data, size_t len)
{
    struct content *content = memory_grow(NULL, sizeof(*content) + len);
    content->refs = 1;
    content->len = len;
    if (len > 0)
        memcpy(content->data, data, len);
    return content;
}

struct content *content_ref(struct content *content)
{
    if (content != NULL)
        content->refs++;
    return content;
}

void content_unref(struct content *content)
{
    if (content != NULL && --content->refs == 0)
        free(content);
}
