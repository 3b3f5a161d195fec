/* bench: what ate reaches, beside what the machine could do and what a user
 * would pick instead, measured in turn in one run. Figures are medians of
 * ROUNDS rounds; only their ratios mean something from one machine to the next
 * (docs/performance.md). */
#define _GNU_SOURCE /* memmem */
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ate.h"

enum { ROUNDS = 5, FLIGHT_MAX = 4096, RECORD = 700 };

static char folder[] = "/tmp/ate-bench-XXXXXX";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const struct ate_error *error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error != NULL ? error->text : "");
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_size);
    return values[ROUNDS / 2];
}

/* Measure two things in turn, ROUNDS times, and print a line. */
struct pair {
    const char *name;
    double (*ours)(size_t n, size_t flight); /* operations a second */
    const char *peer_name;
    double (*peer)(size_t n, size_t flight);
    size_t n;
    size_t flight;
};

static void measure(const struct pair *p)
{
    double ours[ROUNDS];
    double peer[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = p->ours(p->n, p->flight);
        peer[i] = p->peer(p->n, p->flight);
    }
    double a = median(ours);
    double b = median(peer);
    printf("%-44s %10.0f /s   %-34s %10.0f /s   %6.2f\n", p->name, a,
           p->peer_name, b, a / b);
    fflush(stdout);
}

/* ---- ate ---- */

static struct ate *ate; /* one of these two */
static struct ate *here;
static struct ate *there; /* another process serves it */
static struct ate_port *port;

static size_t put_text(uint8_t *out, const char *text)
{
    size_t len = strlen(text);
    out[0] = (uint8_t)(0xa0 | len);
    memcpy(out + 1, text, len);
    return len + 1;
}

/* A map of texts: names and values in turn, ended by NULL. */
static size_t put_args(uint8_t *out, const char *const *texts)
{
    size_t count = 0;
    size_t at = 1;
    for (; texts[count] != NULL; count++)
        at += put_text(out + at, texts[count]);
    out[0] = (uint8_t)(0x80 | count / 2);
    return at;
}

static void call(const char *chain, const char *method, const char *as,
                 const char *const *texts)
{
    uint8_t args[256];
    struct ate_request request = {.chain = chain, .method = method, .as = as};
    request.args_len = put_args(args, texts);
    request.args = args;
    ate_call(ate, port, &request);
}

static void await(size_t answers)
{
    struct ate_answer answer;
    while (answers > 0) {
        ate_port_next(port, &answer, -1);
        if (answer.error.code != 0)
            die("call", &answer.error);
        answers -= answer.kind == ATE_ANSWER_FINAL;
        ate_free(&answer.value);
    }
}

static void transfer(size_t i)
{
    const char *args[] = {"amount", "0.01",
                          "from",   i % 2 ? "alice" : "bob",
                          "to",     i % 2 ? "bob" : "alice",
                          NULL};
    call("bench", "transfer", "me", args);
}

/* Transfers through the public header, `flight` of them under way at any time.
 */
static double ate_transfers(size_t n, size_t flight)
{
    double start = now();
    size_t sent = 0;
    for (; sent < flight && sent < n; sent++)
        transfer(sent);
    for (size_t done = 0; done < n; done++) {
        await(1);
        if (sent < n)
            transfer(sent++);
    }
    return (double)n / (now() - start);
}

static void get(void)
{
    uint8_t args[64];
    const char *texts[] = {"key", "bob", "type", "account", NULL};
    struct ate_request request = {
        .chain = "bench", .method = "get", .args = args};
    request.args_len = put_args(args, texts);
    ate_read(ate, port, &request);
}

/* Reads of one object, the same way. */
static double ate_gets(size_t n, size_t flight)
{
    double start = now();
    size_t sent = 0;
    for (; sent < flight && sent < n; sent++)
        get();
    for (size_t done = 0; done < n; done++) {
        await(1);
        if (sent < n) {
            get();
            sent++;
        }
    }
    return (double)n / (now() - start);
}

