#include "mount/json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mount/pack.h"
#include "mount/text.h"

/* ---- out ---- */

void json_put_text(struct text *out, const char *data, size_t len)
{
    static const char short_ones[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    text_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        const char *pair = NULL;
        for (const char *s = short_ones; *s != '\0' && pair == NULL; s += 2)
            pair = *s == data[i] ? s : NULL;
        if (pair != NULL)
            text_printf(out, "\\%c", pair[1]);
        else if ((unsigned char)data[i] < 0x20 || data[i] == 0x7f)
            text_printf(out, "\\u%04x", (unsigned)(unsigned char)data[i]);
        else
            text_putc(out, data[i]);
    }
    text_putc(out, '"');
}

static void put_hex(struct text *out, const struct pack *value)
{
    text_putc(out, '"');
    for (size_t i = 0; i < value->len; i++)
        text_printf(out, "%02x", value->data[i]);
    text_putc(out, '"');
}

static void put_value(struct text *out, const struct pack *value, int depth);

/* `between` stands before each entry but the first. */
static void put_entries(struct text *out, const struct pack *value, int depth,
                        const char *between)
{
    struct pack at = pack_first(value);
    for (size_t i = 0; i < value->count && at.kind != PACK_NONE; i++) {
        if (i > 0)
            text_puts(out, between);
        put_value(out, &at, depth + 1);
        if (value->kind == PACK_MAP) {
            at = pack_next(&at);
            text_puts(out, *between == ',' && between[1] != '\0' ? ": " : ":");
            put_value(out, &at, depth + 1);
        }
        at = pack_next(&at);
    }
}

static void put_value(struct text *out, const struct pack *value, int depth)
{
    if (depth > PACK_DEPTH_MAX) {
        text_puts(out, "null");
        return;
    }
    switch (value->kind) {
    case PACK_NONE:
    case PACK_NIL:
        text_puts(out, "null");
        break;
    case PACK_BOOLEAN:
        text_puts(out, value->boolean ? "true" : "false");
        break;
    case PACK_INTEGER:
        text_printf(out, "%lld", (long long)value->integer);
        break;
    case PACK_UNSIGNED:
        text_printf(out, "%llu", (unsigned long long)value->number);
        break;
    case PACK_REAL:
        text_printf(out, "%.17g", value->real);
        break;
    case PACK_TEXT:
        json_put_text(out, (const char *)value->data, value->len);
        break;
    case PACK_BYTES:
        put_hex(out, value);
        break;
    case PACK_LIST:
        text_putc(out, '[');
        put_entries(out, value, depth, ",");
        text_putc(out, ']');
        break;
    case PACK_MAP:
        text_putc(out, '{');
        put_entries(out, value, depth, ",");
        text_putc(out, '}');
        break;
    }
}

void json_put(struct text *out, const struct pack *value)
{
    put_value(out, value, 0);
}

void json_put_lines(struct text *out, const struct pack *value)
{
    bool is_map = value->kind == PACK_MAP;
    bool many = (is_map || value->kind == PACK_LIST) && value->count > 0;
    if (many) {
        text_puts(out, is_map ? "{\n  " : "[\n  ");
        put_entries(out, value, 0, ",\n  ");
        text_puts(out, is_map ? "\n}\n" : "\n]\n");
    } else {
        put_value(out, value, 0);
        text_putc(out, '\n');
    }
}

/* ---- in ---- */

static void take_value(struct text *out, const json_t *value);

static void take_map(struct text *out, const json_t *value)
{
    const char *key;
    json_t *entry;
    pack_put_map(out, json_object_size(value));
    json_object_foreach((json_t *)value, key, entry)
    {
        pack_put_string(out, key);
        take_value(out, entry);
    }
}

static void take_list(struct text *out, const json_t *value)
{
    size_t i;
    json_t *entry;
    pack_put_list(out, json_array_size(value));
    json_array_foreach(value, i, entry)
    {
        take_value(out, entry);
    }
}

static void take_value(struct text *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        take_map(out, value);
        break;
    case JSON_ARRAY:
        take_list(out, value);
        break;
    case JSON_STRING:
        pack_put_text(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        pack_put_integer(out, json_integer_value(value));
        break;
    case JSON_REAL:
        pack_put_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_put_boolean(out, json_is_true(value));
        break;
    case JSON_NULL:
        pack_put_nil(out);
        break;
    }
}

/* jansson itself goes 2048 deep; the engine takes less. */
static bool is_deep(const char *data, size_t len)
{
    size_t depth = 0;
    bool inside = false;
    for (size_t i = 0; i < len; i++) {
        if (inside && data[i] == '\\')
            i++;
        else if (data[i] == '"')
            inside = !inside;
        else if (!inside && (data[i] == '{' || data[i] == '['))
            depth++;
        else if (!inside && (data[i] == '}' || data[i] == ']') && depth > 0)
            depth--;
        if (depth > PACK_DEPTH_MAX)
            return true;
    }
    return false;
}

int json_take(struct text *out, const char *data, size_t len, struct text *why)
{
    json_error_t error;
    if (is_deep(data, len)) {
        text_printf(why, "JSON more than %d deep", PACK_DEPTH_MAX);
        return -1;
    }
    json_t *value = json_loadb(
        data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
        &error);
    if (value == NULL) {
        text_printf(why, "no JSON, line %d column %d: %s", error.line,
                    error.column, error.text);
        return -1;
    }
    take_value(out, value);
    json_decref(value);
    return 0;
}
