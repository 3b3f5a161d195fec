/* Types of fields.
 *
 * (1) Whatever was wrong with a type, what is left in `out` is whole: a list
 *     has an item, a ref a target, and every length a bound. Where that cannot
 *     be had it is a text. So the parts that come later need not look.
 * (2) What hangs on an outer type is reachable from it before Lua is asked for
 *     anything more. */
#include "declare/declare_value.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "declare/declare.h"
#include "declare/declare_default.h"
#include "declare/vocabulary.h"
#include "sandbox/lib.h"

/* How the kind of a type begins whose constructor is not there. */
static const char UNKNOWN[] = "unknown ";

static void set_free(struct value_type *out, enum value_kind kind)
{
    out->kind = kind;
    out->min = INT64_MIN;
    out->max = INT64_MAX;
    if (out->len_max == 0)
        out->len_max = DECLARE_TEXT_BODY;
}

/* ---- options ---- */

/* Push argument `i` of the type at the absolute `type`. */
static void push_argument(lua_State *L, int type, int i)
{
    lua_rawgeti(L, type, i);
}

/* Push the options of a type, argument `i`, when there are any. Keys are
 * checked. */
static bool push_options(const struct reading *r, const struct place *place,
                         int type, int i, const char *const *keys)
{
    lua_State *L = r->d->L;
    push_argument(L, type, i);
    if (lua_istable(L, -1)) {
        read_keys(r->d, place, lua_gettop(L), keys);
        return true;
    }
    if (!lua_isnil(L, -1))
        wrong(r->d, place, "takes a table of options, got %s",
              luaL_typename(L, -1));
    lua_pop(L, 1);
    return false;
}

static void read_doc_option(const struct reading *r, const struct place *place,
                            int options, char **doc)
{
    char *text = read_text(r->d, place, options, "doc");
    if (doc != NULL && *doc == NULL)
        *doc = text;
    else
        mem_free(text);
}

/* Which of two constructors made it (vocabulary.h). */
static bool is_exact(const struct reading *r, int type)
{
    lua_getfield(r->d->L, type, "exact");
    bool exact = lua_toboolean(r->d->L, -1) != 0;
    lua_pop(r->d->L, 1);
    return exact;
}

/* Numbers that nothing bounds end where Lua's do: one beyond would be an error
 * for whoever reads it, for ever. */
static void set_exact(const struct reading *r, int type, struct value_type *out)
{
    static_assert(SCHEMA_EXACT_MAX == LIB_INTEGER_MAX, "what Lua can read");
    if (is_exact(r, type)) {
        out->min = -SCHEMA_EXACT_MAX;
        out->max = SCHEMA_EXACT_MAX;
    }
}

/* min and max of a number. */
static void read_range(const struct reading *r, const struct place *place,
                       int options, struct value_type *out)
{
    read_integer(r->d, place, options, "min", &out->min);
    read_integer(r->d, place, options, "max", &out->max);
    if (out->min > out->max)
        wrong(r->d, place, "min is above max");
}

/* min and max of a length. */
static void read_length(const struct reading *r, const struct place *place,
                        int options, uint64_t most, struct value_type *out)
{
    int64_t min = 0;
    int64_t max = (int64_t)out->len_max;
    bool has_max = read_integer(r->d, place, options, "max", &max);
    read_integer(r->d, place, options, "min", &min);
    if (min < 0 || max < 1)
        wrong(r->d, place, "min is at least 0 and max at least 1");
    else if (has_max && (uint64_t)max > most)
        wrong(r->d, place, "max is at most %llu here",
              (unsigned long long)most);
    else if (min > max)
        wrong(r->d, place, "min is above max");
    else
        out->len_max = (uint64_t)max;
    out->len_min = min > 0 ? (uint64_t)min : 0;
}

/* Bodies, and arguments that may become one. */
static bool may_be_large(const struct reading *r, enum value_kind kind)
{
    return kind == VALUE_BLOB && r->depth == 0 &&
           (r->use == USE_RAW || r->use == USE_ARGS);
}

static uint64_t most_bytes(const struct reading *r, enum value_kind kind)
{
    if (kind == VALUE_NAME)
        return LIMIT_NAME;
    if (may_be_large(r, kind))
        return LIMIT_BODY;
    if (r->use == USE_RAW)
        return DECLARE_RAW_MAX;
    if (r->use == USE_HEADER || r->use == USE_ROW)
        return LIMIT_EVENT_HEADER;
    return DECLARE_FIELD_MAX;
}

