#include "io/http_value.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "io/http.h"
#include "schema/schema.h"

enum {
    NAME_MAX_LEN = 64,
    VALUE_MAX_LEN = 4096,
    HEADERS_TOLD = 64, /* of an answer */
    JSON_DEPTH = 12,
};

/* ---- what goes out ---- */

void http_request_deinit(struct http_request *r)
{
    buf_deinit(&r->method);
    buf_deinit(&r->url);
    buf_deinit(&r->headers);
    buf_deinit(&r->body);
}

static bool is_token(struct bytes text)
{
    if (text.len == 0 || text.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c) != NULL)
            return false;
    }
    return true;
}

static bool is_value(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < 0x20 && text.data[i] != '\t') ||
            text.data[i] == 0x7f)
            return false;
    return text.len <= VALUE_MAX_LEN;
}

/* What says how the message is carried is not the schema's to say. */
static bool is_own(struct bytes name)
{
    static const char *const own[] = {"host",
                                      "content-length",
                                      "transfer-encoding",
                                      "connection",
                                      "keep-alive",
                                      "upgrade",
                                      "te",
                                      "trailer",
                                      "expect",
                                      "idempotency-key"};
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (name.len == strlen(own[i]) &&
            strncasecmp((const char *)name.data, own[i], name.len) == 0)
            return true;
    return name.len > 6 &&
           strncasecmp((const char *)name.data, "proxy-", 6) == 0;
}

/* Not for a schema to ask: what answers with the request would put into the
 * log what the configuration keeps out of it, and CONNECT leads elsewhere. */
