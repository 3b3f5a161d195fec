/* Methods, and the keys beside `run` that doors own.
 *
 * `rest` is "VERB /a/{b}", `file` is "a/{b}": segments of letters, digits and
 * "._~-", with {arguments} in between. The first segment has no argument, so
 * that it says which method is meant, and is none of those the doors themselves
 * use: four at every door, and those of REST alone. `content` names the
 * argument that is the body of a request or the whole of a file. */
#include "declare/declaring.h"

#include <assert.h>
#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "declare/declare_value.h"
#include "declare/template.h"
#include "declare/vocabulary.h"
#include "sandbox/lib.h"
#include "schema/value.h"

/* ---- arguments ---- */

/* args = t.fields('transfer') */
static void read_fields_of(struct declaring *d, const struct place *place,
                           struct method *method)
{
    lua_rawgeti(d->L, -1, 1);
    const struct event_type *type = NULL;
    if (lua_type(d->L, -1) == LUA_TSTRING)
        type = find_type(d, place, lib_name(d->L, -1));
    else
        wrong(d, place, "t.fields wants the name of a type, got %s",
              luaL_typename(d->L, -1));
    lua_pop(d->L, 1);
    if (type == NULL)
        return;
    fields_add(d, place, &method->args, &type->header);
    fields_add(d, place, &method->args, &type->body);
    if (type->raw_body != NULL)
        fields_add_one(d, place, &method->args, "body", type->raw_body);
}

static void read_args(struct declaring *d, const struct place *place,
                      int options, struct method *method)
{
    struct place at = place_in(place, "args");
    if (!read_push(d, options, "args"))
        return;
    int args = lua_gettop(d->L);
    bool is_fields = false;
    if (vocabulary_is_type(d->L, args)) {
        vocabulary_push_type(d->L, args);
        lua_getfield(d->L, -1, "kind");
        is_fields = strcmp(lua_tostring(d->L, -1), "fields") == 0;
        lua_pop(d->L, 1);
    }
    if (is_fields)
        read_fields_of(d, &at, method);
    lua_settop(d->L, args);
    if (!is_fields)
        read_fields(d, &at, USE_ARGS, NULL, &method->args);
    lua_pop(d->L, 1);
}

/* ---- paths ---- */

struct path_check {
    struct declaring *d;
    const struct method *method;
    char seen[512]; /* names met so far, each behind a space */
};

static void check_argument(void *ctx, const struct place *place,
                           const char *name)
{
    struct path_check *check = ctx;
    const struct fields *args = &check->method->args;
    const struct field *arg = fields_find(args, bytes_of_text(name));
    const char *names[64];
    size_t count = args->count < 64 ? args->count : 64;
    for (size_t i = 0; i < count; i++)
        names[i] = args->items[i].name;
    if (arg == NULL)
        wrong(check->d, place, "{%s} is no argument%s", name,
              suggest(check->d, name, names, count));
    else if (!value_kind_orders(arg->type.kind))
        wrong(check->d, place,
              "{%s} is no single value, a path has no place "
              "for it",
              name);
    else if (arg->type.optional)
        wrong(check->d, place, "{%s} is optional, a path always has it", name);
    char word[128];
    snprintf(word, sizeof(word), " %s ", name);
    if (strstr(check->seen, word) != NULL)
        wrong(check->d, place, "{%s} stands there twice", name);
    size_t len = strlen(check->seen);
    snprintf(check->seen + len, sizeof(check->seen) - len, "%s", word);
}

static bool is_path_letter(char c)
{
    return isalnum((unsigned char)c) || strchr("._~-{}", c) != NULL || c == '/';
}

static const char *const reserved[] = {"types", "views", "events", "methods",
                                       NULL};
static const char *const reserved_by_rest[] = {
    "checkpoint", "files",  "history", "openapi.json",
    "proof",      "source", "tile",    NULL};

static void check_reserved(struct declaring *d, const struct place *place,
                           const char *path, const char *const *words)
{
    size_t len = strcspn(path, "/");
    for (size_t i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == len && strncmp(words[i], path, len) == 0)
            wrong(d, place,
                  "begins with '%s', which every chain has for "
                  "itself",
                  words[i]);
}

