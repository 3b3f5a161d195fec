/* A line is "<crc32c, 8 hex> <chain id, 64 hex> <name>\n"; the checksum covers
 * all behind the blank that follows it, without the line feed. Lines are
 * appended and synced one after the other. Where one is not good, a crash tore
 * the last one or something damaged the file: names stand in the geneses, too,
 * so whoever finds that looks there (node/names_scan.h).
 *
 * (1) by_name and by_id hold the same pairs.
 * (2) No name is the beginning of another by segments. */
#include "log/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/lines.h"
#include "base/tree.h"
#include "event/genesis.h"

enum {
    CRC_DIGITS = 8,
    ID_DIGITS = 2 * NAMES_ID_SIZE,
    ID_AT = CRC_DIGITS + 1,
    NAME_AT = ID_AT + ID_DIGITS + 1,
};

void names_init(struct names *names)
{
    names->by_name = tree_new();
    names->by_id = tree_new();
    names->count = 0;
}

void names_deinit(struct names *names)
{
    tree_free(names->by_name);
    tree_free(names->by_id);
    memset(names, 0, sizeof(*names));
}

static bool lookup(const struct names *names, struct bytes name,
                   struct bytes *id)
{
    if (name.len > LIMIT_CHAIN_NAME)
        return false;
    return tree_get(tree_head(names->by_name), name, id);
}

static int taken(struct bytes name, struct err *err)
{
    return err_set(err, ATE_ECONFLICT,
                   "there is a chain '%.*s' already; take another name",
                   (int)name.len, (const char *)name.data);
}

/* Why `name` is none beside `other`; `what` is to be done. */
static int nested(struct bytes name, struct bytes other, const char *what,
                  struct err *err)
{
    return err_set(err, ATE_ECONFLICT,
                   "'%.*s' can't be the name of a chain: '%.*s' is one, and no "
                   "chain stands below another; take a name %s",
                   (int)name.len, (const char *)name.data, (int)other.len,
                   (const char *)other.data, what);
}

/* Is there a name that begins with `name` and a slash? */
static bool is_above(const struct names *names, struct bytes name,
                     struct bytes *below)
{
    uint8_t key[LIMIT_CHAIN_NAME + 1];
    struct tree_cursor c;

    memcpy(key, name.data, name.len);
    key[name.len] = '/';
    if (!tree_seek(&c, tree_head(names->by_name), bytes_of(key, name.len + 1)))
        return false;
    *below = tree_cursor_key(&c);
    return below->len > name.len && memcmp(below->data, key, name.len + 1) == 0;
}

int names_check(const struct names *names, struct bytes name, struct err *err)
{
    struct bytes other;

    if (name.len > LIMIT_CHAIN_NAME)
        return err_set(err, ATE_ELIMIT,
                       "a name of %zu bytes is over the limit of %d", name.len,
                       LIMIT_CHAIN_NAME);
    if (!chain_name_valid(name))
        return err_set(err, ATE_EINVALID,
                       "'%.*s' is no name of a chain: it is a path such as "
                       "bank/main, its parts not empty, without a dot in "
                       "front and without control characters",
                       (int)name.len, (const char *)name.data);
    for (size_t i = 1; i <= name.len; i++) {
        struct bytes above = bytes_of(name.data, i);
        if (i < name.len && name.data[i] != '/')
            continue;
        if (lookup(names, above, &other))
            return i == name.len ? taken(name, err)
                                 : nested(name, above,
                                          "that does not begin with that one "
                                          "and a slash",
                                          err);
    }
    if (is_above(names, name, &other))
        return nested(name, other, "that is not the beginning of that one",
                      err);
    return 0;
}

int names_add(struct names *names, const uint8_t id[NAMES_ID_SIZE],
              struct bytes name, struct err *err)
{
    struct bytes id_bytes = bytes_of(id, NAMES_ID_SIZE);
    struct bytes other;

