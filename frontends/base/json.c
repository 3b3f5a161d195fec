/* Writing is done here: jansson would want a tree of the whole value first,
 * and knows no bytes. Reading is jansson's, whose depth of 2048 is more than
 * the engine takes. */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/pack.h"
#include "base/text.h"

#define EXACT_MAX (INT64_C(1) << 53)

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
    const char *q = quote(w, number > EXACT_MAX || number < -EXACT_MAX);
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

json_t *json_read(const char *data, size_t len, size_t flags,
                  struct buffer *why)
{
    json_error_t error;
    flags |= JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *value = json_loadb(data, len, flags, &error);
    if (value == NULL)
        buffer_printf(why, "line %d, column %d: %s", error.line, error.column,
                      error.text);
    return value;
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
