#include "rest/wire.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/pack.h"
#include "base/whole.h"
#include "rest/problem.h"

/* ---- out ---- */

void wire_put(struct buffer *out, const struct pack *value)
{
    static const struct json_style style = {.is_exact = true};
    json_put(out, value, &style);
}

void wire_put_json(struct buffer *out, const void *msgpack, size_t len)
{
    struct pack value = pack_open(msgpack, len);
    wire_put(out, &value);
}

json_t *wire_tree(const void *msgpack, size_t len)
{
    struct buffer text = {0};
    wire_put_json(&text, msgpack, len);
    json_t *tree = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    buffer_free(&text);
    return tree != NULL ? tree : json_null();
}

int64_t wire_number(const void *msgpack, size_t len, const char *name,
                    int64_t none)
{
    struct pack map = pack_open(msgpack, len);
    int64_t number = pack_find_integer(&map, name, none);
    return number >= 0 ? number : none;
}

/* ---- in ---- */

json_t *wire_parse(const char *text, size_t len, struct problem *problem)
{
    struct buffer why = {0};
    json_t *tree = json_read(text, len, 0, &why);
    if (tree == NULL)
        problem_set(problem, "INVALID", "that is no JSON: %s", why.data);
    buffer_free(&why);
    return tree;
}

static int check(const json_t *value, const char *name, int depth,
                 struct problem *problem);

/* `name` is the pointer of the value, without the slash in front. */
static int check_items(const json_t *list, const char *name, int depth,
                       struct problem *problem)
{
    char place[192];
    int rc = 0;
    for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
        snprintf(place, sizeof(place), "%s/%zu", name, i);
        rc = check(json_array_get(list, i), place, depth, problem);
    }
    return rc;
}

static int check_entries(json_t *map, const char *name, int depth,
                         struct problem *problem)
{
    char place[192];
    const char *key;
    json_t *value;
    json_object_foreach(map, key, value)
    {
        snprintf(place, sizeof(place), "%s%s%s", name,
                 name[0] != '\0' ? "/" : "", key);
        if (check(value, place, depth, problem) != 0)
            return -1;
    }
    return 0;
}

static int check_integer(json_int_t number, const char *name,
                         struct problem *problem)
{
    if (number <= WHOLE_MAX && number >= -WHOLE_MAX)
        return 0;
    return problem_field(problem, name,
                         "%s: a number is at most 2^53, "
                         "beyond it programs round",
                         name);
}

static int check(const json_t *value, const char *name, int depth,
                 struct problem *problem)
{
    if (depth > WIRE_DEPTH)
        return problem_field(problem, name, "%s: deeper than %d levels", name,
                             WIRE_DEPTH);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return check_entries((json_t *)(uintptr_t)value, name, depth + 1,
                             problem);
    case JSON_ARRAY:
        return check_items(value, name, depth + 1, problem);
    case JSON_INTEGER:
        return check_integer(json_integer_value(value), name, problem);
    case JSON_REAL:
        return problem_field(problem, name,
                             "%s: a number is whole here; an "
                             "amount is a text, such as \"12.50\"",
                             name);
    default:
        return 0;
    }
}

int wire_pack(struct buffer *out, const json_t *value, const char *name,
              struct problem *problem)
{
    int rc = check(value, name, 0, problem);
    return rc == 0 ? pack_put_json(out, value) : rc;
}
