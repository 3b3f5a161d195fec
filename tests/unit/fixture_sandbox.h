/* A sandbox with one file in it, and what its function comes to. */
#ifndef ATE_TESTS_UNIT_FIXTURE_SANDBOX_H
#define ATE_TESTS_UNIT_FIXTURE_SANDBOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/sandbox.h"

static inline struct sandbox_module module_of(const char *file,
                                              const char *source)
{
    return (struct sandbox_module){.file = file,
                                   .source = bytes_of_text(source)};
}

/* A sandbox with `source` loaded and sealed; *ref is what it returned. */
static inline struct sandbox *open_source(const char *source, int *ref)
{
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct sandbox_module module = module_of("bank.lua", source);
    struct err err;

    if (sandbox_load_source(s, "bank", &module, ref, &err) != 0)
        fail_msg("%s", err.text);
    if (sandbox_seal(s, &err) != 0)
        fail_msg("%s", err.text);
    sandbox_begin(s);
    return s;
}

static inline void expect_error(int rc, const struct err *err, int code,
                                const char *text)
{
    if (rc != code || strstr(err->text, text) == NULL)
        fail_msg("expected %s '%s', got %s '%s'", err_name(code), text,
                 rc == 0 ? "success" : err_name(rc), err->text);
    assert_int_equal(err->code, code);
}

/* Load, begin, call: it has to fail like this. */
static inline void expect_failure(const char *source, int code,
                                  const char *text)
{
    struct err err;
    int ref;
    struct sandbox *s = open_source(source, &ref);

    int rc = sandbox_call(s, ref, 0, 0, &err);
    expect_error(rc, &err, code, text);
    assert_int_equal(lua_gettop(sandbox_L(s)), 0);
    sandbox_free(s);
}

/* The text that the function gives in a fresh sandbox, and its gas. */
static inline uint64_t run_source(const char *source, char text[static 512])
{
    struct err err;
    int ref;
    struct sandbox *s = open_source(source, &ref);

    if (sandbox_call(s, ref, 0, 1, &err) != 0)
        fail_msg("%s: %s", source, err.text);
    const char *made = lua_tostring(sandbox_L(s), -1);
    snprintf(text, 512, "%s", made == NULL ? "no text" : made);
    uint64_t gas = sandbox_gas_used(s);
    sandbox_free(s);
    return gas;
}

static inline void expect_text(const char *source, const char *wanted)
{
    char text[512];

    run_source(source, text);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s: expected %s, got %s", source, wanted, text);
}

#endif
