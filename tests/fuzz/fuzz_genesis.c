/* Geneses, alone and in the payload of the first frame: whatever is accepted is
 * written again to the same bytes, and is judged without harm. */
#include <assert.h>

#include "event/genesis.h"
#include "event/ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool check_genesis(struct bytes raw, struct genesis *genesis)
{
    struct buf out = {0};
    if (genesis_get(raw, genesis, NULL) != 0)
        return false;
    int rc = genesis_put(&out, genesis, NULL);
    assert(rc == 0 && bytes_equal(buf_bytes(&out), raw));
    buf_deinit(&out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    struct bytes raw = bytes_of(data, len);
    struct genesis_payload payload;
    struct genesis genesis;
    struct buf out = {0};
    uint8_t id[CHAIN_ID_SIZE];
    check_genesis(raw, &genesis);
    if (genesis_payload_get(raw, &payload, NULL) != 0)
        return 0;
    genesis_payload_put(&out, payload.genesis, list,
                        sigs_list(&payload.sigs, list));
    assert(bytes_equal(buf_bytes(&out), raw));
    buf_deinit(&out);
    if (check_genesis(payload.genesis, &genesis)) {
        chain_id(payload.genesis, id);
        genesis_verify(&genesis, &payload.sigs, id, NULL);
    }
    return 0;
}
