/* codec: values of Lua to msgpack and JSON, and back. */
#ifndef FRONTENDS_LUA_CODEC_H
#define FRONTENDS_LUA_CODEC_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* Push the value that `data` holds. On failure push nothing but an error
 * text and return -1. */
int pack_push(lua_State *L, const uint8_t *data, size_t len);

/* Push the msgpack of the value at `index` as a text; on failure an error
 * text, and return -1. Maps are written in the order of their keys. */
int pack_from(lua_State *L, int index);

/* Append the msgpack of the value at `index`. NULL, or what is wrong with it.
 */
const char *pack_write(lua_State *L, int index, struct buffer *out);

/* Push an empty buffer that the collector frees. */
struct buffer *scratch_buffer(lua_State *L);

/* Functions of Lua: pack(value) -> text | nil, text; unpack(text) -> value |
 * nil, text. */
int pack_encode(lua_State *L);
int pack_decode(lua_State *L);

/* Functions of Lua: encode(value[, indent]) -> text | nil, text; keys are
 * sorted, bytes that are no UTF-8 are shown in hex. decode(text) -> value |
 * nil, text with line and column. */
int json_encode(lua_State *L);
int json_decode(lua_State *L);
#endif
