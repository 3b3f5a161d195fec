#include "mount/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/pack.h"
#include "base/text.h"
#include "base/whole.h"
#include "mount/shape.h"

enum { ARGS_MAX = 256 };

/* ---- where one call ends ---- */

/* Behind the object that begins at `data`, or 0 when it is not all there. */
static size_t json_end(const char *data, size_t len)
{
    size_t depth = 0;
    bool inside = false;
    for (size_t i = 0; i < len; i++) {
        char c = data[i];
        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == '{' || c == '['))
            depth++;
        else if (!inside && (c == '}' || c == ']') && --depth == 0)
            return i + 1;
    }
    return 0;
}

static size_t skip_blanks(const char *data, size_t len, size_t at)
{
    while (at < len &&
           (data[at] == ' ' || data[at] == '\t' || data[at] == '\r'))
        at++;
    return at;
}

enum unit_kind unit_next(const char *data, size_t len, size_t *size)
{
    size_t at = skip_blanks(data, len, 0);
    *size = 0;
    if (at < len && data[at] == '{') {
        size_t end = json_end(data + at, len - at);
        if (end == 0)
            return UNIT_NONE;
        *size = at + end;
        end = skip_blanks(data, len, *size);
        if (end < len && data[end] == '\n')
            *size = end + 1;
        return UNIT_JSON;
    }
    const char *newline = len > 0 ? memchr(data, '\n', len) : NULL;
    if (newline == NULL)
        return UNIT_NONE;
    *size = (size_t)(newline - data) + 1;
    bool blank = data[at] == '\n' || data[at] == '#';
    return blank ? UNIT_BLANK : UNIT_LINE;
}

bool document_is_over(const char *data, size_t len)
{
    const char *blanks = " \t\r\n";
    size_t at = 0;
    while (at < len && strchr(blanks, data[at]) != NULL && data[at] != '\0')
        at++;
    if (at == len)
        return false;
    return data[at] != '{' || json_end(data + at, len - at) != 0;
}

/* ---- values ---- */

static bool is_one_of(const char *value, size_t len, const char *one,
                      const char *other)
{
    return (strlen(one) == len && memcmp(value, one, len) == 0) ||
           (strlen(other) == len && memcmp(value, other, len) == 0);
}

static int put_boolean(struct buffer *out, const struct field *field,
                       const char *value, size_t len, struct buffer *why)
{
    if (!is_one_of(value, len, "true", "yes") &&
        !is_one_of(value, len, "false", "no")) {
        buffer_printf(why, "'%s' is true or false, not '%.*s'", field->name,
                      (int)(len < 80 ? len : 80), value);
        return -1;
    }
    pack_put_boolean(out, is_one_of(value, len, "true", "yes"));
    return 0;
}

static int take_document(struct buffer *out, const char *data, size_t len,
                         struct buffer *why)
{
    struct buffer problem = {0};
    json_t *value = json_read(data, len, JSON_ALLOW_NUL, &problem);
    int rc = value != NULL ? pack_put_json(out, value) : -1;
    if (value == NULL)
        buffer_printf(why, "no JSON, %s", problem.data);
    else if (rc != 0)
        buffer_printf(why, "JSON more than %d deep", PACK_DEPTH_MAX);
    json_decref(value);
    buffer_free(&problem);
    return rc;
}

static int put_json(struct buffer *out, const struct field *field,
                    const char *value, size_t len, struct buffer *why)
{
    struct buffer problem = {0};
    int rc = take_document(out, value, len, &problem);
    if (rc != 0)
        buffer_printf(why, "'%s' is %s", field->name, problem.data);
    buffer_free(&problem);
    return rc;
}

/* A list of simple values may be a,b,c. */
static int put_list(struct buffer *out, const struct field *field,
                    const char *value, size_t len, struct buffer *why)
{
    const char *of = field->item_kind;
    bool simple =
        of != NULL && strcmp(of, "struct") != 0 && strcmp(of, "list") != 0;
    if (!simple || (len > 0 && value[0] == '['))
        return put_json(out, field, value, len, why);
    struct field item = {.name = field->name, .kind = field->item_kind};
    struct buffer items = {0};
    size_t count = 0;
    int rc = 0;
    for (size_t at = 0; at < len && rc == 0;) {
        const char *comma = memchr(value + at, ',', len - at);
        size_t size = comma != NULL ? (size_t)(comma - value) - at : len - at;
        if (size > 0) {
            rc = word_value(&items, &item, value + at, size, why);
            count++;
        }
        at += size + 1;
    }
    if (rc == 0) {
        pack_put_list(out, count);
        buffer_put(out, items.data, items.len);
    }
    buffer_free(&items);
    return rc;
}

