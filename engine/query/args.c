#include "query/args.h"

#include "base/err.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "base/utf8.h"

int args_check(struct bytes map, const char *const *names, struct err *err)
{
    struct mp mp = mp_open(map);
    uint32_t count = 0;
    struct bytes name;
    if (map.len == 0)
        return 0;
    int rc = mp_get_map(&mp, &count, err);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        size_t k = 0;
        mp_get_str(&mp, &name, err);
        rc = mp_skip(&mp, NULL, err);
        while (rc == 0 && names[k] != NULL &&
               !bytes_equal(name, bytes_of_text(names[k])))
            k++;
        if (rc != 0 || names[k] != NULL)
            continue;
        rc = err_set(err, ATE_EINVALID, "no argument '%.*s'", (int)name.len,
                     (const char *)name.data);
        near_tell(err, name, names, k, "");
        err_at_name(err, name);
    }
    return rc;
}

int args_wrong(const char *name, const char *how, struct err *err)
{
    err_set(err, ATE_EINVALID, "'%s' %s", name, how);
    err_at(err, name);
    return ATE_EINVALID;
}

/* The value of a name; false: absent or nil. */
static bool find(struct bytes map, const char *name, struct mp *value)
{
    if (map.len == 0)
        return false;
    struct bytes raw = mp_map_get(map, name);
    *value = mp_open(raw);
    return raw.data != NULL && !mp_take_nil(value);
}

static int missing(const char *name, bool needed, struct err *err)
{
    if (!needed)
        return 0;
    return args_wrong(name, "is missing", err);
}

static int not_a(const char *name, const char *what, struct err *err)
{
    err_set(err, ATE_EINVALID, "'%s' has to be %s", name, what);
    return err_at(err, name);
}

int args_text(struct bytes map, const char *name, bool needed,
              struct bytes *text, struct err *err)
{
    struct mp mp;
    *text = bytes_of(NULL, 0);
    if (!find(map, name, &mp))
        return missing(name, needed, err);
    if (mp_get_str(&mp, text, NULL) == 0)
        return 0;
    /* Doors give text that is none as bytes. */
    struct bytes bytes;
    mp = mp_open(mp_map_get(map, name));
    bool is_torn = mp_get_bin(&mp, &bytes, NULL) == 0 && !utf8_valid(bytes);
    return is_torn ? args_wrong(name, "is not UTF-8", err)
                   : not_a(name, "text", err);
}

int args_bytes(struct bytes map, const char *name, bool needed,
               struct bytes *bytes, struct err *err)
{
    struct mp mp;
    *bytes = bytes_of(NULL, 0);
    if (!find(map, name, &mp))
        return missing(name, needed, err);
    return mp_get_bin(&mp, bytes, NULL) == 0 ? 0 : not_a(name, "bytes", err);
}

int args_bool(struct bytes map, const char *name, bool *value, struct err *err)
{
    struct mp mp;
    *value = false;
    if (!find(map, name, &mp))
        return 0;
    return mp_get_bool(&mp, value, NULL) == 0
               ? 0
               : not_a(name, "true or false", err);
}

int args_int(struct bytes map, const char *name, bool *there, int64_t *value,
             struct err *err)
{
    struct mp mp;
    *there = find(map, name, &mp);
    if (!*there)
        return 0;
    return mp_get_int(&mp, value, NULL) == 0
               ? 0
               : not_a(name, "a whole number", err);
}

int args_texts(struct bytes map, const char *name, struct bytes *texts,
               size_t max, size_t *count, struct err *err)
{
    struct mp mp;
    uint32_t items = 0;
    *count = 0;
    if (!find(map, name, &mp))
        return 0;
    if (mp_get_array(&mp, &items, NULL) != 0)
        return not_a(name, "a list of texts", err);
    if (items > max) {
        err_set(err, ATE_ELIMIT, "'%s' has at most %zu items", name, max);
        return err_at(err, name);
    }
    for (uint32_t i = 0; i < items; i++)
        if (mp_get_str(&mp, &texts[i], NULL) != 0)
            return not_a(name, "a list of texts", err);
    *count = items;
    return 0;
}
