/* err: one error, as every function that can fail reports it.
 *
 * What can fail returns 0 (or a count) or a negative code of this table and
 * fills the caller's `struct err`. One table makes the codes, their names, the
 * errno for files, the HTTP status and the exit code; numbers are never
 * reused. The text is for people alone: what a program decides by stands in
 * the code, the rule, the reason and the arguments that are meant. */
#ifndef ATE_BASE_ERR_H
#define ATE_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* name, number, errno, HTTP status, exit code, what it means */
#define ERR_TABLE(X)                                                           \
    X(IO, 1, EIO, 500, 1, "input or output failed")                            \
    X(INVALID, 2, EINVAL, 400, 2, "not a valid request")                       \
    X(DENIED, 3, EACCES, 403, 4, "no right")                                   \
    X(REFUSED, 4, EPERM, 422, 6, "a rule refused it")                          \
    X(NOT_FOUND, 5, ENOENT, 404, 3, "not found")                               \
    X(CONFLICT, 6, EEXIST, 409, 5, "in conflict with what is there")           \
    X(CORRUPT, 7, EBADMSG, 500, 8, "verification failed")                      \
    X(UNAVAILABLE, 8, EAGAIN, 503, 7, "not available now")                     \
    X(FULL, 9, ENOSPC, 507, 7, "no space left")                                \
    X(LIMIT, 10, E2BIG, 413, 1, "over a limit")                                \
    X(STALE, 11, ESTALE, 409, 5, "others were faster")                         \
    X(SCRIPT, 12, EPROTO, 500, 1, "the schema's Lua failed")                   \
    X(CANCELED, 13, ECANCELED, 499, 130, "canceled")                           \
    X(NEED, 14, EAGAIN, 503, 7, "a body has to be fetched first")

enum {
#define X(name, number, posix, http, exit_code, meaning)                       \
    ATE_E##name = -(number),
    ERR_TABLE(X)
#undef X
};

enum {
    ERR_TEXT_MAX = 1024,
    ERR_RULE_MAX = 128,
    ERR_REASON_MAX = 32,
    ERR_AT_MAX = 512,
};

struct bytes;

struct err {
    int code;                /* 0 or ATE_E... */
    char rule[ERR_RULE_MAX]; /* the rule's name when REFUSED by one, or "" */
    char reason[ERR_REASON_MAX]; /* `no_chain`: the code more exactly, or "" */
    char at[ERR_AT_MAX];     /* which arguments are meant: JSON pointers (RFC
                                6901), one a line, in the order of the text */
    char text[ERR_TEXT_MAX]; /* a whole sentence for people */
};

/* Fill `err` and return `code`; reason and arguments are none. `err` may be
 * NULL. Long texts are cut. */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " before the text, keep all else and return the code; IO when
 * `err` is NULL, so give one to what you wrap. */
int err_wrap(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same behind the text, with nothing between. */
int err_add(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say why, in a word of letters and '_' that doors go by. Returns the code, IO
 * when `err` is NULL, as those below. */
int err_reason(struct err *err, const char *reason);

/* Say which arguments are meant, from within to without: whoever judges the
 * parts of a map or a list says of an error which part it was, by its name, or
 * its number from 0 on. "/name" comes before each pointer that there is, or is
 * the only one. A pointer that would get too long, or whose name has a line
 * feed or a zero in it, ends before that: it never means another argument. */
int err_at(struct err *err, const char *name);
int err_at_name(struct err *err, struct bytes name);
int err_at_item(struct err *err, size_t i);
/* Another part of that map is meant, too, unless it has no room. */
int err_at_also(struct err *err, const char *name);
/* None of the arguments is meant: it is about what is stored, or elsewhere. */
int err_at_none(struct err *err);

/* From an errno value: ENOSPC and EDQUOT become FULL, EACCES, EPERM and EROFS
 * DENIED, ENOENT NOT_FOUND, EEXIST CONFLICT, all else IO; the text ends with
 * strerror, and EROFS has a reason, `read_only_disk`. Returns the code. */
int err_errno(struct err *err, int posix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the table says of a code; for an unknown one what IO has. */
const char *err_name(int code); /* "REFUSED" */
int err_posix(int code);
int err_http(int code);
int err_exit(int code);
#endif
