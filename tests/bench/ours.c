#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "client.h"
#include "ours.h"
#include "peers.h"

enum {
    DAEMONS = 8,
    FLYING_MAX = 1024,
    ARGS_MAX = 2048,
    PATIENCE_MS = 30000,
};

static struct {
    const char *data;
    pid_t pid;
} daemons[DAEMONS];
static int folders;

/* ---- starting and ending ---- */

static int socket_is_up(const void *where)
{
    return connect_unix(where);
}

static void start_daemon(const char *data)
{
    size_t i = 0;
    while (i < DAEMONS && daemons[i].pid != 0)
        i++;
    if (i == DAEMONS)
        bench_die("ate serve", "too many daemons");
    const char *ate = getenv("BENCH_ATE");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) != NULL)
            execl(ate, ate, "serve", "--data", data, (char *)NULL);
        _exit(127);
    }
    daemons[i].data = data;
    daemons[i].pid = pid;
    wait_until_up("ate serve", pid, socket_is_up, text_of("%s/socket", data));
}

static void stop_daemon(const char *data)
{
    for (size_t i = 0; i < DAEMONS; i++)
        if (daemons[i].pid != 0 &&
            (data == NULL || strcmp(daemons[i].data, data) == 0)) {
            end_child(daemons[i].pid);
            daemons[i].pid = 0;
        }
}

void ours_stop(void)
{
    stop_daemon(NULL);
}

static void connect_to(struct ours *o, size_t n, unsigned flags)
{
    struct ate_error error;
    o->ports[n] = ate_port_new();
    if (o->ports[n] == NULL ||
        ate_open(&o->ate[n], o->data, flags, &error) != 0)
        bench_die("open", error.text);
}

void ours_serve(struct ours *o, const char *schema, size_t connections)
{
    *o = (struct ours){
        .data = (char *)text_of("%s/ours%d", bench_folder, folders++)};
    start_daemon(o->data);
    for (size_t i = 0; i < connections; i++)
        connect_to(o, i, 0);
    if (!ate_is_remote(o->ate[0]))
        bench_die("ate serve", "it does not serve");
    ours_chain(o, "bench", schema);
}

void ours_open(struct ours *o, const char *schema, bool memory)
{
    *o = (struct ours){0};
    if (!memory)
        o->data = (char *)text_of("%s/ours%d", bench_folder, folders++);
    connect_to(o, 0, memory ? ATE_MEMORY : ATE_CREATE);
    ours_chain(o, "bench", schema);
}

static void disconnect(struct ours *o)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        ate_close(o->ate[i]);
        ate_port_free(o->ports[i]);
        o->ate[i] = NULL;
        o->ports[i] = NULL;
    }
}

void ours_close(struct ours *o)
{
    disconnect(o);
    if (o->data != NULL && !o->is_guest)
        stop_daemon(o->data);
}

void ours_connect(struct ours *o, const struct ours *to)
{
    *o = (struct ours){.data = to->data, .is_guest = true};
    connect_to(o, 0, 0);
}

void ours_end(struct ours *o)
{
    disconnect(o);
    stop_daemon(o->data);
}

void ours_begin(struct ours *o)
{
    start_daemon(o->data);
    connect_to(o, 0, 0);
}

void ours_forget(struct ours *o, bool mark_too)
{
    char *argv[] = {"find", o->data, "-name", "snapshot", "-delete", NULL};
    char *mark[] = {"find", o->data, "-name", "verified", "-delete", NULL};
    if (run_and_wait(argv) != 0 || (mark_too && run_and_wait(mark) != 0))
        bench_die(o->data, "cannot delete snapshots");
}

double ours_memory(const struct ours *o)
{
    for (size_t i = 0; i < DAEMONS; i++)
        if (daemons[i].pid != 0 && strcmp(daemons[i].data, o->data) == 0)
            return resident(daemons[i].pid);
    bench_die("memory", "nobody serves");
}

/* ---- calls ---- */

static size_t put_text(uint8_t *out, const char *text)
{
    size_t len = strlen(text);
    size_t at = 0;
    if (len < 32) {
        out[at++] = (uint8_t)(0xa0 | len);
    } else {
        out[at++] = 0xd9; /* up to 255 bytes */
        out[at++] = (uint8_t)len;
    }
    memcpy(out + at, text, len);
    return at + len;
}

