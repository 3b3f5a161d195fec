#include "upload/upload_names.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"

enum { NAME_MAX_LEN = 96 }; /* of a file in put/ */

void upload_put_path(const char *folder, const char *name,
                     char path[LOG_PATH_MAX])
{
    char inner[NAME_MAX_LEN];
    int n = snprintf(inner, sizeof(inner), "put/%s", name);
    assert(n > 0 && n < NAME_MAX_LEN);
    log_path(path, folder, inner);
}

static void hex_name(struct bytes bytes, const char *ending,
                     char name[NAME_MAX_LEN])
{
    struct buf text = {0};
    hex_put(&text, bytes);
    int n = snprintf(name, NAME_MAX_LEN, "%s%s", buf_text(&text), ending);
    assert(n > 0 && n < NAME_MAX_LEN);
    buf_deinit(&text);
}

void upload_id_path(const char *folder, const uint8_t id[UPLOAD_ID_SIZE],
                    bool sealed, char path[LOG_PATH_MAX])
{
    char name[NAME_MAX_LEN];
    hex_name(bytes_of(id, UPLOAD_ID_SIZE), sealed ? "s" : "", name);
    upload_put_path(folder, name, path);
}

void upload_path(const char *folder, const uint8_t hash[HASH_SIZE],
                 uint64_t length, bool sealed, bool is_put,
                 char path[LOG_PATH_MAX])
{
    char name[NAME_MAX_LEN];
    char ending[32] = "";
    if (is_put)
        snprintf(ending, sizeof(ending), ".%" PRIu64 "%s", length,
                 sealed ? "s" : "");
    hex_name(bytes_of(hash, HASH_SIZE), ending, name);
    if (is_put) {
        upload_put_path(folder, name, path);
        return;
    }
    char inner[NAME_MAX_LEN + 8];
    snprintf(inner, sizeof(inner), "large/%s", name);
    log_path(path, folder, inner);
}

bool upload_name_get(struct upload_name *out, const char *name)
{
    *out = (struct upload_name){0};
    size_t len = strlen(name);
    size_t digits = strspn(name, "0123456789abcdef");
    out->sealed = len > digits && name[len - 1] == 's';
    len -= out->sealed;
    if (digits == (size_t)2 * UPLOAD_ID_SIZE && len == digits)
        return hex_get(name, digits, out->id);
    if (digits != (size_t)2 * HASH_SIZE || name[digits] != '.')
        return false;
    const char *number = name + digits + 1;
    char *end = NULL;
    out->length = strtoull(number, &end, 10);
    out->complete = true;
    return number[0] >= '1' && number[0] <= '9' && end == name + len &&
           out->length <= LIMIT_BODY && hex_get(name, digits, out->hash);
}
