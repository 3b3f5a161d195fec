#include "rest/endpoint.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "ate.h"

int endpoint_fail(struct ate_error *error, int code, const char *address,
                  const char *why)
{
    *error = (struct ate_error){.code = code};
    snprintf(error->text, sizeof(error->text), "listen on %s: %s", address,
             why);
    return code;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return *(const uint8_t *)&((const struct sockaddr_in *)a)->sin_addr ==
               127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* "8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080" */
static int take_address(const char *address, struct sockaddr_storage *out,
                        struct ate_error *error)
{
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(address, ':');
    const char *port = colon != NULL ? colon + 1 : address;
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    bool has_brackets = len > 2 && address[0] == '[' && address[len - 1] == ']';
    size_t skip = has_brackets ? 1 : 0;
    size_t digits = strlen(port);
    if (len > 0 && len < sizeof(host))
        snprintf(host, sizeof(host), "%.*s", (int)(len - 2 * skip),
                 address + skip);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    if (digits == 0 || digits > 5 || strspn(port, "0123456789") != digits ||
        atoi(port) > 65535 || len >= sizeof(host) ||
        (uv_ip4_addr(host, atoi(port), (struct sockaddr_in *)out) != 0 &&
         uv_ip6_addr(host, atoi(port), (struct sockaddr_in6 *)out) != 0))
        return endpoint_fail(
            error, ATE_INVALID, address,
            "want PORT or HOST:PORT, such "
            "as 127.0.0.1:8080 or [::1]:8080; HOST is an address or "
            "localhost, port 0 takes a free one");
    return 0;
}

/* Where a socket that was handed over is bound. */
static int adopted_address(int fd, struct sockaddr_storage *out,
                           struct ate_error *error)
{
    socklen_t len = sizeof(*out), room = sizeof(int);
    int is_listening = 0;
    if (getsockname(fd, (struct sockaddr *)out, &len) == 0 &&
        (out->ss_family == AF_INET || out->ss_family == AF_INET6) &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &room) == 0 &&
        is_listening != 0)
        return 0;
    return endpoint_fail(error, ATE_INVALID, "the socket that was handed over",
                         "it is no TCP socket that listens");
}

const char *endpoint_shown(const char *address, int fd)
{
    return fd >= 0 ? "the socket that was handed over" : address;
}

int endpoint_choose(const char *address, int fd, bool guarded,
                    struct sockaddr_storage *out, struct ate_error *error)
{
    int rc = fd >= 0 ? adopted_address(fd, out, error)
                     : take_address(address, out, error);
    if (rc != 0 || guarded || is_loopback((struct sockaddr *)out))
        return rc;
    return endpoint_fail(
        error, ATE_INVALID, endpoint_shown(address, fd),
        "beyond this machine the "
        "bearer key would travel in the clear; give --tls-cert and "
        "--tls-key, or --plain when something in front does TLS");
}

void endpoint_url(const struct sockaddr_storage *bound, bool is_tls, char *out,
                  size_t room)
{
    char host[64];
    bool is_6 = bound->ss_family == AF_INET6;
    if (is_6)
        uv_ip6_name((const struct sockaddr_in6 *)bound, host, sizeof(host));
    else
        uv_ip4_name((const struct sockaddr_in *)bound, host, sizeof(host));
    snprintf(out, room, "http%s://%s%s%s:%d", is_tls ? "s" : "",
             is_6 ? "[" : "", host, is_6 ? "]" : "",
             ntohs(is_6 ? ((const struct sockaddr_in6 *)bound)->sin6_port
                        : ((const struct sockaddr_in *)bound)->sin_port));
}

/* Is it all addresses of the machine? */
static bool is_any(const struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
    return four->sin_addr.s_addr == htonl(INADDR_ANY);
}

static int port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)address)->sin6_port
                     : ((const struct sockaddr_in *)address)->sin_port);
}

/* [::] has those of the other family, too. */
static bool covers(const struct sockaddr_storage *a,
                   const struct sockaddr_storage *b)
{
    const struct sockaddr_in6 *six[] = {(const struct sockaddr_in6 *)a,
                                        (const struct sockaddr_in6 *)b};
    const struct sockaddr_in *four[] = {(const struct sockaddr_in *)a,
                                        (const struct sockaddr_in *)b};
    if (a->ss_family != b->ss_family)
        return a->ss_family == AF_INET6 && is_any(a);
    if (is_any(a))
        return true;
    if (a->ss_family == AF_INET)
        return four[0]->sin_addr.s_addr == four[1]->sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&six[0]->sin6_addr, &six[1]->sin6_addr);
}

bool endpoint_collide(const struct sockaddr_storage *a,
                      const struct sockaddr_storage *b)
{
    return port_of(a) != 0 && port_of(a) == port_of(b) &&
           (covers(a, b) || covers(b, a));
}