static size_t put_args(uint8_t *out, const char *const *texts)
{
    size_t count = 0;
    size_t at = 1;
    for (; texts[count] != NULL; count++)
        at += put_text(out + at, texts[count]);
    out[0] = (uint8_t)(0x80 | count / 2);
    return at;
}

static uint64_t start(struct ours *o, size_t n, struct ate_request *request,
                      const char *const *texts, bool reads)
{
    uint8_t args[ARGS_MAX];
    request->args_len = put_args(args, texts);
    request->args = args;
    return reads ? ate_read(o->ate[n], o->ports[n], request)
                 : ate_call(o->ate[n], o->ports[n], request);
}

uint64_t ours_call(struct ours *o, size_t n, const char *method, const char *as,
                   const char *const *texts)
{
    struct ate_request request = {.chain = "bench", .method = method, .as = as};
    return start(o, n, &request, texts, false);
}

uint64_t ours_read(struct ours *o, size_t n, const char *method,
                   const char *const *texts)
{
    struct ate_request request = {.chain = "bench", .method = method};
    return start(o, n, &request, texts, true);
}

uint64_t ours_ask(struct ours *o, size_t n, const char *method,
                  const char *const *texts)
{
    uint8_t args[ARGS_MAX];
    size_t at = 0;
    args[at++] = 0x82;
    at += put_text(args + at, "args");
    at += put_args(args + at, texts);
    at += put_text(args + at, "method");
    at += put_text(args + at, method);
    struct ate_request request = {
        .chain = "bench", .method = "call", .args = args, .args_len = at};
    return ate_read(o->ate[n], o->ports[n], &request);
}

void ours_await(struct ours *o, size_t n)
{
    struct ate_answer answer = {0};
    do {
        ate_port_next(o->ports[n], &answer, -1);
        if (answer.error.code != 0)
            bench_die("a call", answer.error.text);
        ate_free(&answer.value);
    } while (answer.kind != ATE_ANSWER_FINAL);
}

void ours_keys(struct ours *o, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "k%zu", i);
        const char *texts[] = {"name", name, NULL};
        struct ate_request request = {.method = "key.new"};
        start(o, 0, &request, texts, false);
    }
    for (size_t i = 0; i < count; i++)
        ours_await(o, 0);
}

uint64_t ours_call_of(struct ours *o, size_t n, const char *chain,
                      const char *method, const char *const *texts)
{
    struct ate_request request = {.chain = chain, .method = method};
    return start(o, n, &request, texts, false);
}

uint64_t ours_info_of(struct ours *o, size_t n, const char *chain)
{
    struct ate_request request = {.chain = chain, .method = "info"};
    return ate_read(o->ate[n], o->ports[n], &request);
}

size_t ours_size(struct ours *o)
{
    struct ate_answer answer;
    ours_info_of(o, 0, "bench");
    ate_port_next(o->ports[0], &answer, -1);
    if (answer.error.code != 0)
        bench_die("info", answer.error.text);
    /* "size" is followed by an unsigned integer in msgpack. */
    const uint8_t *at =
        memmem(answer.value.data, answer.value.len, "\xa4size", 5);
    size_t size = 0;
    int bytes = at[5] == 0xcd ? 2 : at[5] == 0xce ? 4 : 0;
    for (int i = 0; i < bytes; i++)
        size = size << 8 | at[6 + i];
    size = bytes > 0 ? size : at[5];
    ate_free(&answer.value);
    return size;
}

/* The bundle of a schema; made once for one that is asked for again. */
static const struct ate_bytes *bundle_of(const char *schema)
{
    static struct ate_bytes bundle;
    static const char *of;
    struct ate_error error;
    if (of != NULL && strcmp(of, schema) == 0)
        return &bundle;
    ate_free(&bundle);
    if (ate_bundle(schema, &bundle, NULL, &error) != 0)
        bench_die(schema, error.text);
    of = schema;
    return &bundle;
}

