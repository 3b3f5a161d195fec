/* Each call of a method has a ctx of its own, which knows the method: what it
 * may do is what that method may do, also when a ctx is handed to a function of
 * another one.
 *
 * Everything that ends in an error of C raises exactly that error: no function
 * of Lua can stop it, so a refusal is final. */
#include "script/lua_ctx.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "acceptance/context.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "sandbox/lib.h"
#include "schema/value.h"
#include "script/box.h"
#include "script/lua_key.h"
#include "script/lua_record.h"
#include "script/lua_value.h"

static const char ctx_tag[] = "ctx";

struct ctx {
    const char *tag;
    const struct method *method;
};

/* ---- results ---- */

static void check_result(lua_State *L, const struct method *method,
                         struct bytes result, const char *name)
{
    struct err err;
    if (method->returns->kind != VALUE_PAGE &&
        value_check(box_of(L)->schema, method->returns, result, name, &err) !=
            0)
        sandbox_error(L, "what the method returns: %s", err.text);
    if (method->mode == METHOD_WRITE && result.len > LIMIT_RESULT) {
        err_set(&err, ATE_ELIMIT,
                "%s returns %zu bytes; a method that writes returns at most %d",
                name, result.len, LIMIT_RESULT);
        sandbox_raise(L, &err);
    }
}

void lua_ctx_take_result(lua_State *L, int index, const struct method *method,
                         struct buf *out)
{
    size_t start = out->len;
    const char *name = box_short_name(L, method->name);
    bool is_nil = lua_isnil(L, index);
    if (is_nil && (method->returns == NULL || method->returns->optional))
        return;
    if (method->returns == NULL) {
        lua_value_take_plain(L, index, out, name);
        return;
    }
    if (is_nil)
        sandbox_error(L, "%s returns nothing, yet it declares what it returns",
                      name);
    lua_value_take(L, index, method->returns, out, name);
    check_result(L, method, bytes_of(out->data + start, out->len - start),
                 name);
}

static void push_result(lua_State *L, const struct method *method,
                        struct bytes result)
{
    const char *name = box_short_name(L, method->name);
    if (result.len == 0)
        lua_pushnil(L);
    else if (method->returns != NULL)
        lua_value_push(L, method->returns, result, name);
    else
        lua_value_push_plain(L, result, name);
}

/* ---- running ---- */

static int function_of(const struct box *b, const struct method *method)
{
    if (method->by_default == DEFAULT_WORKER) {
        const struct worker *worker = (const struct worker *)method;
        size_t at = (size_t)(worker - b->schema->workers);
        assert(at < b->own.worker_count);
        return b->own.workers[at].method.function;
    }
    size_t i = (size_t)(method - b->schema->methods);
    assert(i < b->own.method_count);
    assert(strcmp(b->own.methods[i].name, method->name) == 0);
    return b->own.methods[i].function;
}

void lua_ctx_run(lua_State *L, const struct method *method)
{
    struct box *b = box_of(L);
    const struct method *outer_method = b->run.method;
    const char *outer_part = b->run.part;
    b->run.method = method;
    b->run.part = method->schema;
    luaL_checkstack(L, 8, "methods nest too deep");
    sandbox_nest(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function_of(b, method));
    struct ctx *ctx = lua_newuserdata(L, sizeof(*ctx));
    *ctx = (struct ctx){.tag = ctx_tag, .method = method};
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->ctx);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -3);
    lua_remove(L, -4);
    lua_call(L, 2, 1);
    sandbox_unnest(L);
    b->run.method = outer_method;
    b->run.part = outer_part;
}

/* ---- writing ---- */

static struct call *writing_call(lua_State *L, const char *function,
                                 const char *usage)
{
    const struct ctx *ctx = box_self(L, ctx_tag, usage);
    if (ctx->method->mode == METHOD_READ)
        sandbox_error(L, "ctx:%s: %s is declared with mode = 'read'", function,
                      box_short_name(L, ctx->method->name));
    sandbox_charge(L, 10 * BOX_STEP_GAS);
    return box_run(L)->call;
}

/* Append argument `index` as fields of a type. */
static struct bytes fields_at(lua_State *L, int index,
                              const struct event_type *type, bool removes,
                              struct buf *out)
{
    const struct shape *shape =
        shape_of_fields(&box_of(L)->shapes, &type->header);
    size_t start = out->len;
    assert(shape != NULL);
    lua_value_take_fields(L, index, &shape->all, removes, out, shape->name,
                          "field");
    return bytes_of(out->data + start, out->len - start);
}

