/* The door under any sequence of what a kernel may ask and an engine may
 * answer: every ask is told its end exactly once, whatever comes, and what
 * never comes is over after its deadline. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "mount/door.h"
#include "base/pack.h"
#include "base/buffer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    FILES = 24,  /* numbers that the kernel remembers */
    HANDLES = 8, /* files that are open */
    CALLS = 64,  /* that wait for an answer */
    STEPS = 200,
    DEADLINE_MS = 1000,
};

struct waiting {
    uint64_t call;
    char method[32];
};

struct asked {
    enum ask_kind kind;
    bool is_under_way;
    bool waits_for_ever; /* a read of watch */
    uint64_t ino, handle;
};

struct open {
    uint64_t ino, handle;
    unsigned users; /* asks under way */
    bool is_folder;
};

struct fuzz {
    const uint8_t *data;
    size_t len;
    struct door *door;
    uint64_t files[FILES];
    uint64_t lookups[FILES];
    struct open open[HANDLES];
    struct waiting waiting[CALLS];
    struct asked asked[STEPS + 8];
    size_t asked_count;
    uint64_t last_call, last_told;
    int64_t now_ms;
};

static struct ate_bytes schemas[2]; /* made once, as the engine gives them */

static uint8_t take(struct fuzz *f)
{
    if (f->len == 0)
        return 0;
    f->len--;
    return *f->data++;
}

/* ---- the engine ---- */

static uint64_t start(void *ctx, const struct ate_request *request)
{
    struct fuzz *f = ctx;
    struct waiting *slot = &f->waiting[f->last_call % CALLS];
    slot->call = ++f->last_call; /* one that waits too long is never answered */
    strncpy(slot->method, request->method, sizeof(slot->method) - 1);
    return slot->call;
}

static void cancel(void *ctx, uint64_t call)
{
    (void)ctx;
    (void)call;
}

static void grant(void *ctx, uint64_t call, uint32_t chunks)
{
    (void)ctx;
    (void)call;
    (void)chunks;
}

static void put_pair(struct buffer *out, const char *key, const char *value)
{
    pack_put_string(out, key);
    pack_put_string(out, value);
}

static const char *some_key(struct fuzz *f)
{
    static const char *const keys[] = {"alice",       "bob", "atlas",
                                       "atlas/intro", "4.0", ""};
    return keys[take(f) % (sizeof(keys) / sizeof(*keys))];
}

static const char *some_type(struct fuzz *f)
{
    static const char *const types[] = {"account", "transfer", "page",
                                        "project", "ate.activate"};
    return types[take(f) % (sizeof(types) / sizeof(*types))];
}

static void put_transaction(struct fuzz *f, struct buffer *out)
{
    static const char *const changes[] = {"new", "edit", "delete", "fact"};
    pack_put_map(out, 3);
    pack_put_string(out, "events");
    pack_put_list(out, 1);
    pack_put_map(out, 3);
    put_pair(out, "change", changes[take(f) % 4]);
    put_pair(out, "id", some_key(f));
    put_pair(out, "type", some_type(f));
    pack_put_string(out, "index");
    pack_put_integer(out, take(f));
    put_pair(out, "time", "2026-11-29T00:05:43.359Z");
}

static void put_object(struct fuzz *f, struct buffer *out)
{
    pack_put_map(out, 2);
    put_pair(out, "id", some_key(f));
    put_pair(out, "owner", take(f) % 2 ? "me" : "bob");
}

/* What fits the question; now and then something else. */
static void put_answer(struct fuzz *f, const char *method, bool is_row,
                       struct buffer *out)
{
    if (take(f) % 16 == 0) {
        size_t len = take(f) % 32;
        for (size_t i = 0; i < len; i++)
            buffer_byte(out, (char)take(f));
    } else if (strcmp(method, "schema") == 0) {
        const struct ate_bytes *schema = &schemas[take(f) % 2];
        buffer_put(out, schema->data, schema->len);
    } else if (strcmp(method, "chain.ls") == 0) {
        pack_put_list(out, 2);
        pack_put_map(out, 1);
        put_pair(out, "name", "bank");
        pack_put_map(out, 1);
        put_pair(out, "name", "team/wiki");
    } else if (strcmp(method, "info") == 0) {
        pack_put_map(out, 3);
        pack_put_string(out, "size");
        pack_put_integer(out, take(f) % 8);
        put_pair(out, "state", take(f) % 8 ? "open" : "damaged");
        put_pair(out, "time", "2026-11-29T00:05:43.359Z");
    } else if (strcmp(method, "tail") == 0) {
        put_transaction(f, out);
    } else if (is_row || strcmp(method, "get") == 0) {
        put_object(f, out);
    } else if (take(f) % 2 == 0) {
        pack_put_map(out, 2);
        pack_put_string(out, "index");
        pack_put_integer(out, take(f));
        put_pair(out, "result", "4.0");
    } else {
        pack_put_string(out, take(f) % 2 ? "one\n" : "two\n");
    }
}

