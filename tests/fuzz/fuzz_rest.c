/* Requests as the REST door takes them apart, and messages of web sockets:
 * address, query, headers, body and cursors become a plan or a problem.
 *
 *     byte   bit 0 to 2: the verb; bit 7: a message instead
 *     lines  address, Content-Type, Accept, If-Match
 *     rest   the body */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rest/ask.h"
#include "rest/chunks.h"
#include "rest/head.h"
#include "rest/message.h"
#include "rest/model.h"
#include "rest/plan.h"
#include "rest/problem.h"
#include "rest/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char schema[] =
    "{\"main\":\"s\",\"parts\":[],\"types\":["
    "{\"name\":\"book\",\"kind\":\"object\",\"key\":[\"name\"],\"pieces\":1,"
    "\"header\":[{\"name\":\"name\",\"kind\":\"name\"}],\"body\":[]},"
    "{\"name\":\"note\",\"kind\":\"object\",\"key\":[\"book\",\"n\"],"
    "\"pieces\":2,\"parent\":\"book\",\"header\":[{\"name\":\"book\",\"kind\":"
    "\"ref\",\"target\":\"book\"},{\"name\":\"n\",\"kind\":\"integer\"}],"
    "\"body\":"
    "{\"kind\":\"blob\"}},"
    "{\"name\":\"seen\",\"kind\":\"event\",\"key\":[],\"pieces\":1,"
    "\"header\":[],\"body\":[]}],"
    "\"views\":[{\"name\":\"v\",\"key\":[\"a\"],\"order\":[\"b\"],\"columns\":["
    "{\"name\":\"a\",\"kind\":\"integer\"},{\"name\":\"b\",\"kind\":\"list\","
    "\"item\":{\"kind\":\"boolean\"}}]}],"
    "\"methods\":["
    "{\"name\":\"note.put\",\"default\":true,\"mode\":\"write\",\"args\":["
    "{\"name\":\"book\",\"kind\":\"ref\"},{\"name\":\"n\",\"kind\":"
    "\"integer\"}]},"
    "{\"name\":\"note.patch\",\"default\":true,\"mode\":\"write\",\"args\":[]},"
    "{\"name\":\"note.delete\",\"default\":true,\"mode\":\"write\",\"args\":[]}"
    ","
    "{\"name\":\"note.get\",\"default\":true,\"mode\":\"read\",\"args\":[]},"
    "{\"name\":\"note.list\",\"default\":true,\"mode\":\"read\",\"args\":[]},"
    "{\"name\":\"note.history\",\"default\":true,\"mode\":\"read\",\"args\":[]}"
    ","
    "{\"name\":\"seen.append\",\"default\":true,\"mode\":\"write\",\"args\":[]}"
    ","
    "{\"name\":\"m\",\"mode\":\"read\",\"rest\":\"GET /m/{a}/x/{l}\",\"args\":["
    "{\"name\":\"a\",\"kind\":\"integer\"},{\"name\":\"l\",\"kind\":\"list\","
    "\"item\":{\"kind\":\"list\",\"item\":{\"kind\":\"struct\"}}}]},"
    "{\"name\":\"w\",\"mode\":\"write\",\"rest\":\"PUT /w/{a}\",\"content\":"
    "\"c\",\"args\":[{\"name\":\"a\",\"kind\":\"boolean\"},{\"name\":\"c\","
    "\"kind\":\"text\"}]}]}";

/* The next line as text; what follows stays in *data, *len. */
static char *line(const uint8_t **data, size_t *len)
{
    const uint8_t *end = *len > 0 ? memchr(*data, '\n', *len) : NULL;
    size_t count = end != NULL ? (size_t)(end - *data) : *len;
    char *text = calloc(1, count + 1);
    assert(text != NULL);
    if (count > 0)
        memcpy(text, *data, count);
    count += end != NULL ? 1 : 0;
    *data += count;
    *len -= count;
    return text;
}

/* What is wrong is said, with a status that fits. */
static void check(const struct problem *problem)
{
    assert(problem->status >= 400 && problem->status < 600);
    assert(problem->detail[0] != '\0');
}

/* What is told of a file lies within it. */
static void range(const char *header, uint64_t size)
{
    struct range r;
    if (range_take(&r, header, strlen(header), size) == RANGE_BEYOND)
        return;
    assert(r.offset <= size && r.length <= size - r.offset);
    assert(r.length > 0 || size == 0);
}

/* The same bytes as a head, and as a target. */
static void head(const uint8_t *data, size_t len)
{
    struct problem problem = {0};
    if (head_check_host((const char *)data, len, true, &problem) != 0)
        check(&problem);
    problem = (struct problem){0};
    if (head_check_body((const char *)data, len, &problem) != 0)
        check(&problem);
    assert(head_origin((const char *)data, len) <= len);
}

/* The same bytes as a body in chunks: whole, and as they come in drops. */
static void chunks(const uint8_t *data, size_t len)
{
    struct chunks whole = {0}, drops = {0};
    char *one = malloc(len), *two = malloc(len);
    assert(one != NULL && two != NULL);
    size_t size = len, kept = 0, used = 0;
    memcpy(one, data, len);
    ssize_t rc = chunks_decode(&whole, one, &size);
    ssize_t last = CHUNKS_MORE;
    while (used < len && last == CHUNKS_MORE) {
        size_t drop = 1;
        two[kept] = (char)data[used++];
        last = chunks_decode(&drops, two + kept, &drop);
        kept += drop;
    }
    assert(rc < 0 ? rc == last : last == 0 && (size_t)rc == len - used);
    assert(size == kept && memcmp(one, two, kept) == 0);
    free(one);
    free(two);
}

static void plan(const struct model *model, enum verb verb, const uint8_t *data,
                 size_t len)
{
    struct problem problem = {0};
    struct target target;
    struct plan p;
    char *address = line(&data, &len);
    char *type = line(&data, &len);
    char *accept = line(&data, &len);
    char *match = line(&data, &len);
    range(match, len);
    struct ask ask = {
        .verb = verb,
        .chain = "c",
        .target = &target,
        .body = (const char *)data,
        .body_len = len,
        .content_type = type,
        .accept = accept,
        .if_match = match,
        .if_none_match = match,
    };
    if (target_parse(&target, address, strlen(address), &problem) != 0) {
        check(&problem);
    } else {
        if (plan_make(&p, model, &ask, &problem) != 0)
            check(&problem);
        else
            assert(p.shape == SHAPE_HERE || p.method != NULL);
        plan_free(&p);
        target_free(&target);
    }
    free(address);
    free(type);
    free(accept);
    free(match);
}

static void message(const uint8_t *data, size_t len)
{
    struct problem problem = {0};
    struct message m;
    if (message_take(&m, (const char *)data, len, &problem) != 0)
        check(&problem);
    else
        assert(m.has_id);
    message_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct model *model;
    if (model == NULL)
        model = model_new(json_loads(schema, 0, NULL));
    if (len == 0)
        return 0;
    head(data, len);
    chunks(data, len);
    if ((data[0] & 0x80) != 0)
        message(data + 1, len - 1);
    else
        plan(model, (enum verb)(1u << (data[0] & 7) % 6), data + 1, len - 1);
    return 0;
}
