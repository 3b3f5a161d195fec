/* events.jsonl: a line for each transaction, as `ate chain tail --json` prints
 * it; and watch, the same from now on.
 *
 * The size of the file is known when every line has been made once, and then
 * grows by each that comes. Where every 64th line begins is kept; a read makes
 * again the lines that it needs, 64 at a time. Lines name keys by the caller's
 * list, so they may come out longer when a key gets a name: then what is made
 * does not fit what was counted, and all are counted again. */
#define _GNU_SOURCE /* memrchr */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/inside.h"

/* ---- counting ---- */

static void count_line(struct lines *log, uint64_t index, uint64_t len)
{
    if (index != log->next)
        return;
    if (index % LOG_STEP == 0) {
        if (log->count == log->room) {
            log->room = log->room == 0 ? 64 : log->room * 2;
            log->offsets =
                memory_grow(log->offsets, log->room * sizeof(uint64_t));
        }
        log->offsets[log->count++] = log->size;
    }
    log->next++;
    log->size += len;
}

static void forget_blocks(struct lines *log)
{
    for (size_t i = 0; i < LOG_BLOCKS; i++) {
        content_unref(log->blocks[i].content);
        log->blocks[i] = (struct lines_block){0};
    }
}

void lines_clear(struct door *d, struct lines *log)
{
    struct fetch *fetch = log->fetch;
    (void)d;
    forget_blocks(log);
    free(log->offsets);
    *log = (struct lines){.fetch = fetch};
}

static void counting_row(struct door *d, struct fetch *f,
                         const struct pack *row)
{
    struct buffer line = {0};
    uint64_t index = (uint64_t)pack_find_integer(row, "index", 0);
    (void)d;
    render_jsonl_row(&line, row);
    count_line(&f->chain->log, index, line.len);
    buffer_free(&line);
}

static int counting_done(struct door *d, struct fetch *f, int code,
                         const char *why, const struct pack *value)
{
    (void)value;
    f->chain->log.fetch = NULL;
    if (code == ATE_CORRUPT)
        chain_damaged(d, f->chain, why);
    return code != 0 ? errno_of(code) : 0;
}

static void put_range(struct buffer *args, uint64_t from, uint64_t limit)
{
    pack_put_map(args, 2);
    pack_put_string(args, "from");
    pack_put_unsigned(args, from);
    pack_put_string(args, "limit");
    pack_put_unsigned(args, limit);
}

int lines_need(struct door *d, struct op *op, struct chain *chain)
{
    struct lines *log = &chain->log;
    if (log->fetch == NULL && log->next >= chain->seen)
        return 0;
    if (log->fetch == NULL) {
        struct buffer args = {0};
        put_range(&args, log->next, chain->seen - log->next);
        log->fetch = fetch_start(d, false, chain, "tail", &args, 0);
        log->fetch->row = counting_row;
        log->fetch->done = counting_done;
        buffer_free(&args);
    }
    return op_wait(op, log->fetch);
}

/* One that came; while others are counted it waits for its turn. */
void lines_row(struct door *d, struct chain *chain, const struct pack *row)
{
    struct lines *log = &chain->log;
    (void)d;
    uint64_t index = (uint64_t)pack_find_integer(row, "index", 0);
    if (log->fetch == NULL && index == log->next && log->next > 0) {
        struct buffer line = {0};
        render_jsonl_row(&line, row);
        count_line(log, index, line.len);
        buffer_free(&line);
    }
}

/* ---- reading ---- */

static struct lines_block *block_of(struct lines *log, uint64_t step)
{
    for (size_t i = 0; i < LOG_BLOCKS; i++)
        if (log->blocks[i].content != NULL && log->blocks[i].step == step)
            return &log->blocks[i];
    return NULL;
}

static void block_row(struct door *d, struct fetch *f, const struct pack *row)
{
    (void)d;
    f->count++;
    render_jsonl_row(&f->rows, row);
}

/* What a step should be long, from what was counted. */
static uint64_t counted(const struct lines *log, uint64_t step)
{
    uint64_t end = step + 1 < log->count ? log->offsets[step + 1] : log->size;
    return end - log->offsets[step];
}

/* How many of its transactions were. */
static uint64_t counted_rows(const struct lines *log, uint64_t step)
{
    uint64_t rows = log->next - step * LOG_STEP;
    return rows < LOG_STEP ? rows : LOG_STEP;
}

/* How long so many lines are; 0: there are not as many. */
static size_t lines_length(const struct buffer *rows, uint64_t count)
{
    size_t at = 0;
    for (; count > 0; count--) {
        const char *end = at < rows->len
                              ? memchr(rows->data + at, '\n', rows->len - at)
                              : NULL;
        if (end == NULL)
            return 0;
        at = (size_t)(end - rows->data) + 1;
    }
    return at;
}