/* One of those that wait, most often the last. */
static struct waiting *some_call(struct fuzz *f)
{
    size_t skip = take(f);
    skip = skip < 192 ? 0 : skip - 192;
    for (size_t i = 0; i < CALLS; i++) {
        struct waiting *w = &f->waiting[(f->last_call + CALLS - 1 - i) % CALLS];
        if (w->call != 0 && skip-- == 0)
            return w;
    }
    return &f->waiting[0];
}

static void answer(struct fuzz *f)
{
    struct waiting *w = some_call(f);
    struct ate_answer a = {.call = w->call};
    struct buffer value = {0};
    uint8_t how = take(f);
    if (w->call == 0)
        return;
    a.kind = how % 2 ? ATE_ANSWER_DATA : ATE_ANSWER_FINAL;
    if (how % 2 == 0 && how % 32 >= 20)
        a.error.code = -(1 + take(f) % 13);
    else
        put_answer(f, w->method, how % 2, &value);
    a.value = (struct ate_bytes){(uint8_t *)value.data, value.len};
    if (a.kind == ATE_ANSWER_FINAL)
        w->call = 0;
    door_answer(f->door, &a);
    buffer_free(&value);
}

/* ---- what the kernel hears ---- */

static void keep_file(struct fuzz *f, uint64_t ino)
{
    size_t free_slot = FILES;
    for (size_t i = 1; i < FILES; i++) {
        if (f->files[i] == ino) {
            f->lookups[i]++;
            return;
        }
        if (f->files[i] == 0)
            free_slot = i;
    }
    if (free_slot == FILES) {
        door_forget(f->door, ino, 1);
        return;
    }
    f->files[free_slot] = ino;
    f->lookups[free_slot] = 1;
}

static void keep_handle(struct fuzz *f, uint64_t ino, uint64_t handle,
                        bool is_folder)
{
    for (size_t i = 0; i < HANDLES; i++)
        if (f->open[i].handle == 0) {
            f->open[i] = (struct open){ino, handle, 0, is_folder};
            return;
        }
    struct ask ask = {.kind = ASK_RELEASE, .ino = ino, .handle = handle};
    door_ask(f->door, &ask);
}

static void tell(void *ctx, void *token, const struct told *told)
{
    struct fuzz *f = ctx;
    size_t number = (size_t)(uintptr_t)token;
    if (number == 0)
        return; /* one that nobody waits for */
    struct asked *asked = &f->asked[number];
    assert(asked->is_under_way);
    asked->is_under_way = false;
    for (size_t i = 0; i < HANDLES; i++)
        if (asked->handle != 0 && f->open[i].handle == asked->handle)
            f->open[i].users--;
    f->last_told = told->error == 0 ? told->attr.ino : 0;
    if (told->error != 0) {
        assert(told->error > 0 && told->error < 200);
        return;
    }
    if (asked->kind == ASK_LOOKUP || asked->kind == ASK_CREATE)
        keep_file(f, told->attr.ino);
    if (asked->kind == ASK_OPEN || asked->kind == ASK_CREATE ||
        asked->kind == ASK_OPENDIR)
        keep_handle(f, asked->kind == ASK_CREATE ? told->attr.ino : asked->ino,
                    told->handle, asked->kind == ASK_OPENDIR);
}

static void forget_entry(void *ctx, uint64_t folder, const char *name)
{
    (void)ctx;
    assert(folder != 0 && name[0] != '\0');
}

static void forget_data(void *ctx, uint64_t ino)
{
    (void)ctx;
    assert(ino != 0);
}

static bool lives(void *ctx, uint32_t pid)
{
    struct fuzz *f = ctx;
    return pid != f->last_call % 4;
}

static uint64_t flush(void *ctx, uint64_t folder, uint64_t other)
{
    struct fuzz *f = ctx;
    (void)folder;
    (void)other;
    return f->last_call % 2;
}

/* ---- what the kernel asks ---- */