static uint64_t usual_bytes(const struct reading *r, enum value_kind kind)
{
    if (kind == VALUE_NAME)
        return LIMIT_NAME;
    bool header = r->use == USE_HEADER || r->use == USE_ROW;
    return header ? DECLARE_TEXT_HEADER : DECLARE_TEXT_BODY;
}

/* ---- kinds ---- */

struct kind_row {
    const char *name;
    void (*read)(const struct reading *r, const struct place *place, int type,
                 const struct kind_row *row, struct value_type *out,
                 char **doc);
    enum value_kind kind;
};

/* A kind without options of its own. */
static void read_plain(const struct reading *r, const struct place *place,
                       int type, const struct kind_row *row,
                       struct value_type *out, char **doc)
{
    static const char *const keys[] = {"doc", NULL};
    set_free(out, row->kind);
    if (!push_options(r, place, type, 1, keys))
        return;
    read_doc_option(r, place, lua_gettop(r->d->L), doc);
    lua_pop(r->d->L, 1);
}

static void read_bytes(const struct reading *r, const struct place *place,
                       int type, const struct kind_row *row,
                       struct value_type *out, char **doc)
{
    static const char *const keys[] = {"min", "max", "doc", NULL};
    set_free(out, row->kind);
    out->len_max = usual_bytes(r, row->kind);
    out->large = may_be_large(r, row->kind);
    if (!push_options(r, place, type, 1, keys))
        return;
    int options = lua_gettop(r->d->L);
    read_length(r, place, options, most_bytes(r, row->kind), out);
    read_doc_option(r, place, options, doc);
    lua_pop(r->d->L, 1);
}

static void read_whole(const struct reading *r, const struct place *place,
                       int type, const struct kind_row *row,
                       struct value_type *out, char **doc)
{
    static const char *const keys[] = {"min", "max", "doc", NULL};
    set_free(out, row->kind);
    set_exact(r, type, out);
    if (!push_options(r, place, type, 1, keys))
        return;
    int options = lua_gettop(r->d->L);
    read_range(r, place, options, out);
    read_doc_option(r, place, options, doc);
    lua_pop(r->d->L, 1);
}

static void read_amount(const struct reading *r, const struct place *place,
                        int type, const struct kind_row *row,
                        struct value_type *out, char **doc)
{
    static const char *const keys[] = {"scale", "of",  "min",
                                       "max",   "doc", NULL};
    int64_t scale = -1;
    bool has_scale = false;
    set_free(out, row->kind);
    set_exact(r, type, out);
    if (push_options(r, place, type, 1, keys)) {
        int options = lua_gettop(r->d->L);
        has_scale = read_integer(r->d, place, options, "scale", &scale);
        out->of = read_text(r->d, place, options, "of");
        read_range(r, place, options, out);
        read_doc_option(r, place, options, doc);
        lua_pop(r->d->L, 1);
    }
    if (has_scale && (scale < 0 || scale > 18))
        wrong(r->d, place, "scale is 0 to 18");
    else if (has_scale == (out->of != NULL))
        wrong(r->d, place,
              "an amount has either scale, the digits behind the point, or "
              "of, a field beside it that refers to what has a scale");
    out->scale = has_scale ? (int)scale : -1;
    if (has_scale) {
        mem_free(out->of);
        out->of = NULL;
    }
}

static void add_word(const struct reading *r, const struct place *place,
                     struct value_type *out, const char *word)
{
    for (size_t i = 0; i < out->word_count; i++)
        if (strcmp(out->words[i], word) == 0) {
            wrong(r->d, place, "has the word '%s' twice", word);
            return;
        }
    if (strlen(word) > LIMIT_KIND_NAME)
        wrong(r->d, place, "a word has at most %d bytes", LIMIT_KIND_NAME);
    for (const char *c = word; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '/') {
            wrong(r->d, place, "a word has no control characters and no '/'");
            break;
        }
    out->words =
        mem_resize(out->words, (out->word_count + 1) * sizeof(out->words[0]));
    out->words[out->word_count++] = mem_text(word);
}

