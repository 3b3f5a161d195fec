#include "sim/log_script.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const char folder[] = "07/chain";
static const uint8_t chain[LOG_CHAIN_SIZE] = {7, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                              8, 7, 6, 5, 4, 3, 2, 1, 9, 9};

/* ---- model and tally ---- */

void model_cut(struct model *m, size_t count)
{
    while (m->submitted > count) {
        struct model_frame *f = &m->frames[--m->submitted];
        buf_deinit(&f->payload);
        buf_deinit(&f->inlined);
        buf_deinit(&f->bodies);
    }
    m->acked = m->acked < count ? m->acked : count;
}

void model_deinit(struct model *m)
{
    model_cut(m, 0);
    mem_free(m->frames);
    *m = (struct model){0};
}

uint64_t tally_failures(const struct tally *t)
{
    return t->lost + t->wrong + t->refused;
}

static void note(struct script *s, uint64_t *counter, const char *what,
                 const char *text)
{
    (*counter)++;
    if (s->tally->first[0] == '\0')
        snprintf(s->tally->first, sizeof(s->tally->first), "%s: %s", what,
                 text);
}

/* ---- a log at work ---- */

static bool before_action(void *ctx, struct job_op *op)
{
    struct script *s = ctx;
    if (s->watch != NULL)
        s->watch(s);
    return s->mutant != NULL && s->mutant(s, op);
}

void script_init_on(struct script *s, struct sim_disk *disk, uint64_t seed,
                    struct tally *tally)
{
    memset(s, 0, sizeof(*s));
    s->disk = disk;
    s->seed = seed;
    s->rng.state = seed;
    s->tally = tally;
    sim_disk_hook(disk, before_action, s);
}

void script_init(struct script *s, uint64_t seed, struct tally *tally)
{
    script_init_on(s, sim_disk_new(seed), seed, tally);
}

void script_crash(struct script *s)
{
    s->watch = NULL;
    sim_disk_die(s->disk);
    sim_disk_run(s->disk);
    if (s->log.state != LOG_CLOSED)
        log_close(&s->log);
}

void script_deinit(struct script *s)
{
    script_crash(s);
    sim_disk_free(s->disk);
    model_deinit(&s->model);
}

static void done(void *ctx, int code, const struct err *err)
{
    struct script *s = ctx;
    assert(!s->finished);
    s->finished = true;
    s->code = code;
    s->err = *err;
}

static int wait_for(struct script *s)
{
    while (!s->finished)
        if (!sim_disk_step(s->disk))
            assert(!"the log waits for nothing");
    return s->code;
}

static void put_noise(struct script *s, struct buf *b, uint64_t len)
{
    if (len == 0)
        return;
    uint8_t *p = buf_grow(b, len);
    for (uint64_t i = 0; i < len; i++)
        p[i] = (uint8_t)rng_next(&s->rng);
}

/* A new frame at the end of the model, and as an entry. */
static struct log_entry invent(struct script *s, uint16_t type, bool bodies)
{
    struct model *m = &s->model;
    struct rng *rng = &s->rng;

    m->frames =
        mem_array_grow(m->frames, m->submitted, &m->cap, sizeof(*m->frames));
    struct model_frame *f = &m->frames[m->submitted++];
    memset(f, 0, sizeof(*f));
    f->count = type == LOG_GENESIS ? 1 : (uint32_t)rng_below(rng, 4);
    put_noise(s, &f->payload, 20 + rng_below(rng, 400));
    if (rng_coin(rng))
        put_noise(s, &f->inlined, rng_below(rng, 900));
    if (bodies)
        put_noise(s, &f->bodies, 8 * (1 + rng_below(rng, 500)));
    return (struct log_entry){.type = type,
                              .count = f->count,
                              .payload = buf_bytes(&f->payload),
                              .inlined = buf_bytes(&f->inlined),
                              .body_len = f->bodies.len};
}

/* Small body files; and room ahead in half of all scripts. */
static void tune(struct script *s)
{
    s->log.segment_size = SCRIPT_SEGMENT;
    if (s->seed % 2 == 0)
        s->log.room_from = 0;
}

