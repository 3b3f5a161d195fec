#include "io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void map_v4(uint8_t bytes[16], const void *v4)
{
    memcpy(bytes, mapped, sizeof(mapped));
    memcpy(bytes + sizeof(mapped), v4, 4);
}

bool address_get(uint8_t bytes[16], const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        map_v4(bytes, &in.sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        memcpy(bytes, &in6.sin6_addr, 16);
        return true;
    }
    return false;
}

int network_get(struct network *network, const char *text, struct err *err)
{
    char room[64];
    struct in_addr v4;
    struct in6_addr v6;
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    unsigned most = 128;
    unsigned before = 0; /* bits that all IPv4 addresses begin with */
    bool good = len < sizeof(room);
    if (good) {
        memcpy(room, text, len);
        room[len] = '\0';
        if (inet_pton(AF_INET, room, &v4) == 1) {
            map_v4(network->bytes, &v4);
            most = 32;
            before = 96;
        } else if (inet_pton(AF_INET6, room, &v6) == 1) {
            memcpy(network->bytes, &v6, 16);
        } else {
            good = false;
        }
    }
    unsigned long bits = most;
    if (good && slash != NULL) {
        char *end = NULL;
        bits = strtoul(slash + 1, &end, 10);
        good =
            slash[1] >= '0' && slash[1] <= '9' && *end == '\0' && bits <= most;
    }
    network->bits = before + (unsigned)bits;
    if (good)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "'%s': want an address or a network, such as 10.0.0.0/8",
                   text);
}

static bool begins(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(bytes, prefix, whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
    return ((bytes[whole] ^ prefix[whole]) & mask) == 0;
}

bool network_has(const struct network *network, const uint8_t bytes[16])
{
    return begins(bytes, network->bytes, network->bits);
}

/* Of IANA's registries of special addresses. */
static bool v4_is_public(const uint8_t *v4)
{
    static const struct {
        uint8_t bytes[4];
        unsigned bits;
    } special[] = {
        {{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10},
        {{127, 0, 0, 0}, 8},    {{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12},
        {{192, 0, 0, 0}, 24},   {{192, 0, 2, 0}, 24},   {{192, 88, 99, 0}, 24},
        {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15},  {{198, 51, 100, 0}, 24},
        {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 4},    {{240, 0, 0, 0}, 4},
    };
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
        if (begins(v4, special[i].bytes, special[i].bits))
            return false;
    return true;
}

/* Only 2000::/3 is given out; in it, what is for documentation, and what
 * carries an IPv4 address: 6to4 and Teredo. */
static bool v6_is_public(const uint8_t *v6)
{
    static const struct {
        uint8_t bytes[4];
        unsigned bits;
    } special[] = {
        {{0x20, 0x01, 0x00}, 23},
        {{0x20, 0x01, 0x0d, 0xb8}, 32},
        {{0x20, 0x02}, 16},
        {{0x3f, 0xff}, 20},
    };
    static const uint8_t global[] = {0x20};
    if (!begins(v6, global, 3))
        return false;
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
        if (begins(v6, special[i].bytes, special[i].bits))
            return false;
    return true;
}

bool address_is_public(const uint8_t bytes[16])
{
    return begins(bytes, mapped, 96) ? v4_is_public(bytes + 12)
                                     : v6_is_public(bytes);
}