static void read_enum(const struct reading *r, const struct place *place,
                      int type, const struct kind_row *row,
                      struct value_type *out, char **doc)
{
    static const char *const keys[] = {"doc", NULL};
    set_free(out, row->kind);
    push_argument(r->d->L, type, 1);
    bool is_list = lua_istable(r->d->L, -1);
    lua_pop(r->d->L, 1);
    if (!is_list) {
        wrong(r->d, place, "an enum wants its words: t.enum({'low', 'high'})");
        return;
    }
    /* The arguments of a type are its items 1 and 2: read_texts wants a key, so
     * that the words get one for a moment. */
    lua_createtable(r->d->L, 0, 1);
    push_argument(r->d->L, type, 1);
    lua_setfield(r->d->L, -2, "words");
    const struct text_list *words =
        read_texts(r->d, place, lua_gettop(r->d->L), "words");
    lua_pop(r->d->L, 1);
    for (size_t i = 0; words != NULL && i < words->count; i++)
        add_word(r, place, out, words->items[i]);
    if (out->word_count == 0 && !is_told(r->d, place))
        wrong(r->d, place, "an enum has at least one word");
    if (push_options(r, place, type, 2, keys)) {
        read_doc_option(r, place, lua_gettop(r->d->L), doc);
        lua_pop(r->d->L, 1);
    }
}

/* Argument 1 as a name; NULL is told. Good until the next look at Lua. */
static const char *target_name(const struct reading *r,
                               const struct place *place, int type,
                               const char *example)
{
    push_argument(r->d->L, type, 1);
    const char *name =
        lua_type(r->d->L, -1) == LUA_TSTRING ? lib_name(r->d->L, -1) : NULL;
    if (name == NULL)
        wrong(r->d, place, "want a name, such as %s, got %s", example,
              luaL_typename(r->d->L, -1));
    lua_pop(r->d->L, 1); /* the type still holds it */
    return name;
}

static void read_ref(const struct reading *r, const struct place *place,
                     int type, const struct kind_row *row,
                     struct value_type *out, char **doc)
{
    static const char *const keys[] = {"doc", NULL};
    set_free(out, VALUE_TEXT);
    const char *name = target_name(r, place, type, "t.ref('account')");
    const struct event_type *target =
        name == NULL ? NULL : find_type(r->d, place, name);
    if (target != NULL) {
        out->kind = row->kind;
        out->target = mem_text(target->name);
        out->exact = is_exact(r, type);
    }
    if (push_options(r, place, type, 2, keys)) {
        read_doc_option(r, place, lua_gettop(r->d->L), doc);
        lua_pop(r->d->L, 1);
    }
}

static void read_page(const struct reading *r, const struct place *place,
                      int type, const struct kind_row *row,
                      struct value_type *out, char **doc)
{
    (void)doc;
    set_free(out, VALUE_TEXT);
    if (r->use != USE_RETURNS) {
        wrong(r->d, place, "a page is what a method returns, nothing else");
        return;
    }
    const char *name = target_name(r, place, type, "t.page('balance')");
    const struct view *view =
        name == NULL ? NULL : find_view(r->d, place, name);
    if (view != NULL) {
        out->kind = row->kind;
        out->target = mem_text(view->name);
    }
}

static void read_struct(const struct reading *r, const struct place *place,
                        int type, const struct kind_row *row,
                        struct value_type *out, char **doc)
{
    static const char *const keys[] = {"doc", NULL};
    set_free(out, row->kind);
    push_argument(r->d->L, type, 1);
    struct reading inner = *r;
    inner.depth++;
    inner.wraps = 0;
    inner.is_field = true;
    read_table(&inner, place, NULL, &out->fields);
    lua_pop(r->d->L, 1);
    if (push_options(r, place, type, 2, keys)) {
        read_doc_option(r, place, lua_gettop(r->d->L), doc);
        lua_pop(r->d->L, 1);
    }
}