static void new_chain(const char *schema)
{
    struct ate_error error;
    struct ate_bytes bundle = {0};
    if (ate_bundle(schema, &bundle, NULL, &error) != 0)
        die(schema, &error);
    uint8_t *args = malloc(bundle.len + 64);
    size_t at = 0;
    args[at++] = 0x82;
    at += put_text(args + at, "bundle");
    args[at++] = 0xc6; /* bin 32 */
    for (int shift = 24; shift >= 0; shift -= 8)
        args[at++] = (uint8_t)(bundle.len >> shift);
    memcpy(args + at, bundle.data, bundle.len);
    at += bundle.len;
    at += put_text(args + at, "name");
    at += put_text(args + at, "bench");
    struct ate_request request = {
        .method = "chain.create", .args = args, .args_len = at};
    ate_call(ate, port, &request);
    await(1);
    free(args);
    ate_free(&bundle);
    const char *alice[] = {"name", "alice", "owner", "me", NULL};
    const char *bob[] = {"name", "bob", "owner", "me", NULL};
    call("bench", "account.put", "me", alice);
    call("bench", "account.put", "me", bob);
    await(2);
}

/* ---- the same through a socket ---- */

static double transfers_there(size_t n, size_t flight)
{
    ate = there;
    double rate = ate_transfers(n, flight);
    ate = here;
    return rate;
}

static double gets_there(size_t n, size_t flight)
{
    ate = there;
    double rate = ate_gets(n, flight);
    ate = here;
    return rate;
}

/* Serve a folder until the other end of `alive` is closed. */
static void serve(const char *data, int ready, int alive)
{
    struct ate_error error;
    struct ate *served;
    char byte = 0;
    if (ate_open(&served, data, ATE_CREATE, &error) != 0 ||
        ate_listen(served, &error) != 0)
        die("serve", &error);
    if (write(ready, &byte, 1) != 1 || read(alive, &byte, 1) != 0)
        die("serve", NULL);
    ate_close(served);
    exit(0);
}

/* Before there are threads. Returns what keeps the daemon alive. */
static int start_daemon(const char *data)
{
    int ready[2];
    int alive[2];
    char byte;
    if (pipe(ready) != 0 || pipe(alive) != 0)
        die("pipe", NULL);
    pid_t pid = fork();
    if (pid < 0)
        die("fork", NULL);
    if (pid == 0) {
        close(alive[1]);
        serve(data, ready[1], alive[0]);
    }
    close(alive[0]);
    if (read(ready[0], &byte, 1) != 1)
        die("the daemon", NULL);
    return alive[1];
}

/* ---- the disk's limit: append and fdatasync ---- */

static double raw_appends(size_t n, size_t group)
{
    char path[64];
    static uint8_t bytes[RECORD * FLIGHT_MAX];
    snprintf(path, sizeof(path), "%s/raw", folder);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    double start = now();
    for (size_t done = 0; done < n; done += group)
        if (write(fd, bytes, RECORD * group) < 0 || fdatasync(fd) != 0)
            die("write", NULL);
    double rate = (double)n / (now() - start);
    close(fd);
    unlink(path);
    return rate;
}

/* ---- what a user would pick instead: SQLite, WAL, synchronous = FULL ---- */

static sqlite3 *db;

static void sql(const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK) {
        fprintf(stderr, "bench: sqlite: %s\n", error);
        exit(1);
    }
}

static void open_sqlite(void)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/peer.db", folder);
    sqlite3_open(path, &db);
    sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE account (name TEXT PRIMARY KEY, amount INTEGER);"
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, debit TEXT, credit TEXT,"
        " amount INTEGER);"
        "INSERT INTO account VALUES ('alice', 0), ('bob', 0);");
}

/* A transfer with its rule checked, `group` of them a transaction. */
static double sqlite_transfers(size_t n, size_t group)
{
    double start = now();
    for (size_t done = 0; done < n;) {
        sql("BEGIN IMMEDIATE");
        for (size_t i = 0; i < group; i++, done++)
            sql(done % 2
                    ? "INSERT INTO entry (debit, credit, amount)"
                      " SELECT 'alice', 'bob', 1 FROM account WHERE"
                      " name = 'alice' AND amount >= -10000;"
                      "UPDATE account SET amount = amount - 1 WHERE name ="
                      " 'alice'; UPDATE account SET amount = amount + 1 WHERE"
                      " name = 'bob'"
                    : "INSERT INTO entry (debit, credit, amount)"
                      " SELECT 'bob', 'alice', 1 FROM account WHERE"
                      " name = 'bob' AND amount >= -10000;"
                      "UPDATE account SET amount = amount - 1 WHERE name ="
                      " 'bob'; UPDATE account SET amount = amount + 1 WHERE"
                      " name = 'alice'");
        sql("COMMIT");
    }
    return (double)n / (now() - start);
}

/* ---- replay: a stranger's check against bare signature checks ---- */

