#include "rest/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "base/buffer.h"
#include "base/json.h"
#include "rest/model.h"
#include "rest/openapi_parts.h"
#include "rest/openapi_schema.h"
#include "rest/result.h"

/* One description while it is made. */
struct making {
    const struct model *model;
    char *base; /* "/v1/bank", with its segments encoded */
    json_t *paths;
    json_t *schemas;
};

static void put(json_t *map, const char *key, json_t *value)
{
    json_object_set_new(map, key, value);
}

static json_t *ref_schema(const char *name)
{
    return openapi_ref("schemas", name);
}

/* ---- operations ---- */

/* "list", "coins.wallet" -> "listCoins__wallet". Methods have no capitals in
 * their names, so none is called like this. */
static json_t *operation_id(const char *word, const char *name)
{
    struct buffer id = {0};
    buffer_text(&id, word);
    for (size_t i = 0; name[i] != '\0'; i++) {
        if (name[i] == '.')
            buffer_text(&id, "__");
        else if (i == 0)
            buffer_byte(&id, (char)toupper((unsigned char)name[i]));
        else
            buffer_byte(&id, name[i]);
    }
    json_t *text = json_string(buffer_string(&id));
    buffer_free(&id);
    return text;
}

static json_t *responses(const char *status, const char *what, json_t *schema)
{
    json_t *good = json_pack("{ss}", "description", what);
    if (schema != NULL)
        put(good, "content", openapi_content("application/json", schema));
    return json_pack("{s:o, s:o, s:o}", status, good, "400",
                     openapi_ref("responses", "Problem"), "default",
                     openapi_ref("responses", "Problem"));
}

/* Of a GET: it has an ETag. */
static json_t *read_answers(const char *what, json_t *schema)
{
    json_t *all = responses("200", what, schema);
    put(all, "304", openapi_ref("responses", "NotModified"));
    return all;
}

static json_t *operation(const char *tag, json_t *id, const char *doc,
                         json_t *answers)
{
    return json_pack("{s:[s], s:o, s:s, s:o, s:[]}", "tags", tag, "operationId",
                     id, "summary", doc != NULL ? doc : "", "responses",
                     answers, "parameters");
}

static void add_parameter(json_t *operation, json_t *parameter)
{
    json_array_append_new(json_object_get(operation, "parameters"), parameter);
}

static void add_query(json_t *operation, const char *name, json_t *schema)
{
    add_parameter(operation, json_pack("{ss,ss,so}", "name", name, "in",
                                       "query", "schema", schema));
}

static void add_path(json_t *operation, const char *name, json_t *schema)
{
    add_parameter(operation,
                  json_pack("{ss,ss,sb,so}", "name", name, "in", "path",
                            "required", 1, "schema", schema));
}

static void add_body(json_t *operation, const char *media, json_t *schema)
{
    put(operation, "requestBody",
        json_pack("{sb,so}", "required", 1, "content",
                  openapi_content(media, schema)));
}

static void add_key(json_t *operation)
{
    add_path(operation, "key",
             json_pack("{ss,ss}", "type", "string", "description",
                       "Where it has several "
                       "segments, the slashes between them "
                       "are %2F, or stand as they are."));
}

/* What every operation of a chain takes. */
static void add_headers(json_t *operation, bool is_read)
{
    if (is_read)
        add_parameter(operation, openapi_ref("parameters", "IfNoneMatch"));
    add_parameter(operation, openapi_ref("parameters", "AteAs"));
    add_parameter(operation, openapi_ref("parameters", "AteActFor"));
}

/* Put an operation at a path below the chain's. */
static void add(struct making *m, const char *path, const char *verb,
                json_t *operation)
{
    struct buffer whole = {0};
    if (m->model != NULL)
        add_headers(operation, strcmp(verb, "get") == 0);
    buffer_printf(&whole, "%s%s", m->base, path);
    json_t *item = json_object_get(m->paths, buffer_string(&whole));
    if (item == NULL) {
        item = json_object();
        put(m->paths, whole.data, item);
    }
    put(item, verb, operation);
    buffer_free(&whole);
}

static json_t *write_answers(const char *status)
{
    json_t *all = responses(status, "What was written.", ref_schema("Write"));
    put(all, "204", openapi_ref("responses", "Done"));
    return all;
}

static void add_idempotency(json_t *operation)
{
    add_parameter(operation, openapi_ref("parameters", "IdempotencyKey"));
}