static void read_list(const struct reading *r, const struct place *place,
                      int type, const struct kind_row *row,
                      struct value_type *out, char **doc)
{
    static const char *const keys[] = {"min", "max", "doc", NULL};
    set_free(out, row->kind);
    out->len_max = DECLARE_LIST_ITEMS;
    out->item = mem_zero(1, sizeof(*out->item));
    set_free(out->item, VALUE_TEXT);
    struct reading inner = *r;
    inner.depth++;
    inner.wraps = 0;
    inner.is_field = false;
    push_argument(r->d->L, type, 1);
    read_value(&inner, *place, out->item, NULL);
    lua_pop(r->d->L, 1);
    if (push_options(r, place, type, 2, keys)) {
        int options = lua_gettop(r->d->L);
        read_length(r, place, options, DECLARE_LIST_MAX, out);
        read_doc_option(r, place, options, doc);
        lua_pop(r->d->L, 1);
    }
}

/* ---- what is said of a field ---- */

static bool may_modify(const struct reading *r, const struct place *place,
                       const char *modifier)
{
    bool optional_answer =
        r->use == USE_RETURNS && strcmp(modifier, "optional") == 0;
    if (r->is_field || optional_answer)
        return true;
    wrong(r->d, place, "t.%s stands around the type of a field, nowhere else",
          modifier);
    return false;
}

static void read_inner(const struct reading *r, const struct place *place,
                       int type, const char *modifier, struct value_type *out,
                       char **doc)
{
    struct reading inner = *r;
    set_free(out, VALUE_TEXT);
    if (inner.wraps++ == DECLARE_WRAPS_MAX) {
        wrong(r->d, place,
              "t.optional, t.default and t.once: at most %d around each other",
              DECLARE_WRAPS_MAX);
        return;
    }
    may_modify(r, place, modifier);
    push_argument(r->d->L, type, 1);
    read_value(&inner, *place, out, doc);
    lua_pop(r->d->L, 1);
    push_argument(r->d->L, type, 2);
    if (!lua_isnil(r->d->L, -1) && strcmp(modifier, "default") != 0)
        wrong(r->d, place, "t.%s takes one type", modifier);
    lua_pop(r->d->L, 1);
}

static void read_optional(const struct reading *r, const struct place *place,
                          int type, const struct kind_row *row,
                          struct value_type *out, char **doc)
{
    read_inner(r, place, type, row->name, out, doc);
    if (out->default_value.len > 0)
        wrong(r->d, place, "is either optional or has a default");
    if (out->optional)
        wrong(r->d, place, "is optional twice");
    out->optional = true;
}

static void read_once(const struct reading *r, const struct place *place,
                      int type, const struct kind_row *row,
                      struct value_type *out, char **doc)
{
    read_inner(r, place, type, row->name, out, doc);
    if (r->depth > 0)
        wrong(r->d, place, "t.once stands at a field of the type itself");
    out->once = true;
}

static void read_default(const struct reading *r, const struct place *place,
                         int type, const struct kind_row *row,
                         struct value_type *out, char **doc)
{
    size_t before = r->d->problems.count;
    read_inner(r, place, type, row->name, out, doc);
    if (out->optional)
        wrong(r->d, place, "is either optional or has a default");
    else if (out->default_value.len > 0)
        wrong(r->d, place, "has two defaults");
    else if (r->d->problems.count == before) {
        push_argument(r->d->L, type, 2);
        read_default_value(r->d, place, out);
        lua_pop(r->d->L, 1);
    }
}

static void read_wrong_fields(const struct reading *r,
                              const struct place *place, int type,
                              const struct kind_row *row,
                              struct value_type *out, char **doc)
{
    (void)type, (void)row, (void)doc;
    set_free(out, VALUE_TEXT);
    wrong(r->d, place, "t.fields stands as the whole args of a method");
}

static const struct kind_row kinds[] = {
    {"text", read_bytes, VALUE_TEXT},
    {"name", read_bytes, VALUE_NAME},
    {"blob", read_bytes, VALUE_BLOB},
    {"boolean", read_plain, VALUE_BOOLEAN},
    {"integer", read_whole, VALUE_INTEGER},
    {"amount", read_amount, VALUE_AMOUNT},
    {"enum", read_enum, VALUE_ENUM},
    {"date", read_plain, VALUE_DATE},
    {"month", read_plain, VALUE_MONTH},
    {"time", read_plain, VALUE_TIME},
    {"identity", read_plain, VALUE_IDENTITY},
    {"ref", read_ref, VALUE_REF},
    {"event_type", read_plain, VALUE_EVENT_TYPE},
    {"struct", read_struct, VALUE_STRUCT},
    {"list", read_list, VALUE_LIST},
    {"page", read_page, VALUE_PAGE},
    {"optional", read_optional, VALUE_TEXT},
    {"default", read_default, VALUE_TEXT},
    {"once", read_once, VALUE_TEXT},
    {"fields", read_wrong_fields, VALUE_TEXT},
};