static void push_live(lua_State *L, const struct event_type *type,
                      const uint8_t id[LUA_ID_SIZE])
{
    struct object o;
    if (call_object(box_run(L)->call, id, &o))
        lua_record_push_object(L, type, id, &o);
    else
        lua_pushnil(L);
}

typedef int (*write_new)(struct call *c, const struct event_type *type,
                         struct bytes fields, uint8_t id[16], struct err *err);

/* ctx:FUNCTION(type, fields): leaves id and type. */
static const struct event_type *make(lua_State *L, const char *function,
                                     const char *usage, write_new write,
                                     uint8_t id[LUA_ID_SIZE])
{
    struct err err;
    struct buf *out = &box_run(L)->out;
    lua_settop(L, 3);
    struct call *call = writing_call(L, function, usage);
    const struct event_type *type = box_type(L, 2, usage);
    size_t start = out->len;
    struct bytes fields = fields_at(L, 3, type, false, out);
    int rc = write(call, type, fields, id, &err);
    out->len = start;
    if (rc != 0)
        sandbox_raise(L, &err);
    return type;
}

static int ctx_emit(lua_State *L)
{
    uint8_t id[LUA_ID_SIZE];
    make(L, "emit", "ctx:emit(type, fields)", call_emit, id);
    lua_value_push_ref(L, id);
    return 1;
}

static int ctx_create(lua_State *L)
{
    uint8_t id[LUA_ID_SIZE];
    const struct event_type *type =
        make(L, "create", "ctx:create(type, fields)", call_create, id);
    push_live(L, type, id);
    return 1;
}

static int ctx_put(lua_State *L)
{
    uint8_t id[LUA_ID_SIZE];
    const struct event_type *type =
        make(L, "put", "ctx:put(type, fields)", call_put, id);
    push_live(L, type, id);
    return 1;
}

/* The live object that arguments 2 and 3, type and key, name. Errors:
 * NOT_FOUND. */
static const struct event_type *named_object(lua_State *L, const char *usage,
                                             uint8_t id[LUA_ID_SIZE])
{
    struct err err;
    struct object o;
    const struct event_type *type = box_type(L, 2, usage);
    lua_key_object(L, 3, type, id, usage);
    if (!call_object(box_run(L)->call, id, &o)) {
        err_set(&err, ATE_ENOT_FOUND, "%s: there is no such %s", usage,
                type->name);
        sandbox_raise(L, &err);
    }
    if (!bytes_equal(o.header.type, bytes_of_text(type->name)))
        sandbox_error(L, "%s: the ref names a %.*s, not a %s", usage,
                      (int)o.header.type.len, (const char *)o.header.type.data,
                      type->name);
    return type;
}

static int ctx_patch(lua_State *L)
{
    static const char usage[] = "ctx:patch(type, ref, fields)";
    uint8_t id[LUA_ID_SIZE];
    struct err err;
    struct buf *out = &box_run(L)->out;
    lua_settop(L, 4);
    struct call *call = writing_call(L, "patch", usage);
    const struct event_type *type = named_object(L, usage, id);
    size_t start = out->len;
    struct bytes fields = fields_at(L, 4, type, true, out);
    int rc = call_patch(call, id, fields, &err);
    out->len = start;
    if (rc != 0)
        sandbox_raise(L, &err);
    push_live(L, type, id);
    return 1;
}

static int ctx_delete(lua_State *L)
{
    static const char usage[] = "ctx:delete(type, ref)";
    uint8_t id[LUA_ID_SIZE];
    struct err err;
    lua_settop(L, 3);
    struct call *call = writing_call(L, "delete", usage);
    named_object(L, usage, id);
    if (call_delete(call, id, &err) != 0)
        sandbox_raise(L, &err);
    return 0;
}

/* ---- reading ---- */

static int ctx_get(lua_State *L)
{
    static const char usage[] = "ctx:get(type, ref)";
    uint8_t id[LUA_ID_SIZE];
    struct object o;
    lua_settop(L, 3);
    box_self(L, ctx_tag, usage);
    const struct event_type *type = box_type(L, 2, usage);
    lua_key_object(L, 3, type, id, usage);
    sandbox_charge(L, BOX_STEP_GAS);
    if (call_object(box_run(L)->call, id, &o) &&
        bytes_equal(o.header.type, bytes_of_text(type->name)))
        lua_record_push_object(L, type, id, &o);
    else
        lua_pushnil(L);
    return 1;
}

