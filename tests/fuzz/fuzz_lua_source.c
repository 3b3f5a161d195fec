/* Any source: it is refused, or it runs within its limits, twice with the same
 * gas and the same end. Errors name the file. */
#include <lua.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
    int code;
    uint64_t gas;
    size_t memory;
    struct err err;
};

/* Call what the module gave; that it is no function is an end as well. */
static void play(struct sandbox *s, int ref, struct end *end)
{
    sandbox_begin_within(s, (struct sandbox_limits){20000, 1 << 20});
    end->code = sandbox_call(s, ref, 0, 0, &end->err);
    end->gas = sandbox_gas_used(s);
    end->memory = sandbox_memory_used(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct sandbox_module module = {.file = "fuzz.lua",
                                    .source = bytes_of(data, size)};
    struct err err;
    struct end first = {0}, second = {0};
    int ref;

    s->now.gas = 200000; /* loading should not take the fuzzer's time */
    int rc = sandbox_load_source(s, "fuzz", &module, &ref, &err);
    if (rc == 0)
        rc = sandbox_seal(s, &err);
    if (rc == 0) {
        play(s, ref, &first);
        play(s, ref, &second);
        if (first.code != second.code || first.gas != second.gas ||
            first.memory != second.memory ||
            strcmp(first.err.text, second.err.text) != 0)
            abort();
    } else if (rc != ATE_ESCRIPT && rc != ATE_ELIMIT) {
        abort();
    }
    sandbox_free(s);
    return 0;
}
