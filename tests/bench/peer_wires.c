/* The bytes that peers speak, as far as they are needed here. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* Redis: "+text", ":number", or "$length" and so many bytes. */
size_t line_answer(const uint8_t *data, size_t len)
{
    const uint8_t *end = memmem(data, len, "\r\n", 2);
    if (end == NULL)
        return 0;
    size_t line = (size_t)(end - data) + 2;
    if (data[0] == '-')
        bench_die("Redis", text_of("%.*s", (int)line - 2, data));
    if (data[0] != '$')
        return line;
    size_t whole = line + (size_t)atoi((const char *)data + 1) + 2;
    return whole <= len ? whole : 0;
}

/* HTTP/1.1 with a length. */
size_t http_answer(const uint8_t *data, size_t len)
{
    static const char word[] = "\r\nContent-Length: ";
    const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - data) + 4;
    const uint8_t *at = memmem(data, head, word, sizeof(word) - 1);
    if (memcmp(data, "HTTP/1.1 200", 12) != 0 || at == NULL)
        bench_die("etcd", text_of("%.*s", (int)len, data));
    size_t body = (size_t)atoi((const char *)at + sizeof(word) - 1);
    if (len < head + body)
        return 0;
    if (memmem(data + head, body, "\"succeeded\":true", 16) == NULL)
        bench_die("etcd", text_of("%.*s", (int)body, end + 4));
    return head + body;
}

/* Tarantool: length as uint32, a header map that begins with the code. */
size_t iproto_answer(const uint8_t *data, size_t len)
{
    if (len < 12)
        return 0;
    if (data[0] != 0xce || data[6] != 0x00 || data[7] != 0xce)
        bench_die("Tarantool", "an answer of another form");
    size_t whole = 5 + be32(data + 1);
    if (whole > len)
        return 0;
    if (be32(data + 8) != 0)
        bench_die("Tarantool", text_of("%.*s", (int)whole - 30, data + 30));
    return whole;
}

/* PostgreSQL: a type and a length each; 'Z' ends an answer. */
size_t postgres_answer(const uint8_t *data, size_t len)
{
    for (size_t at = 0; at + 5 <= len;) {
        size_t next = at + 1 + be32(data + at + 1);
        if (next > len)
            return 0;
        if (data[at] == 'E')
            bench_die("PostgreSQL", text_of("%s", data + at + 6));
        /* "INSERT 0 1": the check has let it pass. */
        if (data[at] == 'C' && memcmp(data + at + 5, "INSERT 0 0", 10) == 0)
            bench_die("PostgreSQL", "the check refused a row");
        if (data[at] == 'Z')
            return next;
        at = next;
    }
    return 0;
}

uint8_t *iproto_call(const char *function, const char *arg, size_t *len)
{
    size_t name_len = strlen(function);
    size_t arg_len = strlen(arg);
    uint8_t *out = malloc(64 + name_len + arg_len);
    static const uint8_t header[] = {0x82, 0x00, 0x0a, 0x01, 0x01};
    size_t at = 5;
    if (out == NULL || name_len > 31 || arg_len > 255)
        bench_die("Tarantool", "a call that is too long");
    memcpy(out + at, header, sizeof(header));
    at += sizeof(header);
    out[at++] = 0x82;
    out[at++] = 0x22; /* the function's name */
    out[at++] = (uint8_t)(0xa0 | name_len);
    memcpy(out + at, function, name_len);
    at += name_len;
    out[at++] = 0x21; /* its arguments */
    out[at++] = 0x91;
    out[at++] = 0xd9;
    out[at++] = (uint8_t)arg_len;
    memcpy(out + at, arg, arg_len);
    at += arg_len;
    out[0] = 0xce;
    size_t body = at - 5;
    for (int i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)(body >> (24 - 8 * i));
    *len = at;
    return out;
}
