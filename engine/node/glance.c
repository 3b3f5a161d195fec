/* `cur` names the generation; the head of its header file has both slots and
 * the first frame, which is the genesis with the bundle behind it. */
#include "node/glance.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "acceptance/core_open.h"
#include "acceptance/logic.h"
#include "base/memory.h"
#include "event/genesis.h"
#include "schema/schema.h"

enum {
    GLANCE_PIECE = 64 << 10, /* most first frames fit */
    /* Genesis, its signatures and the bundle, each with room to spare. */
    GLANCE_FRAME_MAX = 2 * LIMIT_GENESIS + LIMIT_BUNDLE,
};

void glance_deinit(struct glance *g)
{
    mem_free(g->schema);
    buf_deinit(&g->bytes);
    g->schema = NULL;
}

static void end(struct glance *g)
{
    if (g->err.code != 0)
        err_wrap(&g->err, "%s", g->path);
    buf_deinit(&g->bytes);
    g->done(g);
}

static int take_schema(struct glance *g, const struct log_frame *frame)
{
    struct genesis_payload payload;
    struct genesis genesis;
    struct logic *logic = NULL;
    int rc = genesis_payload_get(frame->payload, &payload, &g->err);
    if (rc == 0)
        rc = genesis_get(payload.genesis, &genesis, &g->err);
    if (rc != 0)
        return rc;
    struct logic_limits limits = {
        .gas = genesis_limit(&genesis, "gas", CORE_GAS),
        .memory = genesis_limit(&genesis, "memory", CORE_MEMORY),
    };
    rc =
        g->logic->load(g->logic->ctx, frame->inlined, &limits, &logic, &g->err);
    if (rc != 0)
        return rc;
    const struct schema *s = logic->schema;
    g->schema = mem_text(s->main);
    g->version = g->size == 1 ? schema_part(s, s->main)->version : -1;
    logic->free(logic);
    return 0;
}

/* The newer of the slots that are good. */
static int take_size(struct glance *g)
{
    bool any = false;
    uint64_t counter = 0;
    for (int i = 0; i < 2; i++) {
        struct watermark mark;
        if (watermark_get(&mark, g->bytes.data + i * LOG_SLOT_STEP, &g->err) !=
                0 ||
            memcmp(mark.chain, g->chain, LOG_CHAIN_SIZE) != 0)
            continue;
        if (any && mark.counter < counter)
            continue;
        any = true;
        counter = mark.counter;
        g->size = mark.transactions;
    }
    g->err.code = 0;
    return any ? 0 : err_set(&g->err, ATE_ECORRUPT, "no slot is good");
}

static void head_read(struct job *job);

static void read_head(struct glance *g, uint64_t length)
{
    uint64_t from = g->bytes.len;
    job_init(&g->job, 0, head_read, g);
    job_read(&g->job, g->path, from, length - from, &g->bytes);
    job_submit(g->disk, &g->job);
}

static void head_read(struct job *job)
{
    struct glance *g = job->owner;
    struct log_frame frame = {0};
    bool is_end = job->error == 0 && job->op[0].result < job->op[0].length;
    if (job->error != 0)
        job_err(job, &g->err);
    else if (g->bytes.len < LOG_FRAMES_START + LOG_FRAME_HEADER)
        err_set(&g->err, ATE_ECORRUPT, "the file is too short");
    else
        log_frame_header(&frame, g->bytes.data + LOG_FRAMES_START, &g->err);
    if (g->err.code != 0) {
        end(g);
        return;
    }
    uint64_t size = log_frame_size(frame.payload_len, frame.inline_len);
    uint64_t length = LOG_FRAMES_START + size;
    if (size > GLANCE_FRAME_MAX || (g->bytes.len < length && is_end)) {
        err_set(&g->err, ATE_ECORRUPT, "its first frame is no genesis");
        end(g);
        return;
    }
    if (g->bytes.len < length) {
        read_head(g, length);
        return;
    }
    struct bytes raw = bytes_of(g->bytes.data + LOG_FRAMES_START, size);
    int rc = log_frame_get(&frame, raw, &g->err);
    if (rc == 0)
        rc = take_size(g);
    if (rc == 0)
        take_schema(g, &frame);
    end(g);
}

static void cur_read(struct job *job)
{
    struct glance *g = job->owner;
    struct manifest manifest = {0};
    char folder[LOG_PATH_MAX];
    if (job->error != 0)
        job_err(job, &g->err);
    else
        manifest_get(&manifest, buf_bytes(&g->bytes), &g->err);
    if (g->err.code != 0) {
        end(g);
        return;
    }
    log_folder(folder, g->chain);
    int n = snprintf(g->path, sizeof(g->path), "%s/%" PRIu64 ".head", folder,
                     manifest.generation);
    assert(n > 0 && n < (int)sizeof(g->path));
    buf_clear(&g->bytes);
    read_head(g, GLANCE_PIECE);
}

void glance_start(struct glance *g, const struct disk *disk,
                  const struct logic_maker *logic,
                  const uint8_t chain[LOG_CHAIN_SIZE],
                  void (*done)(struct glance *glance), void *owner)
{
    char folder[LOG_PATH_MAX];
    memset(g, 0, sizeof(*g));
    g->disk = disk;
    g->logic = logic;
    g->done = done;
    g->owner = owner;
    memcpy(g->chain, chain, LOG_CHAIN_SIZE);
    log_folder(folder, chain);
    int n = snprintf(g->path, sizeof(g->path), "%s/cur", folder);
    assert(n > 0 && n < (int)sizeof(g->path));
    job_init(&g->job, 0, cur_read, g);
    job_read(&g->job, g->path, 0, MANIFEST_SIZE + 1, &g->bytes);
    job_submit(g->disk, &g->job);
}
