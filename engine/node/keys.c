/* Entries are kept sorted by name, each allocated by itself so that a pair
 * never moves. Files are read one after the other; new ones are written one at
 * a time, in a lane of their own:
 *
 * (1) A key's file appears by a rename of a synced file, so it is whole or not
 *     there. Its name was free when it was begun, and nobody else writes here.
 * (2) A pair enters the list only when its file is durable: what it signs can
 *     be signed again after a crash.
 * (3) Buffers that held secrets are big enough from the start and are wiped. */
#include "node/keys.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/near.h"
#include "base/utf8.h"

#define KEYS_FOLDER "keys"
#define KEY_ENDING ".key"
#define KEY_PUBLIC_ENDING ".pub" /* as long */
#define KEY_NEW_FILE KEYS_FOLDER "/.new"

enum {
    KEY_FILE_MAX = 512, /* more bytes than a key file has */
    NAMES_LISTED = 8,
    OTHERS_READ = 0077, /* or write, or more: all but the owner's rights */
};

static_assert(KEY_NAME_MAX + sizeof(KEY_ENDING) <= LIMIT_NAME,
              "a key's file has to be a valid name");

static uint64_t keys_lane(void)
{
    return job_lane(LANE_KEYS, bytes_of_text(KEYS_FOLDER));
}

/* ---- the list ---- */

void keys_init(struct keys *keys, const struct disk *disk, keys_random *random,
               void *random_ctx)
{
    uint8_t seed[MAP_SEED_LEN];
    memset(keys, 0, sizeof(*keys));
    keys->disk = disk;
    keys->random = random;
    keys->random_ctx = random_ctx;
    random(random_ctx, seed, sizeof(seed));
    map_init(&keys->by_id, seed);
}

static void entry_free(struct key_entry *entry)
{
    key_pair_wipe(&entry->pair);
    mem_free(entry->why);
    mem_free(entry->name);
    mem_free(entry);
}

void keys_deinit(struct keys *keys)
{
    assert(keys_are_idle(keys));
    for (size_t i = 0; i < keys->count; i++)
        entry_free(keys->entries[i]);
    mem_free(keys->entries);
    map_deinit(&keys->by_id);
    memset(keys, 0, sizeof(*keys));
}

bool keys_are_idle(const struct keys *keys)
{
    return keys->load == NULL && keys->making == NULL;
}

