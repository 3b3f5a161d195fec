/* A shop with shelves of books, and those who follow what is read of it;
 * _GNU_SOURCE for memmem. */
#ifndef ATE_TESTS_FIXTURE_FOLLOW_H
#define ATE_TESTS_FIXTURE_FOLLOW_H

#include "fixture_chain.h"

#include <stdlib.h>

#include "query/query.h"
#include "state/changes.h"

static const char shelves[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'd', version = %d,\n"
    "    bodies = 'open'})\n"
    "shop:object('shelf', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name({max = 40}), room = t.integer()}})\n"
    "shop:object('book', {doc = 'd', parent = 'shelf', key = {'title'},\n"
    "    header = {shelf = t.ref('shelf'), title = t.name({max = 40}),\n"
    "        pages = t.integer()},\n"
    "    body = {text = t.text()}})\n"
    "shop:event('sale', {doc = 'd', header = {book = t.ref('book')}})\n"
    "shop:view('stock', {doc = 'd', key = {'shelf'},\n"
    "    row = {shelf = t.ref('shelf'), pages = t.default(t.integer(), 0)},\n"
    "    fold = {book = function(rows, book)\n"
    "        local was = book.before and book.before.pages or 0\n"
    "        local is = book.change == 'delete' and 0 or book.pages\n"
    "        rows:add(book.shelf, {pages = is - was})\n"
    "        if rows:get(book.shelf).pages == 0 then\n"
    "            rows:delete(book.shelf)\n"
    "        end\n"
    "    end}})\n"
    "shop:view('thick', {doc = 'd', key = {'shelf', 'book'},\n"
    "    order = {'pages'},\n"
    "    row = {shelf = t.ref('shelf'), book = t.ref('book'),\n"
    "        pages = t.integer(), odd = t.boolean()},\n"
    "    fold = {book = function(rows, book)\n"
    "        local key = {book.shelf, book.id}\n"
    "        if book.change == 'delete' then\n"
    "            rows:delete(key)\n"
    "        else\n"
    "            rows:set(key, {pages = book.pages,\n"
    "                odd = book.pages %% 2 == 1})\n"
    "        end\n"
    "    end}})\n"
    "shop:view('text', {doc = 'd', reads = 'bodies', key = {'book'},\n"
    "    row = {book = t.ref('book'), length = t.integer()},\n"
    "    fold = {book = function(rows, book)\n"
    "        if book.change == 'delete' then\n"
    "            rows:delete(book.id)\n"
    "        else\n"
    "            rows:set(book.id, {length = #book.text})\n"
    "        end\n"
    "    end}})\n"
    "shop:rule('anybody', {doc = 'd', on = {'shelf', 'book', 'sale'},\n"
    "    check = function(_, _, tx) return tx:by(tx.author) end})\n"
    "shop:method('pages', {doc = 'd', mode = 'read',\n"
    "    args = {shelf = t.ref('shelf')}, returns = t.integer(),\n"
    "    run = function(ctx, args)\n"
    "        return ctx.state.stock:get(args.shelf).pages\n"
    "    end})\n"
    "shop:method('books', {doc = 'd', mode = 'read',\n"
    "    args = {shelf = t.ref('shelf')}, returns = t.integer(),\n"
    "    run = function(ctx, args)\n"
    "        local n = 0\n"
    "        for book in ctx.state.book:each(args.shelf) do\n"
    "            n = n + book.pages\n"
    "        end\n"
    "        return n\n"
    "    end})\n"
    "%s"
    "return shop\n";

/* ---- one who follows ---- */

enum { ROWS_MAX = 256 };

struct row {
    struct buf key;
    struct buf value;
};

/* What a read tells, or what who follows has made of what he was told. */
struct told {
    struct query *query; /* NULL: it ended */
    struct row rows[ROWS_MAX];
    size_t count;
    struct buf value; /* of those that follow one */
    bool gone;
    uint64_t at;   /* the last position */
    bool is_whole; /* nothing was told behind that */
    size_t chunks;
    size_t changes;
    size_t positions;
    size_t resets;
    char reset[300];
    int code;
    struct err err;
    bool done;
};

static inline void forget_rows(struct told *t)
{
    for (size_t i = 0; i < t->count; i++) {
        buf_deinit(&t->rows[i].key);
        buf_deinit(&t->rows[i].value);
    }
    t->count = 0;
}

static inline void told_end(struct told *t)
{
    forget_rows(t);
    buf_deinit(&t->value);
    *t = (struct told){0};
}

/* The columns that name a row, whatever else it has. */
static inline void key_of(struct bytes row, struct buf *key)
{
    static const char *const names[] = {"id", "shelf", "book"};
    struct bytes id = mp_map_get(row, "id");
    if (id.data != NULL) {
        buf_put_bytes(key, id);
        return;
    }
    for (size_t i = 1; i < 3; i++) {
        struct bytes value = mp_map_get(row, names[i]);
        if (value.data != NULL)
            buf_put_bytes(key, value);
    }
    assert_true(key->len > 0);
}

static inline struct row *find_row(struct told *t, struct bytes key)
{
    for (size_t i = 0; i < t->count; i++)
        if (bytes_equal(buf_bytes(&t->rows[i].key), key))
            return &t->rows[i];
    return NULL;
}

static inline void put_row(struct told *t, struct bytes row)
{
    struct buf key = {0};
    key_of(row, &key);
    struct row *found = find_row(t, buf_bytes(&key));
    if (found == NULL) {
        assert_true(t->count < ROWS_MAX);
        found = &t->rows[t->count++];
        *found = (struct row){.key = key};
    } else {
        buf_deinit(&key);
    }
    buf_clear(&found->value);
    buf_put_bytes(&found->value, row);
}

static inline void drop_row(struct told *t, struct bytes row)
{
    struct buf key = {0};
    key_of(row, &key);
    struct row *found = find_row(t, buf_bytes(&key));
    buf_deinit(&key);
    if (found == NULL)
        return;
    buf_deinit(&found->key);
    buf_deinit(&found->value);
    *found = t->rows[--t->count];
}

static inline void apply(struct told *t, struct bytes chunk)
{
    struct mp mp = mp_open(mp_map_get(chunk, "changes"));
    uint32_t count = 0;
    if (mp_get_array(&mp, &count, NULL) != 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct bytes change;
        assert_int_equal(mp_skip(&mp, &change, NULL), 0);
        struct bytes put = mp_map_get(change, "put");
        t->changes++;
        if (put.data != NULL)
            put_row(t, put);
        else
            drop_row(t, mp_map_get(change, "gone"));
    }
}

static inline void told_follow(void *ctx, struct bytes chunk)
{
    struct told *t = ctx;
    struct mp mp = mp_open(mp_map_get(chunk, "reset"));
    struct bytes text;
    t->chunks++;
    if (mp_get_str(&mp, &text, NULL) == 0) {
        forget_rows(t);
        buf_clear(&t->value);
        t->resets++;
        snprintf(t->reset, sizeof(t->reset), "%.*s", (int)text.len,
                 (const char *)text.data);
    }
    apply(t, chunk);
    struct bytes value = mp_map_get(chunk, "value");
    if (value.data != NULL) {
        buf_clear(&t->value);
        buf_put_bytes(&t->value, value);
        t->changes++;
    }
    t->gone |= mp_map_get(chunk, "gone").data != NULL;
    mp = mp_open(mp_map_get(chunk, "at"));
    t->is_whole = mp_get_uint(&mp, &t->at, NULL) == 0;
    t->positions += t->is_whole;
}

static inline void told_row(void *ctx, struct bytes row)
{
    put_row(ctx, row);
}

static inline void told_done(void *ctx, int code, const struct err *err,
                             struct bytes result)
{
    struct told *t = ctx;
    t->done = true;
    t->query = NULL;
    t->code = code;
    t->err = *err;
    buf_put_bytes(&t->value, result);
}

/* "view=stock follow from=7": words without a value are flags. */
static inline void put_args(struct buf *out, const char *words)
{
    char text[300];
    uint32_t count = 0;
    struct buf body = {0};
    snprintf(text, sizeof(text), "%s", words);
    char *rest = text;
    for (char *w; (w = strtok_r(rest, " ", &rest)) != NULL; count++) {
        char *eq = strchr(w, '=');
        char *dot = strchr(w, '.');
        if (eq != NULL)
            *eq = '\0';
        if (dot != NULL && dot < eq) { /* where.shelf=a, args.shelf=a */
            *dot = '\0';
            mp_put_text(&body, w);
            mp_put_map(&body, 1);
            mp_put_text(&body, dot + 1);
        } else {
            mp_put_text(&body, w);
        }
        if (eq == NULL)
            mp_put_bool(&body, true);
        else if (strcmp(eq + 1, "true") == 0)
            mp_put_bool(&body, true);
        else
            mp_put_text(&body, eq + 1);
    }
    struct buf loose = {0};
    mp_put_map(&loose, count);
    buf_put_bytes(&loose, buf_bytes(&body));
    assert_int_equal(mp_canonical(out, buf_bytes(&loose), NULL), 0);
    buf_deinit(&loose);
    buf_deinit(&body);
}

/* "list type=book ..." */
static inline void begin(struct fixture_chain *f, struct told *t,
                         const char *words, uint32_t credit)
{
    char method[20];
    struct buf args = {0};
    size_t len = strcspn(words, " ");
    bool follows = strstr(words, " follow") != NULL;
    snprintf(method, sizeof(method), "%.*s", (int)len, words);
    put_args(&args, words + len + 1);
    t->query =
        query_start(f->chain, bytes_of_text(method), buf_bytes(&args), credit,
                    follows ? told_follow : told_row, told_done, t);
    query_set_caller(t->query, f->keys[0].id);
    query_run(t->query);
    buf_deinit(&args);
}

/* The log may have grown. */
static inline void look(struct told *t)
{
    if (t->query != NULL)
        query_run(t->query);
}

static inline void end(struct fixture_chain *f, struct told *t)
{
    if (t->query != NULL) {
        query_cancel(t->query);
        query_run(t->query);
        fixture_run(f);
        look(t);
    }
    assert_true(t->done);
    told_end(t);
}

/* The same read without following. */
static inline void read_now(struct fixture_chain *f, struct told *t,
                            const char *words)
{
    char plain[300] = "";
    char text[300];
    snprintf(text, sizeof(text), "%s", words);
    char *rest = text;
    for (char *w; (w = strtok_r(rest, " ", &rest)) != NULL;)
        if (strcmp(w, "follow") != 0 && strncmp(w, "from=", 5) != 0) {
            strcat(plain, w);
            strcat(plain, " ");
        }
    *t = (struct told){0};
    begin(f, t, plain, 1000);
    fixture_run(f);
    assert_true(t->done);
    assert_int_equal(t->code, 0);
}

static inline void same(struct told *a, struct told *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        struct row *other = find_row(b, buf_bytes(&a->rows[i].key));
        assert_non_null(other);
        assert_true(bytes_equal(buf_bytes(&a->rows[i].value),
                                buf_bytes(&other->value)));
    }
    assert_true(bytes_equal(buf_bytes(&a->value), buf_bytes(&b->value)));
}

