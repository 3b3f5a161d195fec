#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "crypto/hash.h"
#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

static struct bytes arg_bytes(lua_State *L, const char *function)
{
    size_t len;
    const char *text = lib_arg_text(L, 1, function, &len);

    sandbox_charge_bytes(L, len);
    return bytes_of(text, len);
}

static void push_hex(lua_State *L, const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = sandbox_scratch(L, 2 * len);

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    lua_text_push(L, text, 2 * len);
    sandbox_scratch_free(L, text, 2 * len);
}

/* ate.hash.sha256(text): 64 digits. A block of 64 bytes costs about as much as
 * 64 instructions. */
static int hash_sha256(lua_State *L)
{
    uint8_t hash[HASH_SIZE];
    struct bytes bytes = arg_bytes(L, "ate.hash.sha256");

    sandbox_charge(L, 64 + bytes.len);
    sha256(bytes, hash);
    push_hex(L, hash, sizeof(hash));
    return 1;
}

static const luaL_Reg hash_functions[] = {
    {"sha256", hash_sha256},
    {NULL, NULL},
};

const struct library lib_hash = {"ate.hash", hash_functions, NULL};

/* len(text): characters, not bytes; nil for what is not UTF-8. */
static int text_length(lua_State *L)
{
    struct bytes bytes = arg_bytes(L, "ate.text.len");
    size_t count = 0;

    sandbox_charge_bytes(L, bytes.len);
    if (!utf8_valid(bytes)) {
        lua_pushnil(L);
        return 1;
    }
    for (size_t i = 0; i < bytes.len; i++)
        count += (bytes.data[i] & 0xc0) != 0x80;
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

static int text_valid(lua_State *L)
{
    lua_pushboolean(L, utf8_valid(arg_bytes(L, "ate.text.valid")));
    return 1;
}

static int text_is_name(lua_State *L)
{
    lua_pushboolean(L, name_valid(arg_bytes(L, "ate.text.is_name")));
    return 1;
}

static int text_hex(lua_State *L)
{
    struct bytes bytes = arg_bytes(L, "ate.text.hex");

    lib_charge_text(L, 2 * bytes.len, "ate.text.hex");
    push_hex(L, bytes.data, bytes.len);
    return 1;
}

/* unhex(digits): the bytes; nil for what is not hexadecimal. */
static int text_unhex(lua_State *L)
{
    struct bytes digits = arg_bytes(L, "ate.text.unhex");
    size_t len = digits.len / 2;
    char *made = sandbox_scratch(L, len);
    bool good = hex_get((const char *)digits.data, digits.len, (uint8_t *)made);

    if (good)
        lua_text_push(L, made, len);
    else
        lua_pushnil(L);
    sandbox_scratch_free(L, made, len);
    return 1;
}

/* Copy `text` with each `part` replaced to `out`, unless that is NULL; the
 * length of it all. Stops when that is over LIB_TEXT_MAX. */
static size_t copy_replaced(struct bytes text, struct bytes part,
                            struct bytes with, char *out)
{
    const uint8_t *at = text.data, *end = text.data + text.len;
    size_t total = 0;

    for (;;) {
        const uint8_t *found =
            memmem(at, (size_t)(end - at), part.data, part.len);
        size_t plain = (size_t)((found == NULL ? end : found) - at);
        if (out != NULL)
            memcpy(out + total, at, plain);
        total += plain;
        if (found == NULL || total > LIB_TEXT_MAX)
            return total;
        if (out != NULL)
            memcpy(out + total, with.data, with.len);
        total += with.len;
        at = found + part.len;
    }
}

/* replace(text, part, with): every `part`, from the left. */
static int text_replace(lua_State *L)
{
    struct bytes text = arg_bytes(L, "ate.text.replace");
    struct bytes part, with;
    part.data =
        (const uint8_t *)lib_arg_text(L, 2, "ate.text.replace", &part.len);
    with.data =
        (const uint8_t *)lib_arg_text(L, 3, "ate.text.replace", &with.len);

    if (part.len == 0)
        return sandbox_error(L, "ate.text.replace: the part is empty");
    sandbox_charge(L, text.len);
    size_t total = copy_replaced(text, part, with, NULL);
    lib_charge_text(L, total, "ate.text.replace");
    char *made = sandbox_scratch(L, total);
    copy_replaced(text, part, with, made);
    lua_text_push(L, made, total);
    sandbox_scratch_free(L, made, total);
    return 1;
}

static const luaL_Reg text_functions[] = {
    {"len", text_length}, {"valid", text_valid}, {"is_name", text_is_name},
    {"hex", text_hex},    {"unhex", text_unhex}, {"replace", text_replace},
    {NULL, NULL},
};

const struct library lib_text = {"ate.text", text_functions, NULL};
