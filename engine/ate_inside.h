/* What the files behind ate.h share, and nobody else sees. */
#ifndef ATE_INSIDE_H
#define ATE_INSIDE_H

#include <stdatomic.h>
#include <string.h>

#include "ate.h"
#include "base/bytes.h"
#include "base/err.h"

struct loop;
struct port;
struct remote;

struct ate {
    struct loop *loop; /* one of these two */
    struct remote *remote;
    _Atomic uint64_t calls; /* numbers given out */
};

/* Tell the caller what went wrong. */
static inline void give_error(struct ate_error *out, const struct err *err)
{
    out->code = err->code;
    memcpy(out->rule, err->rule, ERR_RULE_MAX);
    memcpy(out->reason, err->reason, ERR_REASON_MAX);
    memcpy(out->at, err->at, ERR_AT_MAX);
    memcpy(out->text, err->text, ERR_TEXT_MAX);
}

/* Tell the caller, who may not want to know, how it went: what went wrong, or
 * with code 0 that nothing did. Returns the code. */
static inline int told(struct ate_error *out, int code, const struct err *err)
{
    if (out != NULL)
        *out = (struct ate_error){0};
    if (out != NULL && code != 0)
        give_error(out, err);
    return code;
}

/* The caller's from now on, who frees it with ate_free(). */
static inline struct ate_bytes give_buf(struct buf *buf)
{
    struct ate_bytes bytes = {.data = buf->data, .len = buf->len};
    *buf = (struct buf){0};
    return bytes;
}

static inline struct bytes text_or_none(const char *text)
{
    return text != NULL ? bytes_of_text(text) : bytes_of(NULL, 0);
}

/* The one is the other: nothing is ever seen through this type. */
static inline struct port *port_of(const struct ate_port *port)
{
    return (struct port *)(uintptr_t)port;
}
#endif
