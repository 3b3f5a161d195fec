/* Entries `roots` and `order` of kind 1 (docs/format.md section 6), and of the
 * terms behind the latter. */
#include "state/roots.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"

void roots_get(struct tree_version v, struct roots *roots)
{
    struct bytes value;
    uint32_t count = 0;
    const uint8_t *next = NULL;
    bool there = state_chain(v, "roots", &value);
    assert(there);
    *roots = (struct roots){0};
    struct mp mp = mp_open(value);
    state_own(mp_get_array_of(&mp, 3, NULL));
    state_own(mp_get_array(&mp, &count, NULL));
    assert(count >= 1 && count <= LIMIT_ROOT_KEYS);
    roots->count = count;
    for (size_t i = 0; i < count; i++) {
        state_own(key_record_get(&mp, &roots->records[i], NULL));
        key_id(&roots->records[i], roots->ids[i]);
    }
    state_own(mp_get_uint(&mp, &roots->threshold, NULL));
    state_own(mp_get_bin_or_nil(&mp, HASH_SIZE, &next, NULL));
    roots->has_next = next != NULL;
    if (next != NULL)
        memcpy(roots->next, next, HASH_SIZE);
}

int roots_find(const struct roots *roots, const uint8_t id[KEY_ID_SIZE])
{
    for (size_t i = 0; i < roots->count; i++)
        if (memcmp(roots->ids[i], id, KEY_ID_SIZE) == 0)
            return (int)i;
    return -1;
}

static void put_records(struct buf *out, const struct key_record *records,
                        size_t count)
{
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        key_record_put(out, &records[i]);
}

void roots_digest(const struct key_record *records, size_t count, uint64_t k,
                  uint8_t out[HASH_SIZE])
{
    struct buf list = {0};
    struct hasher h;
    put_records(&list, records, count);
    hash_begin(&h, LABEL_ROOTS);
    hash_part(&h, buf_bytes(&list));
    hash_u64(&h, k);
    hash_end(&h, out);
    buf_deinit(&list);
}

int roots_check(const struct key_record *records, size_t count, uint64_t k,
                struct err *err)
{
    if (count < 1 || count > LIMIT_ROOT_KEYS)
        return err_set(err, ATE_EINVALID,
                       "%zu root keys, there are 1 to %d of them", count,
                       LIMIT_ROOT_KEYS);
    if (k < 1 || k > count)
        return err_set(err, ATE_EINVALID,
                       "%llu of %zu root keys cannot agree; k is from 1 to "
                       "their number",
                       (unsigned long long)k, count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(records[i].sign, records[j].sign, SIGN_PUBLIC_SIZE) == 0)
                return err_set(err, ATE_EINVALID,
                               "root keys %zu and %zu are one key", j, i);
    return 0;
}

void roots_put(struct state *s, const struct key_record *records, size_t count,
               uint64_t k, const uint8_t *next_or_null)
{
    struct buf value = {0};
    mp_put_array(&value, 3);
    put_records(&value, records, count);
    mp_put_uint(&value, k);
    mp_put_bin_or_nil(&value,
                      bytes_of(next_or_null, next_or_null ? HASH_SIZE : 0));
    state_put_chain(s, "roots", buf_bytes(&value));
    buf_deinit(&value);
}

void term_get(struct tree_version v, struct term *term)
{
    bool there = term_before(v, UINT64_MAX, term);
    assert(there);
}

bool term_before(struct tree_version v, uint64_t index, struct term *term)
{
    struct bytes value;
    if (!state_before(v, STATE_TERM, index, &term->index, &value))
        return false;
    struct mp mp = mp_open(value);
    state_own(mp_get_array_of(&mp, 2, NULL));
    state_own(mp_get_uint(&mp, &term->number, NULL));
    state_own(key_record_get(&mp, &term->record, NULL));
    key_id(&term->record, term->id);
    return true;
}

size_t terms_at(struct tree_version v, uint64_t size, struct term found[2])
{
    bool there = term_before(v, size, &found[0]);
    assert(there);
    bool begins = found[0].index == size - 1;
    return begins && term_before(v, size - 1, &found[1]) ? 2 : 1;
}

/* The newest is part of the state root. */
void term_put(struct state *s, uint64_t number, uint64_t index,
              const struct key_record *record)
{
    uint8_t key[8];
    struct buf value = {0};
    put_be64(key, index);
    mp_put_array(&value, 2);
    mp_put_uint(&value, number);
    key_record_put(&value, record);
    state_put_chain(s, "order", buf_bytes(&value));
    state_put(s, STATE_TERM, bytes_of(key, sizeof(key)), buf_bytes(&value));
    buf_deinit(&value);
}