static const char *some_name(struct fuzz *f)
{
    static const char *const names[] = {
        "bank",        "team",        "wiki",         "accounts",
        "alice",       "bob",         "transfer",     "transfer.reply",
        "types",       "account",     "alice.json",   "views",
        "balance.csv", "board.jsonl", "events.jsonl", "watch",
        "methods",     "account.put", "page",         "atlas",
        "intro.md",    "intro.json",  ".x.swp",       "sedAb12Cd",
        "intro.md~",   "damaged.txt", "project",      "atlas.json",
        "alice.json~", "%2E",         "4.0.json",     "projects",
    };
    return names[take(f) % (sizeof(names) / sizeof(*names))];
}

static const char *some_text(struct fuzz *f)
{
    static const char *const texts[] = {
        "to=bob amount=1\n",
        "to=bob amount=1\nto=",
        "{\"to\":\"bob\",\"amount\":\"1\"}",
        "{\"to\":",
        "\n# x\n\n",
        "{\"owner\":\"me\"}",
        "two\n",
        "\"",
        "",
    };
    return texts[take(f) % (sizeof(texts) / sizeof(*texts))];
}

static void begin(struct fuzz *f, struct ask ask)
{
    size_t number = ++f->asked_count;
    f->asked[number] = (struct asked){.kind = ask.kind,
                                      .is_under_way = true,
                                      .waits_for_ever = ask.kind == ASK_READ,
                                      .ino = ask.ino,
                                      .handle = ask.handle};
    for (size_t i = 0; i < HANDLES; i++)
        if (ask.handle != 0 && f->open[i].handle == ask.handle)
            f->open[i].users++;
    ask.token = (void *)(uintptr_t)number;
    door_ask(f->door, &ask);
}

static uint64_t some_file(struct fuzz *f)
{
    uint64_t ino = f->files[take(f) % FILES];
    return ino != 0 ? ino : DOOR_ROOT;
}

static void ask_of_file(struct fuzz *f, struct open *open)
{
    static const enum ask_kind kinds[] = {ASK_READ,   ASK_WRITE, ASK_WRITE,
                                          ASK_FLUSH,  ASK_FSYNC, ASK_SETATTR,
                                          ASK_RELEASE};
    struct ask ask = {.ino = open->ino, .handle = open->handle};
    ask.kind = kinds[take(f) % (sizeof(kinds) / sizeof(*kinds))];
    if (open->is_folder)
        ask.kind = ask.kind == ASK_RELEASE ? ASK_RELEASE : ASK_READDIR;
    ask.offset = take(f) % 16;
    ask.begins = ask.offset == 0;
    ask.size = 1 + take(f) * 16u;
    ask.set = SET_SIZE;
    if (ask.kind == ASK_WRITE) {
        ask.data = some_text(f);
        ask.size = strlen(ask.data);
    }
    if (ask.kind == ASK_RELEASE && open->users > 0)
        return; /* the kernel waits for these */
    if (ask.kind == ASK_RELEASE)
        *open = (struct open){0};
    begin(f, ask);
}

static void ask_of_name(struct fuzz *f)
{
    static const enum ask_kind kinds[] = {ASK_LOOKUP,  ASK_LOOKUP,  ASK_LOOKUP,
                                          ASK_GETATTR, ASK_OPEN,    ASK_OPEN,
                                          ASK_CREATE,  ASK_OPENDIR, ASK_UNLINK,
                                          ASK_RENAME,  ASK_SETATTR, ASK_ACCESS};
    static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR | O_TRUNC,
                                O_WRONLY | O_EXCL, O_WRONLY | O_TRUNC};
    struct ask ask = {.ino = some_file(f)};
    ask.kind = kinds[take(f) % (sizeof(kinds) / sizeof(*kinds))];
    ask.name = some_name(f);
    if (ask.kind == ASK_RENAME) {
        ask.to = take(f) % 4 ? ask.ino : some_file(f);
        ask.to_name = some_name(f);
    } else {
        ask.flags = flags[take(f) % (sizeof(flags) / sizeof(*flags))];
    }
    ask.set = take(f) % 16;
    ask.mode = 0644;
    ask.pid = 1 + (uint32_t)(f->asked_count % 3);
    begin(f, ask);
}

static void forget(struct fuzz *f)
{
    size_t i = 1 + take(f) % (FILES - 1);
    if (f->files[i] == 0)
        return;
    for (size_t k = 0; k < HANDLES; k++)
        if (f->open[k].ino == f->files[i])
            return; /* an open file is not forgotten */
    for (size_t k = 1; k <= f->asked_count; k++)
        if (f->asked[k].is_under_way && f->asked[k].ino == f->files[i])
            return;
    door_forget(f->door, f->files[i], f->lookups[i]);
    f->files[i] = 0;
}