static void check_first_segment(struct declaring *d, const struct place *place,
                                const char *path)
{
    if (memchr(path, '{', strcspn(path, "/")) != NULL)
        wrong(d, place, "begins with an argument: the first segment is a word");
    check_reserved(d, place, path, reserved);
}

/* `path` without a slash in front. */
static void check_path(struct declaring *d, const struct place *place,
                       const struct method *method, const char *path)
{
    struct path_check check = {.d = d, .method = method};
    bool letters = true;
    for (const char *c = path; *c != '\0'; c++)
        letters = letters && is_path_letter(*c);
    if (!letters)
        wrong(d, place, "has letters that are none of a-z A-Z 0-9 . _ ~ -");
    for (const char *at = path;; at++) {
        size_t len = strcspn(at, "/");
        bool dots = (len == 1 && at[0] == '.') ||
                    (len == 2 && at[0] == '.' && at[1] == '.');
        if (len == 0 || dots) {
            wrong(d, place, "has a segment that is empty, '.' or '..'");
            break;
        }
        at += len;
        if (*at == '\0')
            break;
    }
    check_first_segment(d, place, path);
    template_each(d, place, path, check_argument, &check);
}

/* ---- annotations ---- */

static void check_rest(struct declaring *d, const struct place *place,
                       const struct method *method, const char *rest)
{
    static const char *const verbs[] = {"GET", "POST", "PUT", "PATCH",
                                        "DELETE"};
    size_t len = strcspn(rest, " ");
    bool known = false;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        known = known ||
                (strlen(verbs[i]) == len && strncmp(verbs[i], rest, len) == 0);
    if (!known || rest[len] != ' ' || rest[len + 1] != '/') {
        wrong(d, place,
              "want a verb (GET POST PUT PATCH DELETE) and a path, "
              "such as 'POST /accounts/{from}/transfers'");
        return;
    }
    if (len == 3 && strncmp(rest, "GET", 3) == 0 && method->mode != METHOD_READ)
        wrong(d, place, "GET only reads, and the method writes");
    check_path(d, place, method, rest + len + 2);
    check_reserved(d, place, rest + len + 2, reserved_by_rest);
}

static void check_file(struct declaring *d, const struct place *place,
                       const struct method *method, const char *file)
{
    if (file[0] == '/')
        wrong(d, place,
              "begins with '/': paths are those inside the chain's "
              "folder");
    else
        check_path(d, place, method, file);
}

static void check_content(struct declaring *d, const struct place *place,
                          const struct method *method, const char *content)
{
    const struct field *arg =
        fields_find(&method->args, bytes_of_text(content));
    if (arg == NULL)
        wrong(d, place, "'%s' is no argument", content);
    else if (arg->type.kind != VALUE_TEXT && arg->type.kind != VALUE_BLOB)
        wrong(d, place, "'%s' is neither text nor blob", content);
}

static void read_annotations(struct declaring *d, const struct place *place,
                             int options, struct method *method)
{
    static const struct {
        const char *key;
        void (*check)(struct declaring *d, const struct place *place,
                      const struct method *method, const char *text);
    } owned[] = {
        {"content", check_content}, /* sorted: they go into a map */
        {"file", check_file},
        {"rest", check_rest},
    };
    enum { OWNED = sizeof(owned) / sizeof(owned[0]) };
    uint32_t count = 0;
    for (int i = 0; i < OWNED; i++) {
        if (!read_push(d, options, owned[i].key))
            continue;
        lua_pop(d->L, 1);
        count++;
    }
    buf_clear(&d->value);
    mp_put_map(&d->value, count);
    for (int i = 0; i < OWNED; i++) {
        struct place at = place_in(place, owned[i].key);
        char *text = read_text(d, place, options, owned[i].key);
        if (text == NULL)
            continue;
        owned[i].check(d, &at, method, text);
        mp_put_text(&d->value, owned[i].key);
        mp_put_text(&d->value, text);
        mem_free(text);
    }
    method->annotations =
        bytes_of(mem_copy(d->value.data, d->value.len), d->value.len);
}

