/* The header:
 *
 *     offset  size  field
 *          0     8  magic
 *          8     4  layout
 *         12     4  ENDIAN, as this machine writes it
 *         16    16  version of the program, zeros behind it
 *         32     4  pages
 *         36     4  root
 *         40     8  entries
 *         48     8  length of meta
 *         56   128  the log's end, as a watermark
 *        184    16  salt
 *        200    16  tag of bytes 0 to 199 and of the table
 *        216        zeros */
#include "chain/snapshot_file.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/version.h"

enum {
    VERSION_AT = 16,
    VERSION_SIZE = 16,
    SLOT_AT = 56,
    SALT_AT = SLOT_AT + LOG_SLOT_SIZE,
    TAG_AT = SALT_AT + MAC_SALT_SIZE,
    ENDIAN = 0x01020304,
};

static const uint8_t magic[8] = {'A', 'T', 'E', 'S', 'N', 'A', 'P', 0};

static_assert(sizeof(ENGINE_VERSION) <= VERSION_SIZE, "it fits");

uint64_t snapshot_places_at(const struct snapshot_head *head)
{
    return (uint64_t)head->pages * PAGE_BYTES;
}

uint64_t snapshot_meta_at(const struct snapshot_head *head)
{
    return snapshot_places_at(head) +
           head->end.frames * sizeof(struct log_place);
}

static uint64_t snapshot_table_at(const struct snapshot_head *head)
{
    return snapshot_meta_at(head) + head->meta_len;
}

uint64_t snapshot_pieces(const struct snapshot_head *head)
{
    uint64_t bytes = snapshot_table_at(head) - PAGE_BYTES;
    return (bytes + SNAPSHOT_PIECE - 1) / SNAPSHOT_PIECE;
}

/* What the header's tag covers. */
static void head_hash(const uint8_t *page, struct bytes table,
                      uint8_t out[HASH_SIZE])
{
    struct hasher h;
    hash_begin(&h, LABEL_OWN);
    hash_part(&h, bytes_of(page, TAG_AT));
    hash_part(&h, table);
    hash_end(&h, out);
}

void snapshot_head_put(uint8_t page[PAGE_BYTES],
                       const struct snapshot_head *head,
                       const struct mac_key *key, struct bytes table)
{
    const uint32_t layout = SNAPSHOT_LAYOUT;
    const uint32_t endian = ENDIAN;
    uint8_t hash[HASH_SIZE];
    assert(table.len == snapshot_pieces(head) * MAC_TAG_SIZE);
    memset(page, 0, PAGE_BYTES);
    memcpy(page, magic, sizeof(magic));
    memcpy(page + 8, &layout, 4);
    memcpy(page + 12, &endian, 4);
    memcpy(page + VERSION_AT, ENGINE_VERSION, sizeof(ENGINE_VERSION));
    memcpy(page + 32, &head->pages, 4);
    memcpy(page + 36, &head->root, 4);
    memcpy(page + 40, &head->entries, 8);
    memcpy(page + 48, &head->meta_len, 8);
    watermark_put(page + SLOT_AT, &head->end);
    memcpy(page + SALT_AT, head->salt, MAC_SALT_SIZE);
    head_hash(page, table, hash);
    mac_tag(key, 0, bytes_of(hash, HASH_SIZE), page + TAG_AT);
}

static bool is_ours(const uint8_t *page)
{
    uint8_t version[VERSION_SIZE] = ENGINE_VERSION;
    uint32_t layout;
    uint32_t endian;
    memcpy(&layout, page + 8, 4);
    memcpy(&endian, page + 12, 4);
    return layout == SNAPSHOT_LAYOUT && endian == ENDIAN &&
           memcmp(page + VERSION_AT, version, VERSION_SIZE) == 0;
}

static bool is_padded(const uint8_t *page)
{
    for (size_t i = TAG_AT + MAC_TAG_SIZE; i < PAGE_BYTES; i++)
        if (page[i] != 0)
            return false;
    return true;
}

/* Do its parts fill the file, one behind the other? */
static bool fills(const struct snapshot_head *head, struct bytes file)
{
    if (head->pages == 0 || head->root >= head->pages ||
        head->end.frames > file.len / sizeof(struct log_place) ||
        head->meta_len > file.len)
        return false;
    uint64_t table = snapshot_table_at(head);
    return file.len == table + snapshot_pieces(head) * MAC_TAG_SIZE;
}

int snapshot_head_get(struct snapshot_head *head, struct bytes file,
                      struct err *err)
{
    const uint8_t *page = file.data;
    if (file.len < PAGE_BYTES || memcmp(page, magic, sizeof(magic)) != 0)
        return err_set(err, ATE_ECORRUPT, "it is no snapshot");
    if (!is_ours(page))
        return err_set(err, ATE_EUNAVAILABLE, "another program wrote it");
    int rc = watermark_get(&head->end, page + SLOT_AT, err);
    if (rc != 0)
        return rc;
    memcpy(&head->pages, page + 32, 4);
    memcpy(&head->root, page + 36, 4);
    memcpy(&head->entries, page + 40, 8);
    memcpy(&head->meta_len, page + 48, 8);
    memcpy(head->salt, page + SALT_AT, MAC_SALT_SIZE);
    if (!is_padded(page) || !fills(head, file))
        return err_set(err, ATE_ECORRUPT, "its parts do not fill it");
    return 0;
}

bool snapshot_head_check(const struct snapshot_head *head, struct bytes file,
                         const struct mac_key *key)
{
    uint8_t hash[HASH_SIZE];
    uint64_t table = snapshot_table_at(head);
    head_hash(file.data, bytes_of(file.data + table, file.len - table), hash);
    return mac_check(key, 0, bytes_of(hash, HASH_SIZE), file.data + TAG_AT);
}

void snapshot_piece_tag(const struct mac_key *key, uint64_t piece,
                        struct bytes bytes, uint8_t tag[MAC_TAG_SIZE])
{
    mac_tag(key, piece + 1, bytes, tag);
}

bool snapshot_piece_check(const struct snapshot_head *head, struct bytes file,
                          const struct mac_key *key, uint64_t piece)
{
    uint64_t table = snapshot_table_at(head);
    uint64_t start = PAGE_BYTES + piece * SNAPSHOT_PIECE;
    uint64_t len = table - start < SNAPSHOT_PIECE ? table - start
                                                  : (uint64_t)SNAPSHOT_PIECE;
    assert(start < table);
    return mac_check(key, piece + 1, bytes_of(file.data + start, len),
                     file.data + table + piece * MAC_TAG_SIZE);
}
