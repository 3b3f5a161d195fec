#include "declare/tokens.h"

#include <string.h>

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_DOT, /* or a colon */
    TOKEN_OPEN,
    TOKEN_TEXT, /* in quotes, on one line */
    TOKEN_OTHER,
};

struct token {
    enum token_kind kind;
    struct bytes text;
    int line;
};

struct lexer {
    struct bytes source;
    size_t at;
    int line;
};

static int letter(const struct lexer *l, size_t ahead)
{
    size_t at = l->at + ahead;
    return at < l->source.len ? l->source.data[at] : 0;
}

static bool is_name_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9') || c >= 0x80;
}

/* As Lua has it, a line ends with either, or with both. */
static bool is_line_end(int c)
{
    return c == '\n' || c == '\r';
}

static void step(struct lexer *l)
{
    if (is_line_end(letter(l, 0)) &&
        (letter(l, 0) == '\n' || letter(l, 1) != '\n'))
        l->line++;
    if (l->at < l->source.len)
        l->at++;
}

/* Length of a long bracket's opening "[==[", or 0. */
static size_t long_bracket(const struct lexer *l)
{
    size_t level = 0;
    if (letter(l, 0) != '[')
        return 0;
    while (letter(l, 1 + level) == '=')
        level++;
    return letter(l, 1 + level) == '[' ? level + 2 : 0;
}

static void pass_long(struct lexer *l, size_t opening)
{
    for (size_t i = 0; i < opening; i++)
        step(l);
    while (l->at < l->source.len) {
        size_t equals = 0;
        if (letter(l, 0) == ']') {
            while (letter(l, 1 + equals) == '=')
                equals++;
            if (equals + 2 == opening && letter(l, 1 + equals) == ']') {
                l->at += opening;
                return;
            }
        }
        step(l);
    }
}

static void pass_text(struct lexer *l)
{
    int quote = letter(l, 0);
    step(l);
    while (l->at < l->source.len && letter(l, 0) != quote) {
        if (letter(l, 0) == '\\')
            step(l);
        step(l);
    }
    step(l);
}

/* White space and comments. */
static void pass_space(struct lexer *l)
{
    while (l->at < l->source.len) {
        int c = letter(l, 0);
        if (c == '-' && letter(l, 1) == '-') {
            l->at += 2;
            size_t opening = long_bracket(l);
            if (opening > 0)
                pass_long(l, opening);
            else
                while (l->at < l->source.len && !is_line_end(letter(l, 0)))
                    step(l);
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            step(l);
        } else {
            return;
        }
    }
}

static struct token next(struct lexer *l)
{
    pass_space(l);
    struct token token = {.kind = TOKEN_OTHER, .line = l->line};
    size_t start = l->at;
    int c = letter(l, 0);
    size_t opening = long_bracket(l);
    if (l->at >= l->source.len) {
        token.kind = TOKEN_END;
    } else if (is_name_letter(c)) {
        bool number = c >= '0' && c <= '9';
        token.kind = number ? TOKEN_OTHER : TOKEN_NAME;
        while (is_name_letter(letter(l, 0)) || (number && letter(l, 0) == '.'))
            step(l);
    } else if (c == '\'' || c == '"') {
        token.kind = TOKEN_TEXT;
        pass_text(l);
    } else if (opening > 0) {
        pass_long(l, opening);
    } else {
        bool alone = c != '.' || letter(l, 1) != '.';
        token.kind = c == '('                          ? TOKEN_OPEN
                     : (c == '.' || c == ':') && alone ? TOKEN_DOT
                                                       : TOKEN_OTHER;
        step(l);
        while (!alone && letter(l, 0) == '.')
            step(l);
    }
    token.text = bytes_of(l->source.data + start, l->at - start);
    return token;
}

/* The text that is the first argument of the call that begins here. */
static struct bytes argument_at(struct lexer l)
{
    struct token open = next(&l);
    struct token text = open.kind == TOKEN_OPEN ? next(&l) : open;
    if (text.kind != TOKEN_TEXT || text.text.len < 2)
        return bytes_of(NULL, 0);
    return bytes_of(text.text.data + 1, text.text.len - 2);
}

enum { BEFORE = 5 }; /* a . b . of a.b.c, and what stands before them */

/* The member that `t` is, behind those tokens, the oldest first. */
static struct token_member member_of(const struct lexer *l,
                                     const struct token *before,
                                     const struct token *t)
{
    struct token_member member = {
        .member = t->text, .argument = argument_at(*l), .line = t->line};
    if (before[3].kind == TOKEN_NAME && before[2].kind != TOKEN_DOT) {
        member.object = before[3].text;
        member.subtracted = bytes_equal(before[2].text, bytes_of_text("-"));
    } else if (before[3].kind == TOKEN_NAME && before[1].kind == TOKEN_NAME &&
               before[0].kind != TOKEN_DOT) {
        member.path[0] = before[1].text;
        member.path[1] = before[3].text;
    }
    return member;
}

void tokens_members(struct bytes source, int first, int last,
                    void (*visit)(void *ctx, const struct token_member *member),
                    void *ctx)
{
    struct lexer l = {.source = source, .line = 1};
    struct token before[BEFORE];
    for (size_t i = 0; i < BEFORE; i++)
        before[i] = (struct token){.kind = TOKEN_OTHER};
    for (struct token t = next(&l); t.kind != TOKEN_END && t.line <= last;
         t = next(&l)) {
        bool is_member =
            t.kind == TOKEN_NAME && before[BEFORE - 1].kind == TOKEN_DOT;
        if (is_member && t.line >= first) {
            struct token_member member = member_of(&l, before, &t);
            visit(ctx, &member);
        }
        memmove(before, before + 1, (BEFORE - 1) * sizeof(before[0]));
        before[BEFORE - 1] = t;
    }
}

int tokens_foreign(struct bytes source, struct bytes *name)
{
    struct lexer l = {.source = source, .line = 1};

    for (struct token t = next(&l); t.kind != TOKEN_END; t = next(&l))
        for (size_t i = 0; t.kind == TOKEN_NAME && i < t.text.len; i++)
            if (t.text.data[i] >= 0x80) {
                *name = t.text;
                return t.line;
            }
    return 0;
}
