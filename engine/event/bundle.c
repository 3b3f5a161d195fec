/* Bundles: [main module, [[module, file name, source], ...]].
 *
 * (1) Modules are sorted by name, strictly: one set of files is one bundle,
 *     with one hash, whatever order it was read in.
 * (2) A checked bundle is walked again without errors. */
#include "event/bundle.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/utf8.h"

enum { BUNDLE_PARTS = 2, MODULE_PARTS = 3 };

static int compare(const void *a, const void *b)
{
    const struct bundle_module *left = a;
    const struct bundle_module *right = b;
    return bytes_compare(left->name, right->name);
}

/* The name of a module or file: text without control characters. Not
 * name_valid: `ate/init.lua` has a slash. */
static bool label_valid(struct bytes text)
{
    if (text.len == 0 || text.len > LIMIT_NAME)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return utf8_valid(text);
}

static int check_module(const struct bundle_module *last,
                        const struct bundle_module *module, struct err *err)
{
    if (!label_valid(module->name))
        return err_set(err, ATE_EINVALID,
                       "a module's name is not text of 1 to %d bytes",
                       LIMIT_NAME);
    const char *name = (const char *)module->name.data;
    int len = (int)module->name.len;
    if (!label_valid(module->file))
        return err_set(err, ATE_EINVALID,
                       "module %.*s: its file name is not text of 1 to %d "
                       "bytes",
                       len, name, LIMIT_NAME);
    if (!utf8_valid(module->source))
        return err_set(err, ATE_EINVALID,
                       "module %.*s: its source is not UTF-8", len, name);
    if (last != NULL && bytes_compare(last->name, module->name) >= 0)
        return err_set(err, ATE_EINVALID,
                       "module %.*s is there twice or out of order", len, name);
    return 0;
}

static int check_count(size_t count, struct err *err)
{
    if (count <= LIMIT_BUNDLE_MODULES)
        return 0;
    return err_set(err, ATE_ELIMIT, "%zu modules, at most %d", count,
                   LIMIT_BUNDLE_MODULES);
}

static int no_main_module(struct bytes name, struct err *err)
{
    return err_set(err, ATE_EINVALID, "its main module %.*s is not there",
                   name.len > LIMIT_NAME ? LIMIT_NAME : (int)name.len,
                   (const char *)name.data);
}

/* Everything that would be refused when read, in sorted modules. */
static int check_modules(struct bytes main_module,
                         const struct bundle_module *modules, size_t count,
                         struct err *err)
{
    bool has_main = false;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        int rc = check_module(i > 0 ? &modules[i - 1] : NULL, &modules[i], err);
        if (rc != 0)
            return rc;
        has_main |= bytes_equal(modules[i].name, main_module);
        total += modules[i].source.len;
        if (total > LIMIT_BUNDLE)
            break;
    }
    if (total > LIMIT_BUNDLE)
        return err_set(err, ATE_ELIMIT, "over %d bytes of Lua", LIMIT_BUNDLE);
    return has_main ? 0 : no_main_module(main_module, err);
}

int bundle_put(struct buf *out, struct bytes main_module,
               struct bundle_module *modules, size_t count, struct err *err)
{
    size_t start = out->len;
    int rc = check_count(count, err);
    if (rc == 0) {
        if (count > 1)
            qsort(modules, count, sizeof(*modules), compare);
        rc = check_modules(main_module, modules, count, err);
    }
    if (rc != 0) {
        err_wrap(err, "bundle");
        return rc;
    }
    mp_put_array(out, BUNDLE_PARTS);
    mp_put_str(out, main_module);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        mp_put_array(out, MODULE_PARTS);
        mp_put_str(out, modules[i].name);
        mp_put_str(out, modules[i].file);
        mp_put_str(out, modules[i].source);
    }
    if (out->len - start <= LIMIT_BUNDLE)
        return 0;
    out->len = start;
    return err_set(err, ATE_ELIMIT, "bundle: over %d bytes", LIMIT_BUNDLE);
}

static int get_module(struct mp *mp, struct bundle_module *module,
                      struct err *err)
{
    mp_get_array_of(mp, MODULE_PARTS, err);
    mp_get_str(mp, &module->name, err);
    mp_get_str(mp, &module->file, err);
    mp_get_str(mp, &module->source, err);
    return mp->failed;
}

static int get_modules(struct mp *mp, struct bundle *bundle, struct err *err)
{
    struct bundle_module last = {0};
    struct bundle_module module = {0};
    bool has_main = false;
    const uint8_t *start = mp->at;
    int rc = mp_get_array(mp, &bundle->count, err);
    if (rc == 0)
        rc = check_count(bundle->count, err);
    for (uint32_t i = 0; rc == 0 && i < bundle->count; i++) {
        rc = get_module(mp, &module, err);
        if (rc == 0)
            rc = check_module(i > 0 ? &last : NULL, &module, err);
        has_main |= rc == 0 && bytes_equal(module.name, bundle->main_module);
        last = module;
    }
    bundle->modules = bytes_of(start, (size_t)(mp->at - start));
    if (rc == 0 && !has_main)
        rc = no_main_module(bundle->main_module, err);
    return rc;
}

int bundle_get(struct bytes raw, struct bundle *bundle, struct err *err)
{
    if (raw.len > LIMIT_BUNDLE)
        return err_set(err, ATE_ELIMIT, "bundle of %zu bytes, at most %d",
                       raw.len, LIMIT_BUNDLE);
    *bundle = (struct bundle){0};
    struct mp mp = mp_open(raw);
    mp_get_array_of(&mp, BUNDLE_PARTS, err);
    int rc = mp_get_str(&mp, &bundle->main_module, err);
    if (rc == 0)
        rc = get_modules(&mp, bundle, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    if (rc != 0)
        err_wrap(err, "bundle");
    return rc;
}

struct bundle_cursor bundle_modules(const struct bundle *bundle)
{
    struct bundle_cursor cursor = {.mp = mp_open(bundle->modules)};
    int rc = mp_get_array(&cursor.mp, &cursor.left, NULL);
    assert(rc == 0 && cursor.left == bundle->count);
    return cursor;
}

bool bundle_next(struct bundle_cursor *cursor, struct bundle_module *module)
{
    if (cursor->left == 0)
        return false;
    int rc = get_module(&cursor->mp, module, NULL);
    assert(rc == 0); /* (2) */
    cursor->left--;
    return true;
}

bool bundle_find(const struct bundle *bundle, struct bytes name,
                 struct bundle_module *module)
{
    struct bundle_cursor cursor = bundle_modules(bundle);
    while (bundle_next(&cursor, module))
        if (bytes_equal(module->name, name))
            return true;
    return false;
}

static bool has_source(const struct bundle *bundle, struct bytes source)
{
    struct bundle_cursor cursor = bundle_modules(bundle);
    struct bundle_module module;
    while (bundle_next(&cursor, &module))
        if (bytes_equal(module.source, source))
            return true;
    return false;
}

static bool has_sources_of(const struct bundle *a, const struct bundle *b)
{
    struct bundle_cursor cursor = bundle_modules(b);
    struct bundle_module module;
    while (bundle_next(&cursor, &module))
        if (!has_source(a, module.source))
            return false;
    return true;
}

bool bundle_same_sources(const struct bundle *a, const struct bundle *b)
{
    return a->count == b->count && has_sources_of(a, b) && has_sources_of(b, a);
}
