/* tokens: names in Lua source, without running it. */
#ifndef ATE_DECLARE_TOKENS_H
#define ATE_DECLARE_TOKENS_H

#include "base/bytes.h"

/* `object.member` or `object:member`. `object` is empty when what stands before
 * the dot is no single name (`a.b.c` is met as a.b and as .c). */
struct token_member {
    struct bytes object;
    struct bytes member;
    struct bytes path[2];  /* of `.c` in a.b.c: a and b; else empty */
    struct bytes argument; /* of `object:member('x'`: x as written, or empty */
    bool subtracted;       /* a minus stands before `object` */
    int line;
};

/* Call `visit` for each that begins in the lines `first` to `last`. Comments
 * and texts are passed over. Source that is no Lua does no harm. */
void tokens_members(struct bytes source, int first, int last,
                    void (*visit)(void *ctx, const struct token_member *member),
                    void *ctx);

/* The line of the first name with other letters than those of ASCII, which is
 * then in *name; 0: there is none. */
int tokens_foreign(struct bytes source, struct bytes *name);
#endif