static inline void agrees(struct fixture_chain *f, struct told *t,
                          const char *words)
{
    struct told now;
    assert_true(t->is_whole);
    assert_true(t->at <= chain_size(f->chain));
    read_now(f, &now, words);
    same(t, &now);
    told_end(&now);
}

/* ---- the shop ---- */

static inline void build(struct fixture_chain *f, int version, const char *more)
{
    char source[8192];
    struct err err = {0};
    snprintf(source, sizeof(source), shelves, version, more);
    buf_clear(&f->bundle);
    if (bundle_build(&f->bundle, "shop", fixture_text, source, NULL, NULL,
                     &err) != 0)
        fail_msg("%s", err.text);
}

static inline struct fixture_chain *open_shop(uint32_t changes_max)
{
    struct fixture_chain *f = calloc(1, sizeof(*f));
    fixture_open_disk(f, NULL, NULL, NULL);
    f->deps.changes_max = changes_max;
    build(f, 1, "");
    if (fixture_birth(f) != 0)
        fail_msg("%s", f->done_err.text);
    return f;
}

static inline void close_shop(struct fixture_chain *f)
{
    fixture_close(f);
    free(f);
}

static inline void put_book(struct fixture_chain *f, int shelf, int title,
                            int pages, size_t text)
{
    char words[4][64];
    char *body = malloc(text + 6);
    snprintf(words[0], sizeof(words[0]), "pages=%d", pages);
    snprintf(words[1], sizeof(words[1]), "shelf=s%d", shelf);
    snprintf(words[3], sizeof(words[3]), "title=b%d", title);
    memcpy(body, "text=", 5);
    memset(body + 5, 'x', text);
    body[5 + text] = '\0';
    fixture_ok(f, 0, "book.put", ARGS(words[0], words[1], body, words[3]));
    free(body);
}

static inline void put_shelf(struct fixture_chain *f, int shelf, int room)
{
    char words[2][64];
    snprintf(words[0], sizeof(words[0]), "name=s%d", shelf);
    snprintf(words[1], sizeof(words[1]), "room=%d", room);
    fixture_ok(f, 0, "shelf.put", ARGS(words[0], words[1]));
}
#endif
