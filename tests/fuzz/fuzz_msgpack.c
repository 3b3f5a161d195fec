/* fuzz_msgpack: both msgpack decoders over the same bytes.
 *
 * What mp_check takes as canonical, mp_canonical leaves as it is, byte for
 * byte; what mp_canonical makes of other bytes, mp_check takes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct buf out = {0};
    int checked = mp_check(in, NULL);
    int made = mp_canonical(&out, in, NULL);
    assert(made == 0 || out.len == 0);
    assert(made == 0 || checked != 0);
    if (made == 0) {
        assert(mp_check(buf_bytes(&out), NULL) == 0);
        assert(bytes_equal(in, buf_bytes(&out)) == (checked == 0));
    }
    buf_deinit(&out);
    return 0;
}
