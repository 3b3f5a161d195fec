/* bearer: the key that opens the door, DATA/bearer.
 *
 * 43 letters of base64url behind "ate_", 256 bits by chance, in a file that
 * its owner alone reads. When the file changes, the door takes the new key
 * within a millisecond. */
#ifndef FRONTENDS_REST_BEARER_H
#define FRONTENDS_REST_BEARER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct ate_error;

enum { BEARER_LEN = 47 };

struct bearer {
    char path[4096];
    char key[BEARER_LEN + 1];
    struct stat seen;   /* the file, as it was read */
    uint64_t looked_ms; /* when it was looked at last */
    uint64_t number;    /* of the key: grows when there is another, or none */
};

/* The key of a data folder, which is made where there is none, or anew if
 * asked to. Errors: IO, DENIED (others may read the file), LIMIT, FULL. */
int bearer_open(struct bearer *b, const char *folder, bool anew,
                struct ate_error *error);
void bearer_close(struct bearer *b); /* wipes the key */

/* Is it this one? Takes the same time for every text of one length. `now_ms`:
 * of a clock that never goes back. */
bool bearer_is(struct bearer *b, const char *key, size_t len, uint64_t now_ms);
/* The same of "Bearer KEY", as Authorization has it. */
bool bearer_opens(struct bearer *b, const char *text, size_t len,
                  uint64_t now_ms);
/* The number of the key in force: who was let in under another is out. */
uint64_t bearer_number(struct bearer *b, uint64_t now_ms);
#endif
