/* (1) Instructions are allowed by name; what dump.h does not know is refused,
 *     so another LuaJIT cannot slip something in.
 * (2) A literal such as 1LL shows as a constant of cdata kind; folded powers
 *     show nowhere, which is why compile.c looks for `^` before. */
#include "sandbox/scan.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sandbox/dump.h"

static const bool allowed[OP_COUNT] = {
#define X(name, allowed) allowed,
    DUMP_OPCODES(X)
#undef X
};

struct scan {
    const char *file;
    scan_visit visit;
    void *ctx;
    struct text_lengths *lengths;
    struct err *err;
};

static void copy_name(char name[SCAN_NAME_MAX], struct bytes text)
{
    snprintf(name, SCAN_NAME_MAX, "%.*s",
             (int)(text.len < 256 ? text.len : 256),
             text.data == NULL ? "" : (const char *)text.data);
}

/* GGET r, name; and when TGETS x, r, member follows, both in one. */
static int visit_global(const struct scan *s, const struct dump_proto *p,
                        uint32_t i)
{
    uint32_t get = dump_code(p, i);
    uint32_t next = dump_code(p, i + 1);
    char name[SCAN_NAME_MAX], member[SCAN_NAME_MAX] = "";

    if (s->visit == NULL)
        return 0;
    copy_name(name, dump_text(p, dump_d(get)));
    if (dump_op(next) == OP_TGETS && dump_b(next) == dump_a(get))
        copy_name(member, dump_text(p, dump_c(next)));
    struct scan_global global = {name, member, dump_line(p, i)};
    return s->visit(s->ctx, &global, s->err);
}

static int refuse(const struct scan *s, const struct dump_proto *p, uint32_t i)
{
    uint32_t code = dump_code(p, i);
    int line = dump_line(p, i);
    char name[SCAN_NAME_MAX];

    switch (dump_op(code)) {
    case OP_POW:
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: `^` is not available here: use ate.int.pow",
                       s->file, line);
    case OP_KCDATA:
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: numbers that end in LL, ULL or i are not "
                       "available here: write the plain number",
                       s->file, line);
    case OP_GSET:
        copy_name(name, dump_text(p, dump_d(code)));
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: `%s` is not declared, and globals can't be "
                       "set here: write `local %s`",
                       s->file, line, name, name);
    default:
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%d: instruction %u is not known here", s->file, line,
                       code & 0xff);
    }
}

static int scan_code(const struct scan *s, const struct dump_proto *p)
{
    for (uint32_t i = 0; i < p->instructions; i++) {
        unsigned op = dump_op(dump_code(p, i));
        if (op >= OP_COUNT || !allowed[op])
            return refuse(s, p, i);
        int rc = op == OP_GGET ? visit_global(s, p, i) : 0;
        if (rc != 0)
            return rc;
    }
    if (p->cdata)
        return err_set(s->err, ATE_ESCRIPT,
                       "%s:%u: a constant that is not available here", s->file,
                       p->first_line);
    return 0;
}

static int corrupt(const struct scan *s)
{
    return err_set(s->err, ATE_ECORRUPT,
                   "%s: not a dump of the LuaJIT this was built for", s->file);
}

static int scan_proto(const struct scan *s, struct bytes bytes)
{
    struct dump_proto p;

    if (!dump_proto_open(&p, bytes))
        return corrupt(s);
    int rc = scan_code(s, &p);
    if (s->lengths != NULL)
        lua_text_add(s->lengths, &p.lengths);
    dump_proto_close(&p);
    return rc;
}

int scan_dump(struct bytes dump, const char *file, scan_visit visit, void *ctx,
              struct text_lengths *lengths, struct err *err)
{
    struct scan s = {file, visit, ctx, lengths, err};
    struct dump_reader r = {dump.data, dump.data + dump.len, false};

    if (!dump_header(&r))
        return corrupt(&s);
    for (;;) {
        struct bytes proto = dump_next(&r);
        if (r.bad)
            return corrupt(&s);
        if (proto.len == 0)
            return 0;
        int rc = scan_proto(&s, proto);
        if (rc != 0)
            return rc;
    }
}
