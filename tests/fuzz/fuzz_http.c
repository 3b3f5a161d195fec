/* What comes from servers, and what schemas and configurations ask for: the
 * first byte picks. Whatever is told of an answer is a value. */
#include <assert.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "io/http_rules.h"
#include "io/http_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_answer(struct bytes raw)
{
    struct buf out = {0};
    struct buf canonical = {0};
    size_t headers = raw.len / 2;
    http_answer_put(&out, 200, bytes_of(raw.data, headers),
                    bytes_of(raw.data + headers, raw.len - headers));
    /* Too deep, or a key twice, is for its taker to refuse; no more than that.
     */
    if (mp_canonical(&canonical, buf_bytes(&out), NULL) == 0)
        assert(mp_check(buf_bytes(&canonical), NULL) == 0);
    buf_deinit(&out);
    buf_deinit(&canonical);
}

static void check_request(struct bytes raw)
{
    static const uint8_t key[SERVICE_KEY_SIZE];
    struct http_request r;
    if (mp_check(raw, NULL) == 0) {
        http_request_get(raw, key, &r, NULL);
        http_request_deinit(&r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct http_rules rules;
    if (len == 0)
        return 0;
    struct bytes raw = bytes_of(data + 1, len - 1);
    if (data[0] % 3 == 0)
        check_answer(raw);
    else if (data[0] % 3 == 1)
        check_request(raw);
    else if (http_rules_get(&rules, raw, NULL) == 0)
        http_rules_deinit(&rules);
    return 0;
}
