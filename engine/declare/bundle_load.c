/* Bundles are built by loading: what a file requires is known by running it,
 * and a bundle that was built has been loaded once, in a sandbox of the same
 * kind that will run it.
 *
 * (1) Modules are kept in the order they were asked for, each once; a pointer
 *     to one stays good, as each is allocated by itself.
 * (2) The names `ate` and `ate.*` mean the engine's own Lua and nothing else: a
 *     bundle is built with the sources in this binary, and what a bundle has
 *     under these names runs only when it was the engine's in some version.
 * (3) `ate:*` are the standard schemas of this binary, which see no more than
 *     others do. In a bundle they are modules like any other: a chain keeps the
 *     one that it was made with. */
#include "declare/bundle_load.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/version.h"
#include "crypto/hash.h"
#include "declare/assets.h"
#include "declare/declare.h"
#include "declare/warn.h"
#include "schema/schema.h"

/* What was loaded so far. */
struct loaded {
    char *name;
    struct buf file;
    struct buf source;
};

struct building {
    bundle_source source;
    void *ctx;
    struct loaded **items;
    size_t count;
    size_t cap;
    size_t bytes; /* of all sources */
};

static bool is_own(const char *name)
{
    return strcmp(name, "ate") == 0 || strncmp(name, "ate.", 4) == 0;
}

bool bundle_is_standard(const char *module)
{
    return strncmp(module, "ate:", 4) == 0;
}

static const struct lua_asset *find_in(const struct lua_asset *assets,
                                       size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(bytes_of_text(assets[i].module), name))
            return &assets[i];
    return NULL;
}

static const struct lua_asset *find_asset(struct bytes name)
{
    return find_in(lua_assets, lua_asset_count, name);
}

static const struct lua_asset *find_standard(struct bytes name)
{
    return find_in(schema_assets, schema_asset_count, name);
}

static bool has_source(const struct lua_asset *asset, struct bytes source)
{
    return asset != NULL &&
           bytes_equal(source, bytes_of(asset->source, asset->len));
}

/* Is this a source that the module has, or had in a released version? */
static bool is_known(struct bytes name, struct bytes source)
{
    if (has_source(find_asset(name), source))
        return true;
    uint8_t hash[HASH_SIZE];
    struct buf digits = {0};
    bool known = false;
    sha256(source, hash);
    hex_put(&digits, bytes_of(hash, HASH_SIZE));
    for (size_t i = 0; i < lua_release_count && !known; i++)
        known = bytes_equal(name, bytes_of_text(lua_releases[i].module)) &&
                strcmp(buf_text(&digits), lua_releases[i].hash) == 0;
    buf_deinit(&digits);
    return known;
}

bool bundle_knows(struct bytes module, struct bytes source)
{
    return has_source(find_standard(module), source) ||
           is_known(module, source);
}

static int no_module(const char *name, struct err *err)
{
    return err_set(err, ATE_ENOT_FOUND, "there is no module '%s'", name);
}

/* ---- building ---- */

static struct loaded *add_loaded(struct building *b, const char *name)
{
    struct loaded *loaded = mem_zero(1, sizeof(*loaded));
    b->items = mem_array_grow(b->items, b->count, &b->cap, sizeof(*b->items));
    b->items[b->count++] = loaded;
    loaded->name = mem_text(name);
    return loaded;
}

/* A NOT_FOUND would be told as what `require` says of any module. */
static int no_standard(const char *name, int code, struct err *err)
{
    struct buf names = {0};
    for (size_t i = 0; i < schema_asset_count; i++) {
        buf_put_text(&names, i == 0 ? "" : ", ");
        buf_put_text(&names, schema_assets[i].module);
    }
    int rc =
        err_set(err, code, "there is no standard schema '%s'; there are %s",
                name, buf_text(&names));
    buf_deinit(&names);
    return rc;
}

static int read_source(struct building *b, const char *name,
                       struct loaded *loaded, struct err *err)
{
    const struct lua_asset *asset;
    if (is_own(name)) {
        asset = find_asset(bytes_of_text(name));
        if (asset == NULL)
            return no_module(name, err);
    } else if (bundle_is_standard(name)) {
        asset = find_standard(bytes_of_text(name));
        if (asset == NULL)
            return no_standard(name, ATE_EINVALID, err);
    } else if (b->source == NULL) {
        return no_module(name, err);
    } else {
        return b->source(b->ctx, name, &loaded->file, &loaded->source, err);
    }
    buf_put_text(&loaded->file, asset->file);
    buf_put(&loaded->source, asset->source, asset->len);
    return 0;
}

