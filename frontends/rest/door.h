/* door: what all requests of one REST door share. Its thread alone uses it. */
#ifndef FRONTENDS_REST_DOOR_H
#define FRONTENDS_REST_DOOR_H

#include <stdbool.h>
#include <uv.h>

#include "rest/bearer.h"
#include "rest/calls.h"
#include "rest/chains.h"
#include "rest/kept.h"
#include "rest/limits.h"
#include "rest/meters.h"

struct exchange;
struct peer;
struct problem;

struct door {
    struct ate *ate;
    uv_loop_t loop;
    struct calls calls;
    struct chains chains;
    struct kept kept;
    struct bearer bearer;
    struct meters meters;
    struct meters health_meters; /* of the socket that tells of these */
    struct rest_limits limits;
    const char *origins;      /* with commas between; "" for none */
    struct exchange *streams; /* those that do not end by themselves */
    struct peer *peers;       /* web sockets */
    size_t stream_count;      /* both of these */
    uint64_t next_id;         /* of requests */
    char id_prefix[17];       /* of this run */
    bool is_stopping;
};

/* May a page of this origin read what the door says? */
bool door_takes_origin(const struct door *d, const char *origin, size_t len);
/* Is there room for one more stream? Else TOO_MANY; UNAVAILABLE at the end. */
int door_check_room(const struct door *d, struct problem *problem);
#endif
