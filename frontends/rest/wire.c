#include "rest/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rest/buffer.h"
#include "rest/problem.h"

#define EXACT_MAX (INT64_C(1) << 53)

/* ---- texts ---- */

/* The length of the character at `at`, or 0: it is none. */
static size_t character(const unsigned char *at, size_t left)
{
    unsigned char a = at[0];
    if (a < 0x80)
        return 1;
    size_t len = a >= 0xf0 ? 4 : a >= 0xe0 ? 3 : 2;
    if (a < 0xc2 || a > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (a == 0xe0 && at[1] < 0xa0) || (a == 0xed && at[1] > 0x9f) ||
                 (a == 0xf0 && at[1] < 0x90) || (a == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : len;
}

bool text_is_utf8(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = character((const unsigned char *)text + i, len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

void text_mend(char *text)
{
    size_t len = strlen(text);
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)text[len - back];
        if (c < 0xc0)
            continue;
        if (character((unsigned char *)text + len - back, back) == 0)
            text[len - back] = '\0';
        return;
    }
}

static void put_escaped(struct buffer *out, unsigned char c)
{
    switch (c) {
    case '"':
        buffer_text(out, "\\\"");
        break;
    case '\\':
        buffer_text(out, "\\\\");
        break;
    case '\n':
        buffer_text(out, "\\n");
        break;
    default:
        buffer_printf(out, "\\u%04x", c);
    }
}

void text_put_json(struct buffer *out, const char *text, size_t len)
{
    size_t done = 0;
    buffer_byte(out, '"');
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)text[i];
        size_t step = character((const unsigned char *)text + i, len - i);
        if (step > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += step;
            continue;
        }
        buffer_put(out, text + done, i - done);
        if (step == 0)
            buffer_text(out, "\xef\xbf\xbd");
        else
            put_escaped(out, c);
        done = ++i;
    }
    buffer_put(out, text + done, len - done);
    buffer_byte(out, '"');
}

/* ---- out ---- */

void bytes_put_hex(struct buffer *out, const char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        buffer_byte(out, digits[(unsigned char)data[i] >> 4]);
        buffer_byte(out, digits[(unsigned char)data[i] & 15]);
    }
}

static void put_bytes(struct buffer *out, const char *data, size_t len)
{
    buffer_byte(out, '"');
    bytes_put_hex(out, data, len);
    buffer_byte(out, '"');
}

static void put_integer(struct buffer *out, int64_t number)
{
    bool exact = number >= -EXACT_MAX && number <= EXACT_MAX;
    buffer_printf(out, exact ? "%" PRId64 : "\"%" PRId64 "\"", number);
}

static void put_unsigned(struct buffer *out, uint64_t number)
{
    bool exact = number <= (uint64_t)EXACT_MAX;
    buffer_printf(out, exact ? "%" PRIu64 : "\"%" PRIu64 "\"", number);
}

static void put_list(struct buffer *out, const msgpack_object_array *list)
{
    buffer_byte(out, '[');
    for (uint32_t i = 0; i < list->size; i++) {
        if (i > 0)
            buffer_byte(out, ',');
        wire_put_object(out, &list->ptr[i]);
    }
    buffer_byte(out, ']');
}

static void put_map(struct buffer *out, const msgpack_object_map *map)
{
    buffer_byte(out, '{');
    for (uint32_t i = 0; i < map->size; i++) {
        if (i > 0)
            buffer_byte(out, ',');
        wire_put_object(out, &map->ptr[i].key);
        buffer_byte(out, ':');
        wire_put_object(out, &map->ptr[i].val);
    }
    buffer_byte(out, '}');
}

