/* The peers: how each is set up, and what it is asked. */
#define _GNU_SOURCE
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peers.h"

static struct peer redis, tarantool, etcd, postgres;

static int must(int fd, const char *name)
{
    if (fd < 0)
        bench_die(name, "nobody listens");
    return fd;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        bench_die(path, NULL);
}

/* ---- Redis ---- */

static int redis_connect(const void *where)
{
    return must(connect_unix(where), "Redis");
}

/* A command of these words, in RESP. */
static const char *resp(const char *const *words, size_t count)
{
    const char *text = text_of("*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        text = text_of("%s$%zu\r\n%s\r\n", text, strlen(words[i]), words[i]);
    return text;
}

static struct wire redis_wire(const char *const *words, size_t count)
{
    const char *request = resp(words, count);
    return (struct wire){
        .connect = redis_connect,
        .where = text_of("%s/s", redis.folder),
        .request = request,
        .request_len = strlen(request),
        .answer = line_answer,
    };
}

static const char redis_code[] =
    "#!lua name=bench\n"
    "redis.register_function('note', function(keys, args)\n"
    "  if redis.call('EXISTS', keys[1]) == 0 or #args[1] > 400 then\n"
    "    return redis.error_reply('refused')\n"
    "  end\n"
    "  local n = redis.call('INCR', 'notes')\n"
    "  redis.call('SET', 'note:' .. n, args[1])\n"
    "  return n\n"
    "end)\n";

/* It takes connections before it has loaded what it has. */
static int redis_is_up(const void *where)
{
    char answer[5] = "";
    int fd = connect_unix(where);
    if (fd < 0)
        return -1;
    write_all(fd, "PING\r\n", 6);
    if (read(fd, answer, 5) == 5 && memcmp(answer, "+PONG", 5) == 0)
        return fd;
    close(fd);
    return -1;
}

static void redis_start(struct peer *p)
{
    char *socket = (char *)text_of("%s/s", p->folder);
    char *argv[] = {"redis-server",
                    "--port",
                    "0",
                    "--unixsocket",
                    socket,
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "always",
                    "--save",
                    "",
                    "--dir",
                    (char *)p->folder,
                    "--auto-aof-rewrite-percentage",
                    "0",
                    NULL};
    p->pid = spawn_in(p->folder, argv);
    wait_until_up("Redis", p->pid, redis_is_up, socket);
}

/* In steps of 1,000, each durable. */
static void redis_fill(struct peer *p, size_t count)
{
    static const char code[] =
        "for n = ARGV[1], ARGV[1] + 999 do "
        "redis.call('SET', string.format('k%07d', n), ARGV[2]) end return 1";
    for (size_t n = 0; n < count; n += 1000) {
        const char *step[] = {"EVAL", code, "0", text_of("%zu", n), payload()};
        const char *text = resp(step, 5);
        client_once(&p->read, text, strlen(text));
    }
}

struct peer *redis_peer(void)
{
    if (redis.name != NULL)
        return redis.pid > 0 ? &redis : NULL;
    redis.name = "Redis FCALL, appendfsync always";
    const char *server = program("redis-server");
    if (server == NULL)
        return NULL;
    redis.folder = fresh_folder("redis");
    redis.start = redis_start;
    redis.fill = redis_fill;
    redis_start(&redis);
    const char *load[] = {"FUNCTION", "LOAD", redis_code};
    const char *set[] = {"SET", "alice", payload()};
    const char *call[] = {"FCALL", "note", "1", "alice", payload()};
    const char *get[] = {"GET", "alice"};
    redis.write = redis_wire(call, 5);
    redis.read = redis_wire(get, 2);
    const char *text = resp(load, 3);
    client_once(&redis.read, text, strlen(text));
    text = resp(set, 3);
    client_once(&redis.read, text, strlen(text));
    return &redis;
}

/* ---- Tarantool ---- */

static const char tarantool_code[] =
    "box.cfg{listen = 'unix/:./s', wal_mode = 'fsync', log_level = 3,\n"
    "    memtx_memory = 2 * 1024 ^ 3, checkpoint_interval = 0,\n"
    "    net_msg_max = 4096, readahead = 1048576}\n"
    "box.once('tables', function()\n"
    "local a = box.schema.space.create('account')\n"
    "a:create_index('key', {parts = {1, 'string'}})\n"
    "a:insert{'alice', string.rep('p', 200)}\n"
    "local n = box.schema.space.create('note')\n"
    "n:create_index('key', {sequence = true})\n"
    "box.schema.user.grant('guest', 'execute', 'universe')\n"
    "box.schema.user.grant('guest', 'read,write', 'universe')\n"
    "end)\n"
    "function note(text)\n"
    "    if box.space.account:get('alice') == nil or #text > 400 then\n"
    "        error('refused')\n"
    "    end\n"
    "    return box.space.note:insert{nil, text}[1]\n"
    "end\n"
    "function account(key) return box.space.account:get(key) end\n"
    "local function key_of(n) return ('k%07d'):format(n) end\n"
    "function fill(words)\n"
    "    local from, text = words:match('(%d+) (.*)')\n"
    "    box.begin()\n"
    "    for n = tonumber(from), tonumber(from) + 999 do\n"
    "        box.space.account:insert{key_of(n), text}\n"
    "    end\n"
    "    box.commit()\n"
    "end\n"
    "function snapshot() box.snapshot() end\n"
    "function get_many(words)\n"
    "    local count, of = words:match('(%d+) (%d+)')\n"
    "    local bytes = 0\n"
    "    for n = 1, tonumber(count) do\n"
    "        local key = key_of(n * 7919 % tonumber(of))\n"
    "        bytes = bytes + #box.space.account:get(key)[2]\n"
    "    end\n"
    "    return bytes\n"
    "end\n"
    "function scan_many(words)\n"
    "    local count, of = words:match('(%d+) (%d+)')\n"
    "    local bytes = 0\n"
    "    for n = 1, tonumber(count) do\n"
    "        local key = key_of(n * 7919 % (tonumber(of) - 100))\n"
    "        for _, row in ipairs(box.space.account:select(key,\n"
    "                {iterator = 'GT', limit = 100})) do\n"
    "            bytes = bytes + #row[2]\n"
    "        end\n"
    "    end\n"
    "    return bytes\n"
    "end\n";

static int tarantool_connect(const void *where)
{
    char greeting[128];
    int fd = must(connect_unix(where), "Tarantool");
    read_all(fd, greeting, sizeof(greeting));
    return fd;
}

static struct wire tarantool_wire(const char *function, const char *arg)
{
    struct wire w = {
        .connect = tarantool_connect,
        .where = text_of("%s/s", tarantool.folder),
        .answer = iproto_answer,
    };
    w.request = iproto_call(function, arg, &w.request_len);
    return w;
}

/* It listens before its file has run: wait for what the file does last. */
static int tarantool_is_up(const void *where)
{
    (void)where;
    if (access(text_of("%s/up", tarantool.folder), F_OK) != 0)
        return -1;
    return connect_unix(text_of("%s/s", tarantool.folder));
}

static void tarantool_start(struct peer *p)
{
    char *file = (char *)text_of("%s/init.lua", bench_folder);
    char *argv[] = {"tarantool", file, NULL};
    unlink(text_of("%s/up", p->folder));
    write_file(file, text_of("%sio.open('up', 'w'):close()\n", tarantool_code));
    p->pid = spawn_in(p->folder, argv);
    wait_until_up("Tarantool", p->pid, tarantool_is_up, NULL);
}

static void tarantool_call(const char *function, const char *arg)
{
    struct wire w = tarantool_wire(function, arg);
    client_once(&w, w.request, w.request_len);
    free((void *)w.request);
}

/* It opens from a snapshot, so one is made. */
static void tarantool_fill(struct peer *p, size_t count)
{
    (void)p;
    for (size_t n = 0; n < count; n += 1000)
        tarantool_call("fill", text_of("%zu %s", n, payload()));
    tarantool_call("snapshot", "");
}

static struct wire tarantool_many(struct peer *p, bool ranges, size_t count,
                                  size_t of)
{
    (void)p;
    return tarantool_wire(ranges ? "scan_many" : "get_many",
                          text_of("%zu %zu", count, of));
}

struct peer *tarantool_peer(void)
{
    if (tarantool.name != NULL)
        return tarantool.pid > 0 ? &tarantool : NULL;
    tarantool.name = "Tarantool Lua function, wal fsync";
    const char *server = program("tarantool");
    if (server == NULL)
        return NULL;
    tarantool.folder = fresh_folder("tarantool");
    tarantool.start = tarantool_start;
    tarantool.fill = tarantool_fill;
    tarantool.many = tarantool_many;
    tarantool_start(&tarantool);
    tarantool.write = tarantool_wire("note", payload());
    tarantool.read = tarantool_wire("account", "alice");
    return &tarantool;
}

/* ---- etcd, by its JSON gateway ---- */

static int port_is_up(const void *where)
{
    return connect_port(*(const int *)where);
}

static int etcd_connect(const void *where)
{
    return must(port_is_up(where), "etcd");
}

static const char *base64(const char *text)
{
    static char out[1024];
    sodium_bin2base64(out, sizeof(out), (const uint8_t *)text, strlen(text),
                      sodium_base64_VARIANT_ORIGINAL);
    return text_of("%s", out);
}

static const char *etcd_request(const char *body)
{
    return text_of("POST /v3/kv/txn HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
}

struct peer *etcd_peer(void)
{
    static int ports[2];
    if (etcd.name != NULL)
        return etcd.pid > 0 ? &etcd : NULL;
    etcd.name = "etcd txn (JSON gateway)";
    const char *server = program("etcd");
    if (server == NULL)
        return NULL;
    etcd.folder = fresh_folder("etcd");
    ports[0] = free_port();
    ports[1] = free_port();
    char *client = (char *)text_of("http://127.0.0.1:%d", ports[0]);
    char *peer = (char *)text_of("http://127.0.0.1:%d", ports[1]);
    char *argv[] = {(char *)server,
                    "--data-dir=data",
                    "--log-level=error",
                    (char *)text_of("--listen-client-urls=%s", client),
                    (char *)text_of("--advertise-client-urls=%s", client),
                    (char *)text_of("--listen-peer-urls=%s", peer),
                    (char *)text_of("--initial-advertise-peer-urls=%s", peer),
                    (char *)text_of("--initial-cluster=default=%s", peer),
                    NULL};
    etcd.pid = spawn_in(etcd.folder, argv);
    wait_until_up("etcd", etcd.pid, port_is_up, &ports[0]);
    const char *alice = base64("alice");
    const char *put = text_of("\"success\":[{\"requestPut\":{\"key\":\"%s\","
                              "\"value\":\"%s\"}}]",
                              base64("note"), base64(payload()));
    const char *check =
        text_of("\"compare\":[{\"key\":\"%s\",\"target\":\"VERSION\","
                "\"result\":\"GREATER\",\"version\":\"0\"}],",
                alice);
    const char *set = etcd_request(
        text_of("{\"success\":[{\"requestPut\":{\"key\":\"%s\",\"value\":"
                "\"%s\"}}]}",
                alice, base64("1")));
    const char *request = etcd_request(text_of("{%s%s}", check, put));
    etcd.write = (struct wire){.connect = etcd_connect,
                               .where = &ports[0],
                               .request = request,
                               .request_len = strlen(request),
                               .answer = http_answer};
    client_once(&etcd.write, set, strlen(set));
    return &etcd;
}

/* ---- PostgreSQL ---- */

static void put_be32(uint8_t *out, size_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static const uint8_t *postgres_query(const char *sql, size_t *len)
{
    *len = strlen(sql) + 6;
    uint8_t *out = malloc(*len);
    out[0] = 'Q';
    put_be32(out + 1, *len - 1);
    memcpy(out + 5, sql, *len - 5);
    return out;
}

/* Wait for one whole answer. */
static void postgres_wait(int fd)
{
    static uint8_t data[1 << 16];
    size_t len = 0;
    while (postgres_answer(data, len) == 0) {
        read_all(fd, data + len, 1);
        len++;
    }
}

static const char postgres_note[] =
    "PREPARE note (text) AS INSERT INTO note (text) SELECT $1 FROM account "
    "WHERE name = 'alice' AND length($1) <= 400";

static int postgres_start(const void *where)
{
    static const char words[] = "user\0bench\0database\0postgres\0";
    uint8_t start[8 + sizeof(words)];
    int fd = must(connect_unix(where), "PostgreSQL");
    put_be32(start, sizeof(start));
    put_be32(start + 4, 196608);
    memcpy(start + 8, words, sizeof(words));
    write_all(fd, start, sizeof(start));
    postgres_wait(fd);
    return fd;
}

static int postgres_connect(const void *where)
{
    size_t len;
    int fd = postgres_start(where);
    const uint8_t *prepare = postgres_query(postgres_note, &len);
    write_all(fd, prepare, len);
    postgres_wait(fd);
    free((void *)prepare);
    return fd;
}

/* Up is who takes a query: it listens while it still starts. */
static int postgres_is_up(const void *where)
{
    if (access(text_of("%s/data/postmaster.pid", postgres.folder), F_OK) != 0)
        return -1;
    FILE *f = fopen(text_of("%s/data/postmaster.pid", postgres.folder), "r");
    char line[200];
    bool ready = false;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        ready |= strncmp(line, "ready", 5) == 0;
    if (f != NULL)
        fclose(f);
    return ready ? connect_unix(where) : -1;
}

static void postgres_tables(const char *socket)
{
    static const char sql[] =
        "CREATE TABLE account (name text PRIMARY KEY);"
        "CREATE TABLE note (id bigserial PRIMARY KEY, text text);"
        "INSERT INTO account VALUES ('alice')";
    size_t len;
    int fd = postgres_start(socket);
    const uint8_t *query = postgres_query(sql, &len);
    write_all(fd, query, len);
    postgres_wait(fd);
    free((void *)query);
    close(fd);
}

struct peer *postgres_peer(void)
{
    if (postgres.name != NULL)
        return postgres.pid > 0 ? &postgres : NULL;
    postgres.name = "PostgreSQL, synchronous_commit on";
    const char *server = program("postgres");
    const char *init = program("initdb");
    if (server == NULL || init == NULL)
        return NULL;
    postgres.folder = fresh_folder("postgres");
    char *make[] = {(char *)init, "-D", "data", "-U",         "bench", "-A",
                    "trust",      "-E", "UTF8", "--locale=C", NULL};
    if (wait_for(spawn_in(postgres.folder, make)) != 0)
        bench_die("initdb", "failed; see its log");
    char *argv[] = {(char *)server,
                    "-D",
                    "data",
                    "-k",
                    (char *)postgres.folder,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "max_connections=200",
                    NULL};
    postgres.pid = spawn_in(postgres.folder, argv);
    char *socket = (char *)text_of("%s/.s.PGSQL.5432", postgres.folder);
    wait_until_up("PostgreSQL", postgres.pid, postgres_is_up, socket);
    postgres_tables(socket);
    postgres.write = (struct wire){.connect = postgres_connect,
                                   .where = socket,
                                   .answer = postgres_answer};
    postgres.write.request = postgres_query(
        text_of("EXECUTE note ('%s')", payload()), &postgres.write.request_len);
    return &postgres;
}

double peer_restart(struct peer *p)
{
    end_child(p->pid);
    double start = now();
    p->start(p);
    return now() - start;
}

void peer_forget(struct peer *p)
{
    if (p->pid > 0)
        end_child(p->pid);
    *p = (struct peer){0};
}

void peers_stop(void)
{
    struct peer *all[] = {&redis, &tarantool, &etcd, &postgres};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (all[i]->pid > 0) {
            end_child(all[i]->pid);
            all[i]->pid = 0;
        }
}
