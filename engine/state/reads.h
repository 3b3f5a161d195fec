/* reads: the read set of a method call: what it saw of the state as it was
 * before the call, as digests that the master compares with its own (DESIGN
 * section 4).
 *
 * Encoded: canonical array, sorted, of [kind, key bin, digest] for single
 * entries and [kind, [from bin, to bin], digest] for ranges (from included, to
 * not). digest = H("seen", value or nil); of a range H("seen", key, value,
 * ...), where for an entry of an index the value is what stands behind it: a
 * row's columns, an object's event header. What the call itself wrote does not
 * count: digests are over what stood there before. */
#ifndef ATE_STATE_READS_H
#define ATE_STATE_READS_H

#include "state/state.h"

struct changes;
struct reads_entry;

/* What a read set stands for is counted: one for each of its entries, one for
 * each entry of the state that its ranges hold, and one for every so many bytes
 * of a value. The same number everywhere: it decides what is accepted. */
enum { READS_STEP = 1024 };

struct reads {
    struct reads_entry *entries;
    size_t count;
    size_t cap;
};

void reads_init(struct reads *r);
void reads_deinit(struct reads *r); /* safe twice */
void reads_clear(struct reads *r);

/* One entry was looked at; all entries from `from` up to `to`, not included,
 * were. */
void reads_note(struct reads *r, enum state_kind kind, struct bytes key);
void reads_note_range(struct reads *r, enum state_kind kind, struct bytes from,
                      struct bytes to);

/* Keep each entry once. */
void reads_pack(struct reads *r);

/* May what was looked at be another since change `number`? Of ranges of objects
 * and of ordered rows, any change of the type or view counts. */
bool reads_touched(const struct reads *r, const struct changes *c,
                   uint64_t number);

/* Append the canonical read set over the version that the call began with.
 * LIMIT when over LIMIT_READ_SET, or when it stands for more than
 * LIMIT_TX_READS. */
int reads_put(struct reads *r, struct tree_version v, struct buf *out,
              struct err *err);

/* Is it a read set: sorted, of kinds that are read? Errors: INVALID. */
int reads_check_form(struct bytes read_set, struct err *err);

/* And is all that it saw still so? What it stands for is taken from `*left`.
 * Errors: INVALID, STALE (no; the text is the first thing that is another),
 * LIMIT (`*left` is not enough, and 0 now). */
int reads_check(struct bytes read_set, struct tree_version v, uint64_t *left,
                struct err *err);
#endif