static json_t *page_of(json_t *items)
{
    return json_pack("{ss,s:[ss],s:{s:{ss,so},s:{s:[ss]},s:{ss}}}", "type",
                     "object", "required", "items", "next", "properties",
                     "items", "type", "array", "items", items, "next", "type",
                     "string", "null", "position", "type", "integer");
}

static void add_page(json_t *operation)
{
    add_parameter(operation, openapi_ref("parameters", "Limit"));
    add_parameter(operation, openapi_ref("parameters", "Cursor"));
    add_parameter(operation, openapi_ref("parameters", "Order"));
}

/* ---- types ---- */

static const char *name_of(const json_t *declared)
{
    return model_text(declared, "name");
}

static json_t *default_of(const struct making *m, const json_t *type,
                          const char *word)
{
    return model_default(m->model, name_of(type), word);
}

static void add_make(struct making *m, const json_t *type, const char *path)
{
    const char *word = model_is_object(type) ? "create" : "append";
    const json_t *method = default_of(m, type, word);
    if (method == NULL)
        return;
    json_t *o = operation("types", operation_id(word, name_of(type)),
                          model_text(method, "doc"), write_answers("201"));
    add_idempotency(o);
    add_body(o, "application/json",
             schema_of_fields(json_object_get(method, "args"), NULL, false));
    add(m, path, "post", o);
}

static void add_list(struct making *m, const json_t *type, const char *path)
{
    const json_t *method = default_of(m, type, "list");
    if (method == NULL)
        return;
    json_t *o = operation(
        "types", operation_id("list", name_of(type)), model_text(method, "doc"),
        read_answers("A page.", page_of(ref_schema(name_of(type)))));
    add_page(o);
    if (model_text(type, "parent") != NULL)
        add_query(o, "parent", json_pack("{ss}", "type", "string"));
    add(m, path, "get", o);
}

static void add_get(struct making *m, const json_t *type, const char *path)
{
    const json_t *method = default_of(m, type, "get");
    if (method == NULL)
        return;
    json_t *o = operation("types", operation_id("get", name_of(type)),
                          model_text(method, "doc"),
                          read_answers("It; its version begins the ETag.",
                                       ref_schema(name_of(type))));
    add_key(o);
    add(m, path, "get", o);
}

/* The arguments that the address does not have already. */
static json_t *body_of(const json_t *type, const json_t *method)
{
    json_t *but = json_pack("[ss]", "id", "before");
    const json_t *key = json_object_get(type, "key");
    json_t *parent = json_object_get(type, "parent");
    for (size_t i = 0; i < json_array_size(key); i++)
        json_array_append(but, json_array_get(key, i));
    if (parent != NULL)
        json_array_append(but, parent);
    json_t *schema =
        schema_of_fields(json_object_get(method, "args"), but, false);
    json_decref(but);
    return schema;
}

/* Of a PATCH, where a null takes an optional field away. */
static void add_patch_body(json_t *o, const json_t *type, json_t *schema)
{
    json_t *fields = json_array();
    const json_t *body = json_object_get(type, "body");
    json_array_extend(fields, json_object_get(type, "header"));
    if (json_is_array(body))
        json_array_extend(fields, (json_t *)(uintptr_t)body);
    schema_take_null(schema, fields);
    json_decref(fields);
    add_body(o, "application/json", schema);
    json_t *content =
        json_object_get(json_object_get(o, "requestBody"), "content");
    json_object_set(content, "application/merge-patch+json",
                    json_object_get(content, "application/json"));
}

static void add_write(struct making *m, const json_t *type, const char *path,
                      const char *word)
{
    const json_t *method = default_of(m, type, word);
    if (method == NULL)
        return;
    json_t *o = operation("types", operation_id(word, name_of(type)),
                          model_text(method, "doc"), write_answers("200"));
    add_key(o);
    add_idempotency(o);
    add_parameter(o, openapi_ref("parameters", "IfMatch"));
    if (strcmp(word, "put") == 0) {
        add_parameter(o, openapi_ref("parameters", "IfThereIsNone"));
        add_body(o, "application/json", body_of(type, method));
    } else if (strcmp(word, "patch") == 0) {
        add_patch_body(o, type, body_of(type, method));
    }
    add(m, path, word, o);
}

static void add_history(struct making *m, const json_t *type)
{
    const json_t *method = default_of(m, type, "history");
    char path[200];
    if (method == NULL)
        return;
    snprintf(path, sizeof(path), "/history/%s/{key}", name_of(type));
    json_t *o = operation("types", operation_id("history", name_of(type)),
                          model_text(method, "doc"),
                          read_answers("Versions, the newest first.",
                                       page_of(ref_schema(name_of(type)))));
    add_key(o);
    add_parameter(o, openapi_ref("parameters", "Limit"));
    add_parameter(o, openapi_ref("parameters", "Cursor"));
    add(m, path, "get", o);
}

