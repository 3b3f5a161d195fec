/* upload_names: the files of large bodies.
 *
 *     put/<id>               being put; what came of it can be continued
 *     put/<hash>.<length>    complete
 *     large/<hash>           in the log
 *
 * In put/ an "s" behind the name says that its pieces are sealed. Nothing here
 * touches a file. */
#ifndef ATE_UPLOAD_UPLOAD_NAMES_H
#define ATE_UPLOAD_UPLOAD_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"
#include "log/log.h"

enum { UPLOAD_ID_SIZE = 16 };

/* What the name of a file in put/ says. */
struct upload_name {
    bool sealed;
    bool complete;              /* it has a hash and a length, or else an id */
    uint8_t id[UPLOAD_ID_SIZE]; /* the uploader's choice */
    uint8_t hash[HASH_SIZE];
    uint64_t length; /* in bytes, 1 to LIMIT_BODY */
};

/* False: it is neither, and `out` says nothing. */
bool upload_name_get(struct upload_name *out, const char *name);

/* The path of `name` in put/, below the chain's `folder`. */
void upload_put_path(const char *folder, const char *name,
                     char path[LOG_PATH_MAX]);

/* Where one that is being put is. */
void upload_id_path(const char *folder, const uint8_t id[UPLOAD_ID_SIZE],
                    bool sealed, char path[LOG_PATH_MAX]);

/* Where a large body of the log is; `is_put`: where it may be before it moved.
 */
void upload_path(const char *folder, const uint8_t hash[HASH_SIZE],
                 uint64_t length, bool sealed, bool is_put,
                 char path[LOG_PATH_MAX]);
#endif
