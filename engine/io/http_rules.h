/* http_rules: whom the service http may ask: hosts, and addresses (http.h has
 * the configuration). */
#ifndef ATE_IO_HTTP_RULES_H
#define ATE_IO_HTTP_RULES_H

#include "base/bytes.h"
#include "io/address.h"

struct err;
struct sockaddr;

struct http_host {
    char *name;    /* small letters; "*" is any, "*.example.com" all below */
    bool is_plain; /* http, not https */
    unsigned port;
    struct buf headers; /* canonical map: they go with every request */
};

struct http_rules {
    struct http_host *hosts;
    size_t host_count;
    struct network *networks; /* that are not public, and may be asked */
    size_t network_count;
    char *ca; /* a file; NULL: the system's */
};

/* Errors: INVALID. After one `rules` is empty. */
int http_rules_get(struct http_rules *rules, struct bytes config,
                   struct err *err);
void http_rules_deinit(struct http_rules *rules); /* safe twice */

/* The rule by which this host may be asked, as long as the rules live; NULL: it
 * may not. */
const struct http_host *http_rules_host(const struct http_rules *rules,
                                        bool is_plain, const char *host,
                                        unsigned port);
bool http_rules_address(const struct http_rules *rules,
                        const struct sockaddr *address);
#endif