/* Where `name` stands, or would stand; true when it does. */
static bool find_place(const struct keys *keys, struct bytes name, size_t *at)
{
    size_t low = 0;
    size_t high = keys->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order =
            bytes_compare(bytes_of_text(keys->entries[middle]->name), name);
        if (order == 0) {
            *at = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return false;
}

/* Is it known by its id already, and with more than its public half? */
static bool is_held(const struct keys *keys, const struct key_entry *entry)
{
    const struct key_entry *known = keys_by_id(keys, entry->pair.id);
    return known != NULL && !known->is_public;
}

/* Takes the entry over. */
static void add_entry(struct keys *keys, struct key_entry *entry)
{
    size_t at;
    bool there = find_place(keys, bytes_of_text(entry->name), &at);
    assert(!there);
    keys->entries = mem_array_grow(keys->entries, keys->count, &keys->cap,
                                   sizeof(struct key_entry *));
    memmove(keys->entries + at + 1, keys->entries + at,
            (keys->count - at) * sizeof(*keys->entries));
    keys->entries[at] = entry;
    keys->count++;
    keys->exposed_count += entry->is_exposed;
    generation_next(keys->generation);
    if (entry->why == NULL && !(entry->is_public && is_held(keys, entry)))
        map_put_pointer(&keys->by_id, bytes_of(entry->pair.id, KEY_ID_SIZE),
                        entry);
}

static bool is_listed(const struct key_entry *entry)
{
    return strcmp(entry->name, KEY_NAME_NODE) != 0;
}

int keys_entry(const struct keys *keys, struct bytes name,
               const struct key_entry **entry, struct err *err)
{
    size_t at;
    *entry = NULL;
    if (find_place(keys, name, &at)) {
        const struct key_entry *found = keys->entries[at];
        if (found->why == NULL)
            *entry = found;
        else
            *err = *found->why;
        return found->why == NULL ? 0 : found->why->code;
    }
    const char **names = mem_alloc((keys->count + 1) * sizeof(*names));
    for (size_t i = 0; i < keys->count; i++)
        names[i] = keys->entries[i]->name;
    int rc = err_set(err, ATE_ENOT_FOUND, "no key '%.*s'",
                     (int)(name.len > LIMIT_NAME ? LIMIT_NAME : name.len),
                     (const char *)name.data);
    if (!near_tell(err, name, names, keys->count, ""))
        err_reason(err, "no_own_key");
    mem_free(names);
    return rc;
}

int keys_find(const struct keys *keys, struct bytes name,
              const struct key_pair **pair, struct err *err)
{
    const struct key_entry *entry;
    int rc = keys_entry(keys, name, &entry, err);
    *pair = NULL;
    if (rc == 0)
        rc = keys_may_sign(keys, entry, err);
    if (rc == 0)
        *pair = &entry->pair;
    return rc;
}

int keys_may_sign(const struct keys *keys, const struct key_entry *entry,
                  struct err *err)
{
    assert(entry != NULL);
    if (entry->is_public)
        return err_set(err, ATE_EDENIED,
                       "key %s: only its public half is here, so it cannot "
                       "sign",
                       entry->name);
    if (!entry->is_exposed)
        return 0;
    const char *folder = keys->folder != NULL ? keys->folder : "";
    return err_set(err, ATE_EDENIED,
                   "key %s: others can read its file, so it signs nothing: "
                   "chmod 600 '%s%s" KEYS_FOLDER "/%s" KEY_ENDING "'",
                   entry->name, folder, folder[0] != '\0' ? "/" : "",
                   entry->name);
}

const struct key_entry *keys_by_id(const struct keys *keys,
                                   const uint8_t id[KEY_ID_SIZE])
{
    return map_get_pointer(&keys->by_id, bytes_of(id, KEY_ID_SIZE));
}

/* ---- names for doors ---- */

static bool door_find(void *ctx, struct bytes name, uint8_t id[32])
{
    const struct keys *keys = ctx;
    size_t at;
    if (!find_place(keys, name, &at) || keys->entries[at]->why != NULL)
        return false;
    memcpy(id, keys->entries[at]->pair.id, KEY_ID_SIZE);
    return true;
}

static bool door_name(void *ctx, const uint8_t id[32], struct buf *out)
{
    const struct key_entry *entry = keys_by_id(ctx, id);
    if (entry == NULL)
        return false;
    buf_put_text(out, entry->name);
    return true;
}

static bool door_record(void *ctx, const uint8_t id[32],
                        struct key_record *record)
{
    const struct key_entry *entry = keys_by_id(ctx, id);
    if (entry != NULL)
        *record = entry->pair.record;
    return entry != NULL;
}

static void door_list(void *ctx, struct buf *out)
{
    const struct keys *keys = ctx;
    size_t told = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (!is_listed(keys->entries[i]))
            continue;
        if (told == NAMES_LISTED) {
            buf_put_text(out, ", ...");
            return;
        }
        if (told++ > 0)
            buf_put_text(out, ", ");
        buf_put_text(out, keys->entries[i]->name);
    }
}

struct door_names keys_door_names(struct keys *keys)
{
    return (struct door_names){
        .ctx = keys,
        .find = door_find,
        .name = door_name,
        .record = door_record,
        .list = door_list,
    };
}

/* ---- reading ---- */

struct keys_load {
    struct keys *keys;
    keys_done *done;
    void *ctx;
    struct job job;
    struct buf names; /* of files, each with a zero behind it */
    size_t at;
    struct buf path;
    struct buf file; /* secret */
};

static void load_end(struct keys_load *load, int code, const struct err *err)
{
    keys_done *done = load->done;
    void *ctx = load->ctx;
    load->keys->load = NULL;
    buf_deinit(&load->names);
    buf_deinit(&load->path);
    buf_wipe(&load->file);
    mem_free(load);
    done(ctx, code, err);
}

/* The name of the key in a file of this name; false: it is none. */
static bool key_of_file(const char *file, struct bytes *name, bool *is_public)
{
    size_t len = strlen(file);
    size_t ending = strlen(KEY_ENDING);
    if (len <= ending)
        return false;
    const char *end = file + len - ending;
    *is_public = strcmp(end, KEY_PUBLIC_ENDING) == 0;
    *name = bytes_of(file, len - ending);
    return (*is_public || strcmp(end, KEY_ENDING) == 0) && name_valid(*name) &&
           name->len <= KEY_NAME_MAX;
}

/* The file that is looked at holds a key, whose name is not taken: a pair goes
 * before somebody else's key of the same name. */
static bool is_next(const struct keys_load *load)
{
    struct bytes name;
    bool is_public = false;
    size_t at;
    return key_of_file((const char *)load->names.data + load->at, &name,
                       &is_public) &&
           !find_place(load->keys, name, &at);
}

static void key_read(struct job *job);

