#include "io/http_rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "io/http.h"
#include "io/http_value.h"

void http_rules_deinit(struct http_rules *rules)
{
    for (size_t i = 0; i < rules->host_count; i++) {
        mem_free(rules->hosts[i].name);
        buf_deinit(&rules->hosts[i].headers);
    }
    mem_free(rules->hosts);
    mem_free(rules->networks);
    mem_free(rules->ca);
    *rules = (struct http_rules){0};
}

/* ---- hosts ---- */

static int no_host(struct bytes text, struct err *err)
{
    return err_set(err, ATE_EINVALID,
                   "host '%.*s': want example.com, example.com:8443, "
                   "http://example.com, *.example.com or *",
                   (int)(text.len < 256 ? text.len : 256),
                   (const char *)text.data);
}

static bool host_chars(const char *name)
{
    bool wild = strncmp(name, "*.", 2) == 0;
    const char *rest = wild ? name + 2 : name;
    if (strcmp(name, "*") == 0)
        return true;
    return rest[0] != '\0' &&
           strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789.-_[]:") ==
               strlen(rest);
}

/* "[::1]:80" and "example.com:80": where the port begins. */
static char *port_of(char *name)
{
    char *from = name[0] == '[' ? strchr(name, ']') : name;
    return from != NULL ? strchr(from, ':') : NULL;
}

static int read_host(struct http_host *host, struct bytes text, struct err *err)
{
    static const char plain[] = "http://";
    static const char secure[] = "https://";
    char name[280] = {0};
    char *at = name;
    if (text.len == 0 || text.len >= sizeof(name) ||
        memchr(text.data, 0, text.len) != NULL)
        return no_host(text, err);
    for (size_t i = 0; i < text.len; i++)
        name[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'Z'
                             ? text.data[i] + 32
                             : text.data[i]);
    name[text.len] = '\0';
    host->is_plain = strncmp(at, plain, strlen(plain)) == 0;
    if (host->is_plain)
        at += strlen(plain);
    else if (strncmp(at, secure, strlen(secure)) == 0)
        at += strlen(secure);
    char *port = port_of(at);
    unsigned long number = host->is_plain ? 80 : 443;
    if (port != NULL) {
        char *end = NULL;
        *port++ = '\0';
        number = strtoul(port, &end, 10);
        if (*port < '0' || *port > '9' || *end != '\0' || number == 0 ||
            number > 65535)
            return no_host(text, err);
    }
    if (!host_chars(at))
        return no_host(text, err);
    host->port = (unsigned)number;
    host->name = mem_text(at);
    return 0;
}

/* Would each request be refused for them? Then they are refused here. */
static int check_headers(struct http_host *host, struct err *err)
{
    struct http_request scratch = {0};
    int rc = http_request_headers(&scratch, buf_bytes(&host->headers), err);
    http_request_deinit(&scratch);
    return rc == 0 ? 0 : err_wrap(err, "headers of %s", host->name);
}

static int read_entry(struct http_rules *rules, struct mp *mp, struct err *err)
{
    struct bytes text = {NULL, 0};
    struct bytes headers = {NULL, 0};
    enum mp_kind kind = MP_NIL;
    int rc = mp_peek(mp, &kind, err);
    if (rc == 0 && kind == MP_MAP) {
        struct bytes map;
        rc = mp_skip(mp, &map, err);
        struct mp host = mp_open(mp_map_get(map, "host"));
        if (rc == 0 && mp_get_str(&host, &text, NULL) != 0)
            rc = no_host(text, err);
        headers = mp_map_get(map, "headers");
    } else if (rc == 0 && mp_get_str(mp, &text, NULL) != 0) {
        rc = no_host(text, err);
    }
    if (rc != 0)
        return rc;
    struct http_host *host = &rules->hosts[rules->host_count++];
    rc = read_host(host, text, err);
    if (headers.data != NULL)
        buf_put_bytes(&host->headers, headers);
    return rc == 0 ? check_headers(host, err) : rc;
}