static double ate_opens(size_t n, size_t flight)
{
    struct ate_error error;
    struct ate_request request = {.chain = "bench", .method = "verify"};
    (void)flight;
    double start = now();
    ate_read(ate, port, &request);
    struct ate_answer answer = {0};
    do {
        ate_port_next(port, &answer, -1);
        if (answer.error.code != 0)
            die("verify", &answer.error);
        ate_free(&answer.value);
    } while (answer.kind != ATE_ANSWER_FINAL);
    (void)error;
    return (double)n / (now() - start);
}

static double bare_checks(size_t n, size_t flight)
{
    unsigned char public_key[32];
    unsigned char secret[64];
    unsigned char signature[64];
    unsigned char message[32] = {1};
    (void)n;
    (void)flight;
    crypto_sign_keypair(public_key, secret);
    crypto_sign_detached(signature, NULL, message, 32, secret);
    double start = now();
    for (int i = 0; i < 4000; i++)
        if (crypto_sign_verify_detached(signature, message, 32, public_key))
            die("signature", NULL);
    return 4000 / (now() - start);
}

/* Transactions that the chain has by now. */
static size_t chain_size(void)
{
    struct ate_request request = {.chain = "bench", .method = "info"};
    struct ate_answer answer;
    ate_read(ate, port, &request);
    ate_port_next(port, &answer, -1);
    if (answer.error.code != 0)
        die("info", &answer.error);
    /* "size" is followed by an unsigned integer in msgpack. */
    const uint8_t *at =
        memmem(answer.value.data, answer.value.len, "\xa4size", 5);
    size_t size = 0;
    int bytes = at[5] == 0xcd ? 2 : at[5] == 0xce ? 4 : 0;
    for (int i = 0; i < bytes; i++)
        size = size << 8 | at[6 + i];
    ate_free(&answer.value);
    return bytes > 0 ? size : at[5];
}

int main(void)
{
    struct ate_error error;
    char data[64];
    if (sodium_init() < 0 || mkdtemp(folder) == NULL)
        die("start", NULL);
    snprintf(data, sizeof(data), "%s/served", folder);
    int alive = start_daemon(data);
    port = ate_port_new();
    if (ate_open(&there, data, 0, &error) != 0 || !ate_is_remote(there))
        die("open", &error);
    ate = there;
    new_chain("examples/bank/bank.lua");
    snprintf(data, sizeof(data), "%s/data", folder);
    if (ate_open(&here, data, ATE_CREATE, &error) != 0)
        die("open", &error);
    ate = here;
    new_chain("examples/bank/bank.lua");
    open_sqlite();

    const struct pair pairs[] = {
        {"transfers, durable, 1 in flight", ate_transfers,
         "append + fdatasync of 700 B", raw_appends, 400, 1},
        {"transfers, durable, 16 in flight", ate_transfers,
         "16 appends, one fdatasync", raw_appends, 3200, 16},
        {"transfers, durable, 128 in flight", ate_transfers,
         "128 appends, one fdatasync", raw_appends, 12800, 128},
        {"transfers, durable, 1024 in flight", ate_transfers,
         "1024 appends, one fdatasync", raw_appends, 40960, 1024},
        {"transfers, durable, 1 in flight", ate_transfers,
         "SQLite WAL FULL, 1 a transaction", sqlite_transfers, 400, 1},
        {"transfers, durable, 128 in flight", ate_transfers,
         "SQLite WAL FULL, 128 a transaction", sqlite_transfers, 12800, 128},
        {"gets through a socket, 1 in flight", gets_there, "gets without one",
         ate_gets, 10000, 1},
        {"gets through a socket, 16 in flight", gets_there, "gets without one",
         ate_gets, 20000, 16},
        {"gets through a socket, 128 in flight", gets_there, "gets without one",
         ate_gets, 20000, 128},
        {"transfers through a socket, 1 in flight", transfers_there,
         "transfers without one", ate_transfers, 400, 1},
        {"transfers through a socket, 16 in flight", transfers_there,
         "transfers without one", ate_transfers, 3200, 16},
        {"transfers through a socket, 128 in flight", transfers_there,
         "transfers without one", ate_transfers, 12800, 128},
    };
    printf("%-44s %13s   %-34s %13s   %6s\n", "ate", "", "beside", "", "ratio");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        measure(&pairs[i]);
    const struct pair check = {"transactions checked by verify",
                               ate_opens,
                               "bare Ed25519 checks",
                               bare_checks,
                               chain_size(),
                               0};
    measure(&check);

    ate_close(there);
    ate_close(here);
    ate_port_free(port);
    close(alive);
    wait(NULL);
    sqlite3_close(db);
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command) == 0 ? 0 : 1;
}
