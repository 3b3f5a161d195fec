/* A node on a memory disk, and callers before it: each a client session and a
 * server session with a pipe between them that splits and joins what goes
 * through, at random. */
#ifndef ATE_TESTS_FIXTURE_NET_H
#define ATE_TESTS_FIXTURE_NET_H

#include <time.h>

#include "fixture_node.h"

#include "base/limits.h"
#include "net/client_session.h"
#include "net/frame.h"
#include "net/server_session.h"
#include "sim/rng.h"
#include "sim/seeds.h"

struct peer {
    struct bench *bench;
    struct client_session *client;
    struct server_session *server; /* NULL: nobody is there */
    struct buf to_server;
    struct buf to_client;
    bool is_stuck; /* the caller takes nothing of what is written to it */
    bool was_touched;
    struct err lost; /* why the connection ended, or code 0 */
};

struct bench {
    struct world world;
    struct node *node;
    struct server_env env;
    struct rng rng;
    uint64_t number; /* the last call's */
};

static const uint8_t no_seed[MAP_SEED_LEN];

static inline void peer_touched(void *peer)
{
    ((struct peer *)peer)->was_touched = true;
}

static inline int set_up(void **state)
{
    struct bench *s = mem_zero(1, sizeof(*s));
    world_init(&s->world);
    s->node = world_node(&s->world, false, 0);
    s->env = (struct server_env){
        .node = s->node,
        .hello_us = LIMIT_NET_HELLO_MS * 1000LL,
        .stall_us = LIMIT_NET_STALL_MS * 1000LL,
        .farewell_us = LIMIT_NET_FAREWELL_MS * 1000LL,
        .touched = peer_touched,
    };
    create(&s->world, s->node, "bank");
    *state = s;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *s = *state;
    world_stop(&s->world, s->node);
    world_deinit(&s->world);
    mem_free(s);
    return 0;
}

/* ---- one caller ---- */

static inline void peer_connect(struct bench *s, struct peer *p)
{
    p->bench = s;
    if (p->client == NULL)
        p->client = client_session_new(false, no_seed);
    p->server = server_session_new(&s->env, p, no_seed, s->world.steady_us);
    p->lost = (struct err){0};
    client_session_begin(p->client);
}

/* The pipe breaks. What was on its way is gone. */
static inline void peer_break(struct peer *p, const char *why)
{
    if (p->server != NULL)
        server_session_leave(p->server);
    p->server = NULL;
    buf_clear(&p->to_server);
    buf_clear(&p->to_client);
    if (p->client == NULL)
        return;
    if (p->lost.code == 0)
        err_set(&p->lost, ATE_EUNAVAILABLE, "%s", why);
    client_session_lost(p->client, &p->lost);
}

static inline void peer_deinit(struct peer *p)
{
    peer_break(p, "the pipe is closed");
    client_session_free(p->client);
    buf_deinit(&p->to_server);
    buf_deinit(&p->to_client);
}

static inline void drop_front(struct buf *buf, size_t len)
{
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
}

static inline size_t some_of(struct bench *s, size_t len)
{
    if (len == 0 || rng_coin(&s->rng))
        return len;
    size_t most = rng_coin(&s->rng) && len > 20 ? 20 : len;
    return 1 + rng_below(&s->rng, most);
}

/* What the caller wrote goes into the pipe, and some of it comes out. */
static inline bool pump_to_server(struct peer *p)
{
    struct bench *s = p->bench;
    struct bytes out = client_session_output(p->client);
    size_t len = some_of(s, out.len);
    buf_put_bytes(&p->to_server, bytes_of(out.data, len));
    client_session_wrote(p->client, len);
    len = some_of(s, p->to_server.len);
    if (len == 0)
        return out.len > 0;
    server_session_input(p->server, bytes_of(p->to_server.data, len),
                         s->world.steady_us);
    drop_front(&p->to_server, len);
    return true;
}

static inline bool take_output(struct peer *p)
{
    struct bench *s = p->bench;
    struct buf taken = {0};
    if (server_session_waiting(p->server) == 0)
        return false;
    assert_true(p->was_touched);
    server_session_output(p->server, &taken, s->world.steady_us);
    buf_put_bytes(&p->to_client, buf_bytes(&taken));
    buf_deinit(&taken);
    return true;
}

