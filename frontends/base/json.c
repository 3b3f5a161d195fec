/* Writing is done here: jansson would want a tree of the whole value first,
 * and knows no bytes. Reading is jansson's, whose depth of 2048 is more than
 * the engine takes. But to jansson `1.0` is no whole number, and of what is
 * none it keeps 17 digits, which may look like one:
 *
 * (1) A number that is whole as it is written is an integer of the tree.
 * (2) Another is a real, and none that looks whole within WHOLE_MAX: what was
 *     asked and what would be done would differ. */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/pack.h"
#include "base/text.h"
#include "base/whole.h"

/* ---- out ---- */

static void put_escaped(struct buffer *out, unsigned char c)
{
    static const char short_ones[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *s = short_ones; *s != '\0'; s += 2)
        if (*s == (char)c) {
            buffer_printf(out, "\\%c", s[1]);
            return;
        }
    buffer_printf(out, "\\u%04x", c);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* How many of them are plain ASCII, most texts whole. */
static size_t plain_from(const char *data, size_t len)
{
    size_t i = 0;
    while (i < len && (unsigned char)data[i] < 0x7f &&
           is_plain((unsigned char)data[i]))
        i++;
    return i;
}

void json_put_text(struct buffer *out, const char *data, size_t len)
{
    size_t done = 0;
    buffer_byte(out, '"');
    for (size_t i = plain_from(data, len); i < len;) {
        size_t step = text_step(data + i, len - i);
        if (step > 0 && is_plain((unsigned char)data[i])) {
            i += step;
            continue;
        }
        buffer_put(out, data + done, i - done);
        if (step == 0)
            buffer_text(out, "\xef\xbf\xbd");
        else
            put_escaped(out, (unsigned char)data[i]);
        done = ++i;
        i += plain_from(data + i, len - i);
    }
    buffer_put(out, data + done, len - done);
    buffer_byte(out, '"');
}

struct writer {
    struct buffer *out;
    const struct json_style *style;
    struct pack_reader in;
    int rc;
};

static void put_bytes(struct writer *w, const struct pack *item)
{
    buffer_byte(w->out, '"');
    buffer_hex(w->out, item->data, item->len);
    buffer_byte(w->out, '"');
}

/* The texts that a number is between. */
static const char *quote(const struct writer *w, bool is_large)
{
    return w->style->is_exact && is_large ? "\"" : "";
}

static void put_integer(struct writer *w, int64_t number)
{
    const char *q = quote(w, number > WHOLE_MAX || number < -WHOLE_MAX);
    buffer_text(w->out, q);
    buffer_integer(w->out, number);
    buffer_text(w->out, q);
}

static void put_unsigned(struct writer *w, uint64_t number)
{
    const char *q = quote(w, true);
    buffer_text(w->out, q);
    buffer_unsigned(w->out, number);
    buffer_text(w->out, q);
}

/* A real stays one when it is read again. */
static void put_real(struct writer *w, double number)
{
    size_t start = w->out->len;
    if (!isfinite(number)) {
        w->rc = -1;
        buffer_text(w->out, "null");
        return;
    }
    buffer_printf(w->out, "%.17g", number);
    if (strpbrk(w->out->data + start, ".e") == NULL)
        buffer_text(w->out, ".0");
}

static void put_line(struct writer *w, int depth)
{
    if (depth <= w->style->levels)
        buffer_printf(w->out, "\n%*s", w->style->indent * depth, "");
}

static enum pack_kind put_next(struct writer *w, int depth);

static void put_entries(struct writer *w, const struct pack *item, int depth)
{
    bool is_map = item->kind == PACK_MAP;
    bool has_lines = depth < w->style->levels;
    buffer_byte(w->out, is_map ? '{' : '[');
    for (size_t i = 0; i < item->count && !w->in.bad; i++) {
        if (i > 0)
            buffer_byte(w->out, ',');
        if (has_lines)
            put_line(w, depth + 1);
        enum pack_kind kind = put_next(w, depth + 1);
        if (!is_map)
            continue;
        if (kind != PACK_TEXT)
            w->rc = -1;
        buffer_text(w->out, has_lines ? ": " : ":");
        put_next(w, depth + 1);
    }
    if (has_lines && item->count > 0)
        put_line(w, depth);
    buffer_byte(w->out, is_map ? '}' : ']');
}

static void put_item(struct writer *w, const struct pack *item, int depth)
{
    switch (item->kind) {
    case PACK_NONE:
        w->rc = -1;
        buffer_text(w->out, "null");
        break;
    case PACK_NIL:
        buffer_text(w->out, "null");
        break;
    case PACK_BOOLEAN:
        buffer_text(w->out, item->boolean ? "true" : "false");
        break;
    case PACK_INTEGER:
        put_integer(w, item->integer);
        break;
    case PACK_UNSIGNED:
        put_unsigned(w, item->number);
        break;
    case PACK_REAL:
        put_real(w, item->real);
        break;
    case PACK_TEXT:
        json_put_text(w->out, (const char *)item->data, item->len);
        break;
    case PACK_BYTES:
        put_bytes(w, item);
        break;
    case PACK_LIST:
    case PACK_MAP:
        put_entries(w, item, depth);
        break;
    }
}

/* Returns what it was. */
static enum pack_kind put_next(struct writer *w, int depth)
{
    struct pack item = {.kind = PACK_NONE};
    if (depth > PACK_DEPTH_MAX)
        pack_skip(&w->in);
    else
        item = pack_read(&w->in);
    put_item(w, &item, depth);
    return item.kind;
}

int json_put(struct buffer *out, const struct pack *value,
             const struct json_style *style)
{
    static const struct json_style plain = {0};
    struct writer w = {
        .out = out,
        .style = style != NULL ? style : &plain,
        .in = {.at = value->data, .end = value->end},
    };
    put_item(&w, value, 0);
    return w.rc;
}

/* ---- in ---- */

static json_t *load(const char *data, size_t len, size_t flags,
                    struct buffer *why)
{
    json_error_t error;
    json_t *value = json_loadb(data, len, flags, &error);
    if (value != NULL)
        return value;
    bool has_zero = json_error_code(&error) == json_error_null_character;
    buffer_printf(why, "line %d, column %d: %s", error.line, error.column,
                  has_zero ? "a text has no \\u0000 here" : error.text);
    return NULL;
}

/* Call `see` for each real of a value, until one is true. */
static bool any_real(const json_t *value, bool (*see)(double real))
{
    const char *key;
    json_t *entry;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_REAL:
        return see(json_real_value(value));
    case JSON_ARRAY:
        json_array_foreach(value, i, entry)
        {
            if (any_real(entry, see))
                return true;
        }
        return false;
    case JSON_OBJECT:
        json_object_foreach((json_t *)(uintptr_t)value, key, entry)
        {
            if (any_real(entry, see))
                return true;
        }
        return false;
    default:
        return false;
    }
}

