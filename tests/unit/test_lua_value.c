/* Stored values to Lua and back, inside a box. */
#include "fixture_schema.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <time.h>

#include "base/msgpack.h"
#include "sandbox/lib.h"
#include "schema/value.h"
#include "script/box.h"
#include "script/lua_value.h"

static const char source[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'd', version = 1})\n"
    "shop:object('account', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name()}})\n"
    "shop:event('all', {doc = 'd', header = {\n"
    "    amount = t.amount({scale = 2}),\n"
    "    blob = t.optional(t.blob({max = 100})),\n"
    "    boolean = t.boolean(),\n"
    "    date = t.date(),\n"
    "    enum = t.enum({'red', 'blue'}),\n"
    "    event_type = t.event_type(),\n"
    "    identity = t.identity(),\n"
    "    integer = t.integer(),\n"
    "    list = t.list(t.list(t.integer())),\n"
    "    month = t.month(),\n"
    "    name = t.name(),\n"
    "    ref = t.ref('account'),\n"
    "    struct = t.struct({a = t.integer(), b = t.optional(t.text())}),\n"
    "    text = t.optional(t.text({max = 1000})),\n"
    "    time = t.time(),\n"
    "}})\n"
    "return shop\n";

static struct box *box;
static const struct fields *fields;

static int setup(void **state)
{
    struct err err;
    struct buf bundle = {0};
    struct sandbox_limits limits = {.gas = 1000000, .memory = 4 << 20};
    (void)state;
    if (bundle_build(&bundle, "shop", fixture_text, (void *)source, NULL, NULL,
                     &err) != 0 ||
        box_new(&box, buf_bytes(&bundle), &limits, NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
    buf_deinit(&bundle);
    fields = &schema_type(box->schema, bytes_of_text("shop.all"))->header;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    box_free(box);
    return 0;
}

static const struct value_type *type_of(const char *field)
{
    return &fields_find(fields, bytes_of_text(field))->type;
}

/* ---- one trip ---- */

struct trip {
    struct bytes in;
    const struct value_type *type; /* NULL: all fields */
    bool plain;
    struct buf out;
};

static int run_trip(lua_State *L)
{
    struct trip *trip = lua_touserdata(L, 1);
    int top = lua_gettop(L);
    if (trip->plain) {
        lua_value_push_plain(L, trip->in, "value");
        lua_value_take_plain(L, -1, &trip->out, "value");
    } else if (trip->type != NULL) {
        lua_value_push(L, trip->type, trip->in, "value");
        lua_value_take(L, -1, trip->type, &trip->out, "value");
    } else {
        lua_value_push_fields(L, fields, trip->in, "all");
        lua_value_take_fields(L, -1, fields, false, &trip->out, "all", "field");
    }
    assert_int_equal(lua_gettop(L), top + 1);
    return 0;
}

static int travel(struct trip *trip, struct err *err)
{
    box_begin(box, false);
    box->run.part = "shop";
    buf_clear(&trip->out);
    return sandbox_run(box->sandbox, run_trip, trip, err);
}

static void returns_as_it_was(struct trip *trip)
{
    struct err err;
    if (travel(trip, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(trip->out.len, trip->in.len);
    assert_memory_equal(trip->out.data, trip->in.data, trip->in.len);
    buf_deinit(&trip->out);
}

/* ---- tests ---- */

static void put_text_of(struct buf *out, const char *name, const char *text)
{
    mp_put_text(out, name);
    mp_put_text(out, text);
}

static void put_int_of(struct buf *out, const char *name, int64_t value)
{
    mp_put_text(out, name);
    mp_put_int(out, value);
}

static int64_t any_int(void)
{
    int64_t value =
        ((int64_t)random() << 31 | random()) & (LIB_INTEGER_MAX - 1);
    int shift = (int)(random() % 54);
    value >>= shift;
    return random() % 2 == 0 ? value : -value;
}

static void put_any(struct buf *out, bool optional)
{
    uint8_t bytes[32];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)random();
    mp_put_map(out, optional ? 15 : 13);
    put_int_of(out, "amount", any_int());
    if (optional) {
        mp_put_text(out, "blob");
        mp_put_bin(out, bytes_of(bytes, (size_t)random() % 33));
    }
    mp_put_text(out, "boolean");
    mp_put_bool(out, random() % 2 == 0);
    put_text_of(out, "date", "2026-11-22");
    put_text_of(out, "enum", random() % 2 == 0 ? "red" : "blue");
    put_text_of(out, "event_type", "shop.all");
    mp_put_text(out, "identity");
    mp_put_bin(out, bytes_of(bytes, 32));
    put_int_of(out, "integer", any_int());
    mp_put_text(out, "list");
    uint32_t count = (uint32_t)random() % 5;
    mp_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        mp_put_array(out, i);
        for (uint32_t k = 0; k < i; k++)
            mp_put_int(out, any_int());
    }
    put_text_of(out, "month", "2026-11");
    put_text_of(out, "name", "Zo\xc3\xab");
    mp_put_text(out, "ref");
    mp_put_bin(out, bytes_of(bytes, 16));
    mp_put_text(out, "struct");
    mp_put_map(out, optional ? 2 : 1);
    put_int_of(out, "a", any_int());
    if (optional)
        put_text_of(out, "b", "");
    if (optional)
        put_text_of(out, "text", "line\nline");
    put_int_of(out, "time", any_int());
}

static void random_fields_return_as_they_were(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    (void)state;
    print_message("seed %u\n", seed);
    srandom(seed);
    for (int i = 0; i < 500; i++) {
        struct buf in = {0};
        put_any(&in, i % 2 == 0);
        struct err err;
        assert_int_equal(
            fields_check(box->schema, fields, buf_bytes(&in), "all", &err), 0);
        returns_as_it_was(&(struct trip){.in = buf_bytes(&in)});
        buf_deinit(&in);
    }
}

static void integers_end_at_2_to_53(void **state)
{
    static const struct {
        int64_t value;
        bool fits;
    } rows[] = {
        {0, true},
        {LIB_INTEGER_MAX, true},
        {-LIB_INTEGER_MAX, true},
        {LIB_INTEGER_MAX + 1, false},
        {-LIB_INTEGER_MAX - 1, false},
        {INT64_MAX, false},
        {INT64_MIN, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf in = {0};
        struct err err;
        mp_put_int(&in, rows[i].value);
        struct trip trip = {.in = buf_bytes(&in), .type = type_of("integer")};
        if (rows[i].fits) {
            returns_as_it_was(&trip);
        } else {
            assert_int_equal(travel(&trip, &err), ATE_ESCRIPT);
            assert_non_null(strstr(err.text, "value: "));
            assert_non_null(strstr(err.text, "beyond 2^53"));
        }
        buf_deinit(&in);
        buf_deinit(&trip.out);
    }
}

static void a_text_is_at_most_64_kib(void **state)
{
    struct buf in = {0};
    struct err err;
    (void)state;
    uint8_t *text = calloc(1, LIB_TEXT_MAX + 1);
    memset(text, 'x', LIB_TEXT_MAX + 1);
    mp_put_str(&in, bytes_of(text, LIB_TEXT_MAX));
    struct trip trip = {.in = buf_bytes(&in), .type = type_of("text")};
    returns_as_it_was(&trip);
    buf_clear(&in);
    mp_put_str(&in, bytes_of(text, LIB_TEXT_MAX + 1));
    trip = (struct trip){.in = buf_bytes(&in), .type = type_of("text")};
    assert_int_equal(travel(&trip, &err), ATE_ELIMIT);
    assert_non_null(strstr(err.text, "value: 65537 bytes"));
    buf_deinit(&trip.out);
    buf_deinit(&in);
    free(text);
}

static void what_is_damaged_is_corrupt(void **state)
{
    static const uint8_t cut[] = {0x92, 0x01};
    struct err err;
    (void)state;
    struct trip trip = {.in = bytes_of(cut, sizeof(cut)),
                        .type = type_of("list")};
    assert_int_equal(travel(&trip, &err), ATE_ECORRUPT);
    trip.plain = true;
    assert_int_equal(travel(&trip, &err), ATE_ECORRUPT);
    buf_deinit(&trip.out);
}

static void values_without_a_type_keep_their_look(void **state)
{
    struct buf in = {0};
    (void)state;
    mp_put_map(&in, 6);
    mp_put_text(&in, "a");
    mp_put_array(&in, 2);
    mp_put_int(&in, -1);
    mp_put_bool(&in, true);
    mp_put_text(&in, "b");
    mp_put_bin(&in, bytes_of("0123456789abcdef", 16));
    mp_put_text(&in, "c");
    mp_put_bin(&in, bytes_of("\xff", 1));
    mp_put_text(&in, "d");
    mp_put_array(&in, 0);
    put_text_of(&in, "e", "text");
    mp_put_text(&in, "f");
    mp_put_map(&in, 1);
    put_int_of(&in, "x", 1);
    returns_as_it_was(&(struct trip){.in = buf_bytes(&in), .plain = true});
    buf_deinit(&in);
}

/* ---- from Lua ---- */

struct taking {
    const char *lua; /* an expression */
    const char *field;
    struct buf out;
};

static int compile_value(lua_State *L)
{
    struct taking *taking = lua_touserdata(L, 1);
    const struct value_type *type = type_of(taking->field);
    struct buf chunk = {0};
    buf_printf(&chunk, "return %s", taking->lua);
    int rc = luaL_loadstring(L, buf_text(&chunk));
    buf_deinit(&chunk);
    assert_int_equal(rc, 0);
    lua_call(L, 0, 1);
    lua_value_take(L, -1, type, &taking->out, taking->field);
    return 0;
}

static void mistakes_have_a_path(void **state)
{
    static const struct {
        const char *field;
        const char *lua;
        const char *words;
    } rows[] = {
        {"integer", "12.5", "integer: a whole number is needed, got 12.5"},
        {"integer", "0/0", "integer: a whole number is needed"},
        {"integer", "1/0", "integer: a whole number up to 2^53 is needed"},
        {"integer", "'1'", "integer: a whole number is needed, got a string"},
        {"integer", "nil", "integer: a whole number is needed, got nil"},
        {"boolean", "1", "boolean: true or false is needed, got 1"},
        {"text", "5", "text: a text is needed, got 5"},
        {"text", "'\\255'", "text: a text is needed, got bytes"},
        {"blob", "{}", "blob: a string of bytes is needed, got a table"},
        {"identity", "'short'", "identity: an identity"},
        {"list", "5", "list: a list is needed, got 5"},
        {"list", "{1}", "list[1]: a list is needed, got 1"},
        {"list", "{{1}, {2, 'x'}}", "list[2][2]: a whole number is needed"},
        {"list", "{{1}, nil, {2}}", "list: a list is needed, got a table"},
        {"list", "{x = {}}", "list: a list is needed, got a table without [1]"},
        {"struct", "5", "struct: a table is needed, got 5"},
        {"struct", "{a = 'x'}", "struct.a: a whole number is needed"},
        {"struct", "{a = 1, bb = 2}", "struct has no field 'bb'; did you mean"},
        {"struct", "{a = 1, z = 2, y = 3}", "struct has no field 'y'"},
        {"struct", "{1}",
         "struct: fields have names, got a key that is a "
         "number"},
        {"event_type", "'shop.al'", "event_type: there is no type 'shop.al'"},
        {"event_type", "5", "event_type: a name is needed, got a number"},
        {"ref", "true", "ref: a shop.account is needed, got a boolean"},
        {"ref", "{nam = 'x'}", "did you mean 'name'?"},
        {"ref", "'\\255'", "ref: no key of a shop.account"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct taking taking = {.lua = rows[i].lua, .field = rows[i].field};
        struct err err = {0};
        box_begin(box, false);
        box->run.part = "shop";
        int rc = sandbox_run(box->sandbox, compile_value, &taking, &err);
        buf_deinit(&taking.out);
        if (rc != ATE_ESCRIPT || strstr(err.text, rows[i].words) == NULL)
            fail_msg("%s = %s: %d, %s", rows[i].field, rows[i].lua, rc,
                     err.text);
    }
}

/* A short name of one's own schema is stored in full. */
static void names_of_types_are_stored_in_full(void **state)
{
    struct taking taking = {.lua = "'account'", .field = "event_type"};
    struct buf want = {0};
    struct err err;
    (void)state;
    mp_put_text(&want, "shop.account");
    box_begin(box, false);
    box->run.part = "shop";
    assert_int_equal(sandbox_run(box->sandbox, compile_value, &taking, &err),
                     0);
    assert_int_equal(taking.out.len, want.len);
    assert_memory_equal(taking.out.data, want.data, want.len);
    buf_deinit(&taking.out);
    buf_deinit(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_fields_return_as_they_were),
        cmocka_unit_test(integers_end_at_2_to_53),
        cmocka_unit_test(a_text_is_at_most_64_kib),
        cmocka_unit_test(what_is_damaged_is_corrupt),
        cmocka_unit_test(values_without_a_type_keep_their_look),
        cmocka_unit_test(mistakes_have_a_path),
        cmocka_unit_test(names_of_types_are_stored_in_full),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