static int block_done(struct door *d, struct fetch *f, int code,
                      const char *why, const struct pack *value)
{
    struct lines *log = &f->chain->log;
    uint64_t step = f->from;
    (void)value;
    if (code == ATE_CORRUPT)
        chain_damaged(d, f->chain, why);
    if (code != 0)
        return errno_of(code);
    if (step >= log->count ||
        lines_length(&f->rows, counted_rows(log, step)) != counted(log, step)) {
        lines_clear(d, log);
        return 0;
    }
    struct lines_block *block = &log->blocks[log->turn++ % LOG_BLOCKS];
    content_unref(block->content);
    block->step = step;
    block->count = f->count;
    block->content = content_new(f->rows.data, f->rows.len);
    return 0;
}

/* NULL: it is not there yet, see `rc`. */
static struct lines_block *need_block(struct door *d, struct op *op,
                                      struct chain *chain, uint64_t step,
                                      int *rc)
{
    struct lines *log = &chain->log;
    struct lines_block *block = block_of(log, step);
    if (block != NULL && block->content->len >= counted(log, step))
        return block;
    if (block != NULL) { /* the last one has grown */
        content_unref(block->content);
        *block = (struct lines_block){0};
    }
    struct buffer args = {0};
    put_range(&args, step * LOG_STEP, LOG_STEP);
    struct fetch *f =
        fetch_start(d, false, chain, "tail", &args, d->options.deadline_ms);
    f->row = block_row;
    f->done = block_done;
    f->from = step;
    buffer_free(&args);
    *rc = op_wait(op, f);
    return NULL;
}

/* The last step that begins at `offset` or before. */
static uint64_t step_at(const struct lines *log, uint64_t offset)
{
    size_t low = 0;
    size_t high = log->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->offsets[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* What was found before it had to wait stands in op->work: a large read needs
 * more blocks than are kept at a time. */
int lines_read(struct door *d, struct op *op, struct chain *chain)
{
    struct lines *log = &chain->log;
    struct buffer *out = &op->work;
    int rc = lines_need(d, op, chain);
    while (rc == 0 && op->ask.offset + out->len < log->size &&
           out->len < op->ask.size) {
        uint64_t offset = op->ask.offset + out->len;
        uint64_t step = step_at(log, offset);
        struct lines_block *block = need_block(d, op, chain, step, &rc);
        if (block == NULL)
            break;
        size_t skip = (size_t)(offset - log->offsets[step]);
        size_t more = (size_t)counted(log, step) - skip;
        size_t room = op->ask.size - out->len;
        more = more < room ? more : room;
        buffer_put(out, block->content->data + skip, more);
    }
    if (rc != 0)
        return rc;
    struct told told = {.data = out->data, .len = out->len};
    return op_tell(d, op, &told);
}

/* ---- watch ---- */

static bool concerns(const struct shape *shape, int type,
                     const struct pack *row)
{
    struct pack events = pack_find(row, "events");
    struct pack at = pack_first(&events);
    for (size_t i = 0; i < events.count && at.kind != PACK_NONE; i++) {
        struct pack name = pack_find(&at, "type");
        if (type < 0 || pack_is(&name, shape->types[type].name))
            return true;
        at = pack_next(&at);
    }
    return false;
}

void watch_row(struct door *d, struct chain *chain, const struct pack *row)
{
    for (struct handle *h = d->handles; h != NULL; h = h->next) {
        if (!h->watches || h->node->chain != chain ||
            !concerns(h->node->shape, h->watched_type, row))
            continue;
        size_t before = h->data.len;
        render_jsonl_row(&h->data, row);
        if (h->data.len <= DOOR_WATCH_MAX)
            continue;
        buffer_resize(&h->data, before); /* whole lines, or none */
        h->has_lost = true;
    }
}

/* What there is, in whole lines where they fit; else it waits. Whoever was too
 * slow is told once that lines are missing. */
int watch_read(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    if (h->data.len == 0 && h->has_lost) {
        h->has_lost = false;
        return -EOVERFLOW;
    }
    if (h->data.len == 0 && op->is_interrupted)
        return -EINTR;
    if (h->data.len == 0 && h->node->chain->follow == NULL)
        return -EIO;
    if (h->data.len == 0 && (h->flags & O_NONBLOCK) != 0)
        return -EAGAIN;
    if (h->data.len == 0) {
        op->waits_for_more = true;
        op->deadline_ms = INT64_MAX;
        return DOOR_WAIT;
    }
    size_t len = h->data.len < op->ask.size ? h->data.len : op->ask.size;
    const char *end = memrchr(h->data.data, '\n', len);
    if (end != NULL)
        len = (size_t)(end - h->data.data) + 1;
    struct told told = {.data = h->data.data, .len = len};
    op_tell(d, op, &told);
    buffer_drop(&h->data, len);
    return 0;
}
