/* content: bytes that several hold. */
#ifndef FRONTENDS_MOUNT_CONTENT_H
#define FRONTENDS_MOUNT_CONTENT_H

#include <stddef.h>

struct content {
    unsigned refs;
    size_t len;
    char data[];
};

struct content *content_new(const void *data, size_t len);
struct content *content_ref(struct content *content); /* NULL is harmless */
void content_unref(struct content *content);          /* likewise */
#endif