static void add_type(struct making *m, const json_t *type)
{
    char path[200];
    put(m->schemas, name_of(type), schema_of_type(type));
    snprintf(path, sizeof(path), "/types/%s", name_of(type));
    add_list(m, type, path);
    add_make(m, type, path);
    snprintf(path, sizeof(path), "/types/%s/{key}", name_of(type));
    add_get(m, type, path);
    add_write(m, type, path, "put");
    add_write(m, type, path, "patch");
    add_write(m, type, path, "delete");
    add_history(m, type);
}

/* ---- views ---- */

/* The columns that ?sum= may name. */
static json_t *summable(const json_t *columns)
{
    json_t *names = json_array();
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        const char *kind = model_text(column, "kind");
        if (strcmp(kind, "integer") == 0 || strcmp(kind, "amount") == 0)
            json_array_append_new(names, json_string(name_of(column)));
    }
    return names;
}

/* A page, or with ?sum= one number; an amount is a text. */
static json_t *view_answers(const char *row, bool has_sum)
{
    json_t *page = page_of(ref_schema(row));
    if (!has_sum)
        return read_answers("A page of rows.", page);
    return read_answers("A page of rows; with 'sum' a sum.",
                        json_pack("{s:[o,{s:[ss]}]}", "anyOf", page, "type",
                                  "integer", "string"));
}

static void add_columns(json_t *o, const json_t *columns)
{
    struct buffer name = {0};
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        const char *kind = model_text(column, "kind");
        const char *own = name_of(column);
        bool is_taken = strcmp(own, "limit") == 0 ||
                        strcmp(own, "order") == 0 ||
                        strcmp(own, "cursor") == 0 || strcmp(own, "sum") == 0;
        if (strcmp(kind, "struct") == 0 || strcmp(kind, "list") == 0)
            continue;
        buffer_clear(&name);
        buffer_printf(&name, "%s%s", is_taken ? "where." : "", own);
        add_query(o, buffer_string(&name), schema_of_field(column));
    }
    buffer_free(&name);
}

static void add_view(struct making *m, const json_t *view)
{
    const json_t *columns = json_object_get(view, "columns");
    json_t *sums = summable(columns);
    char path[200], row[200];
    snprintf(row, sizeof(row), "%s.row", name_of(view));
    put(m->schemas, row, schema_of_fields(columns, NULL, false));
    json_t *o = operation("views", operation_id("view", name_of(view)),
                          model_text(view, "doc"),
                          view_answers(row, json_array_size(sums) > 0));
    add_page(o);
    if (json_array_size(sums) > 0)
        add_query(o, "sum",
                  json_pack("{ss,sO}", "type", "string", "enum", sums));
    json_decref(sums);
    add_columns(o, columns);
    snprintf(path, sizeof(path), "/views/%s", name_of(view));
    add(m, path, "get", o);
}

/* ---- methods ---- */

static json_t *result_schema(const json_t *method)
{
    const json_t *returns = json_object_get(method, "returns");
    if (returns == NULL)
        return json_pack("{ss}", "description", "What the method returns.");
    return schema_of_field(returns);
}

/* A header whose text is JSON. */
static void add_context(json_t *o, const json_t *fields)
{
    if (json_array_size(fields) == 0)
        return;
    json_t *schema = schema_of_fields(fields, NULL, false);
    bool needed = json_object_get(schema, "required") != NULL;
    add_parameter(o, json_pack("{ss,ss,sb,ss,so}", "name", "Ate-Context", "in",
                               "header", "required", needed, "description",
                               "What the method may know beside its "
                               "arguments.",
                               "content",
                               openapi_content("application/json", schema)));
}

static json_t *call_operation(const json_t *method, const char *tag,
                              const char *verb, json_t *id)
{
    json_t *answers =
        !model_reads(method) ? write_answers("200")
        : strcmp(verb, "get") == 0
            ? read_answers("The result.", result_schema(method))
            : responses("200", "The result.", result_schema(method));
    json_t *o = operation(tag, id, model_text(method, "doc"), answers);
    if (!model_reads(method))
        add_idempotency(o);
    add_context(o, json_object_get(method, "context"));
    return o;
}