static void answer_well(struct fuzz *f)
{
    struct waiting *w = &f->waiting[(f->last_call + CALLS - 1) % CALLS];
    struct ate_answer a = {.call = w->call, .kind = ATE_ANSWER_FINAL};
    static const uint8_t good[] = {1, 0, 1, 1, 1, 1, 1, 1};
    struct fuzz fit = {.data = good, .len = sizeof(good)};
    struct buffer value = {0};
    fit.data = f->asked_count % 2 ? good : good + 2;
    put_answer(&fit, w->method, false, &value);
    a.value = (struct ate_bytes){(uint8_t *)value.data, value.len};
    bool follows = strcmp(w->method, "tail") == 0;
    if (w->call != 0 && !follows) {
        w->call = 0;
        door_answer(f->door, &a);
    }
    buffer_free(&value);
}

/* From the root to a file, with an engine that answers as it should. */
static void walk(struct fuzz *f)
{
    static const char *const paths[][4] = {
        {"bank", "accounts", "alice", "transfer"},
        {"bank", "types", "account", "alice.json"},
        {"bank", "views", "balance.csv", NULL},
        {"bank", "events.jsonl", NULL, NULL},
        {"team", "wiki", "wiki", "atlas"},
        {"bank", "wiki", "atlas", "intro.md"},
        {"bank", "watch", NULL, NULL},
    };
    const char *const *path = paths[take(f) % 7];
    uint64_t ino = DOOR_ROOT;
    for (int i = 0; i < 4 && path[i] != NULL && f->asked_count < STEPS; i++) {
        begin(f, (struct ask){.kind = ASK_LOOKUP, .ino = ino, .name = path[i]});
        for (int k = 0; k < 8 && f->asked[f->asked_count].is_under_way; k++)
            answer_well(f);
        if (f->last_told == 0)
            return;
        ino = f->last_told;
    }
    if (f->asked_count < STEPS)
        begin(f,
              (struct ask){.kind = ASK_OPEN, .ino = ino, .flags = take(f) % 4});
}

static void step(struct fuzz *f)
{
    uint8_t what = take(f) % 16;
    if (what < 6) {
        ask_of_name(f);
    } else if (what < 9) {
        struct open *open = &f->open[take(f) % HANDLES];
        if (open->handle != 0)
            ask_of_file(f, open);
    } else if (what < 12) {
        answer(f);
    } else if (what == 12) {
        walk(f);
    } else if (what == 13) {
        f->now_ms += take(f);
        door_tick(f->door, f->now_ms);
    } else if (what == 14) {
        size_t number = 1 + take(f) % (STEPS - 1);
        if (number <= f->asked_count && f->asked[number].is_under_way)
            door_interrupt(f->door, (void *)(uintptr_t)number);
    } else {
        door_flushed(f->door, take(f) % 2);
        forget(f);
    }
}

/* ---- all ---- */

static void load(struct ate_bytes *schema, const char *path)
{
    struct ate_bytes bundle = {0};
    struct ate_bytes report = {0};
    struct ate_error error;
    if (ate_bundle(path, &bundle, &report, &error) != 0)
        abort();
    struct pack map = pack_open(report.data, report.len);
    struct pack found = pack_find(&map, "schema");
    schema->len = pack_size(&found);
    schema->data = malloc(schema->len);
    if (schema->data == NULL)
        abort();
    memcpy(schema->data, found.start, schema->len);
    ate_free(&bundle);
    ate_free(&report);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    load(&schemas[0], "examples/bank/bank.lua");
    load(&schemas[1], "tests/lua/schemas/tracker.lua");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz *f = memory_new(sizeof(*f));
    const struct world world = {
        .ctx = f,
        .call = start,
        .read = start,
        .cancel = cancel,
        .grant = grant,
        .tell = tell,
        .forget_entry = forget_entry,
        .forget_data = forget_data,
        .forget_attr = forget_data,
        .lives = lives,
        .flush = flush,
    };
    const struct door_options options = {.deadline_ms = DEADLINE_MS,
                                         .cache_max = 64};
    f->data = data;
    f->len = len;
    f->files[0] = DOOR_ROOT;
    f->now_ms = 1;
    f->door = door_new(&world, &options, f->now_ms);
    while (f->asked_count < STEPS && f->len > 0)
        step(f);
    for (int i = 0; i < 4; i++) {
        f->now_ms += 4 * DEADLINE_MS;
        door_tick(f->door, f->now_ms);
    }
    for (size_t i = 1; i <= f->asked_count; i++)
        assert(!f->asked[i].is_under_way || f->asked[i].waits_for_ever);
    door_free(f->door);
    for (size_t i = 1; i <= f->asked_count; i++)
        assert(!f->asked[i].is_under_way);
    free(f);
    return 0;
}