int script_create(struct script *s)
{
    struct log_entry entry = invent(s, LOG_GENESIS, true);
    struct log_group group = {&entry, 1, buf_bytes(&s->model.frames[0].bodies)};

    s->finished = false;
    log_create(&s->log, sim_disk_interface(s->disk), folder, chain, &group,
               done, s);
    int rc = wait_for(s);
    tune(s);
    if (rc == 0)
        s->model.acked = 1;
    return rc;
}

int script_append(struct script *s)
{
    struct log_entry entries[4];
    size_t count = 1 + rng_below(&s->rng, 4);
    size_t before = s->model.submitted;
    bool bodies = rng_coin(&s->rng);
    struct buf all = {0};

    for (size_t i = 0; i < count; i++) {
        entries[i] = invent(s, LOG_BATCH, bodies && rng_below(&s->rng, 3) > 0);
        buf_put_bytes(&all, buf_bytes(&s->model.frames[before + i].bodies));
    }
    struct log_group group = {entries, count, buf_bytes(&all)};
    s->finished = false;
    int rc = log_append(&s->log, &group, done, s, &s->err);
    if (rc == 0)
        rc = wait_for(s);
    else
        model_cut(&s->model, before);
    if (rc == 0)
        s->model.acked = s->model.submitted;
    if (rc == ATE_EFULL)
        model_cut(&s->model, before);
    buf_deinit(&all);
    return rc;
}

int script_mark(struct script *s)
{
    s->finished = false;
    int rc = log_mark(&s->log, done, s, &s->err);
    if (rc == 1)
        return 0;
    return rc == 0 ? wait_for(s) : rc;
}

static void read_done(struct log_read *read, int code, const struct err *err)
{
    struct script *s = read->owner;
    s->finished = true;
    s->code = code;
    s->err = *err;
}

static int read_part(struct script *s, size_t frame, enum log_part part,
                     const struct buf *expected)
{
    struct log_read read = {.frame = frame,
                            .part = part,
                            .length = UINT64_MAX,
                            .done = read_done,
                            .owner = s};
    s->finished = false;
    log_read(&s->log, &read);
    int rc = wait_for(s);
    if (rc == 0 && !bytes_equal(buf_bytes(&read.bytes), buf_bytes(expected)))
        rc = ATE_EINVALID;
    buf_deinit(&read.bytes);
    return rc;
}

int script_read(struct script *s, size_t frame)
{
    const struct model_frame *f = &s->model.frames[frame];

    int rc = read_part(s, frame, LOG_PAYLOAD, &f->payload);
    if (rc == 0)
        rc = read_part(s, frame, LOG_INLINE, &f->inlined);
    if (rc == 0)
        rc = read_part(s, frame, LOG_BODIES, &f->bodies);
    return rc;
}

int script_run(struct script *s, unsigned commits)
{
    int rc = script_create(s);

    for (unsigned i = 0; i < commits && rc == 0; i++) {
        rc = script_append(s);
        if (rc == ATE_EFULL)
            rc = 0;
        if (rc == 0 && rng_below(&s->rng, 4) == 0)
            rc = script_mark(s);
        if (rc == ATE_EFULL)
            rc = 0;
    }
    return rc;
}

/* ---- after a crash ---- */

struct checking {
    struct script *script;
    const struct model *model;
    const char *what;
    size_t seen;
    bool wrong;
};

static bool bodies_equal(struct checking *c, const struct log_frame *frame)
{
    const struct model_frame *f = &c->model->frames[c->seen];
    char path[LOG_PATH_MAX];

    if (frame->body_len != f->bodies.len)
        return false;
    if (frame->body_len == 0)
        return true;
    snprintf(path, sizeof(path), "%s/%u.body", folder, frame->segment);
    const struct buf *file = sim_disk_file(c->script->disk, path);
    return file != NULL && frame->body_offset + frame->body_len <= file->len &&
           memcmp(file->data + frame->body_offset, f->bodies.data,
                  f->bodies.len) == 0;
}

