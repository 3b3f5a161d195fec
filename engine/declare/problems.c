#include "declare/problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/memory.h"

enum { REST_MAX = 64 }; /* bytes of the line that counts the rest */

struct place place_at(const char *where, const char *path)
{
    struct place place;
    snprintf(place.where, sizeof(place.where), "%s", where);
    snprintf(place.path, sizeof(place.path), "%s", path);
    return place;
}

struct place place_in(const struct place *place, const char *name)
{
    struct place in = *place;
    size_t len = strlen(in.path);
    snprintf(in.path + len, sizeof(in.path) - len, "%s%s", len > 0 ? "." : "",
             name);
    return in;
}

void problems_vadd(struct problems *p, const struct place *place,
                   const char *format, va_list args)
{
    char text[ERR_TEXT_MAX];
    struct buf line = {0};
    if (p->count == PROBLEMS_MAX) {
        p->passed_over++;
        return;
    }
    vsnprintf(text, sizeof(text), format, args);
    buf_printf(&line, "%s: %s", place->path, text);
    if (place->where[0] != '\0')
        buf_printf(&line, " (%s)", place->where);
    p->items = mem_array_grow(p->items, p->count, &p->cap, sizeof(p->items[0]));
    p->items[p->count++] = (struct problem){
        .where = mem_text(place->where),
        .text = mem_text(buf_text(&line)),
    };
    buf_deinit(&line);
}

/* By file, then by the number behind the last colon, then by text. */
static int compare(const void *a, const void *b)
{
    const struct problem *one = a;
    const struct problem *two = b;
    const char *line_one = strrchr(one->where, ':');
    const char *line_two = strrchr(two->where, ':');
    if (line_one == NULL || line_two == NULL)
        return (line_one != NULL) - (line_two != NULL);
    struct bytes file_one =
        bytes_of(one->where, (size_t)(line_one - one->where));
    struct bytes file_two =
        bytes_of(two->where, (size_t)(line_two - two->where));
    int order = bytes_compare(file_one, file_two);
    if (order != 0)
        return order;
    long number_one = strtol(line_one + 1, NULL, 10);
    long number_two = strtol(line_two + 1, NULL, 10);
    if (number_one != number_two)
        return number_one < number_two ? -1 : 1;
    return strcmp(one->text, two->text);
}

/* A mistake in a type that is used twice is met twice. */
static void drop_repeated(struct problems *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        struct problem *last = kept > 0 ? &p->items[kept - 1] : NULL;
        if (last != NULL && strcmp(last->text, p->items[i].text) == 0) {
            mem_free(p->items[i].where);
            mem_free(p->items[i].text);
            continue;
        }
        p->items[kept++] = p->items[i];
    }
    p->count = kept;
}

int problems_result(struct problems *p, struct err *err)
{
    struct buf text = {0};
    if (p->count == 0)
        return 0;
    qsort(p->items, p->count, sizeof(p->items[0]), compare);
    drop_repeated(p);
    for (size_t i = 0; i < p->count; i++) {
        size_t more = strlen(p->items[i].text) + 1;
        if (i > 0 && text.len + more + REST_MAX > ERR_TEXT_MAX) {
            buf_printf(&text, "\nand %zu more", p->count - i + p->passed_over);
            break;
        }
        buf_printf(&text, "%s%s", i > 0 ? "\n" : "", p->items[i].text);
    }
    int rc = err_set(err, ATE_EINVALID, "%s", buf_text(&text));
    buf_deinit(&text);
    return rc;
}

void problems_deinit(struct problems *p)
{
    for (size_t i = 0; i < p->count; i++) {
        mem_free(p->items[i].where);
        mem_free(p->items[i].text);
    }
    mem_free(p->items);
    *p = (struct problems){0};
}
