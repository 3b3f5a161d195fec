#include "rest/result.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <openssl/sha.h>

#include "base/json.h"
#include "base/pack.h"
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

static void put_column(struct buffer *out, const struct pack *row,
                       const json_t *name)
{
    const char *text = json_string_value(name);
    struct pack value = pack_find(row, text);
    if (value.kind == PACK_NONE)
        return;
    if (out->len > 1)
        buffer_byte(out, ',');
    json_put_text(out, text, strlen(text));
    buffer_byte(out, ':');
    wire_put(out, &value);
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
                      const struct pack *row)
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

static void keep_place(struct result *r, const struct pack *row)
{
    struct pack value = {.kind = PACK_NONE};
    buffer_clear(&r->after);
    switch (r->plan->page) {
    case PAGE_ID:
        value = pack_find(row, "id");
        break;
    case PAGE_INDEX:
        value = pack_find(row, "index");
        break;
    case PAGE_AT:
        value = pack_find(row, "_");
        value = pack_find(&value, "at");
        break;
    case PAGE_NAME:
        value = pack_find(row, "name");
        break;
    case PAGE_ROW:
        put_place(&r->after, r->plan->columns, row);
        return;
    case PAGE_NONE:
        break;
    }
    if (value.kind != PACK_NONE)
        wire_put(&r->after, &value);
}

/* ---- rows ---- */

void result_row(struct result *r, const void *msgpack, size_t len)
{
    size_t most = r->plan->limit > 0 ? r->plan->limit : 1;
    if (r->rows == most) {
        r->has_more = true;
        return;
    }
    struct pack row = pack_open(msgpack, len);
    if (row.kind == PACK_NONE)
        return;
    if (r->rows++ > 0)
        buffer_byte(&r->body, ',');
    else if (r->plan->limit > 0)
        buffer_text(&r->body, "{\"items\":[");
    wire_put(&r->body, &row);
    if (r->rows == most)
        keep_place(r, &row);
    if (r->plan->is_tail)
        r->position = pack_find_integer(&row, "index", r->position);
}

/* `begin`, the first bytes of the body's hash, and a quote. */
static void put_etag(struct result *r, const char *begin, size_t bytes)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct buffer etag = {0};
    SHA256((const unsigned char *)r->body.data, r->body.len, hash);
    buffer_text(&etag, begin);
    buffer_hex(&etag, hash, bytes);
    buffer_byte(&etag, '"');
    snprintf(r->etag, sizeof(r->etag), "%s", buffer_string(&etag));
    buffer_free(&etag);
}

/* Weak, for the same may be sent compressed. */
static void weak_etag(struct result *r)
{
    put_etag(r, "W/\"", 16);
}

/* Where the log was when they were read does not make rows others; that there
 * are more behind them does, for who keeps a last page asks for no next one. */
static void end_rows(struct result *r)
{
    if (r->rows == 0)
        buffer_text(&r->body, "{\"items\":[");
    buffer_text(&r->body, "],\"next\":");
    if (!r->has_more)
        buffer_text(&r->body, "null");
    weak_etag(r);
    if (r->has_more && r->after.len > 0) {
        cursor_put(&r->next, r->position, r->after.data, r->after.len);
        json_put_text(&r->body, r->next.data, r->next.len);
    } else if (r->has_more) {
        buffer_text(&r->body, "null");
    }
    if (r->plan->page == PAGE_NONE && r->has_more)
        buffer_text(&r->body, ",\"more\":true");
    if (r->position != POSITION_NONE)
        buffer_printf(&r->body, ",\"position\":%lld", (long long)r->position);
    buffer_byte(&r->body, '}');
}

/* ---- the end ---- */

/* The version of an object, the place of its newest event, which a write is
 * based on; and a hash, for the same version may come to be told otherwise: a
 * schema gives another default, a key gets a name. */
static void version_etag(struct result *r, const struct pack *object)
{
    char begin[RESULT_ETAG / 2];
    size_t len;
    struct pack meta = pack_find(object, "_");
    const char *at = pack_find_text(&meta, "at", &len);
    if (at == NULL)
        return;
    snprintf(begin, sizeof(begin), "\"%.*s-", (int)len, at);
    put_etag(r, begin, 8);
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

static void keep_key(struct result *r, const struct pack *answer)
{
    size_t len;
    const char *key = pack_find_text(answer, "result", &len);
    if (key != NULL)
        path_put_key(&r->key, key, len);
}

static void end_entry(struct result *r, const struct pack *answer)
{
    struct pack entry = pack_find(answer, r->plan->entry);
    if (entry.kind == PACK_TEXT || entry.kind == PACK_BYTES)
        buffer_put(&r->body, entry.data, entry.len);
}

static void end_value(struct result *r, const struct pack *answer)
{
    switch (r->plan->shape) {
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        end_entry(r, answer);
        break;
    case SHAPE_OBJECT:
        wire_put(&r->body, answer);
        version_etag(r, answer);
        break;
    case SHAPE_WRITE:
        keep_key(r, answer);
        wire_put(&r->body, answer);
        break;
    default:
        wire_put(&r->body, answer);
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
        struct pack answer = pack_open(msgpack, len);
        end_value(r, &answer);
    }
    if (r->etag[0] == '\0' && r->plan->shape != SHAPE_WRITE)
        weak_etag(r);
    return true;
}
