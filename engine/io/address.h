/* address: which addresses of the network are public, and lists of others. */
#ifndef ATE_IO_ADDRESS_H
#define ATE_IO_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct sockaddr;

/* An address, or all that begin with the same bits. IPv4 is kept as it is
 * mapped into IPv6. */
struct network {
    uint8_t bytes[16];
    unsigned bits;
};

/* "10.0.0.0/8", "fd00::/8", "127.0.0.1". Errors: INVALID. */
int network_get(struct network *network, const char *text, struct err *err);

/* The 16 bytes of an IPv4 or IPv6 address; false: it is of another family. */
bool address_get(uint8_t bytes[16], const struct sockaddr *address);
bool network_has(const struct network *network, const uint8_t bytes[16]);
/* Anybody in the internet may have it: no loopback, private, link-local,
 * multicast or reserved one, nor one that hides such a one in itself. */
bool address_is_public(const uint8_t bytes[16]);
#endif
