#include "rest/result.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <openssl/sha.h>

#include "rest/cursor.h"
#include "rest/model.h"
#include "rest/plan.h"
#include "rest/wire.h"

void result_begin(struct result *r, const struct plan *plan, int64_t position)
{
    result_free(r);
    r->plan = plan;
    r->position = position;
}

void result_free(struct result *r)
{
    buffer_free(&r->body);
    buffer_free(&r->next);
    buffer_free(&r->after);
    buffer_free(&r->key);
    *r = (struct result){0};
}

/* ---- cursors ---- */

static void put_column(struct buffer *out, const msgpack_object *row,
                       const json_t *name)
{
    const char *text = json_string_value(name);
    const msgpack_object *value = wire_entry(row, text);
    if (value == NULL)
        return;
    if (out->len > 1)
        buffer_byte(out, ',');
    text_put_json(out, text, strlen(text));
    buffer_byte(out, ':');
    wire_put_object(out, value);
}

static bool is_among(const json_t *names, const json_t *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (json_equal(json_array_get(names, i), name))
            return true;
    return false;
}

/* The columns that a row's place is made of, each once. */
static void put_place(struct buffer *out, const json_t *view,
                      const msgpack_object *row)
{
    const json_t *key = json_object_get(view, "key");
    const json_t *order = json_object_get(view, "order");
    buffer_byte(out, '{');
    for (size_t i = 0; i < json_array_size(order); i++)
        put_column(out, row, json_array_get(order, i));
    for (size_t i = 0; i < json_array_size(key); i++)
        if (!is_among(order, json_array_get(key, i)))
            put_column(out, row, json_array_get(key, i));
    buffer_byte(out, '}');
}

static void keep_place(struct result *r, const msgpack_object *row)
{
    const msgpack_object *value = NULL;
    buffer_clear(&r->after);
    switch (r->plan->page) {
    case PAGE_ID:
        value = wire_entry(row, "id");
        break;
    case PAGE_INDEX:
        value = wire_entry(row, "index");
        break;
    case PAGE_NAME:
        value = wire_entry(row, "name");
        break;
    case PAGE_ROW:
        put_place(&r->after, r->plan->columns, row);
        return;
    case PAGE_NONE:
        break;
    }
    if (value != NULL)
        wire_put_object(&r->after, value);
}

/* ---- rows ---- */

void result_row(struct result *r, const void *msgpack, size_t len)
{
    msgpack_unpacked row;
    size_t most = r->plan->limit > 0 ? r->plan->limit : 1;
    if (r->rows == most) {
        r->has_more = true;
        return;
    }
    msgpack_unpacked_init(&row);
    if (msgpack_unpack_next(&row, msgpack, len, NULL) ==
        MSGPACK_UNPACK_SUCCESS) {
        if (r->rows++ > 0)
            buffer_byte(&r->body, ',');
        else if (r->plan->limit > 0)
            buffer_text(&r->body, "{\"items\":[");
        wire_put_object(&r->body, &row.data);
        if (r->rows == most)
            keep_place(r, &row.data);
        const msgpack_object *index = wire_entry(&row.data, "index");
        if (r->plan->is_tail && index != NULL)
            r->position = (int64_t)index->via.u64;
    }
    msgpack_unpacked_destroy(&row);
}

/* Weak, for the same may be sent compressed. */
static void weak_etag(struct result *r)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)r->body.data, r->body.len, hash);
    size_t at = (size_t)snprintf(r->etag, sizeof(r->etag), "W/\"");
    for (size_t i = 0; i < 16; i++)
        at += (size_t)snprintf(r->etag + at, sizeof(r->etag) - at, "%02x",
                               hash[i]);
    snprintf(r->etag + at, sizeof(r->etag) - at, "\"");
}

/* Where the log was when they were read does not make rows others. */
static void end_rows(struct result *r)
{
    if (r->rows == 0)
        buffer_text(&r->body, "{\"items\":[");
    weak_etag(r);
    buffer_text(&r->body, "],\"next\":");
    if (r->has_more && r->after.len > 0) {
        cursor_put(&r->next, r->position, r->after.data, r->after.len);
        text_put_json(&r->body, r->next.data, r->next.len);
    } else {
        buffer_text(&r->body, "null");
    }
    if (r->plan->page == PAGE_NONE && r->has_more)
        buffer_text(&r->body, ",\"more\":true");
    if (r->position != POSITION_NONE)
        buffer_printf(&r->body, ",\"position\":%lld", (long long)r->position);
    buffer_byte(&r->body, '}');
}

/* ---- the end ---- */

/* The version of an object: the place of its newest event. */
static void version_etag(struct result *r, const msgpack_object *object)
{
    const msgpack_object *meta = wire_entry(object, "_");
    const msgpack_object *at = meta != NULL ? wire_entry(meta, "at") : NULL;
    if (wire_is_text(at))
        snprintf(r->etag, sizeof(r->etag), "\"%.*s\"", (int)at->via.str.size,
                 at->via.str.ptr);
}

void path_put_key(struct buffer *out, const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)key[i];
        if (isalnum(c) || strchr("/-._~", c) != NULL)
            buffer_byte(out, (char)c);
        else
            buffer_printf(out, "%%%02X", c);
    }
}

static void keep_key(struct result *r, const msgpack_object *answer)
{
    const msgpack_object *key = wire_entry(answer, "result");
    if (wire_is_text(key))
        path_put_key(&r->key, key->via.str.ptr, key->via.str.size);
}

static void end_entry(struct result *r, const msgpack_object *answer)
{
    const msgpack_object *entry = wire_entry(answer, r->plan->entry);
    if (entry == NULL)
        return;
    if (entry->type == MSGPACK_OBJECT_STR)
        buffer_put(&r->body, entry->via.str.ptr, entry->via.str.size);
    else if (entry->type == MSGPACK_OBJECT_BIN)
        buffer_put(&r->body, entry->via.bin.ptr, entry->via.bin.size);
}

static void end_value(struct result *r, const msgpack_object *answer)
{
    switch (r->plan->shape) {
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        end_entry(r, answer);
        break;
    case SHAPE_OBJECT:
        version_etag(r, answer);
        wire_put_object(&r->body, answer);
        break;
    case SHAPE_WRITE:
        keep_key(r, answer);
        wire_put_object(&r->body, answer);
        break;
    default:
        wire_put_object(&r->body, answer);
    }
}

bool result_end(struct result *r, const void *msgpack, size_t len)
{
    if (r->plan->shape == SHAPE_ROWS) {
        if (r->plan->limit > 0)
            end_rows(r);
        else if (r->rows == 0)
            return false;
    } else {
        msgpack_unpacked answer;
        msgpack_unpacked_init(&answer);
        if (len > 0 && msgpack_unpack_next(&answer, msgpack, len, NULL) ==
                           MSGPACK_UNPACK_SUCCESS)
            end_value(r, &answer.data);
        else
            buffer_text(&r->body, "null");
        msgpack_unpacked_destroy(&answer);
    }
    if (r->etag[0] == '\0' && r->plan->shape != SHAPE_WRITE)
        weak_etag(r);
    return true;
}