static void load_next(struct keys_load *load)
{
    while (load->at < load->names.len && !is_next(load))
        load->at += strlen((const char *)load->names.data + load->at) + 1;
    if (load->at >= load->names.len) {
        struct err none = {0};
        load_end(load, 0, &none);
        return;
    }
    if (load->keys->count == KEYS_MAX) {
        struct err err;
        load_end(
            load,
            err_set(&err, ATE_ELIMIT, "keys: more than %d of them", KEYS_MAX),
            &err);
        return;
    }
    buf_clear(&load->path);
    buf_printf(&load->path, KEYS_FOLDER "/%s",
               (const char *)load->names.data + load->at);
    buf_clear(&load->file);
    buf_reserve(&load->file, KEY_FILE_MAX);
    job_init(&load->job, keys_lane(), key_read, load);
    job_read(&load->job, buf_text(&load->path), 0, KEY_FILE_MAX, &load->file);
    job_mode(&load->job, buf_text(&load->path));
    job_submit(load->keys->disk, &load->job);
}

static void set_public(struct key_entry *entry, const struct key_record *record)
{
    entry->is_public = true;
    entry->pair.record = *record;
    key_id(record, entry->pair.id);
}

static int read_entry(struct key_entry *entry, struct bytes text,
                      struct err *err)
{
    struct key_record record;
    if (!entry->is_public)
        return key_pair_read(text, &entry->pair, err);
    int rc = key_record_read(text, &record, err);
    if (rc == 0)
        set_public(entry, &record);
    return rc;
}

/* Take what was read into a new entry, as a pair or as a reason. */
static void key_read(struct job *job)
{
    struct keys_load *load = job->owner;
    struct key_entry *entry = mem_zero(1, sizeof(*entry));
    struct err err = {0};
    const char *file = (const char *)load->names.data + load->at;
    struct bytes name = {0};
    bool is_key = key_of_file(file, &name, &entry->is_public);
    assert(is_key);
    entry->name = mem_zero(1, name.len + 1);
    memcpy(entry->name, name.data, name.len);
    entry->is_exposed = job->error == 0 && !entry->is_public &&
                        (job->op[1].result & OTHERS_READ) != 0;
    if (job->error != 0)
        job_err(job, &err);
    else if (read_entry(entry, buf_bytes(&load->file), &err) != 0)
        err_wrap(&err, "%s", buf_text(&load->path));
    if (err.code != 0) {
        err_wrap(&err, "key %s", entry->name);
        entry->why = mem_copy(&err, sizeof(err));
    }
    add_entry(load->keys, entry);
    load->at += strlen(file) + 1;
    load_next(load);
}

static void folder_listed(struct job *job)
{
    struct keys_load *load = job->owner;
    if (job->error != 0 && job->error != ENOENT) {
        struct err err;
        job_err(job, &err);
        load_end(load, err.code, &err);
        return;
    }
    load_next(load);
}

void keys_load(struct keys *keys, keys_done *done, void *ctx)
{
    assert(keys->load == NULL && keys->count == 0);
    struct keys_load *load = mem_zero(1, sizeof(*load));
    load->keys = keys;
    load->done = done;
    load->ctx = ctx;
    keys->load = load;
    job_init(&load->job, keys_lane(), folder_listed, load);
    job_list(&load->job, KEYS_FOLDER, &load->names);
    job_submit(keys->disk, &load->job);
}

/* ---- making ---- */

struct key_waiter {
    keys_done *done;
    void *ctx;
    struct key_waiter *next;
};

/* A key whose file is being written. */
struct key_making {
    struct keys *keys;
    struct key_entry *entry;
    struct key_waiter first;
    struct job job;
    struct buf path;
    struct buf file; /* secret */
    struct key_making *next;
};

static struct key_making *find_making(const struct keys *keys,
                                      struct bytes name)
{
    struct key_making *m = keys->making;
    while (m != NULL && !bytes_equal(bytes_of_text(m->entry->name), name))
        m = m->next;
    return m;
}

static void unlink_making(struct key_making *m)
{
    struct key_making **p = &m->keys->making;
    while (*p != m)
        p = &(*p)->next;
    *p = m->next;
}

static void key_written(struct job *job)
{
    struct key_making *m = job->owner;
    struct err err = {0};
    unlink_making(m);
    if (job->error != 0) {
        job_err(job, &err);
        err_wrap(&err, "key %s", m->entry->name);
        entry_free(m->entry);
    } else {
        add_entry(m->keys, m->entry);
    }
    m->first.done(m->first.ctx, err.code, &err);
    struct key_waiter *w = m->first.next;
    while (w != NULL) {
        struct key_waiter *next = w->next;
        w->done(w->ctx, err.code, &err);
        mem_free(w);
        w = next;
    }
    buf_deinit(&m->path);
    buf_wipe(&m->file);
    mem_free(m);
}

/* `record` NULL: a pair of our own. */
static struct key_entry *new_entry(struct keys *keys, struct bytes name,
                                   const struct key_record *record)
{
    struct key_entry *entry = mem_zero(1, sizeof(*entry));
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t box[BOX_SECRET_SIZE];
    entry->name = mem_zero(1, name.len + 1);
    memcpy(entry->name, name.data, name.len);
    if (record != NULL) {
        set_public(entry, record);
        return entry;
    }
    keys->random(keys->random_ctx, seed, sizeof(seed));
    keys->random(keys->random_ctx, box, sizeof(box));
    key_pair_from_seeds(&entry->pair, seed, box);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(box, sizeof(box));
    return entry;
}