static void add_arguments(json_t *o, const json_t *fields, const json_t *but)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        bool in_path = false;
        for (size_t k = 0; k < json_array_size(but); k++)
            in_path = in_path ||
                      strcmp(name_of(field),
                             json_string_value(json_array_get(but, k))) == 0;
        if (in_path)
            continue;
        bool needed = !json_is_true(json_object_get(field, "optional")) &&
                      json_object_get(field, "default") == NULL;
        add_parameter(o, json_pack("{ss,ss,sb,so}", "name", name_of(field),
                                   "in", "query", "required", needed, "schema",
                                   schema_of_field(field)));
    }
}

/* Default methods have addresses of their own. */
static void add_method(struct making *m, const json_t *method)
{
    char path[200];
    if (json_is_true(json_object_get(method, "default")))
        return;
    const json_t *args = json_object_get(method, "args");
    snprintf(path, sizeof(path), "/methods/%s", name_of(method));
    json_t *o = call_operation(method, "methods", "post",
                               operation_id("call", name_of(method)));
    add_body(o, "application/json", schema_of_fields(args, NULL, false));
    add(m, path, "post", o);
    if (!model_reads(method))
        return;
    o = call_operation(method, "methods", "get",
                       operation_id("read", name_of(method)));
    add_arguments(o, args, NULL);
    add(m, path, "get", o);
}

static void add_route_body(json_t *o, const json_t *method, const json_t *path)
{
    const json_t *args = json_object_get(method, "args");
    const char *name = model_text(method, "content");
    const json_t *field = name != NULL ? model_field(args, name) : NULL;
    add_body(o, "application/json", schema_of_fields(args, path, false));
    if (field == NULL)
        return;
    bool is_text = strcmp(model_text(field, "kind"), "text") == 0;
    put(json_object_get(json_object_get(o, "requestBody"), "content"),
        is_text ? "text/plain" : "application/octet-stream",
        json_pack("{s:{ss}}", "schema", "type", "string"));
}

static void verb_of_route(const struct route *r, char *verb, size_t size)
{
    size_t len = 0;
    for (; r->verb[len] != '\0' && len + 1 < size; len++)
        verb[len] = (char)tolower((unsigned char)r->verb[len]);
    verb[len] = '\0';
}

static void add_route(struct making *m, const struct route *r)
{
    struct buffer path = {0};
    char verb[16];
    json_t *names = json_array();
    const json_t *args = json_object_get(r->method, "args");
    verb_of_route(r, verb, sizeof(verb));
    json_t *o = call_operation(r->method, "annotated", verb,
                               json_string(name_of(r->method)));
    for (size_t i = 0; i < r->count; i++) {
        buffer_printf(&path, r->is_argument[i] ? "/{%s}" : "/%s", r->parts[i]);
        if (!r->is_argument[i])
            continue;
        json_array_append_new(names, json_string(r->parts[i]));
        add_path(o, r->parts[i],
                 schema_of_field(model_field(args, r->parts[i])));
    }
    if (strcmp(verb, "get") == 0 || strcmp(verb, "delete") == 0)
        add_arguments(o, args, names);
    else
        add_route_body(o, r->method, names);
    add(m, buffer_string(&path), verb, o);
    json_decref(names);
    buffer_free(&path);
}

/* ---- the log ---- */

static json_t *text_answers(const char *what)
{
    json_t *all = read_answers(what, json_pack("{ss}", "type", "object"));
    put(json_object_get(json_object_get(all, "200"), "content"), "text/plain",
        json_pack("{s:{ss}}", "schema", "type", "string"));
    return all;
}

static void add_version(json_t *operation)
{
    add_query(operation, "version",
              json_pack("{ss,ss}", "type", "integer", "description",
                        "That of another version than the one in force."));
}

static void add_source(struct making *m)
{
    json_t *o =
        operation("log", json_string("listSource"),
                  "Which modules of Lua the chain keeps, and the hash "
                  "of all, which root keys sign.",
                  read_answers("Them.", json_pack("{ss}", "type", "object")));
    add_version(o);
    add(m, "/source", "get", o);
    o = operation("log", json_string("getSource"),
                  "The Lua of one module, as it was published.",
                  text_answers("Its text."));
    add_path(o, "module", json_pack("{ss}", "type", "string"));
    add_version(o);
    add(m, "/source/{module}", "get", o);
}

