/* keys: the caller's own key pairs, by name: files DATA/keys/<name>.key; and
 * what is known of others' keys: DATA/keys/<name>.pub.
 *
 * Two names mean something to the node: `me` signs when nobody else is named,
 * `node` orders the chains that are made here. Both are made with a folder's
 * first chain. A pair whose file others can read signs nothing. Pairs stay
 * where they are until keys_deinit(), which wipes them. A file that cannot be
 * read keeps its name: nothing is ever written over it. */
#ifndef ATE_NODE_KEYS_H
#define ATE_NODE_KEYS_H

#include "acceptance/door.h"
#include "base/generation.h"
#include "base/map.h"
#include "crypto/key.h"
#include "log/job.h"

#define KEY_NAME_ME "me"
#define KEY_NAME_NODE "node"

enum {
    KEYS_MAX = 65536,
    KEY_NAME_MAX = 240, /* so that a file name has room for its ending */
};

struct key_entry {
    char *name;
    struct key_pair pair; /* public: its secrets are zeros */
    bool is_public;       /* somebody else's */
    bool is_exposed;      /* others can read its file */
    struct err *why;      /* NULL, or why its file is no key; then no pair */
};

typedef void keys_random(void *ctx, void *out, size_t len);

struct keys {
    /* Read these, never set them. */
    struct key_entry **entries; /* sorted by name */
    size_t count;
    size_t exposed_count; /* of those whose file others can read */

    /* The owner's, after keys_init(). */
    const char *folder;            /* that holds them, for texts; NULL: none */
    struct generation *generation; /* of what can be read; or NULL */

    /* Private. */
    size_t cap;
    const struct disk *disk;
    keys_random *random;
    void *random_ctx;
    struct map by_id;
    struct keys_load *load;
    struct key_making *making;
};

/* 0, or a code and its text, borrowed for the call. */
typedef void keys_done(void *ctx, int code, const struct err *err);

/* `random` with `random_ctx` and the disk outlive the keys. */
void keys_init(struct keys *keys, const struct disk *disk, keys_random *random,
               void *random_ctx);
void keys_deinit(struct keys *keys); /* nothing under way; safe twice */

/* Read the folder; one that is not there has no keys. Errors: DENIED, IO, LIMIT
 * (too many). What is wrong with one key shows when it is asked for. */
void keys_load(struct keys *keys, keys_done *done, void *ctx);

/* The entry of a name. Errors: NOT_FOUND with the name that may be meant,
 * INVALID and others when its file cannot be read. */
int keys_entry(const struct keys *keys, struct bytes name,
               const struct key_entry **entry, struct err *err);

/* Its pair, to sign with. Errors: the same, and those of keys_may_sign(). */
int keys_find(const struct keys *keys, struct bytes name,
              const struct key_pair **pair, struct err *err);

/* Errors: DENIED for somebody else's, and for one whose file others can read,
 * with the chmod to do. */
int keys_may_sign(const struct keys *keys, const struct key_entry *entry,
                  struct err *err);

/* NULL: neither one of ours nor one that we know of. Where a key has several
 * names, one that can sign. */
const struct key_entry *keys_by_id(const struct keys *keys,
                                   const uint8_t id[KEY_ID_SIZE]);

/* Make a key and write its file; `done` is called when that is durable, at once
 * after an error found before. Errors: INVALID (the name), CONFLICT (taken, or
 * being made), LIMIT, those of the disk. */
void keys_make(struct keys *keys, struct bytes name, keys_done *done,
               void *ctx);

/* Write down somebody else's key. As keys_make(); INVALID for the two names
 * that mean something. */
void keys_add(struct keys *keys, struct bytes name,
              const struct key_record *record, keys_done *done, void *ctx);

/* The same as keys_make(), but one that is there is fine: `done` is called at
 * once; one that is being made is waited for. */
void keys_need(struct keys *keys, struct bytes name, keys_done *done,
               void *ctx);

/* No file is being read or written. */
bool keys_are_idle(const struct keys *keys);

/* For doors, as long as the keys live. `node` is found, but not listed. */
struct door_names keys_door_names(struct keys *keys);

#endif