void ours_chain_begin(struct ours *o, const char *name, const char *schema)
{
    const struct ate_bytes *bundle = bundle_of(schema);
    uint8_t *args = malloc(bundle->len + 400);
    size_t at = 0;
    args[at++] = 0x83;
    at += put_text(args + at, "accept");
    args[at++] = 0x93;
    at += put_text(args + at, "accept-all");
    at += put_text(args + at, "serializer");
    at += put_text(args + at, "structured-logic");
    at += put_text(args + at, "bundle");
    args[at++] = 0xc6; /* bin 32 */
    for (int shift = 24; shift >= 0; shift -= 8)
        args[at++] = (uint8_t)(bundle->len >> shift);
    memcpy(args + at, bundle->data, bundle->len);
    at += bundle->len;
    at += put_text(args + at, "name");
    at += put_text(args + at, name);
    struct ate_request request = {
        .method = "chain.create", .args = args, .args_len = at};
    ate_call(o->ate[0], o->ports[0], &request);
    free(args);
}

void ours_chain(struct ours *o, const char *name, const char *schema)
{
    ours_chain_begin(o, name, schema);
    ours_await(o, 0);
}

/* ---- over and over ---- */

/* Which slot a call of a connection is in, and when it was started. Calls have
 * numbers that count up, so that those in flight differ in their last bits,
 * unless one waits while 1,024 others pass: then the slot is overwritten only
 * in what is told about time. */
struct flying {
    size_t slot;
    double since;
};

struct lap {
    const struct ours_race *race;
    struct flying flying[CONNECTIONS][FLYING_MAX * 4];
    size_t under_way;
    size_t came; /* answers, parts of one too */
    double until;
    double *took;
    size_t done, room;
};

static void ask(struct lap *l, size_t n, size_t slot)
{
    struct flying f = {.slot = slot, .since = now()};
    if (f.since >= l->until)
        return;
    uint64_t call = l->race->ask(l->race->ours, n, slot);
    l->flying[n][call % (FLYING_MAX * 4)] = f;
    l->under_way++;
}

/* All that came, having waited for the first. */
static void take(struct lap *l, size_t n, int timeout_ms)
{
    struct ate_answer answer;
    struct ate_port *port = l->race->ours->ports[n];
    for (int wait_ms = timeout_ms; ate_port_next(port, &answer, wait_ms) == 1;
         wait_ms = 0) {
        if (answer.error.code != 0)
            bench_die("a call", answer.error.text);
        ate_free(&answer.value);
        l->came++;
        if (answer.kind != ATE_ANSWER_FINAL)
            continue;
        struct flying f = l->flying[n][answer.call % (FLYING_MAX * 4)];
        if (l->done == l->room) {
            l->room = l->room > 0 ? 2 * l->room : 1 << 16;
            l->took = realloc(l->took, l->room * sizeof(*l->took));
        }
        l->took[l->done++] = now() - f.since;
        l->under_way--;
        ask(l, n, f.slot);
    }
}

/* At the descriptors of ports, as who has several does. */
static void take_of_many(struct lap *l, size_t connections)
{
    struct pollfd fds[CONNECTIONS];
    for (size_t n = 0; n < connections; n++)
        fds[n] = (struct pollfd){.fd = ate_port_fd(l->race->ours->ports[n]),
                                 .events = POLLIN};
    poll(fds, connections, PATIENCE_MS);
    for (size_t n = 0; n < connections; n++)
        if (fds[n].revents != 0)
            take(l, n, 0);
}

void ours_run(struct racer *self, struct figure *out)
{
    static _Thread_local struct lap l;
    memset(&l, 0, sizeof(l));
    l.race = self->arg;
    if (self->connections > CONNECTIONS || self->depth > FLYING_MAX)
        bench_die(self->name, "too many connections or too deep");
    double began = now();
    l.until = began + bench_seconds();
    for (size_t n = 0; n < self->connections; n++)
        for (size_t slot = 0; slot < self->depth; slot++)
            ask(&l, n, slot);
    while (l.under_way > 0) {
        size_t came = l.came;
        if (self->connections == 1)
            take(&l, 0, PATIENCE_MS);
        else
            take_of_many(&l, self->connections);
        if (l.came == came)
            bench_die("ate", "no answer for 30 seconds");
    }
    out->rate = (double)l.done / (now() - began);
    latencies(l.took, l.done, out);
    free(l.took);
}