static int visit(void *ctx, const struct log_frame *frame, struct err *err)
{
    struct checking *c = ctx;
    (void)err;
    if (c->seen >= c->model->submitted) {
        c->wrong = true;
        return 0;
    }
    const struct model_frame *f = &c->model->frames[c->seen];
    if (frame->count != f->count ||
        !bytes_equal(frame->payload, buf_bytes(&f->payload)) ||
        !bytes_equal(frame->inlined, buf_bytes(&f->inlined)) ||
        !bodies_equal(c, frame))
        c->wrong = true;
    c->seen++;
    return 0;
}

static int open_log(struct script *s, struct checking *c, enum log_mode mode)
{
    s->finished = false;
    log_open(&s->log, sim_disk_interface(s->disk), folder, chain, mode, visit,
             c, done, s);
    int rc = wait_for(s);
    tune(s);
    return rc;
}

static bool never_created(const struct model *model, int code)
{
    return model->acked == 0 &&
           (code == ATE_ENOT_FOUND || code == ATE_ECORRUPT);
}

/* A creation that was cut short: the same again has to work. */
static long create_again(struct script *s, const struct model *model,
                         const char *what)
{
    struct model_frame *f = &model->frames[0];
    struct log_entry entry = {.type = LOG_GENESIS,
                              .count = 1,
                              .payload = buf_bytes(&f->payload),
                              .inlined = buf_bytes(&f->inlined),
                              .body_len = f->bodies.len};
    struct log_group group = {&entry, 1, buf_bytes(&f->bodies)};

    if (s->log.state != LOG_CLOSED)
        log_close(&s->log);
    if (model->submitted == 0)
        return 0;
    s->finished = false;
    log_create(&s->log, sim_disk_interface(s->disk), folder, chain, &group,
               done, s);
    int rc = wait_for(s);
    tune(s);
    if (rc == 0)
        return 1;
    note(s, &s->tally->refused, what, s->err.text);
    return -1;
}

long script_recover(struct script *s, const struct model *model,
                    const char *what)
{
    struct checking c = {.script = s, .model = model, .what = what};
    struct checking shown = c;

    /* Reading only comes to the same end and changes nothing. */
    int shown_rc = open_log(s, &shown, LOG_READ_ONLY);
    if (s->log.state != LOG_CLOSED)
        log_close(&s->log);
    s->tally->recoveries++;
    int rc = open_log(s, &c, LOG_READ_WRITE);
    if (never_created(model, rc))
        return create_again(s, model, what);
    if (rc != 0) {
        note(s, &s->tally->refused, what, s->err.text);
        return -1;
    }
    if (c.wrong || shown.wrong || shown_rc != 0 || shown.seen != c.seen ||
        s->log.end.frames != c.seen) {
        note(s, &s->tally->wrong, what, "frames that were not written so");
        return -1;
    }
    if (c.seen < model->acked) {
        char text[64];
        snprintf(text, sizeof(text), "%zu of %zu frames are there", c.seen,
                 model->acked);
        note(s, &s->tally->lost, what, text);
        return -1;
    }
    return (long)c.seen;
}

/* ---- crash everywhere ---- */

struct place {
    struct script *script; /* the one at work */
    unsigned seeds;
    uint64_t crashes;
};

static const char *const loss_text[SIM_LOSSES] = {
    "nothing kept",       "all kept",   "some kept",
    "some kept, garbage", "files kept", "killed"};

struct second_crash {
    const struct model *model;
    const char *what;
    uint64_t seed;
};

/* In the middle of a recovery: the power goes again. */
static void crash_in_recovery(struct script *s)
{
    struct second_crash *c = s->watch_ctx;
    struct script again;
    char what[200];
    uint64_t seed = c->seed + sim_disk_actions(s->disk);

    if (s->log.state != LOG_OPENING || s->log.mode != LOG_READ_WRITE)
        return;
    script_init_on(&again, sim_disk_copy(s->disk, seed), seed, s->tally);
    sim_disk_revive(again.disk, SIM_KEEP_SOME, seed);
    sim_disk_hook(again.disk, before_action, &again);
    again.mutant = s->mutant;
    snprintf(what, sizeof(what), "%s, again at action %llu of recovery",
             c->what, (unsigned long long)sim_disk_actions(s->disk));
    script_recover(&again, c->model, what);
    script_deinit(&again);
}

