/* A comment ends for Lua where a carriage return stands, and for most editors
 * and tools that compare it does not: what follows is code that reads as a
 * comment. Characters of writing from right to left show code and comment in
 * another order than they stand in. */
#include "declare/hidden.h"

#include <stdio.h>

#include "declare/tokens.h"

enum { WHAT_MAX = 160 };

static const struct range {
    uint32_t first, last;
} unseen[] = {
    {0x80, 0x9f},     {0xad, 0xad},       {0x34f, 0x34f},   {0x61c, 0x61c},
    {0x115f, 0x1160}, {0x180b, 0x180f},   {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
};

static bool is_unseen(uint32_t c)
{
    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
        if (c >= unseen[i].first && c <= unseen[i].last)
            return true;
    return false;
}

/* The character at `at`, of valid UTF-8, and behind it. */
static uint32_t next(struct bytes source, size_t *at)
{
    uint32_t c = source.data[(*at)++];

    if (c >= 0x80)
        c &= c >= 0xf0 ? 0x07 : c >= 0xe0 ? 0x0f : 0x1f;
    while (*at < source.len && (source.data[*at] & 0xc0) == 0x80)
        c = c << 6 | (source.data[(*at)++] & 0x3f);
    return c;
}

static bool ends_line(struct bytes source, size_t behind)
{
    return behind == source.len || source.data[behind] == '\n';
}

/* What is told of a character; false: nothing. */
static bool tell(char what[WHAT_MAX], uint32_t c, bool at_end)
{
    if (c == '\r' && !at_end)
        snprintf(what, WHAT_MAX,
                 "a carriage return within a line: what follows is code, also "
                 "behind a comment");
    else if ((c < ' ' && c != '\r' && c != '\n' && c != '\t') || c == 0x7f)
        snprintf(what, WHAT_MAX,
                 "a control character, U+%04X: what is shown may not be what "
                 "runs",
                 (unsigned)c);
    else if (is_unseen(c))
        snprintf(what, WHAT_MAX,
                 "U+%04X, which nobody sees: what is shown may not be what "
                 "runs",
                 (unsigned)c);
    else
        return false;
    return true;
}

static int kind_of(uint32_t c)
{
    return c == '\r' ? 0 : c < 0x80 ? 1 : 2;
}

void hidden_find(struct bytes source,
                 void (*visit)(void *ctx, int line, const char *what),
                 void *ctx)
{
    char what[WHAT_MAX];
    bool told[3] = {false};
    struct bytes name;
    int line = 1;

    for (size_t at = 0; at < source.len;) {
        uint32_t c = next(source, &at);
        bool at_end = ends_line(source, at);
        if (!told[kind_of(c)] && tell(what, c, at_end)) {
            told[kind_of(c)] = true;
            visit(ctx, line, what);
        }
        line += c == '\n' || (c == '\r' && !at_end);
    }
    line = tokens_foreign(source, &name);
    if (line == 0)
        return;
    snprintf(what, sizeof(what),
             "the name '%.*s' has letters that may look like others",
             name.len < 64 ? (int)name.len : 64, (const char *)name.data);
    visit(ctx, line, what);
}
