#include "declare/declaring.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/near.h"
#include "base/utf8.h"
#include "declare/declare.h"
#include "sandbox/length.h"
#include "sandbox/lib.h"
#include "schema/value.h"

enum { NAMES_MAX = 512 }; /* that are looked at for a suggestion */

static_assert((int)DECLARE_NAME_MAX <= (int)LIMIT_KIND_NAME,
              "names fit everywhere");

static void text_list_deinit(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->items[i]);
    mem_free(list->items);
    *list = (struct text_list){0};
}

void declaring_deinit(struct declaring *d)
{
    for (size_t i = 0; i < d->record_count; i++) {
        mem_free(d->records[i].name);
        mem_free(d->records[i].schema);
        mem_free(d->records[i].where);
    }
    mem_free(d->records);
    for (size_t i = 0; i < d->list_count; i++) {
        text_list_deinit(d->lists[i]);
        mem_free(d->lists[i]);
    }
    mem_free(d->lists);
    problems_deinit(&d->problems);
    buf_deinit(&d->scratch);
    buf_deinit(&d->value);
    mem_free(d->scales);
    *d = (struct declaring){0};
}

void wrong(struct declaring *d, const struct place *place, const char *format,
           ...)
{
    va_list args;
    va_start(args, format);
    problems_vadd(&d->problems, place, format, args);
    va_end(args);
}

bool is_told(const struct declaring *d, const struct place *place)
{
    size_t len = strlen(place->path);
    for (size_t i = 0; i < d->problems.count; i++) {
        const char *text = d->problems.items[i].text;
        if (strncmp(text, place->path, len) == 0 &&
            (text[len] == ':' || text[len] == '.'))
            return true;
    }
    return false;
}

const char *suggest(struct declaring *d, const char *name,
                    const char *const *names, size_t count)
{
    const char *near = near_name(bytes_of_text(name), names, count);
    buf_clear(&d->scratch);
    if (near != NULL)
        buf_printf(&d->scratch, "; did you mean '%s'?", near);
    return buf_text(&d->scratch);
}

/* ---- tables of options ---- */

