#include "rest/openapi_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "rest/model.h"

static void put(json_t *map, const char *key, json_t *value)
{
    json_object_set_new(map, key, value);
}

static void put_text(json_t *map, const char *key, const char *text)
{
    if (text != NULL)
        put(map, key, json_string(text));
}

static void copy(json_t *to, const char *key, const json_t *from,
                 const char *name)
{
    json_t *value = json_object_get(from, name);
    if (value != NULL)
        json_object_set(to, key, value);
}

static void put_amount(json_t *map, const json_t *field)
{
    char pattern[64];
    const json_t *scale = json_object_get(field, "scale");
    int most = json_is_integer(scale) ? (int)json_integer_value(scale) : 18;
    if (most > 0)
        snprintf(pattern, sizeof(pattern), "^-?[0-9]+(\\.[0-9]{1,%d})?$", most);
    else
        snprintf(pattern, sizeof(pattern), "^-?[0-9]+$");
    put_text(map, "type", "string");
    put_text(map, "pattern", pattern);
}

static void put_ref(json_t *map, const json_t *field)
{
    char text[200];
    const char *target = model_text(field, "target");
    snprintf(text, sizeof(text), "The key of a %s.",
             target != NULL ? target : "thing");
    put_text(map, "type", "string");
    put_text(map, "description", text);
}

static void put_list(json_t *map, const json_t *field)
{
    put_text(map, "type", "array");
    put(map, "items", schema_of_field(json_object_get(field, "item")));
    copy(map, "minItems", field, "min");
    copy(map, "maxItems", field, "max");
}

static void put_integer(json_t *map, const json_t *field)
{
    put_text(map, "type", "integer");
    copy(map, "minimum", field, "min");
    copy(map, "maximum", field, "max");
}

/* A length here counts bytes, there letters, which are no more. */
static void put_string(json_t *map, const json_t *field)
{
    put_text(map, "type", "string");
    copy(map, "minLength", field, "min");
    copy(map, "maxLength", field, "max");
}

/* RFC 4648 calls hexadecimal base16. */
static void put_blob(json_t *map)
{
    put_text(map, "contentEncoding", "base16");
    put_text(map, "pattern", "^([0-9A-Fa-f]{2})*$");
}

static void put_kind(json_t *map, const json_t *field, const char *kind)
{
    static const char *const formats[][2] = {{"date", "date"},
                                             {"time", "date-time"}};
    if (strcmp(kind, "boolean") == 0)
        put_text(map, "type", "boolean");
    else if (strcmp(kind, "integer") == 0)
        put_integer(map, field);
    else if (strcmp(kind, "amount") == 0)
        put_amount(map, field);
    else if (strcmp(kind, "ref") == 0)
        put_ref(map, field);
    else if (strcmp(kind, "list") == 0)
        put_list(map, field);
    else if (strcmp(kind, "text") == 0 || strcmp(kind, "name") == 0)
        put_string(map, field);
    else
        put_text(map, "type", "string");
    for (size_t i = 0; i < 2; i++)
        if (strcmp(kind, formats[i][0]) == 0)
            put_text(map, "format", formats[i][1]);
    if (strcmp(kind, "month") == 0)
        put_text(map, "pattern", "^[0-9]{4}-[0-9]{2}$");
    if (strcmp(kind, "blob") == 0)
        put_blob(map);
    if (strcmp(kind, "enum") == 0)
        copy(map, "enum", field, "words");
}

json_t *schema_of_field(const json_t *field)
{
    const char *kind = model_text(field, "kind");
    json_t *map = json_object();
    if (kind == NULL)
        return map;
    if (strcmp(kind, "page") == 0) { /* rows of a view, or objects */
        put_text(map, "type", "array");
        put(map, "items", json_pack("{ss}", "type", "object"));
    } else if (strcmp(kind, "struct") == 0) {
        json_decref(map);
        map = schema_of_fields(json_object_get(field, "fields"), NULL, false);
    } else {
        put_kind(map, field, kind);
    }
    put_text(map, "description", model_text(field, "doc"));
    return map;
}

static bool is_among(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

static bool may_lack(const json_t *field)
{
    return json_is_true(json_object_get(field, "optional")) ||
           json_object_get(field, "default") != NULL;
}

json_t *schema_of_fields(const json_t *fields, const json_t *but,
                         bool is_partial)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = model_text(field, "name");
        if (name == NULL || is_among(but, name))
            continue;
        put(properties, name, schema_of_field(field));
        if (!is_partial && !may_lack(field))
            json_array_append_new(required, json_string(name));
    }
    json_t *map =
        json_pack("{ssso}", "type", "object", "properties", properties);
    if (json_array_size(required) > 0)
        json_object_set(map, "required", required);
    json_decref(required);
    return map;
}

static void take_null(json_t *schema)
{
    json_t *type = json_object_get(schema, "type");
    json_t *words = json_object_get(schema, "enum");
    if (json_is_string(type))
        put(schema, "type", json_pack("[Os]", type, "null"));
    if (words == NULL)
        return;
    words = json_copy(words); /* the model's */
    json_array_append_new(words, json_null());
    put(schema, "enum", words);
}

void schema_take_null(json_t *schema, const json_t *fields)
{
    json_t *properties = json_object_get(schema, "properties");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        json_t *property =
            json_object_get(properties, model_text(field, "name"));
        if (property != NULL &&
            json_is_true(json_object_get(field, "optional")))
            take_null(property);
    }
}

json_t *schema_of_type(const json_t *type)
{
    json_t *map =
        schema_of_fields(json_object_get(type, "header"), NULL, false);
    json_t *properties = json_object_get(map, "properties");
    const json_t *body = json_object_get(type, "body");
    if (json_is_array(body)) {
        json_t *more = schema_of_fields(body, NULL, true);
        json_object_update(properties, json_object_get(more, "properties"));
        json_decref(more);
    } else if (json_is_object(body)) {
        put(properties, "body", schema_of_field(body));
    }
    put(properties, "id",
        json_pack("{ssss}", "type", "string", "description",
                  "Its key, as paths have it."));
    put(properties, "_",
        json_pack("{ss, s:{s:{ss},s:{ss},s:{ss,ss},s:{ss}}}", "type", "object",
                  "properties", "at", "type", "string", "author", "type",
                  "string", "time", "type", "string", "format", "date-time",
                  "change", "type", "string"));
    put_text(map, "description", model_text(type, "doc"));
    return map;
}
