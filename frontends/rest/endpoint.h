/* endpoint: where a server listens, and whether it may there. */
#ifndef FRONTENDS_REST_ENDPOINT_H
#define FRONTENDS_REST_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct ate_error;

/* Where `address` is (HOST:PORT, or PORT, which is on loopback), or in place of
 * it the socket `fd`, which is not -1. Beyond loopback it has to be `guarded`:
 * by TLS, here or before it. Errors: INVALID. */
int endpoint_choose(const char *address, int fd, bool guarded,
                    struct sockaddr_storage *out, struct ate_error *error);

/* What messages call it. */
const char *endpoint_shown(const char *address, int fd);
/* Fill `error`: "listen on ADDRESS: WHY". Returns the code. */
int endpoint_fail(struct ate_error *error, int code, const char *address,
                  const char *why);

/* Would the second of them find its port taken by the first? Not with port 0,
 * which is any that is free. */
bool endpoint_collide(const struct sockaddr_storage *a,
                      const struct sockaddr_storage *b);

/* Write http://127.0.0.1:43211, https:// with TLS; `room` in bytes. */
void endpoint_url(const struct sockaddr_storage *bound, bool is_tls, char *out,
                  size_t room);
#endif