static int put_text(struct buffer *out, const struct field *field,
                    const char *value, size_t len, struct buffer *why)
{
    size_t at = 0, step = 1;
    while (at < len && (step = text_step(value + at, len - at)) > 0)
        at += step;
    if (step > 0) {
        pack_put_text(out, value, len);
        return 0;
    }
    buffer_printf(why, "'%s' is text, and no UTF-8 from its byte %zu on",
                  field->name, at);
    return -1;
}

/* What is no whole number, where one is wanted, goes as a text: the engine says
 * what is wrong with it. */
int word_value(struct buffer *out, const struct field *field, const char *value,
               size_t len, struct buffer *why)
{
    int64_t number;
    if (strcmp(field->kind, "integer") == 0 &&
        whole_text(value, len, &number)) {
        pack_put_integer(out, number);
        return 0;
    }
    if (strcmp(field->kind, "boolean") == 0)
        return put_boolean(out, field, value, len, why);
    if (strcmp(field->kind, "struct") == 0)
        return put_json(out, field, value, len, why);
    if (strcmp(field->kind, "list") == 0)
        return put_list(out, field, value, len, why);
    if (strcmp(field->kind, "blob") != 0)
        return put_text(out, field, value, len, why);
    pack_put_bytes(out, value, len);
    return 0;
}

/* ---- one line ---- */

struct args {
    const struct unit_terms *terms;
    struct buffer pairs;
    size_t count;
    const char *seen[ARGS_MAX];
};

static bool has(const struct args *args, const char *name)
{
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->seen[i], name) == 0)
            return true;
    return false;
}

static const struct given *find_given(const struct unit_terms *terms,
                                      const char *name)
{
    for (size_t i = 0; i < terms->given_count; i++)
        if (strcmp(terms->given[i].name, name) == 0)
            return &terms->given[i];
    return NULL;
}

/* A list or struct in JSON keeps its quotes; where it ends, or 0. */
static size_t take_json_word(const char *data, size_t len, size_t at,
                             struct buffer *value)
{
    bool opens = at < len && (data[at] == '[' || data[at] == '{');
    size_t size = opens ? json_end(data + at, len - at) : 0;
    size_t end = at + size;
    if (size == 0 || (end < len && data[end] != ' ' && data[end] != '\t'))
        return 0;
    buffer_put(value, data + at, size);
    return end;
}

/* The text of a value up to a blank, quotes resolved; where it ends, or 0 when
 * a quote stays open. */
static size_t unquote(const char *data, size_t len, size_t at,
                      struct buffer *value)
{
    char quote = '\0';
    size_t end = take_json_word(data, len, at, value);
    if (end > 0)
        return end;
    buffer_text(value, "");
    for (; at < len; at++) {
        char c = data[at];
        bool escape = c == '\\' && quote != '\'' && at + 1 < len;
        if (quote == '\0' && (c == ' ' || c == '\t'))
            break;
        if (escape) {
            at++;
            bool newline = quote == '"' && data[at] == 'n';
            buffer_byte(value, newline ? '\n' : data[at]);
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote && quote != '\0') {
            quote = '\0';
        } else {
            buffer_byte(value, c);
        }
    }
    return quote == '\0' ? at : 0;
}

enum { NAMES_MAX = 24 }; /* that are told */

/* With what may have been meant, or else what there is. */
static int no_argument(const struct unit_terms *terms, const char *name)
{
    const struct fields *fields = terms->fields;
    struct buffer *why = terms->why;
    const char **names = memory_new((fields->count + 1) * sizeof(*names));
    for (size_t i = 0; i < fields->count; i++)
        names[i] = fields->items[i].name;
    const char *near = ate_near(name, names, fields->count);
    free(names);
    buffer_printf(why, "'%.80s' is no argument", name);
    if (near != NULL) {
        buffer_printf(why, "; did you mean '%s'?", near);
        return -1;
    }
    for (size_t i = 0; i < fields->count && i < NAMES_MAX; i++)
        buffer_printf(why, "%s%s",
                      i > 0 ? ", " : "; there are: ", fields->items[i].name);
    if (fields->count > NAMES_MAX)
        buffer_printf(why, ", ...");
    return -1;
}

static int add_word(struct args *args, const char *name,
                    const struct buffer *value)
{
    struct buffer *why = args->terms->why;
    const struct field *field = fields_get(args->terms->fields, name);
    const struct given *given = find_given(args->terms, name);
    if (field == NULL)
        return no_argument(args->terms, name);
    if (has(args, name) || args->count == ARGS_MAX) {
        buffer_printf(why, "'%s' is given twice", name);
        return -1;
    }
    if (given != NULL && strcmp(given->value, value->data) != 0) {
        buffer_printf(why, "'%s' is %s in the path, and not '%.80s'", name,
                      given->value, value->data);
        return -1;
    }
    args->seen[args->count++] = field->name;
    pack_put_string(&args->pairs, name);
    return word_value(&args->pairs, field, value->data, value->len, why);
}