void wire_put_object(struct buffer *out, const msgpack_object *value)
{
    switch (value->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        buffer_text(out, value->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        put_unsigned(out, value->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        put_integer(out, value->via.i64);
        break;
    case MSGPACK_OBJECT_STR:
        text_put_json(out, value->via.str.ptr, value->via.str.size);
        break;
    case MSGPACK_OBJECT_BIN:
        put_bytes(out, value->via.bin.ptr, value->via.bin.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        put_list(out, &value->via.array);
        break;
    case MSGPACK_OBJECT_MAP:
        put_map(out, &value->via.map);
        break;
    default:
        buffer_text(out, "null");
    }
}

void wire_put_json(struct buffer *out, const void *msgpack, size_t len)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    if (len > 0 && msgpack_unpack_next(&unpacked, msgpack, len, NULL) ==
                       MSGPACK_UNPACK_SUCCESS)
        wire_put_object(out, &unpacked.data);
    else
        buffer_text(out, "null");
    msgpack_unpacked_destroy(&unpacked);
}

json_t *wire_tree(const void *msgpack, size_t len)
{
    struct buffer text = {0};
    wire_put_json(&text, msgpack, len);
    json_t *tree = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    buffer_free(&text);
    return tree != NULL ? tree : json_null();
}

const msgpack_object *wire_entry(const msgpack_object *map, const char *name)
{
    size_t len = strlen(name);
    if (map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *key = &map->via.map.ptr[i].key;
        if (key->type == MSGPACK_OBJECT_STR && key->via.str.size == len &&
            memcmp(key->via.str.ptr, name, len) == 0)
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

bool wire_is_text(const msgpack_object *value)
{
    return value != NULL && value->type == MSGPACK_OBJECT_STR;
}

int64_t wire_number(const void *msgpack, size_t len, const char *name,
                    int64_t none)
{
    msgpack_unpacked map;
    int64_t number = none;
    msgpack_unpacked_init(&map);
    if (len > 0 && msgpack_unpack_next(&map, msgpack, len, NULL) ==
                       MSGPACK_UNPACK_SUCCESS) {
        const msgpack_object *entry = wire_entry(&map.data, name);
        if (entry != NULL && entry->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
            entry->via.u64 <= INT64_MAX)
            number = (int64_t)entry->via.u64;
    }
    msgpack_unpacked_destroy(&map);
    return number;
}

/* ---- in ---- */

json_t *wire_parse(const char *text, size_t len, struct problem *problem)
{
    json_error_t error;
    json_t *tree =
        json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (tree == NULL)
        problem_set(problem, "INVALID",
                    "that is no JSON: line %d, column "
                    "%d: %s",
                    error.line, error.column, error.text);
    return tree;
}

void wire_pack_text(msgpack_packer *out, const char *text, size_t len)
{
    msgpack_pack_str(out, len);
    msgpack_pack_str_body(out, text, len);
}

static int pack(msgpack_packer *out, const json_t *value, const char *name,
                int depth, struct problem *problem);

/* `name` is the pointer of the value, without the slash in front. */
static int pack_items(msgpack_packer *out, const json_t *list, const char *name,
                      int depth, struct problem *problem)
{
    char place[192];
    int rc = 0;
    msgpack_pack_array(out, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
        snprintf(place, sizeof(place), "%s/%zu", name, i);
        rc = pack(out, json_array_get(list, i), place, depth, problem);
    }
    return rc;
}

static int pack_entries(msgpack_packer *out, json_t *map, const char *name,
                        int depth, struct problem *problem)
{
    char place[192];
    const char *key;
    json_t *value;
    msgpack_pack_map(out, json_object_size(map));
    json_object_foreach(map, key, value)
    {
        snprintf(place, sizeof(place), "%s%s%s", name,
                 name[0] != '\0' ? "/" : "", key);
        wire_pack_text(out, key, strlen(key));
        if (pack(out, value, place, depth, problem) != 0)
            return -1;
    }
    return 0;
}

static int pack_integer(msgpack_packer *out, json_int_t number,
                        const char *name, struct problem *problem)
{
    if (number > EXACT_MAX || number < -EXACT_MAX)
        return problem_field(problem, name,
                             "%s: a number is at most 2^53, "
                             "beyond it programs round",
                             name);
    msgpack_pack_int64(out, number);
    return 0;
}

static int pack(msgpack_packer *out, const json_t *value, const char *name,
                int depth, struct problem *problem)
{
    if (depth > WIRE_DEPTH)
        return problem_field(problem, name, "%s: deeper than %d levels", name,
                             WIRE_DEPTH);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return pack_entries(out, (json_t *)(uintptr_t)value, name, depth + 1,
                            problem);
    case JSON_ARRAY:
        return pack_items(out, value, name, depth + 1, problem);
    case JSON_STRING:
        wire_pack_text(out, json_string_value(value),
                       json_string_length(value));
        return 0;
    case JSON_INTEGER:
        return pack_integer(out, json_integer_value(value), name, problem);
    case JSON_REAL:
        return problem_field(problem, name,
                             "%s: a number is whole here; an "
                             "amount is a text, such as \"12.50\"",
                             name);
    case JSON_NULL:
        msgpack_pack_nil(out);
        return 0;
    default:
        json_is_true(value) ? msgpack_pack_true(out) : msgpack_pack_false(out);
        return 0;
    }
}

int wire_pack(msgpack_packer *out, const json_t *value, const char *name,
              struct problem *problem)
{
    return pack(out, value, name, 0, problem);
}
