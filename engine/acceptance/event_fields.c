#include "acceptance/event_fields.h"

struct event_fields event_fields_open(struct bytes map, struct err *err,
                                      struct err *unused)
{
    return (struct event_fields){
        .map = map,
        .err = err != NULL ? err : unused,
    };
}

struct mp event_fields_take(struct event_fields *r, const char *name,
                            bool optional)
{
    struct bytes value = mp_map_get(r->map, name);
    if (value.data != NULL)
        r->found++;
    else if (!optional && r->rc == 0)
        r->rc =
            err_set(r->err, ATE_EINVALID, "the field '%s' is missing", name);
    return mp_open(value);
}

void event_fields_took(struct event_fields *r, struct mp *mp, const char *name,
                       int rc)
{
    if (rc == 0)
        rc = mp_done(mp, r->err);
    if (rc != 0 && r->rc == 0)
        r->rc = err_wrap(r->err, "field '%s'", name);
}

const uint8_t *event_fields_take_bin(struct event_fields *r, const char *name,
                                     size_t len, bool optional)
{
    const uint8_t *bin = NULL;
    struct mp mp = event_fields_take(r, name, optional);
    if (r->rc == 0 && mp.at != NULL)
        event_fields_took(r, &mp, name, mp_get_bin_of(&mp, len, &bin, r->err));
    return bin;
}

uint64_t event_fields_take_uint(struct event_fields *r, const char *name)
{
    uint64_t value = 0;
    struct mp mp = event_fields_take(r, name, false);
    if (r->rc == 0)
        event_fields_took(r, &mp, name, mp_get_uint(&mp, &value, r->err));
    return value;
}

int64_t event_fields_take_int(struct event_fields *r, const char *name,
                              bool optional, int64_t otherwise)
{
    struct mp mp = event_fields_take(r, name, optional);
    if (r->rc == 0 && mp.at != NULL)
        event_fields_took(r, &mp, name, mp_get_int(&mp, &otherwise, r->err));
    return otherwise;
}

bool event_fields_take_record(struct event_fields *r, const char *name,
                              bool optional, struct key_record *record)
{
    struct mp mp = event_fields_take(r, name, optional);
    if (r->rc != 0 || mp.at == NULL)
        return false;
    event_fields_took(r, &mp, name, key_record_get(&mp, record, r->err));
    return r->rc == 0;
}

int event_fields_end(struct event_fields *r, const char *type)
{
    struct mp mp = mp_open(r->map);
    uint32_t count = 0;
    if (r->rc == 0)
        r->rc = mp_get_map(&mp, &count, r->err);
    if (r->rc == 0 && count != r->found)
        r->rc = err_set(r->err, ATE_EINVALID,
                        "has a field that it does not "
                        "know");
    return r->rc == 0 ? 0 : err_wrap(r->err, "%s", type);
}

void event_fields_bin(struct mapping *m, const char *name, const uint8_t *data,
                      size_t len)
{
    if (data != NULL)
        mp_put_bin(mapping_key(m, name), bytes_of(data, len));
}
