#include "rest/limits.h"

struct rest_limits limits_of(struct rest_limits given)
{
    struct rest_limits l = given;
    l.connections = l.connections != 0 ? l.connections : LIMIT_CONNECTIONS;
    l.streams = l.streams != 0 ? l.streams : LIMIT_STREAMS;
    l.body = l.body != 0 ? l.body : LIMIT_BODY;
    l.request_ms = l.request_ms != 0 ? l.request_ms : LIMIT_REQUEST_MS;
    l.idle_ms = l.idle_ms != 0 ? l.idle_ms : LIMIT_IDLE_MS;
    l.call_ms = l.call_ms != 0 ? l.call_ms : LIMIT_CALL_MS;
    return l;
}