static void add_log(struct making *m)
{
    json_t *o =
        operation("log", json_string("listEvents"),
                  "Transactions in their order; as text/event-stream "
                  "they go on.",
                  read_answers("A page.", page_of(ref_schema("Transaction"))));
    add_parameter(o, openapi_ref("parameters", "Limit"));
    add_parameter(o, openapi_ref("parameters", "Cursor"));
    add_query(o, "after",
              json_pack("{ss,ss}", "type", "integer", "description",
                        "The index of the last one you have."));
    add(m, "/events", "get", o);
    o = operation("log", json_string("getEvent"), "One transaction.",
                  read_answers("It.", ref_schema("Transaction")));
    add_path(o, "index", json_pack("{ss,si}", "type", "integer", "minimum", 0));
    add(m, "/events/{index}", "get", o);
    o = operation("log", json_string("getCheckpoint"),
                  "What the log holds, signed: a C2SP checkpoint.",
                  text_answers("A signed note."));
    add_query(o, "size", json_pack("{ss}", "type", "integer"));
    add(m, "/checkpoint", "get", o);
    o = operation("log", json_string("getProof"),
                  "A file that proves one transaction.",
                  text_answers("A proof."));
    add_path(o, "index", json_pack("{ss,si}", "type", "integer", "minimum", 0));
    add_query(o, "size", json_pack("{ss}", "type", "integer"));
    add(m, "/proof/{index}", "get", o);
    o = operation("log", json_string("listFiles"),
                  "The chain's own files, for who checks it by himself.",
                  read_answers("A page: names and sizes.",
                               page_of(json_pack("{ss}", "type", "object"))));
    add_parameter(o, openapi_ref("parameters", "Limit"));
    add_parameter(o, openapi_ref("parameters", "Cursor"));
    add(m, "/files", "get", o);
    add_source(m);
    o = operation("log", json_string("getInfo"), "What the chain is.",
                  read_answers("Its name, id, size and more.",
                               json_pack("{ss}", "type", "object")));
    add(m, "", "get", o);
}

/* ---- all of it ---- */

static void put_all(struct buffer *out, const char *title, const char *doc,
                    json_t *paths, json_t *schemas, bool of_chain)
{
    json_t *all = json_pack(
        "{ss, s:{ss,ss,ss}, s:[{ss}], s:[{s:[]}], so, so}", "openapi", "3.1.0",
        "info", "title", title, "version", ATE_VERSION, "description", doc,
        "servers", "url", "/", "security", "bearer", "paths", paths,
        "components", openapi_components(schemas, of_chain));
    char *text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
    buffer_text(out, text);
    free(text);
    json_decref(all);
}

static void add_declared(struct making *m)
{
    const char *name;
    json_t *item;
    json_object_foreach(m->model->types, name, item) add_type(m, item);
    json_object_foreach(m->model->views, name, item) add_view(m, item);
    json_object_foreach(m->model->methods, name, item) add_method(m, item);
    for (size_t i = 0; i < m->model->route_count; i++)
        add_route(m, &m->model->routes[i]);
}

static const char *doc_of(const struct model *m)
{
    const json_t *parts = json_object_get(m->schema, "parts");
    const char *main = model_text(m->schema, "main");
    const json_t *part = main != NULL ? model_field(parts, main) : NULL;
    const char *doc = model_text(part, "doc");
    return doc != NULL ? doc : "A chain of ate.";
}

void openapi_put_chain(struct buffer *out, const char *chain,
                       const struct model *m)
{
    struct buffer base = {0};
    struct making making = {
        .model = m, .paths = json_object(), .schemas = json_object()};
    buffer_text(&base, "/v1/");
    path_put_key(&base, chain, strlen(chain));
    buffer_string(&base);
    making.base = base.data;
    add_declared(&making);
    add_log(&making);
    put_all(out, chain, doc_of(m), making.paths, making.schemas, true);
    buffer_free(&base);
}

void openapi_put_node(struct buffer *out)
{
    struct making making = {
        .base = (char[]){""}, .paths = json_object(), .schemas = json_object()};
    json_t *o =
        operation("node", json_string("listChains"),
                  "The chains of this node; each is described by "
                  "/v1/CHAIN/openapi.json.",
                  responses("200", "All of them.",
                            page_of(json_pack("{ss}", "type", "object"))));
    add(&making, "/v1", "get", o);
    o = operation("node", json_string("getProblem"), "What a code means.",
                  responses("200", "Its title and status.",
                            json_pack("{ss}", "type", "object")));
    add_path(o, "code", json_pack("{ss}", "type", "string"));
    add(&making, "/problems/{code}", "get", o);
    put_all(out, "ate", "A node: its chains, and what its errors mean.",
            making.paths, making.schemas, false);
}
