#include "rest/openapi_parts.h"

static void put(json_t *map, const char *key, json_t *value)
{
    json_object_set_new(map, key, value);
}

json_t *openapi_ref(const char *kind, const char *name)
{
    return json_pack("{so}", "$ref",
                     json_sprintf("#/components/%s/%s", kind, name));
}

json_t *openapi_content(const char *media, json_t *schema)
{
    return json_pack("{s:{s:o}}", media, "schema", schema);
}

static json_t *problem_schema(void)
{
    return json_pack(
        "{ss, s:[sssss], s:{s:{ss},s:{ss},s:{ss},s:{ss},s:{ss},s:{ss},s:{ss},"
        "s:{ss},s:{ss},s:{ss,s:{ss,s:{s:{ss},s:{ss}}}}}}",
        "type", "object", "required", "type", "title", "status", "code",
        "detail", "properties", "type", "type", "string", "title", "type",
        "string", "status", "type", "integer", "code", "type", "string",
        "detail", "type", "string", "rule", "type", "string", "reason", "type",
        "string", "retryable", "type", "boolean", "request_id", "type",
        "string", "errors", "type", "array", "items", "type", "object",
        "properties", "pointer", "type", "string", "detail", "type", "string");
}

static json_t *write_schema(void)
{
    return json_pack(
        "{ss, s:[s], s:{s:{},s:{ss},s:{ss},s:{ss},s:{ss},s:{ss},s:{ss}}}",
        "type", "object", "required", "result", "properties", "result", "index",
        "type", "integer", "tx", "type", "string", "root", "type", "string",
        "receipt", "type", "string", "gas", "type", "integer", "durable_us",
        "type", "integer");
}

static json_t *transaction_schema(void)
{
    return json_pack(
        "{ss, s:{s:{ss},s:{ss},s:{ss},s:{ss,ss},s:{ss},s:{ss},s:{ss,s:{ss}}}}",
        "type", "object", "properties", "index", "type", "integer", "tx",
        "type", "string", "author", "type", "string", "time", "type", "string",
        "format", "date-time", "method", "type", "string", "call", "type",
        "string", "events", "type", "array", "items", "type", "object");
}

static json_t *parameter(const char *name, const char *in, const char *doc,
                         json_t *schema)
{
    return json_pack("{ss,ss,ss,so}", "name", name, "in", in, "description",
                     doc, "schema", schema);
}

static json_t *text_type(void)
{
    return json_pack("{ss}", "type", "string");
}

static json_t *parameters(void)
{
    json_t *all = json_object();
    put(all, "IdempotencyKey",
        parameter("Idempotency-Key", "header",
                  "The same key and body get the "
                  "same answer, and are done once.",
                  text_type()));
    put(all, "IfMatch",
        parameter("If-Match", "header",
                  "The ETag that it is based on; what stands behind a dash in "
                  "it is no matter.",
                  text_type()));
    put(all, "IfNoneMatch",
        parameter("If-None-Match", "header", "The ETag that you have.",
                  text_type()));
    put(all, "IfThereIsNone",
        parameter("If-None-Match", "header", "*: there has to be none.",
                  json_pack("{ss,s:[s]}", "type", "string", "enum", "*")));
    put(all, "AteAs",
        parameter("Ate-As", "header",
                  "The name of the key that signs; without it 'me'.",
                  text_type()));
    put(all, "AteActFor",
        parameter("Ate-Act-For", "header", "The identity to act for.",
                  text_type()));
    put(all, "Limit",
        parameter("limit", "query", "Rows of a page.",
                  json_pack("{ss,si,si,si}", "type", "integer", "minimum", 1,
                            "maximum", 1000, "default", 100)));
    put(all, "Cursor",
        parameter("cursor", "query", "'next' of the page before.",
                  text_type()));
    put(all, "Order",
        parameter("order", "query", "Which end comes first.",
                  json_pack("{ss,s:[ss]}", "type", "string", "enum", "first",
                            "last")));
    return all;
}

static json_t *answers(bool of_chain)
{
    json_t *all = json_pack("{s:{ss,so}}", "Problem", "description", "Why not.",
                            "content",
                            openapi_content("application/problem+json",
                                            openapi_ref("schemas", "Problem")));
    if (!of_chain)
        return all;
    put(all, "NotModified",
        json_pack("{ss}", "description", "It has the ETag that you have."));
    put(all, "Done",
        json_pack("{ss}", "description", "As 'Prefer: return=minimal' wants."));
    return all;
}

json_t *openapi_components(json_t *schemas, bool of_chain)
{
    put(schemas, "Problem", problem_schema());
    if (of_chain) {
        put(schemas, "Write", write_schema());
        put(schemas, "Transaction", transaction_schema());
    }
    return json_pack("{so, so, so, s:{s:{ss,ss}}}", "schemas", schemas,
                     "responses", answers(of_chain), "parameters",
                     of_chain ? parameters() : json_object(), "securitySchemes",
                     "bearer", "type", "http", "scheme", "bearer");
}
