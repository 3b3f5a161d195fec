/* Schemas of the source tree, loaded as `ate check` loads them. Tests run in
 * the root of the tree. */
#ifndef ATE_TESTS_FIXTURE_SCHEMA_H
#define ATE_TESTS_FIXTURE_SCHEMA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "declare/bundle_load.h"
#include "schema/schema.h"

/* A pipeline that accepts strangers, too; its length. */
static inline size_t fixture_pipeline(struct bytes *names)
{
    names[0] = bytes_of_text("accept-all");
    names[1] = bytes_of_text("serializer");
    names[2] = bytes_of_text("structured-logic");
    return 3;
}

/* Append the file; false when it cannot be read. */
static inline bool fixture_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_put(out, chunk, n);
    fclose(file);
    return true;
}

/* A bundle_source over a folder, whose path is `ctx`. */
static inline int fixture_source(void *ctx, const char *module,
                                 struct buf *file, struct buf *source,
                                 struct err *err)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.lua", (const char *)ctx, module);
    if (!fixture_read(path, source))
        return err_set(err, ATE_ENOT_FOUND, "there is no %s", path);
    buf_printf(file, "%s.lua", module);
    return 0;
}

/* One file that stands in memory, its text in `ctx`. */
static inline int fixture_text(void *ctx, const char *module, struct buf *file,
                               struct buf *source, struct err *err)
{
    if (strcmp(module, "shop") != 0)
        return err_set(err, ATE_ENOT_FOUND, "there is no module %s", module);
    buf_put_text(file, "shop.lua");
    buf_put_text(source, ctx);
    return 0;
}

/* Load folder/name.lua; fails the test, with the error, when it is wrong. */
static inline void fixture_load(const char *folder, const char *name,
                                struct buf *bundle, struct schema *schema,
                                struct buf *warnings)
{
    struct err err;
    int rc = bundle_build(bundle, name, fixture_source, (void *)folder, schema,
                          warnings, &err);
    if (rc != 0)
        fail_msg("%s: %s", name, err.text);
}
#endif
