/* Rows, objects, results and replies as texts. They look as the command line
 * shows them. */
#define _GNU_SOURCE /* timegm */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ate.h"
#include "base/json.h"
#include "mount/inside.h"

/* ---- times ---- */

/* 2026-11-29T00:05:43.359Z in milliseconds since 1970; 0 for what is none. */
int64_t time_of(const char *text, size_t len)
{
    char copy[32];
    struct tm tm = {0};
    int ms = 0;
    if (len >= sizeof(copy))
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    int got =
        sscanf(copy, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon,
               &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms);
    if (got < 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

/* ---- separated values ---- */

static void put_plain(struct buffer *out, const struct pack *value)
{
    if (value->kind == PACK_TEXT)
        buffer_put(out, value->data, value->len);
    else if (value->kind != PACK_NIL && value->kind != PACK_NONE)
        json_put(out, value, NULL);
}

static void put_cell(struct buffer *out, const struct pack *value)
{
    struct buffer cell = {0};
    put_plain(&cell, value);
    bool quotes = cell.len > 0 && strpbrk(cell.data, ",\"\r\n") != NULL;
    if (quotes)
        buffer_byte(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.data[i] == '"')
            buffer_byte(out, '"');
        buffer_byte(out, cell.data[i]);
    }
    if (quotes)
        buffer_byte(out, '"');
    buffer_free(&cell);
}

void render_csv_title(struct buffer *out, const struct view *view)
{
    for (size_t i = 0; i < view->columns.count; i++)
        buffer_printf(out, "%s%s", i > 0 ? "," : "",
                      view->columns.items[i].name);
    buffer_byte(out, '\n');
}

void render_csv_row(struct buffer *out, const struct view *view,
                    const struct pack *row)
{
    for (size_t i = 0; i < view->columns.count; i++) {
        struct pack value = pack_find(row, view->columns.items[i].name);
        if (i > 0)
            buffer_byte(out, ',');
        put_cell(out, &value);
    }
    buffer_byte(out, '\n');
}

void render_jsonl_row(struct buffer *out, const struct pack *row)
{
    json_put(out, row, NULL);
    buffer_byte(out, '\n');
}

/* ---- rows in the order of what they show ---- */

struct sort_key {
    char *text;
    double number;
    bool is_number;
};

struct sort_row {
    const uint8_t *data;
    size_t len;
    struct sort_key *keys;
    size_t key_count;
};

static void take_sort_key(struct sort_key *key, const struct pack *value)
{
    struct buffer text = {0};
    char *end;
    buffer_text(&text, "");
    put_plain(&text, value);
    key->text = text.data;
    key->number = strtod(text.data, &end);
    key->is_number = end != text.data && *end == '\0';
}

static int compare_keys(const struct sort_key *a, const struct sort_key *b)
{
    if (a->is_number != b->is_number)
        return a->is_number ? -1 : 1;
    if (a->is_number)
        return (a->number > b->number) - (a->number < b->number);
    return strcmp(a->text, b->text);
}

static int compare_rows(const void *a, const void *b)
{
    const struct sort_row *x = a;
    const struct sort_row *y = b;
    for (size_t i = 0; i < x->key_count; i++) {
        int order = compare_keys(&x->keys[i], &y->keys[i]);
        if (order != 0)
            return order;
    }
    return (x->data > y->data) - (x->data < y->data);
}

static struct sort_row *take_rows(const struct view *view,
                                  const struct buffer *rows, size_t *count)
{
    struct sort_row *list = NULL;
    struct pack at = pack_open(rows->data, rows->len);
    size_t room = 0;
    *count = 0;
    while (at.kind != PACK_NONE) {
        if (*count == room) {
            room = room == 0 ? 64 : room * 2;
            list = memory_grow(list, room * sizeof(*list));
        }
        struct sort_row *row = &list[(*count)++];
        row->data = at.start;
        row->len = pack_size(&at);
        row->key_count = view->order_count;
        row->keys = memory_new((view->order_count + 1) * sizeof(*row->keys));
        for (size_t i = 0; i < view->order_count; i++) {
            const struct field *columns = view->columns.items;
            struct pack value = pack_find(&at, columns[view->order[i]].name);
            take_sort_key(&row->keys[i], &value);
        }
        at = pack_next(&at);
    }
    return list;
}

void render_sorted(struct buffer *out, const struct view *view,
                   const struct buffer *rows, bool is_csv)
{
    size_t count;
    struct sort_row *list = take_rows(view, rows, &count);
    if (count > 0)
        qsort(list, count, sizeof(*list), compare_rows);
    if (is_csv)
        render_csv_title(out, view);
    for (size_t i = 0; i < count; i++) {
        struct pack row = pack_open(list[i].data, list[i].len);
        if (is_csv)
            render_csv_row(out, view, &row);
        else
            render_jsonl_row(out, &row);
        for (size_t k = 0; k < list[i].key_count; k++)
            free(list[i].keys[k].text);
        free(list[i].keys);
    }
    free(list);
}

/* ---- objects and results ---- */

/* A line for each entry of the outermost map or list: easy to grep, to edit and
 * to compare. */
static void put_lines(struct buffer *out, const struct pack *value)
{
    static const struct json_style style = {.indent = 2, .levels = 1};
    json_put(out, value, &style);
    buffer_byte(out, '\n');
}

void render_object(struct buffer *out, const struct pack *object)
{
    put_lines(out, object);
}

/* A text or blob is the file, byte for byte; a list has a line for each item,
 * as streams have; anything else is JSON. */
void render_result(struct buffer *out, const struct pack *value,
                   const char *returns)
{
    bool plain = value->kind == PACK_TEXT || value->kind == PACK_BYTES;
    bool whole = returns != NULL &&
                 (strcmp(returns, "text") == 0 || strcmp(returns, "blob") == 0);
    if (plain) {
        buffer_put(out, value->data, value->len);
        if (!whole)
            buffer_byte(out, '\n');
    } else if (value->kind == PACK_LIST) {
        struct pack at = pack_first(value);
        for (size_t i = 0; i < value->count && at.kind != PACK_NONE; i++) {
            struct pack item = at;
            if (item.kind == PACK_MAP || item.kind == PACK_LIST)
                json_put(out, &item, NULL);
            else
                put_plain(out, &item);
            buffer_byte(out, '\n');
            at = pack_next(&at);
        }
    } else if (value->kind != PACK_NIL && value->kind != PACK_NONE) {
        put_lines(out, value);
    }
}

/* ---- what a method's file shows ---- */

static void put_argument(struct buffer *out, const struct field *arg)
{
    buffer_printf(out, "#   %-12s %s", arg->name, arg->kind);
    if (arg->target != NULL)
        buffer_printf(out, " of %s", arg->target);
    for (size_t i = 0; i < arg->word_count; i++)
        buffer_printf(out, "%s%s", i == 0 ? ": " : " ", arg->words[i]);
    if (arg->optional)
        buffer_text(out, ", optional");
    if (arg->doc != NULL)
        buffer_printf(out, ". %s", arg->doc);
    buffer_byte(out, '\n');
}

void render_doc(struct buffer *out, const struct inode *node)
{
    const struct source *source = node->route->writer;
    const struct method *method = &node->shape->methods[source->index];
    buffer_printf(out, "# %s: %s\n", method->name, method->doc);
    if (!source->is_command) {
        buffer_printf(out,
                      "# What is written here is '%s', whole; closing it "
                      "is the call.\n",
                      method->content);
        return;
    }
    buffer_text(out, "# One line written here is one call: key=value words, or "
                     "a JSON object.\n");
    for (size_t i = 0; i < method->args.count; i++)
        if (!source_binds(source, method->args.items[i].name))
            put_argument(out, &method->args.items[i]);
    const char *before = "";
    for (size_t i = 0; i < method->args.count; i++) {
        const struct field *arg = &method->args.items[i];
        if (arg->optional || source_binds(source, arg->name))
            continue;
        buffer_printf(out, "%s%s=", before, arg->name);
        before = " ";
    }
    buffer_text(out, *before != '\0'
                         ? "\n"
                         : "# Nothing more has to be said: {} is a call.\n");
}

/* ---- replies ---- */

static void put_where(struct buffer *out, const struct inode *node,
                      const struct method *method)
{
    buffer_text(out, "{\"chain\":");
    json_put_text(out, node->chain->name, strlen(node->chain->name));
    buffer_text(out, ",\"method\":");
    json_put_text(out, method->name, strlen(method->name));
}

void render_reply(struct buffer *out, const struct inode *node,
                  const struct method *method, const struct pack *value)
{
    put_where(out, node, method);
    if (!method->writes) {
        buffer_text(out, ",\"result\":");
        json_put(out, value, NULL);
    }
    struct pack at = pack_first(value);
    bool pairs = method->writes && value->kind == PACK_MAP;
    for (size_t i = 0; pairs && i < value->count; i++) {
        buffer_byte(out, ',');
        json_put(out, &at, NULL);
        buffer_byte(out, ':');
        at = pack_next(&at);
        json_put(out, &at, NULL);
        at = pack_next(&at);
    }
    buffer_text(out, "}\n");
}

static void put_pointers(struct buffer *out, const char *at)
{
    if (at[0] == '\0')
        return;
    buffer_text(out, ",\"at\":[");
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        json_put_text(out, at, len);
        at += len;
        if (*at == '\n') {
            buffer_byte(out, ',');
            at++;
        }
    }
    buffer_byte(out, ']');
}

/* What somebody at a shell can do about it. */
static void put_advice(struct buffer *out, const char *reason)
{
    if (strcmp(reason, "no_key") == 0)
        buffer_text(out, ",\"advice\":\"make one with ate key new, or give "
                         "key:<hex>\"");
    else if (strcmp(reason, "no_public_key") == 0)
        buffer_text(out, ",\"advice\":\"ate key add takes it in\"");
}

void render_problem(struct buffer *out, const struct inode *node,
                    const struct method *method, const struct ate_error *error)
{
    put_where(out, node, method);
    buffer_text(out, ",\"error\":{\"code\":");
    const char *code = ate_code_name(error->code);
    json_put_text(out, code, strlen(code));
    if (error->rule[0] != '\0') {
        buffer_text(out, ",\"rule\":");
        json_put_text(out, error->rule, strlen(error->rule));
    }
    if (error->reason[0] != '\0')
        buffer_printf(out, ",\"reason\":\"%s\"", error->reason);
    put_pointers(out, error->at);
    buffer_text(out, ",\"text\":");
    json_put_text(out, error->text, strlen(error->text));
    put_advice(out, error->reason);
    buffer_text(out, "}}\n");
}
