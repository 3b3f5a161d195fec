/* Any source of a schema: it is refused in words, or it declares one, whose
 * bundle is canonical and declares the same again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "acceptance/logic.h"
#include "base/err.h"
#include "declare/bundle_load.h"
#include "event/bundle.h"
#include "schema/describe.h"
#include "schema/schema.h"
#include "script/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int source_of(void *ctx, const char *module, struct buf *file,
                     struct buf *source, struct err *err)
{
    if (strcmp(module, "fuzz") != 0)
        return err_set(err, ATE_ENOT_FOUND, "there is no module %s", module);
    buf_put_text(file, "fuzz.lua");
    buf_put_bytes(source, *(struct bytes *)ctx);
    return 0;
}

/* As a chain loads it. */
static void load(struct bytes raw)
{
    struct err err = {0};
    struct logic *logic;
    struct script_cache *cache = script_cache_new(NULL);
    struct logic_maker maker = script_maker(cache);
    struct logic_limits limits = {.gas = 100000, .memory = 1 << 20};
    if (maker.load(maker.ctx, raw, &limits, &logic, &err) == 0) {
        assert(strcmp(logic->schema->main, "fuzz") != 0 ||
               logic->schema->part_count > 0);
        logic->free(logic);
    } else {
        assert(err.text[0] != '\0');
    }
    script_cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes source = bytes_of(data, size);
    struct buf raw = {0};
    struct buf warnings = {0};
    struct schema schema = {0};
    struct bundle bundle;
    struct err err = {0};
    if (size > 4096)
        return 0; /* more takes the fuzzer's time */
    int rc = bundle_build(&raw, "fuzz", source_of, &source, &schema, &warnings,
                          &err);
    if (rc == 0) {
        assert(bundle_get(buf_bytes(&raw), &bundle, NULL) == 0);
        load(buf_bytes(&raw));
    } else {
        assert(err.text[0] != '\0');
    }
    schema_deinit(&schema);
    buf_deinit(&raw);
    buf_deinit(&warnings);
    return 0;
}