/* What other languages call them, where that is not near. */
static const struct {
    const char *name, *kind;
} elsewhere[] = {
    {"string", "text"},    {"varchar", "text"},   {"char", "text"},
    {"number", "integer"}, {"int", "integer"},    {"bigint", "integer"},
    {"decimal", "amount"}, {"numeric", "amount"}, {"money", "amount"},
    {"float", "amount"},   {"bool", "boolean"},   {"bytes", "blob"},
    {"bytea", "blob"},     {"binary", "blob"},    {"timestamp", "time"},
    {"datetime", "time"},  {"array", "list"},     {"table", "struct"},
    {"map", "struct"},     {"object", "struct"},  {"json", "struct"},
    {"user", "identity"},  {"key", "identity"},   {"reference", "ref"},
};

static const char *kind_elsewhere(const char *name)
{
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        if (strcmp(elsewhere[i].name, name) == 0)
            return elsewhere[i].kind;
    return NULL;
}

/* t.txt(), t.string() */
static void unknown_kind(const struct reading *r, const struct place *place,
                         const char *name)
{
    const char *names[sizeof(kinds) / sizeof(kinds[0])];
    size_t count = sizeof(kinds) / sizeof(kinds[0]);
    for (size_t i = 0; i < count; i++)
        names[i] = kinds[i].name;
    const char *kind = kind_elsewhere(name);
    if (kind != NULL)
        wrong(r->d, place, "there is no t.%s; it is t.%s here", name, kind);
    else
        wrong(r->d, place, "there is no t.%s%s", name,
              suggest(r->d, name, names, count));
}

/* The value on top of the stack is no type: say what to write instead. */
static void no_type(const struct reading *r, const struct place *place)
{
    if (lua_isfunction(r->d->L, -1))
        wrong(r->d, place,
              "want a type, got its constructor: call it, as in "
              "t.text()");
    else if (lua_istable(r->d->L, -1))
        wrong(r->d, place,
              "want a type, got a table; fields inside a field "
              "are a t.struct({...})");
    else
        wrong(r->d, place, "want a type such as t.text(), got %s",
              luaL_typename(r->d->L, -1));
}

/* What is in the type, whose table stands at `type`. */
static void read_type_table(const struct reading *r, const struct place *place,
                            int type, struct value_type *out, char **doc)
{
    lua_State *L = r->d->L;
    if (r->d->types_read++ == DECLARE_TYPES_MAX)
        wrong(r->d, place, "the schema has more than %d types of fields",
              DECLARE_TYPES_MAX);
    if (r->d->types_read > DECLARE_TYPES_MAX)
        return;
    if (r->depth > DECLARE_DEPTH_MAX) {
        wrong(r->d, place, "structs and lists nest at most %d deep",
              DECLARE_DEPTH_MAX);
        return;
    }
    lua_getfield(L, type, "kind");
    const char *kind = lua_tostring(L, -1);
    lua_pop(L, 1);
    if (strncmp(kind, UNKNOWN, sizeof(UNKNOWN) - 1) == 0)
        unknown_kind(r, place, kind + sizeof(UNKNOWN) - 1);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, kind) == 0)
            kinds[i].read(r, place, type, &kinds[i], out, doc);
}

/* The type on top of the stack; `place` gets the line of its constructor. */
void read_value(const struct reading *r, struct place place,
                struct value_type *out, char **doc)
{
    lua_State *L = r->d->L;
    set_free(out, VALUE_TEXT);
    if (!vocabulary_is_type(L, -1)) {
        no_type(r, &place);
        return;
    }
    luaL_checkstack(L, 12, "types nest too deep");
    vocabulary_push_type(L, -1);
    int type = lua_gettop(L);
    lua_getfield(L, type, "where");
    place = place_at(lua_tostring(L, -1), place.path);
    lua_pop(L, 1);
    read_type_table(r, &place, type, out, doc);
    assert(lua_gettop(L) == type);
    lua_pop(L, 1);
}
