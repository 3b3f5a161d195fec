/* Opening and closing. All between runs on the door's thread.
 *
 * Closing is a few turns of the loop: nobody is taken any more and streams end;
 * when all have gone, or LIMIT_FAREWELL_MS have passed and they were cut off,
 * every handle is closed and the loop runs dry. */
#include "rest/rest.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#include "ate.h"
#include "rest/door.h"
#include "rest/exchange.h"
#include "rest/follower.h"
#include "rest/health.h"
#include "rest/origins.h"
#include "rest/peer.h"
#include "rest/problem.h"
#include "rest/tls.h"
#include "rest/web.h"

enum { GRANT_MS = 100, LEFT_TICKS = 10, LOOK_MS = 20 };

struct rest {
    struct door door;
    struct web web;
    struct web metrics;
    uv_async_t stop;
    uv_async_t renew;
    _Atomic(SSL_CTX *) renewed; /* certificates to come; or NULL */
    uv_timer_t beat;
    uv_timer_t grant;
    unsigned ticks;  /* of it */
    uv_timer_t look; /* while it closes */
    uint64_t stopped_ms;
    bool is_cut;
    bool has_tls; /* set when it is opened */
    uv_thread_t thread;
    char *origins;
};

bool door_takes_origin(const struct door *d, const char *origin, size_t len)
{
    return origins_have(d->origins, origin, len);
}

int door_check_room(const struct door *d, struct problem *problem)
{
    if (d->is_stopping)
        return problem_set(problem, "UNAVAILABLE", "the door closes");
    if (d->stream_count < d->limits.streams)
        return 0;
    return problem_set(problem, "TOO_MANY",
                       "at most %zu streams are open at a time",
                       d->limits.streams);
}

/* ---- timers ---- */

static void beat(uv_timer_t *timer)
{
    struct rest *r = timer->data;
    for (struct exchange *x = r->door.streams; x != NULL; x = x->next_stream)
        follower_beat(x);
    peers_beat(&r->door);
}

/* End what goes on though the key that let it in counts no more. */
static void judge(struct door *d)
{
    uint64_t key = bearer_number(&d->bearer, uv_now(&d->loop));
    for (struct exchange *x = d->streams, *next; x != NULL; x = next) {
        next = x->next_stream;
        if (x->key != key)
            follower_end(x);
    }
    peers_judge(d, key);
}

static void grant(uv_timer_t *timer)
{
    struct rest *r = timer->data;
    if (r->door.stream_count > 0)
        judge(&r->door);
    if (r->door.peers != NULL)
        peers_tick(&r->door);
    if (++r->ticks % LEFT_TICKS == 0)
        followers_look(&r->door);
}

/* ---- closing ---- */

static void close_all(struct rest *r)
{
    uv_close((uv_handle_t *)&r->look, NULL);
    uv_close((uv_handle_t *)&r->beat, NULL);
    uv_close((uv_handle_t *)&r->grant, NULL);
    uv_close((uv_handle_t *)&r->stop, NULL);
    uv_close((uv_handle_t *)&r->renew, NULL);
    web_close(&r->web);
    web_close(&r->metrics);
    chains_free(&r->door.chains);
    kept_close(&r->door.kept);
    calls_close(&r->door.calls);
}

static void look(uv_timer_t *timer)
{
    struct rest *r = timer->data;
    uint64_t waited = uv_now(&r->door.loop) - r->stopped_ms;
    if (web_is_idle(&r->web) && web_is_idle(&r->metrics)) {
        close_all(r);
    } else if (waited >= LIMIT_FAREWELL_MS && !r->is_cut) {
        r->is_cut = true;
        web_cut(&r->web);
        web_cut(&r->metrics);
    }
}

static void stop_on_thread(uv_async_t *async)
{
    struct rest *r = async->data;
    if (r->door.is_stopping)
        return;
    r->door.is_stopping = true;
    r->stopped_ms = uv_now(&r->door.loop);
    web_stop(&r->web);
    web_stop(&r->metrics);
    for (struct exchange *x = r->door.streams, *next; x != NULL; x = next) {
        next = x->next_stream;
        follower_end(x);
    }
    peers_end(&r->door);
    uv_timer_start(&r->look, look, 0, LOOK_MS);
}

static void renew_on_thread(uv_async_t *async)
{
    struct rest *r = async->data;
    SSL_CTX *ssl = atomic_exchange(&r->renewed, NULL);
    if (ssl != NULL)
        web_renew(&r->web, ssl);
}

int rest_renew(struct rest *r, const char *cert, const char *key,
               struct ate_error *error)
{
    if (r->has_tls) {
        SSL_CTX *ssl = tls_open(cert, key, error);
        if (ssl == NULL)
            return error->code;
        SSL_CTX_free(atomic_exchange(&r->renewed, ssl));
        uv_async_send(&r->renew);
        return 0;
    }
    *error = (struct ate_error){.code = ATE_INVALID};
    snprintf(error->text, sizeof(error->text),
             "serve: REST is served without TLS");
    return ATE_INVALID;
}

static void run(void *memory)
{
    struct rest *r = memory;
    uv_run(&r->door.loop, UV_RUN_DEFAULT);
}

static void release(struct rest *r)
{
    web_free(&r->web);
    web_free(&r->metrics);
    SSL_CTX_free(atomic_exchange(&r->renewed, NULL));
    ate_port_free(r->door.calls.port);
    bearer_close(&r->door.bearer);
    uv_loop_close(&r->door.loop);
    free(r->origins);
    free(r);
}

void rest_stop(struct rest *r)
{
    if (r == NULL)
        return;
    uv_async_send(&r->stop);
    uv_thread_join(&r->thread);
    release(r);
}

