/*     offset  size  field
 *          0     8  magic
 *          8   128  the log's end, as a watermark
 *        136     8  size of the newest state root, 0: not had
 *        144     8  1: a heartbeat has it
 *        152    32  that root
 *        184    32  zeros
 *        216    16  salt
 *        232    16  tag of bytes 0 to 215
 *
 * It is never synced: what a crash leaves of it is good or has no good tag. */
#include "chain/verified.h"

#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"
#include "crypto/mac.h"

enum {
    SLOT_AT = 8,
    ROOTED_AT = SLOT_AT + LOG_SLOT_SIZE,
    TOLD_AT = ROOTED_AT + 8,
    ROOT_AT = TOLD_AT + 8,
    SALT_AT = 216,
    TAG_AT = SALT_AT + MAC_SALT_SIZE,
};

static_assert(TAG_AT + MAC_TAG_SIZE == VERIFIED_SIZE, "fields fill it");

static const uint8_t magic[8] = {'A', 'T', 'E', 'V', 'E', 'R', 0, 1};

static bool tag_is_good(const struct key_pair *pair, const uint8_t *raw)
{
    struct mac_key key;
    mac_key_make(&key, pair, raw + SALT_AT);
    bool good = mac_check(&key, 0, bytes_of(raw, SALT_AT), raw + TAG_AT);
    mac_key_wipe(&key);
    return good;
}

static void put_tag(const struct key_pair *pair, uint8_t *raw)
{
    struct mac_key key;
    mac_key_make(&key, pair, raw + SALT_AT);
    mac_tag(&key, 0, bytes_of(raw, SALT_AT), raw + TAG_AT);
    mac_key_wipe(&key);
}

void verified_get(const struct chain *c, struct bytes file, struct verified *v)
{
    const struct key_pair *pair = chain_node_pair(c);
    const uint8_t *raw = file.data;
    *v = (struct verified){.end = {.frames = 0}};
    if (pair == NULL || file.len != VERIFIED_SIZE ||
        memcmp(raw, magic, sizeof(magic)) != 0)
        return;
    if (!tag_is_good(pair, raw) ||
        watermark_get(&v->end, raw + SLOT_AT, NULL) != 0)
        return;
    v->rooted = get_le64(raw + ROOTED_AT);
    v->told = get_le64(raw + TOLD_AT) != 0;
    memcpy(v->root, raw + ROOT_AT, HASH_SIZE);
}

static void put(const struct chain *c, const struct key_pair *pair,
                struct buf *out)
{
    const struct rooting *r = &c->rooting;
    buf_clear(out);
    uint8_t *raw = buf_grow(out, VERIFIED_SIZE);
    memset(raw, 0, VERIFIED_SIZE);
    memcpy(raw, magic, sizeof(magic));
    watermark_put(raw + SLOT_AT, &c->log.end);
    put_le64(raw + ROOTED_AT, r->known ? r->size : 0);
    put_le64(raw + TOLD_AT, r->told);
    memcpy(raw + ROOT_AT, r->root, HASH_SIZE);
    c->deps.random(c->deps.ctx, raw + SALT_AT, MAC_SALT_SIZE);
    put_tag(pair, raw);
}

/* ---- replay ---- */

bool verified_covers(const struct chain *c, uint64_t frame)
{
    return frame < c->verified.end.frames;
}

bool verified_passed(struct chain *c, const struct log_frame *frame)
{
    const struct verified *v = &c->verified;
    if (frame->sequence + 1 != v->end.frames)
        return true;
    if (memcmp(frame->hash, v->end.hash, LOG_HASH_SIZE) != 0)
        return false;
    struct rooting *r = &c->rooting;
    if (r->size == v->rooted && v->rooted > 0) {
        r->known = true;
        r->told = v->told;
        memcpy(r->root, v->root, HASH_SIZE);
    }
    return true;
}

/* ---- what is gone ---- */

void verified_says(struct chain *c, const struct watermark *end)
{
    if (memcmp(end->chain, c->id, CHAIN_ID_SIZE) == 0 &&
        end->frames > c->made.frames)
        c->made = *end;
}

void verified_look(struct chain *c, const struct log_frame *frame)
{
    c->is_other |= frame->sequence + 1 == c->made.frames &&
                   memcmp(frame->hash, c->made.hash, LOG_HASH_SIZE) != 0;
}

void verified_look_end(struct chain *c)
{
    c->is_other |= c->log.end.frames < c->made.frames;
}

int verified_check(const struct chain *c, struct err *err)
{
    if (!c->is_other)
        return 0;
    return err_set(
        err, ATE_ECORRUPT,
        "the log %s at size %llu, and this node had made %llu transactions "
        "durable: older files, or those of another history, were put in their "
        "place. Put the newer ones back. To go on from here nevertheless, "
        "against all that was signed since, take 'verified' and 'snapshot' out "
        "of %s",
        c->log.end.frames < c->made.frames ? "ends" : "goes another way",
        (unsigned long long)c->durable.size,
        (unsigned long long)c->made.transactions, c->folder);
}

/* ---- writing ---- */

static void written(struct job *job)
{
    struct chain *c = job->owner;
    c->verifying = false;
    if (job->error == 0)
        c->verified.end = c->verified_next;
    chain_rested(c);
}

/* What could not be written is not tried again: nobody waits for it, and the
 * next end of the log is another one. */
bool verified_write(struct chain *c, uint64_t worth)
{
    const struct key_pair *pair = chain_node_pair(c);
    uint64_t end = c->log.end.transactions;
    if (pair == NULL || c->any_id || c->why.code != 0 ||
        c->log.mode != LOG_READ_WRITE ||
        end < c->verified.end.transactions + worth ||
        end < c->verified_next.transactions + worth)
        return false;
    put(c, pair, &c->verified_bytes);
    log_path(c->verified_path, c->log.folder, "verified");
    c->verified_next = c->log.end;
    c->verifying = true;
    job_init(&c->verified_job, 0, written, c);
    job_replace(&c->verified_job, c->verified_path);
    job_write(&c->verified_job, c->verified_path, 0,
              buf_bytes(&c->verified_bytes));
    job_submit(c->deps.disk, &c->verified_job);
    return true;
}
