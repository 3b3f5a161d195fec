/* meters: what the door counts, and how Prometheus reads it. */
#ifndef FRONTENDS_REST_METERS_H
#define FRONTENDS_REST_METERS_H

#include <stdint.h>

struct buffer;

enum { METER_STATUSES = 6, METER_BOUNDS = 8 };

struct meters {
    uint64_t connections; /* now */
    uint64_t accepted;    /* ever, and so on */
    uint64_t turned_away;
    uint64_t stalled;
    uint64_t requests[METER_STATUSES]; /* by the first digit of the status */
    uint64_t durations[METER_BOUNDS + 1];
    double seconds;
    uint64_t kept;     /* requests answered with what was kept */
    uint64_t messages; /* of web sockets */
};

void meters_request(struct meters *m, int status, uint64_t duration_ns);
/* `under_way`: calls; `streams`: that are open. */
void meters_put(const struct meters *m, uint64_t under_way, uint64_t streams,
                struct buffer *out);
#endif
