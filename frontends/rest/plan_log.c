/* events, checkpoint, tile/, proof/, files/, source/: the log itself. Addresses
 * of tiles are those of C2SP's tlog-tiles, so that its tools find them. */
#include "rest/plan_inside.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MOST (INT64_C(1) << 53)

static int set_number(json_t *map, const char *name, json_int_t number)
{
    return json_object_set_new(map, name, json_integer(number));
}

/* A number of the query, as an argument, if it is there. */
static int take_number(struct planning *p, const char *name)
{
    const char *text = target_parameter(p->ask->target, name);
    json_int_t number;
    if (text == NULL)
        return 0;
    if (arguments_number(text, name, 0, NUMBER_MOST, &number, p->problem) != 0)
        return -1;
    return set_number(p->args, name, number);
}

static int begin(struct planning *p, const char *method, const char *type,
                 bool may_watch)
{
    p->plan->method = memory_text(method, strlen(method));
    if (want_verb(p, VERB_GET) != 0 || want_no_body(p) != 0)
        return -1;
    return want_accept(p, type, may_watch);
}

/* ---- events ---- */

/* `after` is the index of the last transaction that the asker has. */
static int take_after(struct planning *p)
{
    const char *after = target_parameter(p->ask->target, "after");
    json_t *cursor = json_object_get(p->args, "from");
    json_int_t index = -1;
    if (after != NULL && cursor != NULL)
        return problem_field(p->problem, "after",
                             "'after' and 'cursor' are two answers to one "
                             "question");
    if (after != NULL && arguments_number(after, "after", 0, NUMBER_MOST,
                                          &index, p->problem) != 0)
        return -1;
    if (cursor != NULL) {
        index = json_integer_value(cursor);
        if (!json_is_integer(cursor) || index < 0 || index >= NUMBER_MOST)
            return problem_field(p->problem, "cursor",
                                 "'cursor' is what "
                                 "'next' of an answer was, unchanged");
    }
    if (index >= 0) {
        p->plan->resumes = after != NULL ? "after" : "cursor";
        p->plan->resumed = index;
    }
    return set_number(p->args, "from", index + 1);
}

static int plan_event(struct planning *p)
{
    static const char *const names[] = {NULL};
    json_int_t index;
    if (segments(p) > 2)
        return not_there(p, "event", segment(p, 2));
    if (begin(p, "tail", "application/json", false) != 0 ||
        want_parameters(p, names) != 0 ||
        arguments_number(segment(p, 1), "index", 0, NUMBER_MOST, &index,
                         p->problem) != 0)
        return -1;
    set_number(p->args, "from", index);
    set_number(p->args, "limit", 1);
    p->plan->shape = SHAPE_ROWS;
    p->plan->limit = 0; /* the one row is the answer */
    return 0;
}

int plan_events(struct planning *p)
{
    static const char *const names[] = {"after", "limit", "cursor", NULL};
    if (segments(p) > 1)
        return plan_event(p);
    if (begin(p, "tail", "application/json", true) != 0 ||
        want_parameters(p, names) != 0 || take_page(p, "from") != 0 ||
        take_after(p) != 0)
        return -1;
    p->plan->shape = SHAPE_ROWS;
    p->plan->page = PAGE_INDEX;
    p->plan->is_tail = true;
    return 0;
}

/* ---- checkpoint, proof ---- */

/* Text for people and tools, or the whole answer for who asks for JSON. */
static int text_or_json(struct planning *p, const char *method,
                        const char *entry)
{
    bool is_json = accepts_by_name(p->ask->accept, "application/json") &&
                   !accepts_by_name(p->ask->accept, "text/plain");
    if (begin(p, method, is_json ? "application/json" : "text/plain", false) !=
        0)
        return -1;
    if (is_json)
        return 0;
    p->plan->shape = SHAPE_TEXT;
    p->plan->entry = entry;
    p->plan->media = "text/plain; charset=utf-8";
    return 0;
}

int plan_checkpoint(struct planning *p)
{
    static const char *const names[] = {"size", NULL};
    if (text_or_json(p, "checkpoint", "checkpoint") != 0 ||
        want_parameters(p, names) != 0)
        return -1;
    return take_number(p, "size");
}

static int plan_consistency(struct planning *p)
{
    static const char *const names[] = {"from", "to", NULL};
    if (begin(p, "consistency", "application/json", false) != 0 ||
        want_parameters(p, names) != 0 || take_number(p, "from") != 0)
        return -1;
    return take_number(p, "to");
}