void declare_method(struct declaring *d, const struct record *record,
                    struct method *method)
{
    static const char *const keys[] = {"doc",     "mode", "runs", "args",
                                       "returns", "run",  "rest", "file",
                                       "content", NULL};
    static const char *const modes[] = {"read", "write", NULL};
    static const char *const runs[] = {"both", "server", "client", NULL};
    struct place place = place_at(record->where, record->name);
    int options = lua_gettop(d->L);
    read_keys(d, &place, options, keys);
    method->doc = read_doc(d, &place, options);
    method->mode =
        (enum method_mode)read_word(d, &place, options, "mode", modes, -1);
    method->runs =
        (enum method_runs)read_word(d, &place, options, "runs", runs, 0);
    read_args(d, &place, options, method);
    if (read_push(d, options, "returns")) {
        struct place returns = place_in(&place, "returns");
        method->returns = mem_zero(1, sizeof(*method->returns));
        method->returns->len_max = 1;
        read_type(d, &returns, USE_RETURNS, &method->args, method->returns);
        lua_pop(d->L, 1);
    }
    read_annotations(d, &place, options, method);
    method->function = read_function(d, &place, options, "run", true);
    assert(lua_gettop(d->L) == options);
}

/* ---- two methods behind one door ---- */

/* A path with its arguments' names taken out: "POST /accounts/{}/transfers". */
static void put_shape(struct buf *out, struct bytes path)
{
    bool inside = false;
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '}')
            inside = false;
        if (!inside)
            buf_put_u8(out, path.data[i]);
        if (path.data[i] == '{')
            inside = true;
    }
}

/* The shape of an annotation and whose it is. */
struct shape_of {
    char *shape;
    const struct method *method;
};

/* One file may be both read and written: the mode is part of a file's shape. */
static char *shape_of_method(const struct method *method, const char *key)
{
    struct buf shape = {0};
    struct bytes text;
    if (method->annotations.len == 0)
        return NULL;
    struct bytes value = mp_map_get(method->annotations, key);
    if (value.data == NULL)
        return NULL;
    struct mp mp = mp_open(value);
    int rc = mp_get_str(&mp, &text, NULL);
    assert(rc == 0);
    if (strcmp(key, "file") == 0)
        buf_put_u8(&shape, method->mode == METHOD_READ ? 'r' : 'w');
    put_shape(&shape, text);
    char *copy = mem_text(buf_text(&shape));
    buf_deinit(&shape);
    return copy;
}

static int compare_shapes(const void *a, const void *b)
{
    const struct shape_of *one = a;
    const struct shape_of *two = b;
    int order = strcmp(one->shape, two->shape);
    return order != 0 ? order : strcmp(one->method->name, two->method->name);
}

static void check_clashes(struct declaring *d, const char *key)
{
    const struct schema *s = d->out;
    struct shape_of *shapes = mem_zero(s->method_count, sizeof(shapes[0]));
    size_t count = 0;
    for (size_t i = 0; i < s->method_count; i++) {
        char *shape = shape_of_method(&s->methods[i], key);
        if (shape != NULL)
            shapes[count++] = (struct shape_of){shape, &s->methods[i]};
    }
    qsort(shapes, count, sizeof(shapes[0]), compare_shapes);
    for (size_t i = 1; i < count; i++) {
        const struct method *first = shapes[i - 1].method;
        const struct method *second = shapes[i].method;
        if (strcmp(shapes[i - 1].shape, shapes[i].shape) != 0)
            continue;
        struct place place = place_at(second->where, second->name);
        place = place_in(&place, key);
        wrong(d, &place, "is the path of '%s' (%s), too", first->name,
              first->where);
    }
    for (size_t i = 0; i < count; i++)
        mem_free(shapes[i].shape);
    mem_free(shapes);
}

void declare_clashes(struct declaring *d)
{
    check_clashes(d, "rest");
    check_clashes(d, "file");
}