/* A sandbox_find that keeps what it finds. */
static int find_and_keep(void *ctx, const char *name,
                         struct sandbox_module *found, struct err *err)
{
    struct building *b = ctx;
    if (b->count >= LIMIT_BUNDLE_MODULES)
        return err_set(err, ATE_ELIMIT,
                       "more than %d modules; put some of them together",
                       LIMIT_BUNDLE_MODULES);
    struct loaded *loaded = add_loaded(b, name);
    int rc = read_source(b, name, loaded, err);
    b->bytes += loaded->source.len;
    if (rc == 0 && b->bytes > LIMIT_BUNDLE)
        rc =
            err_set(err, ATE_ELIMIT, "more than %d bytes of Lua", LIMIT_BUNDLE);
    if (rc != 0)
        return rc;
    found->file = buf_text(&loaded->file);
    found->source = buf_bytes(&loaded->source);
    found->trusted = is_own(name);
    return 0;
}

static void building_deinit(struct building *b)
{
    for (size_t i = 0; i < b->count; i++) {
        mem_free(b->items[i]->name);
        buf_deinit(&b->items[i]->file);
        buf_deinit(&b->items[i]->source);
        mem_free(b->items[i]);
    }
    mem_free(b->items);
}

static int put_bundle(struct buf *out, const char *main_module,
                      const struct building *b, struct err *err)
{
    struct bundle_module *modules = mem_zero(b->count, sizeof(modules[0]));
    for (size_t i = 0; i < b->count; i++)
        modules[i] = (struct bundle_module){
            .name = bytes_of_text(b->items[i]->name),
            .file = buf_bytes(&b->items[i]->file),
            .source = buf_bytes(&b->items[i]->source),
        };
    int rc =
        bundle_put(out, bytes_of_text(main_module), modules, b->count, err);
    mem_free(modules);
    return rc;
}

static int warn(struct sandbox *s, const struct schema *schema,
                struct bytes raw, struct buf *warnings, struct err *err)
{
    struct bundle bundle;
    int rc = bundle_get(raw, &bundle, err);
    if (rc == 0)
        schema_warnings(s, schema, &bundle, warnings);
    return rc;
}

int bundle_build(struct buf *out, const char *main_module, bundle_source source,
                 void *ctx, struct schema *schema, struct buf *warnings,
                 struct err *err)
{
    struct building b = {.source = source, .ctx = ctx};
    struct schema own = {0};
    size_t start = out->len;
    if (bundle_is_standard(main_module) &&
        find_standard(bytes_of_text(main_module)) == NULL)
        return no_standard(main_module, ATE_ENOT_FOUND, err);
    struct sandbox *s =
        sandbox_new((struct sandbox_limits){0}, find_and_keep, &b);
    int rc = declare_load(s, main_module, &own, err);
    if (rc == 0)
        rc = put_bundle(out, main_module, &b, err);
    if (rc == 0 && warnings != NULL)
        rc = warn(s, &own, bytes_of(out->data + start, out->len - start),
                  warnings, err);
    if (rc == 0)
        rc = sandbox_seal(s, err);
    if (rc != 0)
        out->len = start;
    sandbox_free(s);
    building_deinit(&b);
    if (rc == 0 && schema != NULL)
        *schema = own;
    else
        schema_deinit(&own);
    return rc;
}

/* ---- loading ---- */

int bundle_find_module(void *ctx, const char *name,
                       struct sandbox_module *found, struct err *err)
{
    const struct bundle *bundle = ctx;
    struct bundle_module module;
    if (!bundle_find(bundle, bytes_of_text(name), &module))
        return no_module(name, err);
    if (module.file.len >= sizeof(found->room))
        return err_set(err, ATE_EINVALID,
                       "module '%s': the name of its file is too long", name);
    memcpy(found->room, module.file.data, module.file.len);
    found->room[module.file.len] = '\0';
    found->file = found->room;
    found->source = module.source;
    found->trusted = is_own(name);
    if (found->trusted && !is_known(module.name, module.source))
        return err_set(
            err, ATE_EUNAVAILABLE,
            "the bundle's module '%s' is none that ate " ENGINE_VERSION
            " knows: update ate to open it",
            name);
    return 0;
}