static bool is_method(struct bytes method)
{
    static const char *const bad[] = {"connect", "trace", "track"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (method.len == strlen(bad[i]) &&
            strncasecmp((const char *)method.data, bad[i], method.len) == 0)
            return false;
    return is_token(method);
}

/* Its line among those that end with zeros; NULL: there is none. One without
 * value ends with ';' (put_header). */
static uint8_t *line_of(const struct buf *headers, struct bytes name)
{
    for (size_t at = 0; at < headers->len;
         at += strlen((char *)headers->data + at) + 1) {
        uint8_t *line = headers->data + at;
        if (strncasecmp((char *)line, (const char *)name.data, name.len) == 0 &&
            (line[name.len] == ':' || line[name.len] == ';'))
            return line;
    }
    return NULL;
}

static int put_header(struct http_request *r, struct bytes name,
                      struct bytes value, struct err *err)
{
    if (!is_token(name) || !is_value(value) || is_own(name))
        return err_set(err, ATE_EINVALID,
                       "header '%.*s': no header that may be set here",
                       (int)(name.len < NAME_MAX_LEN ? name.len : NAME_MAX_LEN),
                       (const char *)name.data);
    uint8_t *line = line_of(&r->headers, name);
    if (line != NULL) {
        size_t size = strlen((char *)line) + 1;
        uint8_t *end = r->headers.data + r->headers.len;
        memmove(line, line + size, (size_t)(end - line) - size);
        r->headers.len -= size;
    }
    buf_put_bytes(&r->headers, name);
    /* libcurl takes a line that ends with ';' for a header without value. */
    buf_put_text(&r->headers, value.len > 0 ? ": " : ";");
    buf_put_bytes(&r->headers, value);
    buf_put_u8(&r->headers, 0);
    return 0;
}

static int get_text(struct bytes map, const char *name, struct bytes *text,
                    struct err *err)
{
    struct bytes value = mp_map_get(map, name);
    struct mp mp = mp_open(value);
    *text = bytes_of(NULL, 0);
    if (value.data == NULL)
        return 0;
    if (mp_get_str(&mp, text, err) == 0 &&
        memchr(text->data, 0, text->len) == NULL)
        return 0;
    return err_set(err, ATE_EINVALID, "'%s' is a text", name);
}

int http_request_headers(struct http_request *r, struct bytes headers,
                         struct err *err)
{
    struct mp mp = mp_open(headers);
    uint32_t count = 0;
    if (headers.len == 0)
        return 0;
    if (mp_get_map(&mp, &count, NULL) != 0)
        return err_set(err, ATE_EINVALID,
                       "'headers' is a table of texts by name");
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        struct bytes value;
        int rc = mp_get_str(&mp, &name, err);
        if (rc == 0 && mp_get_str(&mp, &value, NULL) != 0)
            rc = err_set(err, ATE_EINVALID, "header '%.*s': is no text",
                         (int)name.len, (const char *)name.data);
        if (rc == 0)
            rc = put_header(r, name, value, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- JSON ---- */

static int to_json(struct mp *mp, json_t **out, struct err *err);

static int items_to_json(struct mp *mp, bool is_map, json_t **out,
                         struct err *err)
{
    uint32_t count = 0;
    int rc =
        is_map ? mp_get_map(mp, &count, err) : mp_get_array(mp, &count, err);
    *out = is_map ? json_object() : json_array();
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        struct bytes name = {NULL, 0};
        json_t *item = NULL;
        if (is_map)
            rc = mp_get_str(mp, &name, err);
        if (rc == 0)
            rc = to_json(mp, &item, err);
        if (rc != 0)
            break;
        int failed = is_map ? json_object_setn_new_nocheck(
                                  *out, (const char *)name.data, name.len, item)
                            : json_array_append_new(*out, item);
        if (failed != 0)
            rc = err_set(err, ATE_EINVALID, "'json': a key with a zero byte");
    }
    return rc;
}

static int scalar_to_json(struct mp *mp, enum mp_kind kind, json_t **out,
                          struct err *err)
{
    struct bytes text;
    int64_t integer = 0;
    bool is_true = false;
    int rc = 0;
    switch (kind) {
    case MP_NIL:
        *out = json_null();
        return mp_get_nil(mp, err);
    case MP_BOOL:
        rc = mp_get_bool(mp, &is_true, err);
        *out = json_boolean(is_true);
        return rc;
    case MP_INT:
        rc = mp_get_int(mp, &integer, err);
        *out = json_integer(integer);
        return rc;
    case MP_STR:
        rc = mp_get_str(mp, &text, err);
        if (rc == 0)
            *out = json_stringn_nocheck((const char *)text.data, text.len);
        return rc;
    default:
        return err_set(err, ATE_EINVALID,
                       "'json': bytes that are no text are no JSON");
    }
}

static int to_json(struct mp *mp, json_t **out, struct err *err)
{
    enum mp_kind kind = MP_NIL;
    int rc = mp_peek(mp, &kind, err);
    if (rc != 0)
        return rc;
    if (kind == MP_MAP || kind == MP_ARRAY)
        return items_to_json(mp, kind == MP_MAP, out, err);
    return scalar_to_json(mp, kind, out, err);
}

static int take_json(struct http_request *r, struct bytes value,
                     struct err *err)
{
    struct mp mp = mp_open(value);
    json_t *json = NULL;
    int rc = to_json(&mp, &json, err);
    char *text = NULL;
    if (rc == 0)
        text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    if (rc == 0 && text == NULL)
        rc = err_set(err, ATE_EINVALID, "'json': cannot be written");
    if (rc != 0)
        return rc;
    buf_put_text(&r->body, text);
    free(text);
    r->has_body = true;
    if (line_of(&r->headers, bytes_of_text("content-type")) != NULL)
        return 0;
    return put_header(r, bytes_of_text("Content-Type"),
                      bytes_of_text("application/json"), err);
}

static int take_body(struct http_request *r, struct bytes map, struct err *err)
{
    struct bytes json = mp_map_get(map, "json");
    struct bytes body = mp_map_get(map, "body");
    struct bytes bytes = {NULL, 0};
    if (json.data != NULL && body.data != NULL)
        return err_set(err, ATE_EINVALID, "it has either 'body' or 'json'");
    if (json.data != NULL)
        return take_json(r, json, err);
    if (body.data == NULL)
        return 0;
    struct mp mp = mp_open(body);
    enum mp_kind kind = MP_NIL;
    mp_peek(&mp, &kind, NULL);
    if (kind != MP_STR && kind != MP_BIN)
        return err_set(err, ATE_EINVALID, "'body' is a text");
    int rc = kind == MP_STR ? mp_get_str(&mp, &bytes, err)
                            : mp_get_bin(&mp, &bytes, err);
    buf_put_bytes(&r->body, bytes);
    r->has_body = true;
    return rc;
}

static int take_timeout(struct http_request *r, struct bytes map,
                        struct err *err)
{
    struct bytes value = mp_map_get(map, "timeout_s");
    struct mp mp = mp_open(value);
    int64_t seconds = HTTP_TIMEOUT_S;
    if (value.data != NULL && (mp_get_int(&mp, &seconds, NULL) != 0 ||
                               seconds < 1 || seconds > HTTP_TIMEOUT_S_MAX))
        return err_set(err, ATE_EINVALID,
                       "'timeout_s' is a number of seconds from 1 to %d",
                       HTTP_TIMEOUT_S_MAX);
    r->timeout_s = (long)seconds;
    return 0;
}

static int check_keys(struct bytes map, struct err *err)
{
    static const char *const known[] = {"body",   "headers",   "json",
                                        "method", "timeout_s", "url"};
    struct mp mp = mp_open(map);
    uint32_t count = 0;
    if (mp_get_map(&mp, &count, NULL) != 0)
        return err_set(err, ATE_EINVALID,
                       "a request is a table such as {url = '...'}");
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        bool is_known = false;
        int rc = mp_get_str(&mp, &name, err);
        if (rc == 0)
            rc = mp_skip(&mp, NULL, err);
        if (rc != 0)
            return rc;
        for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
            is_known |= bytes_equal(name, bytes_of_text(known[k]));
        if (!is_known)
            return err_set(err, ATE_EINVALID,
                           "a request has no '%.*s'; it has url, method, "
                           "headers, body, json and timeout_s",
                           (int)name.len, (const char *)name.data);
    }
    return 0;
}

static void put_key(struct http_request *r, const uint8_t *key)
{
    buf_put_text(&r->headers, "Idempotency-Key: \"");
    hex_put(&r->headers, bytes_of(key, SERVICE_KEY_SIZE));
    buf_put_text(&r->headers, "\"");
    buf_put_u8(&r->headers, 0);
}

int http_request_get(struct bytes map, const uint8_t key[SERVICE_KEY_SIZE],
                     struct http_request *r, struct err *err)
{
    struct bytes url;
    struct bytes method;
    *r = (struct http_request){0};
    int rc = check_keys(map, err);
    if (rc == 0)
        rc = get_text(map, "url", &url, err);
    if (rc == 0 && url.len == 0)
        rc = err_set(err, ATE_EINVALID, "a request needs a 'url'");
    if (rc == 0)
        rc = get_text(map, "method", &method, err);
    if (rc == 0 && method.len > 0 && !is_method(method))
        rc = err_set(
            err, ATE_EINVALID,
            "method '%.*s': want a word such as POST, none of "
            "CONNECT and TRACE",
            (int)(method.len < NAME_MAX_LEN ? method.len : NAME_MAX_LEN),
            (const char *)method.data);
    if (rc == 0)
        rc = http_request_headers(r, mp_map_get(map, "headers"), err);
    if (rc == 0)
        rc = take_body(r, map, err);
    if (rc == 0)
        rc = take_timeout(r, map, err);
    if (rc != 0)
        return rc;
    if (method.len == 0)
        method = bytes_of_text(r->has_body ? "POST" : "GET");
    buf_put_bytes(&r->url, url);
    buf_put_bytes(&r->method, method);
    put_key(r, key);
    return 0;
}

/* ---- what comes back ---- */

static void from_json(struct buf *out, const json_t *json, bool *good,
                      int depth);

/* msgpack-c's loose form: keys in any order; made canonical by who takes it. */
static void object_from_json(struct buf *out, const json_t *json, bool *good,
                             int depth)
{
    const char *name;
    json_t *value;
    mp_put_map(out, (uint32_t)json_object_size(json));
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        mp_put_text(out, name);
        from_json(out, value, good, depth + 1);
    }
}