/* Once recovered, nothing of it may go any more. */
static void crash_after_recovery(struct script *s, const struct model *model,
                                 long found, const char *what)
{
    struct model now = *model;
    char text[200];

    now.acked = (size_t)found;
    script_crash(s);
    sim_disk_revive(s->disk, SIM_KEEP_NONE, 0);
    sim_disk_hook(s->disk, before_action, s);
    snprintf(text, sizeof(text), "%s, and after recovery", what);
    script_recover(s, &now, text);
}

static void crash_once(struct script *at_work, enum sim_loss loss,
                       uint64_t seed, bool often)
{
    struct script s;
    char what[160];
    uint64_t action = sim_disk_actions(at_work->disk);

    script_init_on(&s, sim_disk_copy(at_work->disk, seed), seed,
                   at_work->tally);
    sim_disk_revive(s.disk, loss, seed);
    sim_disk_hook(s.disk, before_action, &s);
    s.mutant = at_work->mutant;
    snprintf(what, sizeof(what), "seed %llu, action %llu, %s by seed %llu",
             (unsigned long long)at_work->seed, (unsigned long long)action,
             loss_text[loss], (unsigned long long)seed);
    struct second_crash second = {&at_work->model, what, seed};
    if (often) {
        s.watch = crash_in_recovery;
        s.watch_ctx = &second;
    }
    long found = script_recover(&s, &at_work->model, what);
    s.watch = NULL;
    if (found >= 0)
        crash_after_recovery(&s, &at_work->model, found, what);
    script_deinit(&s);
}

static void crash_here(struct script *s)
{
    struct place *p = s->watch_ctx;

    crash_once(s, SIM_KEEP_NONE, 0, false);
    crash_once(s, SIM_KEEP_ALL, 0, false);
    crash_once(s, SIM_KEEP_CACHE, 0, false);
    for (unsigned i = 0; i < p->seeds; i++) {
        uint64_t seed = s->seed * 1000003 + p->crashes++;
        crash_once(s, SIM_KEEP_SOME, seed, i == 0);
        crash_once(s, SIM_KEEP_GARBAGE, seed, false);
        crash_once(s, SIM_KEEP_FILES, seed, false);
    }
}

void crash_everywhere(uint64_t seed, unsigned commits, unsigned seeds,
                      sim_hook *mutant, struct tally *tally)
{
    struct script s;
    struct place place = {.script = &s, .seeds = seeds};

    script_init(&s, seed, tally);
    s.mutant = mutant;
    s.watch = crash_here;
    s.watch_ctx = &place;
    int rc = script_run(&s, commits);
    assert(rc == 0);
    crash_here(&s);
    script_deinit(&s);
}

/* ---- faults ---- */

struct trial {
    struct sim_fault fault;
    const char *what;
};

/* The log told of a fault: is it in the state it says? */
static void check_failed(struct script *s, const struct trial *trial)
{
    struct model *m = &s->model;

    if (s->log.state != LOG_FAILED || s->log.end.frames != m->acked ||
        s->code != ATE_EIO) {
        note(s, &s->tally->wrong, trial->what, "not failed as it should");
        return;
    }
    size_t before = m->submitted;
    if (script_append(s) != ATE_EUNAVAILABLE || m->submitted != before)
        note(s, &s->tally->wrong, trial->what, "it still takes writes");
    if (trial->fault.for_ever && trial->fault.kind == SIM_ERROR)
        return;
    if (script_read(s, rng_below(&s->rng, m->acked)) != 0)
        note(s, &s->tally->lost, trial->what, "can't be read back");
}

static void restart(struct script *s, enum sim_loss loss, const char *what)
{
    struct script again;
    char text[200];

    script_init_on(&again, sim_disk_copy(s->disk, 1), 1, s->tally);
    sim_disk_revive(again.disk, loss, sim_disk_actions(s->disk));
    sim_disk_hook(again.disk, before_action, &again);
    again.mutant = s->mutant;
    snprintf(text, sizeof(text), "%s, %s", what, loss_text[loss]);
    long found = script_recover(&again, &s->model, text);
    if (found >= 0)
        crash_after_recovery(&again, &s->model, found, text);
    script_deinit(&again);
}