/* ---- asking outside ---- */

static int ctx_ask(lua_State *L)
{
    struct err err;
    struct script_run *run = box_run(L);
    struct bytes answer;
    lua_settop(L, 3);
    writing_call(L, "ask", "ctx:ask(service, request)");
    if (lua_type(L, 2) != LUA_TSTRING)
        sandbox_error(L, "ctx:ask(service, request): the name of a service is "
                         "needed, such as 'http'");
    size_t len = 0;
    const char *service = lua_tolstring(L, 2, &len);
    size_t start = run->out.len;
    lua_value_take_plain(L, 3, &run->out, "ctx:ask");
    struct bytes request =
        bytes_of(run->out.data + start, run->out.len - start);
    int rc =
        call_ask(run->call, bytes_of(service, len), request, &answer, &err);
    run->out.len = start;
    if (rc != 0)
        sandbox_raise(L, &err);
    sandbox_charge_bytes(L, answer.len);
    lua_value_push_plain(L, answer, "the answer");
    return 1;
}

/* ---- calling another method ---- */

/* Append the arguments at `index`, with defaults. */
static struct bytes args_at(lua_State *L, int index,
                            const struct method *method)
{
    struct err err;
    struct script_run *run = box_run(L);
    const char *name = box_short_name(L, method->name);
    size_t given = run->value.len;
    size_t start = run->out.len;
    bool partial = method->by_default == DEFAULT_PATCH;
    if (lua_isnil(L, index)) {
        lua_newtable(L);
        lua_replace(L, index);
    }
    /* References are taken by way of `value`, so this comes before. */
    lua_value_take_fields(L, index, &method->args, partial, &run->out, name,
                          "argument");
    if (!partial) {
        buf_put(&run->value, run->out.data + start, run->out.len - start);
        run->out.len = start;
        fields_add_defaults(
            &run->out, &method->args,
            bytes_of(run->value.data + given, run->value.len - given));
        run->value.len = given;
    }
    struct bytes args = bytes_of(run->out.data + start, run->out.len - start);
    if (!partial &&
        fields_check(box_of(L)->schema, &method->args, args, name, &err) != 0)
        sandbox_error(L, "ctx:call: %s", err.text);
    return args;
}

static void call_declared(lua_State *L, const struct method *method, int args)
{
    struct script_run *run = box_run(L);
    size_t start = run->out.len;
    struct bytes map = args_at(L, args, method);
    lua_value_push_fields(L, &method->args, map,
                          box_short_name(L, method->name));
    run->out.len = start;
    lua_ctx_run(L, method);
    lua_ctx_take_result(L, -1, method, &run->out);
    lua_pop(L, 1);
    push_result(L, method,
                bytes_of(run->out.data + start, run->out.len - start));
    run->out.len = start;
}

/* Those that write are the engine's; the call looks as if it were of that
 * method while it runs. */
static void call_default(lua_State *L, const struct method *method, int args)
{
    struct err err;
    struct script_run *run = box_run(L);
    struct call *call = run->call;
    size_t start = run->out.len;
    struct bytes outer_args = call->args;
    struct buf outer_result = call->result;
    const struct method *outer = call->method;
    struct bytes map = args_at(L, args, method);
    call->method = method;
    call->args = map;
    call->result = (struct buf){0};
    int rc = call_run_default(call, &err);
    struct buf result = call->result;
    call->method = outer;
    call->args = outer_args;
    call->result = outer_result;
    run->out.len = start;
    buf_put_bytes(&run->out, buf_bytes(&result));
    buf_deinit(&result);
    if (rc != 0)
        sandbox_raise(L, &err);
    push_result(L, method,
                bytes_of(run->out.data + start, run->out.len - start));
    run->out.len = start;
}

static bool writes_by_default(const struct method *method)
{
    switch (method->by_default) {
    case DEFAULT_CREATE:
    case DEFAULT_PUT:
    case DEFAULT_PATCH:
    case DEFAULT_DELETE:
    case DEFAULT_APPEND:
        return true;
    default:
        return false;
    }
}