static bool is_real(double real)
{
    (void)real;
    return true;
}

static bool looks_whole(double real)
{
    return fabs(real) <= (double)WHOLE_MAX && real == trunc(real);
}

/* Past the text that begins at `at`, in a document that is good. */
static size_t text_end(const char *data, size_t at)
{
    for (at++; data[at] != '"'; at++)
        at += data[at] == '\\';
    return at + 1;
}

/* Of `true` and `false`, too, which are no numbers for all that. */
static bool is_of_number(char c)
{
    return c != '\0' && strchr("+-.0123456789eE", c) != NULL;
}

/* The same document, whose whole numbers are digits alone. */
static void put_digits(struct buffer *out, const char *data, size_t len)
{
    for (size_t at = 0, size = 0; at < len; at += size) {
        int64_t number;
        size = 0;
        while (at + size < len && is_of_number(data[at + size]))
            size++;
        if (size > 0 && data[at] != 'e' &&
            whole_json(data + at, size, &number)) {
            buffer_printf(out, "%" PRId64, number);
            continue;
        }
        if (size == 0)
            size = data[at] == '"' ? text_end(data, at) - at : 1;
        buffer_put(out, data + at, size);
    }
}

json_t *json_read(const char *data, size_t len, size_t flags,
                  struct buffer *why)
{
    flags |= JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *value = load(data, len, flags, why);
    if (value == NULL || !any_real(value, is_real))
        return value;
    struct buffer digits = {0};
    put_digits(&digits, data, len);
    json_decref(value);
    value = load(digits.data, digits.len, flags, why); /* (1) */
    buffer_free(&digits);
    if (value == NULL || !any_real(value, looks_whole)) /* (2) */
        return value;
    buffer_text(why, "a number has more digits than can be kept, and would "
                     "be rounded to a whole one");
    json_decref(value);
    return NULL;
}

static int put_tree(struct buffer *out, const json_t *value, int depth);

static int put_map(struct buffer *out, json_t *map, int depth)
{
    const char *key;
    json_t *entry;
    pack_put_map(out, json_object_size(map));
    json_object_foreach(map, key, entry)
    {
        pack_put_string(out, key);
        if (put_tree(out, entry, depth + 1) != 0)
            return -1;
    }
    return 0;
}

static int put_list(struct buffer *out, const json_t *list, int depth)
{
    size_t i;
    json_t *entry;
    pack_put_list(out, json_array_size(list));
    json_array_foreach(list, i, entry)
    {
        if (put_tree(out, entry, depth + 1) != 0)
            return -1;
    }
    return 0;
}

static int put_tree(struct buffer *out, const json_t *value, int depth)
{
    if (depth > PACK_DEPTH_MAX)
        return -1;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return put_map(out, (json_t *)(uintptr_t)value, depth);
    case JSON_ARRAY:
        return put_list(out, value, depth);
    case JSON_STRING:
        pack_put_text(out, json_string_value(value), json_string_length(value));
        return 0;
    case JSON_INTEGER:
        pack_put_integer(out, json_integer_value(value));
        return 0;
    case JSON_REAL:
        pack_put_real(out, json_real_value(value));
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_put_boolean(out, json_is_true(value));
        return 0;
    case JSON_NULL:
        break;
    }
    pack_put_nil(out);
    return 0;
}

int pack_put_json(struct buffer *out, const json_t *value)
{
    return put_tree(out, value, 0);
}