/* ---- opening ---- */

static void asked(void *owner, h2o_req_t *req)
{
    exchange_begin(owner, req);
}

static bool knows(void *owner, const char *text, size_t len)
{
    struct door *d = owner;
    return bearer_opens(&d->bearer, text, len, uv_now(&d->loop));
}

static void asked_health(void *owner, h2o_req_t *req)
{
    health_begin(owner, req);
}

static void init_timer(struct rest *r, uv_timer_t *timer)
{
    uv_timer_init(&r->door.loop, timer);
    timer->data = r;
}

static int open_door(struct rest *r, struct ate *ate,
                     const struct rest_options *o, struct ate_error *error)
{
    uint8_t random[8];
    struct door *d = &r->door;
    d->ate = ate;
    d->limits = limits_of(o->limits);
    d->origins = r->origins;
    kept_open(&d->kept);
    int rc = bearer_open(&d->bearer, o->folder, false, error);
    if (rc != 0)
        return rc;
    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(d->id_prefix, sizeof(d->id_prefix), random, sizeof(random));
    if (!calls_open(&d->calls, ate, &d->loop)) {
        *error = (struct ate_error){.code = ATE_UNAVAILABLE};
        snprintf(error->text, sizeof(error->text),
                 "serve: too many open files for a port");
        return ATE_UNAVAILABLE;
    }
    chains_init(&d->chains, &d->calls);
    return 0;
}

static struct web_options of_rest(const struct rest_options *o)
{
    return (struct web_options){.address = o->address,
                                .fd = o->fd,
                                .cert = o->cert,
                                .key = o->key,
                                .may_be_plain = o->may_be_plain,
                                .limits = limits_of(o->limits)};
}

/* Nothing secret is told there, and it is asked from next door. */
static struct web_options of_metrics(const struct rest_options *o)
{
    return (struct web_options){.address = o->metrics,
                                .fd = o->metrics_fd,
                                .may_be_plain = true,
                                .limits = {.connections = 64}};
}

static bool has_rest(const struct rest_options *o)
{
    return o->address != NULL || o->fd >= 0;
}

static bool has_metrics(const struct rest_options *o)
{
    return o->metrics != NULL || o->metrics_fd >= 0;
}

int rest_check(const struct rest_options *o, struct ate_error *error)
{
    struct web_options rest = of_rest(o), metrics = of_metrics(o);
    int rc = origins_check(o->origins != NULL ? o->origins : "", error);
    if (rc == 0 && has_rest(o))
        rc = web_check(&rest, error);
    if (rc == 0 && has_metrics(o))
        rc = web_check(&metrics, error);
    if (rc != 0 || !has_rest(o) || !has_metrics(o) ||
        !web_collide(&rest, &metrics))
        return rc;
    *error = (struct ate_error){.code = ATE_INVALID};
    snprintf(error->text, sizeof(error->text),
             "serve: REST and the metrics have one port; give each its own");
    return ATE_INVALID;
}

static int open_webs(struct rest *r, const struct rest_options *o,
                     struct ate_error *error)
{
    struct web_options rest = of_rest(o), metrics = of_metrics(o);
    int rc = 0;
    r->web.meters = &r->door.meters;
    r->web.asked = asked;
    r->web.knows = knows;
    r->web.owner = &r->door;
    r->web.origins = r->origins;
    r->metrics.meters = &r->door.health_meters;
    r->metrics.asked = asked_health;
    r->metrics.owner = &r->door;
    r->metrics.origins = "";
    r->has_tls = o->cert != NULL;
    if (has_rest(o))
        rc = web_open(&r->web, &r->door.loop, &rest, error);
    if (rc == 0 && has_metrics(o))
        rc = web_open(&r->metrics, &r->door.loop, &metrics, error);
    return rc;
}

/* The thread takes no signals: those are the program's. */
static int start_thread(struct rest *r)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = uv_thread_create(&r->thread, run, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int rest_start(struct rest **out, struct ate *ate,
               const struct rest_options *options, struct ate_error *error)
{
    struct rest *r = memory_new(sizeof(*r));
    const char *origins = options->origins != NULL ? options->origins : "";
    *out = NULL;
    r->origins = memory_text(origins, strlen(origins));
    uv_loop_init(&r->door.loop);
    uv_async_init(&r->door.loop, &r->stop, stop_on_thread);
    r->stop.data = r;
    uv_async_init(&r->door.loop, &r->renew, renew_on_thread);
    r->renew.data = r;
    init_timer(r, &r->beat);
    init_timer(r, &r->grant);
    init_timer(r, &r->look);
    uv_timer_start(&r->beat, beat, HEARTBEAT_MS, HEARTBEAT_MS);
    uv_timer_start(&r->grant, grant, GRANT_MS, GRANT_MS);
    int rc = rest_check(options, error);
    if (rc == 0)
        rc = open_door(r, ate, options, error);
    if (rc == 0)
        rc = open_webs(r, options, error);
    if (rc == 0 && start_thread(r) != 0) {
        *error = (struct ate_error){.code = ATE_UNAVAILABLE};
        snprintf(error->text, sizeof(error->text), "serve: no thread");
        rc = ATE_UNAVAILABLE;
    }
    if (rc == 0) {
        *out = r;
        return 0;
    }
    stop_on_thread(&r->stop); /* it has none: closed from here */
    run(r);
    release(r);
    return rc;
}

const char *rest_where(const struct rest *r)
{
    return r->web.where;
}

const char *rest_metrics_where(const struct rest *r)
{
    return r->metrics.where;
}
