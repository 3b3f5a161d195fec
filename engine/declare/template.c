#include "declare/template.h"

#include <string.h>

#include "declare/declare.h"

void template_each(struct declaring *d, const struct place *place,
                   const char *text,
                   void (*visit)(void *ctx, const struct place *place,
                                 const char *name),
                   void *ctx)
{
    char name[DECLARE_NAME_MAX + 1];
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '}') {
            wrong(d, place, "has a '}' without its '{'");
            return;
        }
        if (*at != '{')
            continue;
        size_t len = strcspn(at + 1, "{}");
        if (at[1 + len] != '}' || len == 0 || len > DECLARE_NAME_MAX) {
            wrong(d, place, "has a '{' that is not the start of a {name}");
            return;
        }
        memcpy(name, at + 1, len);
        name[len] = '\0';
        visit(ctx, place, name);
        at += len + 1;
    }
}