/* Services count their ids up to 2^63: what Lua cannot hold is a text. */
static void put_whole(struct buf *out, int64_t number)
{
    char text[32];
    if (number >= -SCHEMA_EXACT_MAX && number <= SCHEMA_EXACT_MAX) {
        mp_put_int(out, number);
        return;
    }
    snprintf(text, sizeof(text), "%" PRId64, number);
    mp_put_text(out, text);
}

static void from_json(struct buf *out, const json_t *json, bool *good,
                      int depth)
{
    char text[64];
    if (depth > JSON_DEPTH) {
        *good = false;
        mp_put_nil(out);
        return;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        object_from_json(out, json, good, depth);
        break;
    case JSON_ARRAY:
        mp_put_array(out, (uint32_t)json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++)
            from_json(out, json_array_get(json, i), good, depth + 1);
        break;
    case JSON_STRING:
        mp_put_str(out,
                   bytes_of(json_string_value(json), json_string_length(json)));
        break;
    case JSON_INTEGER:
        put_whole(out, json_integer_value(json));
        break;
    case JSON_REAL:
        snprintf(text, sizeof(text), "%.15g", json_real_value(json));
        mp_put_text(out, text);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        mp_put_bool(out, json_typeof(json) == JSON_TRUE);
        break;
    default:
        mp_put_nil(out);
    }
}

