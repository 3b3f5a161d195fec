/* client: one thread that keeps any number of connections busy with the same
 * request over and over, as fast as answers come. Every peer gets this one, so
 * that what is compared are servers. */
#ifndef ATE_BENCH_CLIENT_H
#define ATE_BENCH_CLIENT_H

#include "bench.h"

struct wire {
    /* A connection that may be written to; ends the program where it fails. */
    int (*connect)(const void *where);
    const void *where;
    const void *request;
    size_t request_len;
    /* Bytes of the first whole answer, 0: there is more to come; ends the
     * program when it tells of an error. */
    size_t (*answer)(const uint8_t *data, size_t len);
};

/* A racer whose `arg` is a struct wire: runs for bench_seconds(). */
void client_race(struct racer *self, struct figure *out);

/* Send one request, wait for its answer. */
void client_once(const struct wire *w, const void *request, size_t len);

/* Connect to a Unix socket, or to a port of the loopback. -1: nobody is there.
 */
int connect_unix(const char *path);
int connect_port(int port);
/* Write all, or end the program. */
void write_all(int fd, const void *data, size_t len);
/* Read exactly so many bytes, or end the program. */
void read_all(int fd, void *data, size_t len);

#endif
