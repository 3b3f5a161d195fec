/* names: which chain has which name; the file DATA/names, and the rule for
 * names.
 *
 * Lines are only ever appended. A chain's name is a path of segments, such as
 * bank/main, and never the beginning of another's: bank/main and bank/main/old
 * exclude each other, bank/main and bank/mainly do not. */
#ifndef ATE_LOG_NAMES_H
#define ATE_LOG_NAMES_H

#include "base/bytes.h"

struct err;
struct tree;

enum { NAMES_ID_SIZE = 32 };

struct names {
    struct tree *by_name; /* name to id */
    struct tree *by_id;   /* id to name */
    uint64_t count;
};

void names_init(struct names *names);
void names_deinit(struct names *names); /* safe twice */

/* Take in a whole file: all lines that are good, whatever stands around them.
 * Errors: CORRUPT, with the first line that is not. */
int names_parse(struct names *names, struct bytes file, struct err *err);

/* May a new chain have this name? Errors: INVALID (not a path of valid names),
 * LIMIT, CONFLICT (taken, or the beginning of another's, or the reverse). */
int names_check(const struct names *names, struct bytes name, struct err *err);

/* Enter a chain. Errors: those of names_check(); CONFLICT for an id that has a
 * name already. */
int names_add(struct names *names, const uint8_t id[NAMES_ID_SIZE],
              struct bytes name, struct err *err);

/* Append the line that names_parse() reads. */
void names_line(struct buf *out, const uint8_t id[NAMES_ID_SIZE],
                struct bytes name);

/* The chain of a name; false when there is none. */
bool names_find(const struct names *names, struct bytes name,
                uint8_t id[NAMES_ID_SIZE]);

/* The name of a chain, valid until the next names_add(). */
bool names_of(const struct names *names, const uint8_t id[NAMES_ID_SIZE],
              struct bytes *name);

/* Walk all, in order of names: the first name after `after` (len 0: the first
 * of all). False at the end. Valid until the next names_add(). */
bool names_next(const struct names *names, struct bytes after,
                struct bytes *name, uint8_t id[NAMES_ID_SIZE]);
#endif
