/* phr_decode_chunked() is what libh2o calls, by name and through its table of
 * symbols: the one that the program has is found before the library's. A spec
 * looks that it is (tests/system/rest_manners_spec.lua), since nothing else
 * would tell. The library keeps 16 zeroed bytes for it (decision 0097). */
#include "rest/chunks.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum state {
    IN_SIZE,       /* hexadecimal digits */
    IN_BLANKS,     /* behind them; an extension or the end follows */
    IN_EXTENSION,  /* behind ';' */
    IN_SIZE_FEED,  /* LF */
    IN_DATA,       /* what is meant */
    IN_DATA_END,   /* CR */
    IN_DATA_FEED,  /* LF */
    IN_TRAILER,    /* a line begins */
    IN_FIELD,      /* and goes on */
    IN_FIELD_FEED, /* LF */
    IN_LAST_FEED,  /* LF of the empty line */
    IS_WHOLE,
    IS_MALFORMED,
};

struct phr_chunked_decoder; /* the library's name for it */
static_assert(sizeof(struct chunks) == 16, "what the library keeps");
static_assert(IN_SIZE == 0, "zeroed it is at its begin");

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    char low = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    const char *at = low != '\0' ? strchr(digits, low) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static bool is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7f);
}

static enum state in_size(struct chunks *c, char byte)
{
    int digit = digit_of(byte);
    if (digit >= 0) {
        if (c->digits == 2 * sizeof(c->left) - 1)
            return IS_MALFORMED;
        c->digits++;
        c->left = c->left * 16 + (size_t)digit;
        return IN_SIZE;
    }
    if (c->digits == 0)
        return IS_MALFORMED;
    return byte == '\r'                  ? IN_SIZE_FEED
           : byte == ';'                 ? IN_EXTENSION
           : byte == ' ' || byte == '\t' ? IN_BLANKS
                                         : IS_MALFORMED;
}

static enum state in_blanks(char byte)
{
    return byte == ' ' || byte == '\t' ? IN_BLANKS
           : byte == ';'               ? IN_EXTENSION
           : byte == '\r'              ? IN_SIZE_FEED
                                       : IS_MALFORMED;
}

static enum state end_size(struct chunks *c)
{
    c->line = 0;
    c->digits = 0;
    return c->left > 0 ? IN_DATA : IN_TRAILER;
}

/* A byte that is none of the body. */
static enum state step(struct chunks *c, char byte)
{
    bool is_feed = byte == '\n';
    if (++c->line > CHUNKS_LINE)
        return IS_MALFORMED;
    switch ((enum state)c->state) {
    case IN_SIZE:
        return in_size(c, byte);
    case IN_BLANKS:
        return in_blanks(byte);
    case IN_EXTENSION:
        return byte == '\r'    ? IN_SIZE_FEED
               : is_text(byte) ? IN_EXTENSION
                               : IS_MALFORMED;
    case IN_SIZE_FEED:
        return is_feed ? end_size(c) : IS_MALFORMED;
    case IN_DATA_END:
        return byte == '\r' ? IN_DATA_FEED : IS_MALFORMED;
    case IN_DATA_FEED:
        c->line = 0;
        return is_feed ? IN_SIZE : IS_MALFORMED;
    case IN_TRAILER:
        if (byte == '\r')
            return IN_LAST_FEED;
        return is_text(byte) ? IN_FIELD : IS_MALFORMED;
    case IN_FIELD:
        if (byte == '\r')
            return IN_FIELD_FEED;
        return is_text(byte) ? IN_FIELD : IS_MALFORMED;
    case IN_FIELD_FEED:
        return is_feed ? IN_TRAILER : IS_MALFORMED;
    case IN_LAST_FEED:
        return is_feed ? IS_WHOLE : IS_MALFORMED;
    default:
        return IS_MALFORMED;
    }
}

/* Move what the bytes from `*at` on have of the chunk to its place. */
static void take_data(struct chunks *c, char *bytes, size_t size, size_t *at,
                      size_t *kept)
{
    size_t here = size - *at < c->left ? size - *at : c->left;
    memmove(bytes + *kept, bytes + *at, here);
    *kept += here;
    *at += here;
    c->left -= here;
    if (c->left == 0)
        c->state = IN_DATA_END;
}

ssize_t chunks_decode(struct chunks *c, char *bytes, size_t *size)
{
    size_t at = 0, kept = 0;
    while (at < *size && c->state != IS_WHOLE && c->state != IS_MALFORMED) {
        if (c->state == IN_DATA)
            take_data(c, bytes, *size, &at, &kept);
        else
            c->state = (uint8_t)step(c, bytes[at++]);
    }
    size_t rest = *size - at;
    memmove(bytes + kept, bytes + at, rest);
    assert(kept <= at);
    *size = kept;
    return c->state == IS_WHOLE       ? (ssize_t)rest
           : c->state == IS_MALFORMED ? CHUNKS_MALFORMED
                                      : CHUNKS_MORE;
}

ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *bytes,
                           size_t *size);

__attribute__((visibility("default"))) ssize_t
phr_decode_chunked(struct phr_chunked_decoder *decoder, char *bytes,
                   size_t *size)
{
    return chunks_decode((struct chunks *)(void *)decoder, bytes, size);
}