static inline bool pump_to_client(struct peer *p)
{
    struct bench *s = p->bench;
    bool moved = take_output(p);
    size_t len = p->is_stuck ? 0 : some_of(s, p->to_client.len);
    if (len == 0)
        return moved;
    server_session_wrote(p->server, len, s->world.steady_us);
    int rc = client_session_input(p->client, bytes_of(p->to_client.data, len),
                                  s->world.steady_us, &p->lost);
    drop_front(&p->to_client, len);
    if (rc != 0)
        peer_break(p, "");
    return true;
}

/* One round of everything; false: nothing moved. */
static inline bool peer_pump(struct peer *p)
{
    if (p->server == NULL)
        return false;
    bool moved = pump_to_server(p);
    moved |= pump_to_client(p);
    if (p->server != NULL &&
        server_session_fate(p->server) != SESSION_GOES_ON &&
        (p->to_client.len == 0 ||
         server_session_fate(p->server) == SESSION_CUT)) {
        peer_break(p, "the daemon closed it");
        moved = true;
    }
    return moved;
}

/* Until nothing moves any more. */
static inline void run(struct bench *s, struct peer *const *peers)
{
    bool moved;
    do {
        moved = false;
        for (size_t i = 0; peers[i] != NULL; i++)
            moved |= peer_pump(peers[i]);
        node_tick(s->node, s->world.wall_ms, s->world.steady_us);
        node_flush(s->node);
        if (!rng_coin(&s->rng) || !moved)
            moved |= world_reap(&s->world) > 0;
        moved |= node_flush(s->node);
        for (size_t i = 0; peers[i] != NULL; i++)
            moved |= peers[i]->server != NULL &&
                     server_session_waiting(peers[i]->server) > 0;
    } while (moved);
}

#define PEERS(...) ((struct peer *const[]){__VA_ARGS__, NULL})

static inline void pass_ms(struct bench *s, struct peer *const *peers,
                           int64_t ms)
{
    s->world.wall_ms += ms;
    s->world.steady_us += ms * 1000;
    for (size_t i = 0; peers[i] != NULL; i++) {
        if (peers[i]->server != NULL)
            server_session_tick(peers[i]->server, s->world.steady_us);
        client_session_tick(peers[i]->client, s->world.steady_us);
    }
    run(s, peers);
}

/* ---- asking through it ---- */

static inline uint64_t peer_ask(struct peer *p, struct ask *ask,
                                enum request_kind kind, const char *chain,
                                const char *method, const char *const *args)
{
    struct bench *s = p->bench;
    ask_begin(s->node, ask, kind, chain, method, args);
    client_session_ask(p->client, &ask->request, ++s->number,
                       s->world.steady_us);
    return s->number;
}

static inline void assert_same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    if (a->len > 0)
        assert_memory_equal(a->data, b->data, a->len);
}

static inline void fill(struct bench *s, size_t count)
{
    char text[110];
    struct ask *asks = mem_zero(count, sizeof(*asks));
    memset(text, 'x', sizeof(text));
    memcpy(text, "text=", 5);
    text[104] = '\0';
    for (size_t i = 0; i < count; i++)
        start_call(s->node, &asks[i], "bank", "note.append", ARGS(text));
    world_run(&s->world, s->node);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(asks[i].code, 0);
        ask_end(&asks[i]);
    }
    mem_free(asks);
}

/* ---- by chance ---- */

static uint64_t seed;

static inline int set_up_seeded(void **state)
{
    int rc = set_up(state);
    ((struct bench *)*state)->rng.state = seed;
    return rc;
}

#define SEEDED(name)                                                           \
    cmocka_unit_test_setup_teardown(name, set_up_seeded, tear_down)

/* From the seed of SEED, else of the clock; SOAK times. */
#define run_seeded(tests) run_rounds(tests, sizeof(tests) / sizeof(*(tests)))

static inline int run_rounds(const struct CMUnitTest *tests, size_t count)
{
    const char *given = getenv("SEED");
    seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    int failed = 0;
    for (unsigned i = seeds_times(1); i > 0 && failed == 0; i--, seed++) {
        print_message("SEED=%llu\n", (unsigned long long)seed);
        failed = _cmocka_run_group_tests("by chance", tests, count, NULL, NULL);
    }
    return failed;
}
#endif