static int ctx_call(lua_State *L)
{
    lua_settop(L, 3);
    const struct ctx *ctx = box_self(L, ctx_tag, "ctx:call(method, arguments)");
    const struct method *method = box_method(L, 2, "ctx:call");
    const char *name = box_short_name(L, method->name);
    sandbox_charge(L, 10 * BOX_STEP_GAS);
    if (method->mode == METHOD_WRITE && ctx->method->mode == METHOD_READ)
        sandbox_error(L,
                      "ctx:call: %s writes, and %s is declared with mode = "
                      "'read'",
                      name, box_short_name(L, ctx->method->name));
    if (method->by_default == DEFAULT_NONE)
        call_declared(L, method, 3);
    else if (writes_by_default(method))
        call_default(L, method, 3);
    else
        sandbox_error(L,
                      "ctx:call: %s is for doors; in a method use ctx:get "
                      "and ctx.state",
                      name);
    return 1;
}

/* ---- fields ---- */

/* What the caller gave is for the schema of the method that was called; others,
 * by ctx:call, and workers see the defaults of their own. */
static struct bytes context_of(lua_State *L, const struct schema_part *part)
{
    static const uint8_t empty_map = 0x80;
    const struct call *call = box_run(L)->call;
    bool is_own =
        call->work == NULL && strcmp(call->method->schema, part->name) == 0;
    if (is_own && call->context.len > 0)
        return call->context;
    const struct field *lacking =
        context_lacks(&part->context, bytes_of(NULL, 0));
    if (lacking != NULL)
        sandbox_error(L,
                      "ctx.data: nobody gave '%s', which has no default in "
                      "the context of schema %s",
                      lacking->name, part->name);
    return bytes_of(&empty_map, 1);
}

static void push_data(lua_State *L, const struct method *method)
{
    struct script_run *run = box_run(L);
    const struct schema_part *part =
        schema_part(box_of(L)->schema, method->schema);
    size_t start = run->out.len;
    assert(part != NULL);
    struct bytes map = context_of(L, part);
    fields_add_defaults(&run->out, &part->context, map);
    lua_value_push_fields(L, &part->context,
                          bytes_of(run->out.data + start, run->out.len - start),
                          "ctx.data");
    run->out.len = start;
}

static void push_identity(lua_State *L, const uint8_t *id)
{
    if (id == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, (const char *)id, LUA_IDENTITY_SIZE);
}

static int no_field(lua_State *L, const char *name)
{
    static const char *const names[] = {
        "emit",  "create", "put",    "patch", "delete", "get",
        "call",  "state",  "caller", "time",  "data",   "claims",
        "where", "none",   "author", "ask",
    };
    const char *near =
        near_name(bytes_of_text(name), names, sizeof(names) / sizeof(names[0]));
    if (near == NULL)
        return sandbox_error(L, "ctx has no '%s'", name);
    return sandbox_error(L, "ctx has no '%s'; did you mean '%s'?", name, near);
}

/* Upvalue 1: the functions. */
static int ctx_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isnil(L, -1))
        return 1;
    const struct ctx *ctx = box_self(L, ctx_tag, "ctx:get(type, ref)");
    const struct call *call = box_run(L)->call;
    const char *name = lib_name(L, 2);
    sandbox_charge(L, 1);
    if (strcmp(name, "state") == 0)
        box_push_state(L, ctx->method->schema);
    else if (strcmp(name, "caller") == 0)
        push_identity(L, call->caller);
    else if (strcmp(name, "author") == 0)
        push_identity(L, call->author);
    else if (strcmp(name, "time") == 0)
        lib_push_integer(L, call->time, "ctx.time");
    else if (strcmp(name, "data") == 0)
        push_data(L, ctx->method);
    else if (strcmp(name, "claims") == 0)
        lua_pushnil(L);
    else if (strcmp(name, "where") == 0)
        lua_pushstring(L, call->where);
    else if (strcmp(name, "none") == 0)
        lua_value_push_none(L);
    else
        no_field(L, name);
    return 1;
}

void lua_ctx_setup(lua_State *L, struct box *b)
{
    static const luaL_Reg functions[] = {
        {"emit", ctx_emit},   {"create", ctx_create}, {"put", ctx_put},
        {"patch", ctx_patch}, {"delete", ctx_delete}, {"get", ctx_get},
        {"call", ctx_call},   {"ask", ctx_ask},
    };
    size_t count = sizeof(functions) / sizeof(functions[0]);
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, (int)count);
    for (size_t i = 0; i < count; i++) {
        lua_pushcfunction(L, functions[i].func);
        lua_setfield(L, -2, functions[i].name);
    }
    lua_pushcclosure(L, ctx_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "ctx");
    lua_pushcclosure(L, box_takes_no_values, 1);
    lua_setfield(L, -2, "__newindex");
    b->ctx = luaL_ref(L, LUA_REGISTRYINDEX);
}
