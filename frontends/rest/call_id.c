#include "rest/call_id.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <openssl/sha.h>

#include "rest/limits.h"
#include "rest/problem.h"

enum { UUID = 36 };

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

/* False: it is no such number. */
static bool as_number(const char *key, size_t len, uint8_t id[CALL_ID])
{
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_dash = len == UUID && (i == 8 || i == 13 || i == 18 || i == 23);
        if (is_dash && key[i] == '-')
            continue;
        if (!isxdigit((unsigned char)key[i]) || digits == 2 * CALL_ID)
            return false;
        uint8_t *byte = &id[digits / 2];
        *byte = (uint8_t)(*byte << 4 | digit(key[i]));
        digits++;
    }
    return digits == 2 * CALL_ID;
}

static void hash_text(const char *text, size_t len, uint8_t *out)
{
    SHA256((const unsigned char *)text, len, out);
}

/* The hash of the hashes of all three. */
static void hash_key(const char *key, size_t len, const char *as,
                     const char *act_for, uint8_t id[CALL_ID])
{
    enum { HASH = SHA256_DIGEST_LENGTH };
    unsigned char all[3 * HASH];
    unsigned char hash[HASH];
    hash_text(as, as != NULL ? strlen(as) : 0, all);
    hash_text(act_for, act_for != NULL ? strlen(act_for) : 0, all + HASH);
    hash_text(key, len, all + 2 * HASH);
    SHA256(all, sizeof(all), hash);
    memcpy(id, hash, CALL_ID);
}

int call_id_take(const char *key, size_t len, const char *as,
                 const char *act_for, uint8_t id[CALL_ID],
                 struct problem *problem)
{
    uint8_t number[CALL_ID] = {0};
    if (len >= 2 && key[0] == '"' && key[len - 1] == '"') {
        key++;
        len -= 2;
    }
    if (len == 0 || len > LIMIT_KEY)
        return problem_field(problem, "Idempotency-Key",
                             "an Idempotency-Key has 1 to %d bytes", LIMIT_KEY);
    if (as_number(key, len, number)) {
        memcpy(id, number, CALL_ID);
        return 0;
    }
    hash_key(key, len, as, act_for, id);
    return 0;
}