static size_t count_of(const char *const *names)
{
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    return count;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

void read_keys(struct declaring *d, const struct place *place, int table,
               const char *const *keys)
{
    lua_pushnil(d->L);
    while (lua_next(d->L, table) != 0) {
        lua_pop(d->L, 1);
        if (lua_type(d->L, -1) != LUA_TSTRING) {
            wrong(d, place, "takes names with values, not a list");
            continue;
        }
        const char *key = lib_name(d->L, -1);
        if (is_one_of(key, keys))
            continue;
        struct place at = place_in(place, key);
        wrong(d, &at, "no such key%s", suggest(d, key, keys, count_of(keys)));
    }
}

bool read_push(struct declaring *d, int table, const char *key)
{
    lua_pushstring(d->L, key);
    lua_rawget(d->L, table);
    if (!lua_isnil(d->L, -1))
        return true;
    lua_pop(d->L, 1);
    return false;
}

/* The text at the top of the stack, whole and printable; NULL is told. */
static const char *top_text(struct declaring *d, const struct place *place)
{
    size_t len;
    if (lua_type(d->L, -1) != LUA_TSTRING) {
        wrong(d, place, "want text, got %s", luaL_typename(d->L, -1));
        return NULL;
    }
    const char *text = lua_tolstring(d->L, -1, &len);
    if (len == 0 || strlen(text) != len || !utf8_valid(bytes_of(text, len))) {
        wrong(d, place, "want text that is not empty, in UTF-8");
        return NULL;
    }
    return text;
}

char *read_text(struct declaring *d, const struct place *place, int table,
                const char *key)
{
    char *copy = NULL;
    if (!read_push(d, table, key))
        return NULL;
    struct place at = place_in(place, key);
    const char *text = top_text(d, &at);
    if (text != NULL)
        copy = mem_text(text);
    lua_pop(d->L, 1);
    return copy;
}

char *read_doc(struct declaring *d, const struct place *place, int table)
{
    if (!read_push(d, table, "doc")) {
        struct place at = place_in(place, "doc");
        wrong(d, &at, "is missing: say in a sentence what this is");
        return mem_text("");
    }
    lua_pop(d->L, 1);
    char *doc = read_text(d, place, table, "doc");
    return doc != NULL ? doc : mem_text("");
}

static const char *list_words(struct declaring *d, const char *const *words)
{
    buf_clear(&d->scratch);
    for (size_t i = 0; words[i] != NULL; i++)
        buf_printf(&d->scratch, "%s'%s'",
                   i == 0                 ? ""
                   : words[i + 1] == NULL ? " or "
                                          : ", ",
                   words[i]);
    return buf_text(&d->scratch);
}

int read_word(struct declaring *d, const struct place *place, int table,
              const char *key, const char *const *words, int fallback)
{
    struct place at = place_in(place, key);
    if (!read_push(d, table, key)) {
        if (fallback < 0)
            wrong(d, &at, "is missing: want %s", list_words(d, words));
        return fallback < 0 ? 0 : fallback;
    }
    const char *text = lua_type(d->L, -1) == LUA_TSTRING
                           ? lib_name(d->L, -1)
                           : luaL_typename(d->L, -1);
    const char *quote = lua_type(d->L, -1) == LUA_TSTRING ? "'" : "";
    int found = -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            found = i;
    if (found < 0)
        wrong(d, &at, "want %s, got %s%s%s", list_words(d, words), quote, text,
              quote);
    lua_pop(d->L, 1);
    return found < 0 ? 0 : found;
}

bool read_integer(struct declaring *d, const struct place *place, int table,
                  const char *key, int64_t *value)
{
    static const double most = 9007199254740992.0; /* 2^53 */
    if (!read_push(d, table, key))
        return false;
    struct place at = place_in(place, key);
    bool is_number = lua_type(d->L, -1) == LUA_TNUMBER;
    double number = is_number ? lua_tonumber(d->L, -1) : 0;
    bool whole = is_number && number >= -most && number <= most &&
                 number == (double)(int64_t)number;
    if (whole)
        *value = (int64_t)number;
    else
        wrong(d, &at, "want a whole number up to 2^53, got %s",
              is_number ? "another" : luaL_typename(d->L, -1));
    lua_pop(d->L, 1);
    return whole;
}

bool read_boolean(struct declaring *d, const struct place *place, int table,
                  const char *key)
{
    bool value = false;
    if (!read_push(d, table, key))
        return false;
    struct place at = place_in(place, key);
    if (lua_isboolean(d->L, -1))
        value = lua_toboolean(d->L, -1) != 0;
    else
        wrong(d, &at, "want true or false, got %s", luaL_typename(d->L, -1));
    lua_pop(d->L, 1);
    return value;
}

int read_function(struct declaring *d, const struct place *place, int table,
                  const char *key, bool needed)
{
    struct place at = place_in(place, key);
    if (!read_push(d, table, key)) {
        if (needed)
            wrong(d, &at, "is missing: want a function");
        return 0;
    }
    if (lua_isfunction(d->L, -1) && !lua_iscfunction(d->L, -1))
        return luaL_ref(d->L, LUA_REGISTRYINDEX);
    wrong(d, &at, "want a function%s%s",
          lua_isfunction(d->L, -1) ? "" : ", got ",
          lua_isfunction(d->L, -1) ? " of your own" : luaL_typename(d->L, -1));
    lua_pop(d->L, 1);
    return 0;
}

static void text_list_add(struct text_list *list, const char *text)
{
    list->items =
        mem_resize(list->items, (list->count + 1) * sizeof(list->items[0]));
    list->items[list->count++] = mem_text(text);
}

/* Lists belong to `d`: nothing is lost when a Lua error passes. */
static struct text_list *new_list(struct declaring *d)
{
    d->lists = mem_array_grow(d->lists, d->list_count, &d->list_cap,
                              sizeof(d->lists[0]));
    struct text_list *list = mem_zero(1, sizeof(*list));
    d->lists[d->list_count++] = list;
    return list;
}

const struct text_list *read_texts(struct declaring *d,
                                   const struct place *place, int table,
                                   const char *key)
{
    if (!read_push(d, table, key))
        return NULL;
    struct text_list *list = new_list(d);
    struct place at = place_in(place, key);
    if (!lua_istable(d->L, -1)) {
        wrong(d, &at, "want a list of names, such as {'%s'}",
              lua_type(d->L, -1) == LUA_TSTRING ? lua_tostring(d->L, -1)
                                                : "name");
        lua_pop(d->L, 1);
        return NULL;
    }
    int items = lua_gettop(d->L);
    size_t count = 0;
    if (!length_whole(d->L, items, &count))
        wrong(d, &at, "want a list of names, got a table without [%zu]",
              count + 1);
    if (count > DECLARE_NAMES_MAX) {
        wrong(d, &at, "has more than %d names", DECLARE_NAMES_MAX);
        count = DECLARE_NAMES_MAX;
    }
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(d->L, items, (int)i);
        const char *text = top_text(d, &at);
        if (text != NULL)
            text_list_add(list, text);
        lua_pop(d->L, 1);
    }
    lua_pop(d->L, 1);
    return list;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const struct text_list *read_names(struct declaring *d,
                                   const struct place *place, int table)
{
    struct text_list *names = new_list(d);
    lua_pushnil(d->L);
    while (lua_next(d->L, table) != 0) {
        lua_pop(d->L, 1);
        if (names->count == DECLARE_NAMES_MAX) {
            wrong(d, place, "has more than %d names", DECLARE_NAMES_MAX);
            lua_pop(d->L, 1);
            break;
        }
        if (lua_type(d->L, -1) == LUA_TSTRING)
            text_list_add(names, lib_name(d->L, -1));
        else
            wrong(d, place, "takes names with values, not a list");
    }
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(names->items[0]),
              compare_texts);
    return names;
}