struct bytes http_header_find(struct bytes headers, const char *name)
{
    const char *at = (const char *)headers.data;
    const char *end = at + headers.len;
    size_t len = strlen(name);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            line_end = end;
        if ((size_t)(line_end - at) > len && at[len] == ':' &&
            strncasecmp(at, name, len) == 0) {
            at += len + 1;
            while (at < line_end && (*at == ' ' || *at == '\t'))
                at++;
            while (line_end > at &&
                   (line_end[-1] == '\r' || line_end[-1] == ' '))
                line_end--;
            return bytes_of(at, (size_t)(line_end - at));
        }
        at = line_end + 1;
    }
    return bytes_of(NULL, 0);
}

/* By small names; of several with one name the first. */
static void put_headers(struct buf *out, struct bytes headers)
{
    struct buf list = {0};
    struct buf seen = {0};
    uint32_t count = 0;
    const char *at = (const char *)headers.data;
    const char *end = at + headers.len;
    while (at < end && count < HEADERS_TOLD) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            line_end = end;
        const char *colon = memchr(at, ':', (size_t)(line_end - at));
        struct bytes name =
            bytes_of(at, colon != NULL ? (size_t)(colon - at) : 0);
        at = line_end + 1;
        if (!is_token(name))
            continue;
        char small[NAME_MAX_LEN + 1];
        for (size_t i = 0; i < name.len; i++)
            small[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z'
                                  ? name.data[i] + 32
                                  : name.data[i]);
        small[name.len] = '\0';
        struct bytes value = http_header_find(headers, small);
        if (line_of(&seen, name) != NULL || !utf8_valid(value) ||
            !is_value(value))
            continue;
        buf_printf(&seen, "%s:", small);
        buf_put_u8(&seen, 0);
        mp_put_text(&list, small);
        mp_put_str(&list, value);
        count++;
    }
    mp_put_map(out, count);
    buf_put_bytes(out, buf_bytes(&list));
    buf_deinit(&list);
    buf_deinit(&seen);
}

static bool says_json(struct bytes headers)
{
    struct bytes type = http_header_find(headers, "content-type");
    size_t len = 0;
    while (len < type.len && type.data[len] != ';' && type.data[len] != ' ')
        len++;
    static const char json[] = "application/json";
    static const char suffix[] = "+json";
    const char *text = (const char *)type.data;
    if (len == strlen(json) && strncasecmp(text, json, len) == 0)
        return true;
    return len > strlen(suffix) && strncasecmp(text + len - strlen(suffix),
                                               suffix, strlen(suffix)) == 0;
}

static bool put_json(struct buf *out, struct bytes headers, struct bytes body)
{
    bool good = true;
    struct buf value = {0};
    if (!says_json(headers) || body.len == 0)
        return false;
    json_t *json = json_loadb((const char *)body.data, body.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (json == NULL)
        return false;
    from_json(&value, json, &good, 0);
    json_decref(json);
    if (good) {
        mp_put_text(out, "json");
        buf_put_bytes(out, buf_bytes(&value));
    }
    buf_deinit(&value);
    return good;
}

void http_answer_put(struct buf *out, long status, struct bytes headers,
                     struct bytes body)
{
    struct buf content = {0};
    bool has_content = put_json(&content, headers, body);
    if (!has_content && body.len > 0) {
        has_content = true;
        mp_put_text(&content, "body");
        if (utf8_valid(body))
            mp_put_str(&content, body);
        else
            mp_put_bin(&content, body);
    }
    mp_put_map(out, has_content ? 3 : 2);
    buf_put_bytes(out, buf_bytes(&content));
    mp_put_text(out, "headers");
    put_headers(out, headers);
    mp_put_text(out, "status");
    mp_put_int(out, status);
    buf_deinit(&content);
}