static int take_word(struct args *args, const char *data, size_t len,
                     size_t *at)
{
    struct buffer *why = args->terms->why;
    struct buffer name = {0};
    struct buffer value = {0};
    int rc = -1;
    size_t start = *at;
    while (*at < len && data[*at] != '=' && data[*at] != ' ' &&
           data[*at] != '\t')
        (*at)++;
    buffer_put(&name, data + start, *at - start);
    if (*at >= len || data[*at] != '=' || name.len == 0) {
        buffer_printf(why, "'%.80s' is not of the form key=value", name.data);
    } else if ((*at = unquote(data, len, *at + 1, &value)) == 0) {
        buffer_printf(why, "a quote in '%s' stays open", name.data);
    } else {
        rc = add_word(args, name.data, &value);
    }
    buffer_free(&name);
    buffer_free(&value);
    return rc;
}

static int take_line(struct args *args, const char *data, size_t len)
{
    int rc = 0;
    if (memchr(data, '\0', len) != NULL) {
        buffer_text(args->terms->why, "a line with a zero byte");
        return -1;
    }
    for (size_t at = skip_blanks(data, len, 0); at < len && rc == 0;
         at = skip_blanks(data, len, at))
        rc = take_word(args, data, len, &at);
    return rc;
}

/* ---- one JSON object ---- */

static bool says_same(const struct pack *value, const char *text)
{
    struct buffer plain = {0};
    if (value->kind == PACK_TEXT)
        buffer_put(&plain, value->data, value->len);
    else
        json_put(&plain, value, NULL);
    bool same = strcmp(buffer_string(&plain), text) == 0;
    buffer_free(&plain);
    return same;
}

static int take_pair(struct args *args, const struct pack *key,
                     const struct pack *value)
{
    struct buffer *why = args->terms->why;
    struct buffer name = {0};
    int rc = -1;
    buffer_put(&name, key->data, key->len);
    const struct field *field = fields_get(args->terms->fields, name.data);
    const struct given *known = find_given(args->terms, name.data);
    if (field == NULL) {
        rc = no_argument(args->terms, name.data);
    } else if (args->count == ARGS_MAX) {
        buffer_printf(why, "'%.80s' is one argument too many", name.data);
    } else if (known != NULL && !says_same(value, known->value)) {
        buffer_printf(why,
                      "'%s' is %s in the path, and something else in the "
                      "document",
                      field->name, known->value);
    } else {
        args->seen[args->count++] = field->name;
        buffer_put(&args->pairs, key->start, pack_size(key));
        buffer_put(&args->pairs, value->start, pack_size(value));
        rc = 0;
    }
    buffer_free(&name);
    return rc;
}

/* What reading an object adds to its fields. */
static bool is_added(const struct pack *key, const struct fields *fields)
{
    return pack_is(key, "_") ||
           (pack_is(key, "id") && fields_get(fields, "id") == NULL);
}

static int take_json(struct args *args, bool is_document, const char *data,
                     size_t len)
{
    struct buffer *why = args->terms->why;
    struct buffer packed = {0};
    int rc = take_document(&packed, data, len, why);
    struct pack map = pack_open(packed.data, packed.len);
    if (rc == 0 && map.kind != PACK_MAP) {
        buffer_text(why, "a JSON document that is no object");
        rc = -1;
    }
    struct pack key = pack_first(&map);
    for (size_t i = 0; rc == 0 && i < map.count; i++) {
        struct pack value = pack_next(&key);
        if (!is_document || !is_added(&key, args->terms->fields))
            rc = take_pair(args, &key, &value);
        key = pack_next(&value);
    }
    buffer_free(&packed);
    return rc;
}

/* ---- all of it ---- */

static int add_given(struct args *args, const struct given *given)
{
    const struct field *field = fields_get(args->terms->fields, given->name);
    if (field == NULL || has(args, given->name) || args->count == ARGS_MAX)
        return 0;
    args->seen[args->count++] = field->name;
    pack_put_string(&args->pairs, given->name);
    return word_value(&args->pairs, field, given->value, strlen(given->value),
                      args->terms->why);
}

int unit_args(struct buffer *out, enum unit_kind kind, const char *data,
              size_t len, const struct unit_terms *terms)
{
    struct args args = {.terms = terms};
    int rc = 0;
    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
        len--;
    if (kind == UNIT_JSON || kind == UNIT_DOCUMENT)
        rc = take_json(&args, kind == UNIT_DOCUMENT, data, len);
    else if (kind == UNIT_LINE)
        rc = take_line(&args, data, len);
    for (size_t i = 0; i < terms->given_count && rc == 0; i++)
        rc = add_given(&args, &terms->given[i]);
    if (rc == 0) {
        pack_put_map(out, args.count);
        buffer_put(out, args.pairs.data, args.pairs.len);
    }
    buffer_free(&args.pairs);
    return rc;
}