static void write_key(struct keys *keys, struct bytes name,
                      const struct key_record *record, keys_done *done,
                      void *ctx)
{
    struct key_making *m = mem_zero(1, sizeof(*m));
    struct job *job = &m->job;
    m->keys = keys;
    m->entry = new_entry(keys, name, record);
    m->first = (struct key_waiter){.done = done, .ctx = ctx};
    m->next = keys->making;
    keys->making = m;
    buf_printf(&m->path, KEYS_FOLDER "/%s%s", m->entry->name,
               record != NULL ? KEY_PUBLIC_ENDING : KEY_ENDING);
    if (record != NULL)
        key_record_write(&m->file, record);
    else
        key_pair_write(&m->file, &m->entry->pair);

    job_init(job, keys_lane(), key_written, m);
    job_mkdir(job, KEYS_FOLDER);
    job_sync_folder(job, "");
    job_replace(job, KEY_NEW_FILE);
    job_write(job, KEY_NEW_FILE, 0, buf_bytes(&m->file));
    job_sync(job, KEY_NEW_FILE);
    job_rename(job, KEY_NEW_FILE, buf_text(&m->path));
    job_sync_folder(job, KEYS_FOLDER);
    job_submit(keys->disk, job);
}

static int check_name(const struct keys *keys, struct bytes name,
                      struct err *err)
{
    static const char hex_prefix[] = "key:";
    size_t len = sizeof(hex_prefix) - 1;
    if (!name_valid(name) || name.len > KEY_NAME_MAX)
        return err_set(err, ATE_EINVALID,
                       "'%.*s' is no name for a key: 1 to %d bytes of text, "
                       "no '/', no '.' in front",
                       (int)(name.len > KEY_NAME_MAX ? KEY_NAME_MAX : name.len),
                       (const char *)name.data, KEY_NAME_MAX);
    if (memchr(name.data, ',', name.len) != NULL)
        return err_set(err, ATE_EINVALID,
                       "'%.*s' is no name for a key: commas stand between "
                       "names",
                       (int)name.len, (const char *)name.data);
    if (name.len >= len && memcmp(name.data, hex_prefix, len) == 0)
        return err_set(err, ATE_EINVALID,
                       "'%.*s' is no name for a key: 'key:' stands in front "
                       "of the id of one",
                       (int)name.len, (const char *)name.data);
    if (keys->count >= KEYS_MAX)
        return err_set(err, ATE_ELIMIT, "keys: there are %d already", KEYS_MAX);
    return 0;
}

static void make(struct keys *keys, struct bytes name,
                 const struct key_record *record, keys_done *done, void *ctx)
{
    struct err err = {0};
    size_t at;
    int rc = check_name(keys, name, &err);
    if (rc == 0 && (find_place(keys, name, &at) || find_making(keys, name)))
        rc = err_set(&err, ATE_ECONFLICT, "there is a key '%.*s' already",
                     (int)name.len, (const char *)name.data);
    if (rc != 0)
        done(ctx, rc, &err);
    else
        write_key(keys, name, record, done, ctx);
}

void keys_make(struct keys *keys, struct bytes name, keys_done *done, void *ctx)
{
    make(keys, name, NULL, done, ctx);
}

void keys_add(struct keys *keys, struct bytes name,
              const struct key_record *record, keys_done *done, void *ctx)
{
    struct err err = {0};
    if (bytes_equal(name, bytes_of_text(KEY_NAME_ME)) ||
        bytes_equal(name, bytes_of_text(KEY_NAME_NODE)))
        done(ctx,
             err_set(&err, ATE_EINVALID,
                     "'%.*s' is a key of this folder's own, never somebody "
                     "else's",
                     (int)name.len, (const char *)name.data),
             &err);
    else
        make(keys, name, record, done, ctx);
}

void keys_need(struct keys *keys, struct bytes name, keys_done *done, void *ctx)
{
    struct err err = {0};
    size_t at;
    if (find_place(keys, name, &at)) {
        const struct key_pair *pair;
        int rc = keys_find(keys, name, &pair, &err);
        done(ctx, rc, &err);
        return;
    }
    struct key_making *m = find_making(keys, name);
    if (m == NULL) {
        keys_make(keys, name, done, ctx);
        return;
    }
    struct key_waiter *last = &m->first;
    while (last->next != NULL)
        last = last->next;
    last->next = mem_zero(1, sizeof(*last));
    *last->next = (struct key_waiter){.done = done, .ctx = ctx};
}