bool name_allowed(struct declaring *d, const struct place *place,
                  const char *name)
{
    size_t len = strlen(name);
    bool good = len > 0 && name[0] >= 'a' && name[0] <= 'z';
    for (size_t i = 0; i < len; i++)
        good = good && ((name[i] >= 'a' && name[i] <= 'z') ||
                        (name[i] >= '0' && name[i] <= '9') || name[i] == '_');
    if (!good)
        wrong(d, place,
              "a name is made of small letters, digits and '_', a letter "
              "first");
    else if (len > DECLARE_NAME_MAX)
        wrong(d, place, "a name has at most %d letters", DECLARE_NAME_MAX);
    return good && len <= DECLARE_NAME_MAX;
}

/* ---- names of what is declared ---- */

/* What the schema at hand calls a thing of the chain. */
static const char *own_name(const struct declaring *d, const char *name)
{
    size_t len = strlen(d->schema);
    bool own = strncmp(name, d->schema, len) == 0 && name[len] == '.';
    return own ? name + len + 1 : name;
}

static void unknown(struct declaring *d, const struct place *place,
                    const char *what, const char *name, const void *items,
                    size_t count, size_t size)
{
    const char *names[NAMES_MAX];
    size_t n = count < NAMES_MAX ? count : NAMES_MAX;
    for (size_t i = 0; i < n; i++) {
        const char *full;
        memcpy(&full, (const uint8_t *)items + i * size, sizeof(full));
        names[i] = own_name(d, full);
    }
    wrong(d, place, "there is no %s '%s'%s", what, name,
          suggest(d, name, names, n));
}

/* The full name of what `name` means here, in memory of `d`. */
static struct bytes full_name(struct declaring *d, const char *name)
{
    buf_clear(&d->scratch);
    if (strchr(name, '.') == NULL)
        buf_printf(&d->scratch, "%s.", d->schema);
    buf_put_text(&d->scratch, name);
    return buf_bytes(&d->scratch);
}

/* Was it declared, by a declaration that was told to be wrong? Then whoever
 * names it makes no mistake of their own. */
static bool is_told_of(struct declaring *d, const char *name)
{
    struct bytes full = full_name(d, name);
    struct place place = {0};
    if (full.len >= sizeof(place.path))
        return false;
    memcpy(place.path, full.data, full.len);
    return is_told(d, &place);
}

const struct event_type *find_type(struct declaring *d,
                                   const struct place *place, const char *name)
{
    const struct schema *s = d->out;
    const struct event_type *found = schema_type(s, full_name(d, name));
    if (found == NULL && !is_told_of(d, name))
        unknown(d, place, "type", name, s->types, s->type_count,
                sizeof(s->types[0]));
    return found;
}

const struct view *find_view(struct declaring *d, const struct place *place,
                             const char *name)
{
    const struct schema *s = d->out;
    const struct view *found = schema_view(s, full_name(d, name));
    if (found == NULL && !is_told_of(d, name))
        unknown(d, place, "view", name, s->views, s->view_count,
                sizeof(s->views[0]));
    return found;
}

size_t *find_columns(struct declaring *d, const struct place *place,
                     const struct text_list *list, const struct fields *fields,
                     size_t *count)
{
    size_t *found = mem_alloc((list->count + 1) * sizeof(found[0]));
    *count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct field *field =
            fields_find(fields, bytes_of_text(list->items[i]));
        if (field == NULL) {
            unknown(d, place, "field", list->items[i], fields->items,
                    fields->count, sizeof(fields->items[0]));
            continue;
        }
        size_t position = (size_t)(field - fields->items);
        bool twice = false;
        for (size_t j = 0; j < *count; j++)
            twice = twice || found[j] == position;
        if (twice)
            wrong(d, place, "names '%s' twice", field->name);
        else
            found[(*count)++] = position;
    }
    return found;
}

void read_types(struct declaring *d, const struct place *place, int options,
                const char *key, struct text_list *out)
{
    struct place at = place_in(place, key);
    const struct text_list *names = read_texts(d, place, options, key);
    if (names == NULL)
        return;
    out->items = mem_zero(names->count, sizeof(out->items[0]));
    if (names->count == 0)
        wrong(d, &at, "names no type");
    for (size_t i = 0; i < names->count; i++) {
        const struct event_type *type = find_type(d, &at, names->items[i]);
        bool twice = false;
        for (size_t j = 0; type != NULL && j < out->count; j++)
            twice = twice || strcmp(out->items[j], type->name) == 0;
        if (twice)
            wrong(d, &at, "names '%s' twice", type->name);
        else if (type != NULL)
            out->items[out->count++] = mem_text(type->name);
    }
    if (out->count > 0)
        qsort(out->items, out->count, sizeof(out->items[0]), compare_texts);
}