static void try_fault(uint64_t seed, unsigned commits, sim_hook *mutant,
                      const struct trial *trial, struct tally *tally)
{
    struct script s;

    script_init(&s, seed, tally);
    s.mutant = mutant;
    sim_disk_fault(s.disk, &trial->fault);
    int rc = script_run(&s, commits);
    if (sim_disk_faults(s.disk) > 0) {
        if (rc != 0 && s.model.acked > 0)
            check_failed(&s, trial);
        script_crash(&s);
        restart(&s, SIM_KEEP_CACHE, trial->what);
        restart(&s, SIM_KEEP_NONE, trial->what);
        restart(&s, SIM_KEEP_SOME, trial->what);
    }
    script_deinit(&s);
}

static uint64_t count_actions(uint64_t seed, unsigned commits)
{
    struct tally tally = {0};
    struct script s;

    script_init(&s, seed, &tally);
    script_run(&s, commits);
    uint64_t actions = sim_disk_actions(s.disk);
    script_deinit(&s);
    return actions;
}

void fault_everywhere(uint64_t seed, unsigned commits, bool lying,
                      sim_hook *mutant, struct tally *tally)
{
    static const struct sim_fault lie = {.kind = SIM_LYING_SYNC, .error = EIO};
    uint64_t actions = count_actions(seed, commits);
    size_t kinds = lying ? 1 : SIM_FAULTS;

    for (uint64_t i = 0; i < actions * kinds * 2; i++) {
        size_t kind = i % kinds;
        struct sim_fault fault = lying ? lie : sim_faults[kind].fault;
        char what[100];
        struct trial trial = {.fault = fault, .what = what};
        trial.fault.action = i / kinds / 2;
        trial.fault.for_ever = i / kinds % 2;
        snprintf(what, sizeof(what), "seed %llu, %s%s at action %llu",
                 (unsigned long long)seed,
                 lying ? "lying sync" : sim_faults[kind].text,
                 trial.fault.for_ever ? " for ever" : "",
                 (unsigned long long)trial.fault.action);
        try_fault(seed, commits, mutant, &trial, tally);
    }
}

/* ---- a life ---- */

struct fuse {
    uint64_t action; /* at which the power goes */
};

static void burn(struct script *s)
{
    struct fuse *fuse = s->watch_ctx;
    if (sim_disk_actions(s->disk) >= fuse->action)
        sim_disk_die(s->disk);
}

void crash_in_life(uint64_t seed, sim_hook *mutant, struct tally *tally)
{
    struct script s;
    struct fuse fuse = {0};
    char what[100];

    script_init(&s, seed, tally);
    s.mutant = mutant;
    s.watch_ctx = &fuse;
    for (unsigned crash = 0; crash < 4; crash++) {
        fuse.action = sim_disk_actions(s.disk) + rng_below(&s.rng, 120);
        s.watch = burn;
        int rc = s.log.state == LOG_READY ? 0 : script_create(&s);
        while (rc == 0) {
            rc = script_append(&s);
            if (rc == 0 && rng_below(&s.rng, 4) == 0)
                rc = script_mark(&s);
        }
        script_crash(&s);
        enum sim_loss loss = (enum sim_loss)rng_below(&s.rng, SIM_LOSSES);
        sim_disk_revive(s.disk, loss, rng_next(&s.rng));
        sim_disk_hook(s.disk, before_action, &s);
        snprintf(what, sizeof(what), "life %llu, crash %u, %s",
                 (unsigned long long)seed, crash, loss_text[loss]);
        long found = script_recover(&s, &s.model, what);
        if (found < 0)
            break;
        model_cut(&s.model, (size_t)found);
        s.model.acked = (size_t)found;
        if (found == 0)
            break; /* the power went before anything was asked for */
    }
    script_deinit(&s);
}