int plan_proof(struct planning *p)
{
    static const char *const names[] = {"size", NULL};
    json_int_t index;
    if (segments(p) != 2)
        return problem_set(p->problem, "NOT_FOUND",
                           "a proof is proof/INDEX or "
                           "proof/consistency?from=SIZE");
    if (strcmp(segment(p, 1), "consistency") == 0)
        return plan_consistency(p);
    if (text_or_json(p, "proof", "proof") != 0 ||
        want_parameters(p, names) != 0 || take_number(p, "size") != 0 ||
        arguments_number(segment(p, 1), "index", 0, NUMBER_MOST, &index,
                         p->problem) != 0)
        return -1;
    return set_number(p->args, "index", index);
}

/* ---- tiles ---- */

static bool three_digits(const char *text, size_t len, json_int_t *number)
{
    if (len != 3 || strspn(text, "0123456789") < 3)
        return false;
    *number =
        *number * 1000 + strtol((char[4]){text[0], text[1], text[2]}, NULL, 10);
    return true;
}

/* x001/x234/067, or x001/x234/067.p/5: the 5 hashes there are. */
static bool tile_number(const struct planning *p, json_int_t *index,
                        json_int_t *width)
{
    size_t i = 2;
    size_t count = segments(p);
    *index = 0;
    *width = 256;
    for (; i + 1 < count && segment(p, i)[0] == 'x' && i < 7; i++)
        if (!three_digits(segment(p, i) + 1, strlen(segment(p, i) + 1), index))
            return false;
    if (i >= count)
        return false;
    const char *last = segment(p, i);
    size_t len = strlen(last);
    bool is_partial = len == 5 && strcmp(last + 3, ".p") == 0;
    if (!three_digits(last, is_partial ? 3 : len, index))
        return false;
    if (!is_partial)
        return i + 1 == count;
    struct problem unused;
    return i + 2 == count && arguments_number(segment(p, i + 1), "width", 1,
                                              255, width, &unused) == 0;
}

int plan_tile(struct planning *p)
{
    static const char *const names[] = {NULL};
    const char *level = segment(p, 1);
    json_int_t number = 0, index, width;
    if (begin(p, "tile", "application/octet-stream", false) != 0 ||
        want_parameters(p, names) != 0)
        return -1;
    bool entries = level != NULL && strcmp(level, "entries") == 0;
    struct problem unused;
    if (level == NULL || !tile_number(p, &index, &width) ||
        (!entries &&
         arguments_number(level, "level", 0, 63, &number, &unused) != 0))
        return problem_set(p->problem, "NOT_FOUND",
                           "a tile is tile/LEVEL/N, "
                           "tile/LEVEL/N.p/WIDTH or tile/entries/N, as C2SP's "
                           "tlog-tiles has it");
    if (entries)
        json_object_set_new(p->args, "level", json_string("entries"));
    else
        set_number(p->args, "level", number);
    set_number(p->args, "index", index);
    set_number(p->args, "width", width);
    p->plan->shape = SHAPE_BYTES;
    p->plan->entry = "data";
    p->plan->media = "application/octet-stream";
    return 0;
}

/* ---- files ---- */

static int plan_file(struct planning *p)
{
    static const char *const names[] = {NULL};
    if (begin(p, "file", "application/octet-stream", false) != 0 ||
        want_parameters(p, names) != 0)
        return -1;
    p->plan->shape = SHAPE_FILE;
    p->plan->media = "application/octet-stream";
    p->plan->file = segments_joined(p, 1);
    return 0;
}

int plan_files(struct planning *p)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    if (segments(p) > 1)
        return plan_file(p);
    if (begin(p, "files", "application/json", false) != 0 ||
        want_parameters(p, names) != 0 || take_page(p, "after") != 0)
        return -1;
    p->plan->shape = SHAPE_ROWS;
    p->plan->page = PAGE_NAME;
    return 0;
}

/* ---- source ---- */

/* The text of a module as it was published, or JSON with all that is known of
 * it, for who asks for that; without one, which there are. */
int plan_source(struct planning *p)
{
    static const char *const names[] = {"version", NULL};
    bool is_one = segments(p) > 1;
    int rc = is_one ? text_or_json(p, "source", "source")
                    : begin(p, "source", "application/json", false);
    if (rc != 0 || want_parameters(p, names) != 0 ||
        take_number(p, "version") != 0)
        return -1;
    if (!is_one)
        return 0;
    char *module = segments_joined(p, 1);
    rc = json_object_set_new(p->args, "module", json_string(module));
    free(module);
    return rc;
}