/* How many items the list of this name has: 0 where there is none. */
static int take_list(struct bytes config, const char *name, struct mp *mp,
                     uint32_t *count, struct err *err)
{
    struct bytes value = mp_map_get(config, name);
    *mp = mp_open(value);
    *count = 0;
    if (value.data == NULL ||
        (mp_get_array(mp, count, NULL) == 0 && *count <= HTTP_HOSTS_MAX))
        return 0;
    *count = 0;
    return err_set(err, ATE_EINVALID, "'%s' is a list of at most %d", name,
                   HTTP_HOSTS_MAX);
}

static int read_hosts(struct http_rules *rules, struct bytes config,
                      struct err *err)
{
    struct mp mp;
    uint32_t count = 0;
    int rc = take_list(config, "hosts", &mp, &count, err);
    if (rc != 0 || count == 0)
        return rc;
    rules->hosts = mem_zero(count, sizeof(*rules->hosts));
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = read_entry(rules, &mp, err);
    return rc;
}

static int read_networks(struct http_rules *rules, struct bytes config,
                         struct err *err)
{
    struct mp mp;
    uint32_t count = 0;
    int found = take_list(config, "private", &mp, &count, err);
    if (found != 0 || count == 0)
        return found;
    rules->networks = mem_zero(count, sizeof(*rules->networks));
    for (uint32_t i = 0; i < count; i++) {
        char text[64] = "";
        struct bytes item;
        if (mp_get_str(&mp, &item, NULL) == 0 && item.len < sizeof(text))
            memcpy(text, item.data, item.len);
        int rc = network_get(&rules->networks[i], text, err);
        if (rc != 0)
            return err_wrap(err, "private");
        rules->network_count++;
    }
    return 0;
}

int http_rules_get(struct http_rules *rules, struct bytes config,
                   struct err *err)
{
    struct buf map = {0};
    struct bytes ca = {NULL, 0};
    *rules = (struct http_rules){0};
    int rc = mp_canonical(&map, config, err);
    if (rc == 0)
        rc = read_hosts(rules, buf_bytes(&map), err);
    if (rc == 0)
        rc = read_networks(rules, buf_bytes(&map), err);
    struct bytes value =
        rc == 0 ? mp_map_get(buf_bytes(&map), "ca") : bytes_of(NULL, 0);
    struct mp mp = mp_open(value);
    if (value.data != NULL)
        rc = mp_get_str(&mp, &ca, err);
    if (rc == 0 && ca.len > 0) {
        rules->ca = mem_zero(1, ca.len + 1);
        memcpy(rules->ca, ca.data, ca.len);
    }
    buf_deinit(&map);
    if (rc != 0)
        http_rules_deinit(rules);
    return rc == 0 ? 0 : err_wrap(err, "http");
}

/* ---- asking ---- */

static bool matches(const char *name, const char *host)
{
    if (strcmp(name, "*") == 0)
        return true;
    if (strncmp(name, "*.", 2) != 0)
        return strcasecmp(name, host) == 0;
    size_t tail = strlen(name + 1); /* ".example.com" */
    size_t len = strlen(host);
    return len > tail && strcasecmp(host + len - tail, name + 1) == 0;
}

const struct http_host *http_rules_host(const struct http_rules *rules,
                                        bool is_plain, const char *host,
                                        unsigned port)
{
    for (size_t i = 0; i < rules->host_count; i++) {
        const struct http_host *h = &rules->hosts[i];
        if (h->is_plain == is_plain && h->port == port &&
            matches(h->name, host))
            return h;
    }
    return NULL;
}

bool http_rules_address(const struct http_rules *rules,
                        const struct sockaddr *address)
{
    uint8_t bytes[16];
    if (!address_get(bytes, address))
        return false;
    if (address_is_public(bytes))
        return true;
    for (size_t i = 0; i < rules->network_count; i++)
        if (network_has(&rules->networks[i], bytes))
            return true;
    return false;
}
