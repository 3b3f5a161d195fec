/* Payloads of batch frames: whatever is accepted is written again to the same
 * bytes. Signatures are not judged, or nothing would ever be accepted. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "event/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct batch_member *m)
{
    static const uint8_t chain[CHAIN_ID_SIZE];
    struct batch_event *events = malloc(m->event_count * sizeof(*events));
    if (batch_member_decode(m, SUITE_1, chain, events, NULL) == 0)
        batch_member_check(m, events, NULL);
    free(events);
}

static void put_member(const struct batch_member *m, struct buf *out)
{
    static struct further_sig sigs[LIMIT_TX_SIGNATURES];
    static struct bytes headers[LIMIT_TX_EVENTS];
    size_t count = 0;
    struct batch_events events = batch_events(m);
    while (count < LIMIT_TX_EVENTS &&
           batch_events_next(&events, &headers[count]))
        count++;
    assert(count == m->event_count && events.left == 0);
    batch_put_member(out, &(struct batch_part){
                              .tx_header = m->tx_header,
                              .sigs = sigs,
                              .sig_count = sigs_list(&m->sigs, sigs),
                              .events = headers,
                              .event_count = count,
                              .read_set = m->read_set,
                              .result = m->result,
                              .verdict = m->verdict,
                          });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes raw = bytes_of(data, len);
    struct batch_reader r;
    struct batch_member m;
    struct buf out = {0};
    int rc = batch_open(&r, raw, NULL);
    if (rc != 0)
        return 0;
    batch_put(&out, r.author, r.signature, r.count);
    while ((rc = batch_next(&r, &m, NULL)) == 1) {
        if (m.refused) {
            batch_put_refused(&out, m.refused_id);
        } else {
            put_member(&m, &out);
            check(&m);
        }
    }
    if (rc == 0)
        assert(bytes_equal(buf_bytes(&out), raw));
    buf_deinit(&out);
    return 0;
}
