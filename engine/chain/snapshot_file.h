/* snapshot_file: the bytes of a snapshot.
 *
 *     page 0           header, docs/format.md section 5
 *     pages            of the state's tree (base/tree_writer.h)
 *     places           of all frames: struct log_place
 *     meta             what else a chain is made of (snapshot_meta.c)
 *     table            a tag for each piece of SNAPSHOT_PIECE bytes from page 1
 *                      on up to the table
 *
 * It is in the byte order and the layout of the program that wrote it, which is
 * the only one that reads it: another one makes the state anew from the log.
 * The header's tag covers the table, so whoever has checked it and a piece
 * knows that this node wrote both (crypto/mac.h). */
#ifndef ATE_CHAIN_SNAPSHOT_FILE_H
#define ATE_CHAIN_SNAPSHOT_FILE_H

#include "base/pages.h"
#include "crypto/mac.h"
#include "log/log.h"

enum {
    /* Goes up with every change of what is in a snapshot: kinds and values of
     * the state, pages of the tree, places, meta. */
    SNAPSHOT_LAYOUT = 3,
    SNAPSHOT_PIECE = 1 << 20,
};

struct snapshot_head {
    struct watermark end; /* of the log */
    uint32_t pages;       /* with the header's */
    uint32_t root;        /* page number */
    uint64_t entries;
    uint64_t meta_len;
    uint8_t salt[MAC_SALT_SIZE];
};

uint64_t snapshot_places_at(const struct snapshot_head *head);
uint64_t snapshot_meta_at(const struct snapshot_head *head);
uint64_t snapshot_pieces(const struct snapshot_head *head);

void snapshot_head_put(uint8_t page[PAGE_BYTES],
                       const struct snapshot_head *head,
                       const struct mac_key *key, struct bytes table);

/* Read the header of a whole file, unchecked but for its form: what it says
 * lies within the file. Errors: UNAVAILABLE (another program's), CORRUPT. */
int snapshot_head_get(struct snapshot_head *head, struct bytes file,
                      struct err *err);
bool snapshot_head_check(const struct snapshot_head *head, struct bytes file,
                         const struct mac_key *key);
/* Pieces count from 0. Any thread. */
bool snapshot_piece_check(const struct snapshot_head *head, struct bytes file,
                          const struct mac_key *key, uint64_t piece);
void snapshot_piece_tag(const struct mac_key *key, uint64_t piece,
                        struct bytes bytes, uint8_t tag[MAC_TAG_SIZE]);
#endif
