#include "acceptance/no_rules.h"

#include "acceptance/logic.h"
#include "base/err.h"
#include "base/memory.h"

struct no_rules {
    struct logic logic;
    struct logic *real; /* owned; never run */
};

static void begin(struct logic *l, struct trial *trial)
{
    (void)l;
    (void)trial;
}

static int check(struct logic *l, struct trial *trial, const struct rule *rule,
                 size_t n, struct err *err)
{
    (void)l;
    (void)trial;
    (void)rule;
    (void)n;
    (void)err;
    return 0;
}

static int fold(struct logic *l, struct trial *trial, const struct view *view,
                int function, size_t n, struct err *err)
{
    (void)l;
    (void)trial;
    (void)view;
    (void)function;
    (void)n;
    (void)err;
    return 0;
}

static int run(struct logic *l, struct call *call, struct err *err)
{
    (void)l;
    (void)call;
    return err_set(err, ATE_EUNAVAILABLE, "no Lua runs here");
}

static int upgrade(struct logic *l, const struct event_type *type, int function,
                   struct bytes fields, struct buf *out, struct err *err)
{
    (void)l;
    (void)type;
    (void)function;
    (void)err;
    buf_put_bytes(out, fields);
    return 0;
}

static void digest(struct logic *l, int function, uint8_t out[32])
{
    struct logic *real = ((struct no_rules *)l)->real;
    real->digest(real, function, out);
}

static uint64_t gas(const struct logic *l)
{
    (void)l;
    return 0;
}

static void no_rules_free(struct logic *l)
{
    struct no_rules *n = (struct no_rules *)l;
    n->real->free(n->real);
    mem_free(n);
}

static int load(void *ctx, struct bytes bundle,
                const struct logic_limits *limits, struct logic **out,
                struct err *err)
{
    const struct logic_maker *real = ctx;
    struct logic *loaded;
    int rc = real->load(real->ctx, bundle, limits, &loaded, err);
    if (rc != 0)
        return rc;
    struct no_rules *n = mem_zero(1, sizeof(*n));
    n->real = loaded;
    n->logic = (struct logic){
        .schema = loaded->schema,
        .bundle = loaded->bundle,
        .runs_nothing = true,
        .begin = begin,
        .check = check,
        .fold = fold,
        .run = run,
        .upgrade = upgrade,
        .digest = digest,
        .gas = gas,
        .free = no_rules_free,
    };
    *out = &n->logic;
    return 0;
}

struct logic_maker no_rules_maker(const struct logic_maker *real)
{
    return (struct logic_maker){
        .ctx = (void *)real, .load = load, .knows = real->knows};
}
