#include "rest/cursor.h"

#include <string.h>

#include "base/buffer.h"
#include "rest/base64url.h"
#include "rest/problem.h"

void cursor_put(struct buffer *out, int64_t position, const char *after,
                size_t len)
{
    struct buffer json = {0};
    if (position == POSITION_NONE)
        buffer_text(&json, "[null,");
    else
        buffer_printf(&json, "[%lld,", (long long)position);
    buffer_put(&json, after, len);
    buffer_byte(&json, ']');
    base64url_put(out, json.data, json.len);
    buffer_free(&json);
}

int cursor_get(const char *text, int64_t *position, json_t **after,
               struct problem *problem)
{
    struct buffer json = {0};
    json_t *pair = NULL;
    if (base64url_get(text, strlen(text), &json) == 0 && json.len > 0)
        pair = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    buffer_free(&json);
    const json_t *number = json_array_get(pair, 0);
    json_t *value = json_array_get(pair, 1);
    bool good = json_array_size(pair) == 2 && value != NULL &&
                (json_is_null(number) ||
                 (json_is_integer(number) && json_integer_value(number) >= 0));
    if (good) {
        *position =
            json_is_null(number) ? POSITION_NONE : json_integer_value(number);
        *after = json_incref(value);
    }
    json_decref(pair);
    return good ? 0
                : problem_field(problem, "cursor",
                                "'cursor' is what 'next' of "
                                "an answer was, unchanged");
}