    int rc = names_check(names, name, err);
    if (rc != 0)
        return rc;
    if (tree_get(tree_head(names->by_id), id_bytes, &other))
        return err_set(err, ATE_ECONFLICT,
                       "the chain that is to be named '%.*s' has the name "
                       "'%.*s'",
                       (int)name.len, (const char *)name.data, (int)other.len,
                       (const char *)other.data);
    tree_put(names->by_name, name, id_bytes);
    tree_put(names->by_id, id_bytes, name);
    names->count++;
    return 0;
}

void names_line(struct buf *out, const uint8_t id[NAMES_ID_SIZE],
                struct bytes name)
{
    size_t start = out->len;

    buf_put_text(out, "00000000 ");
    hex_put(out, bytes_of(id, NAMES_ID_SIZE));
    buf_put_u8(out, ' ');
    buf_put_bytes(out, name);
    char crc[CRC_DIGITS + 1];
    snprintf(crc, sizeof(crc), "%08x",
             (unsigned)crc32c(0, out->data + start + ID_AT,
                              out->len - start - ID_AT));
    memcpy(out->data + start, crc, CRC_DIGITS);
    buf_put_u8(out, '\n');
}

/* A line without its line feed. Only what names_line() writes is taken. */
static bool line_parse(struct bytes line, uint8_t id[NAMES_ID_SIZE],
                       struct bytes *name)
{
    const char *text = (const char *)line.data;
    char crc[CRC_DIGITS + 1];

    if (line.len <= NAME_AT || text[ID_AT - 1] != ' ' ||
        text[NAME_AT - 1] != ' ')
        return false;
    snprintf(crc, sizeof(crc), "%08x",
             (unsigned)crc32c(0, text + ID_AT, line.len - ID_AT));
    if (memcmp(crc, text, CRC_DIGITS) != 0)
        return false;
    *name = bytes_of(text + NAME_AT, line.len - NAME_AT);
    return hex_get(text + ID_AT, ID_DIGITS, id);
}

static int add_line(struct names *names, struct bytes line, struct err *err)
{
    uint8_t id[NAMES_ID_SIZE];
    struct bytes name;

    if (!line_parse(line, id, &name))
        return err_set(err, ATE_ECORRUPT, "it is damaged");
    return names_add(names, id, name, err);
}

int names_parse(struct names *names, struct bytes file, struct err *err)
{
    uint64_t number = 0;
    struct bytes line;
    int bad = 0;

    while (line_take(&file, &line)) {
        struct err why = {0};
        number++;
        if (add_line(names, line, &why) != 0 && bad == 0)
            bad = err_set(err, ATE_ECORRUPT, "line %llu: %s",
                          (unsigned long long)number, why.text);
    }
    if (file.len > 0 && bad == 0)
        bad = err_set(err, ATE_ECORRUPT, "line %llu: it is torn",
                      (unsigned long long)number + 1);
    return bad;
}

bool names_find(const struct names *names, struct bytes name,
                uint8_t id[NAMES_ID_SIZE])
{
    struct bytes value;

    if (!lookup(names, name, &value))
        return false;
    assert(value.len == NAMES_ID_SIZE);
    memcpy(id, value.data, NAMES_ID_SIZE);
    return true;
}

bool names_of(const struct names *names, const uint8_t id[NAMES_ID_SIZE],
              struct bytes *name)
{
    return tree_get(tree_head(names->by_id), bytes_of(id, NAMES_ID_SIZE), name);
}

bool names_next(const struct names *names, struct bytes after,
                struct bytes *name, uint8_t id[NAMES_ID_SIZE])
{
    struct tree_version head = tree_head(names->by_name);
    struct tree_cursor c;

    if (!tree_seek(&c, head, after))
        return false;
    if (after.len > 0 && bytes_equal(tree_cursor_key(&c), after) &&
        !tree_next(&c))
        return false;
    *name = tree_cursor_key(&c);
    memcpy(id, tree_cursor_value(&c).data, NAMES_ID_SIZE);
    return true;
}
