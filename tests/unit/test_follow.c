/* Following: whoever applies what is told has at each position exactly what a
 * read gives there; nothing is missed, nothing is told twice. */
#define _GNU_SOURCE /* memmem */
#include "fixture_chain.h"

#include <stdlib.h>

#include "chain/changes.h"
#include "query/query.h"
#include "sim/rng.h"

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

static void forget_rows(struct told *t)
{
    for (size_t i = 0; i < t->count; i++) {
        buf_deinit(&t->rows[i].key);
        buf_deinit(&t->rows[i].value);
    }
    t->count = 0;
}

static void told_end(struct told *t)
{
    forget_rows(t);
    buf_deinit(&t->value);
    *t = (struct told){0};
}

/* The columns that name a row, whatever else it has. */
static void key_of(struct bytes row, struct buf *key)
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

static struct row *find_row(struct told *t, struct bytes key)
{
    for (size_t i = 0; i < t->count; i++)
        if (bytes_equal(buf_bytes(&t->rows[i].key), key))
            return &t->rows[i];
    return NULL;
}

static void put_row(struct told *t, struct bytes row)
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

static void drop_row(struct told *t, struct bytes row)
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

static void apply(struct told *t, struct bytes chunk)
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

static void told_follow(void *ctx, struct bytes chunk)
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

static void told_row(void *ctx, struct bytes row)
{
    put_row(ctx, row);
}

static void told_done(void *ctx, int code, const struct err *err,
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
static void put_args(struct buf *out, const char *words)
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
static void begin(struct fixture_chain *f, struct told *t, const char *words,
                  uint32_t credit)
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
static void look(struct told *t)
{
    if (t->query != NULL)
        query_run(t->query);
}

static void grant(struct told *t, uint32_t chunks)
{
    if (t->query != NULL) {
        query_grant(t->query, chunks);
        query_run(t->query);
    }
}

static void end(struct fixture_chain *f, struct told *t)
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
static void read_now(struct fixture_chain *f, struct told *t, const char *words)
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

static void same(struct told *a, struct told *b)
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

static void agrees(struct fixture_chain *f, struct told *t, const char *words)
{
    struct told now;
    assert_true(t->is_whole);
    assert_true(t->at <= chain_size(f->chain));
    read_now(f, &now, words);
    same(t, &now);
    told_end(&now);
}

/* ---- the shop ---- */

static void build(struct fixture_chain *f, int version, const char *more)
{
    char source[8192];
    struct err err = {0};
    snprintf(source, sizeof(source), shelves, version, more);
    buf_clear(&f->bundle);
    if (bundle_build(&f->bundle, "shop", fixture_text, source, NULL, NULL,
                     &err) != 0)
        fail_msg("%s", err.text);
}

static struct fixture_chain *open_shop(uint32_t changes_max)
{
    struct fixture_chain *f = calloc(1, sizeof(*f));
    fixture_open_disk(f, NULL, NULL, NULL);
    f->deps.changes_max = changes_max;
    build(f, 1, "");
    if (fixture_birth(f) != 0)
        fail_msg("%s", f->done_err.text);
    return f;
}

static void close_shop(struct fixture_chain *f)
{
    fixture_close(f);
    free(f);
}

static void put_book(struct fixture_chain *f, int shelf, int title, int pages,
                     size_t text)
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

static void put_shelf(struct fixture_chain *f, int shelf, int room)
{
    char words[2][64];
    snprintf(words[0], sizeof(words[0]), "name=s%d", shelf);
    snprintf(words[1], sizeof(words[1]), "room=%d", room);
    fixture_ok(f, 0, "shelf.put", ARGS(words[0], words[1]));
}

/* Some write, by chance. What is refused, for its key is spent, changes
 * nothing. */
static void write_by_chance(struct fixture_chain *f, struct rng *rng)
{
    struct fixture_call c;
    char title[64];
    char shelf[64];
    char pages[64];
    char body[3000] = "text=";
    uint64_t what = rng_below(rng, 10);
    snprintf(shelf, sizeof(shelf), "shelf=s%d", (int)rng_below(rng, 3));
    snprintf(title, sizeof(title), "title=b%d", (int)rng_below(rng, 40));
    snprintf(pages, sizeof(pages), "pages=%d", (int)rng_below(rng, 50));
    f->now += (int64_t)rng_below(rng, 700);
    if (what == 0)
        fixture_call(f, &c, 0, "book.delete", ARGS(shelf, title));
    else if (what == 1)
        fixture_call(f, &c, 0, "book.patch", ARGS(pages, shelf, title));
    else {
        memset(body + 5, 'x', rng_below(rng, 2) * 2000 + 5);
        fixture_call(f, &c, 0, "book.put", ARGS(pages, shelf, body, title));
    }
    fixture_end(&c);
}

/* ---- all of them, by chance ---- */

static const char *const reads[] = {
    "list type=book follow",
    "list type=book parent=s1 follow",
    "list type=shelf follow",
    "list type=sale follow",
    "view view=stock follow",
    "view view=stock where.shelf=s2 follow",
    "view view=thick follow",
    "view view=thick where.odd=true follow",
    "view view=text follow",
    "get type=shelf key=s0 follow",
    "call method=pages args.shelf=s1 follow",
    "call method=books args.shelf=s2 follow",
};
enum { READS = sizeof(reads) / sizeof(*reads), STEPS = 300 };

static void step_by_chance(struct fixture_chain *f, struct rng *rng,
                           struct told *told)
{
    write_by_chance(f, rng);
    for (size_t i = 0; i < READS; i++) {
        if (told[i].query == NULL)
            fail_msg("%s: %s", reads[i], told[i].err.text);
        if (rng_below(rng, 3) > 0)
            look(&told[i]);
        if (rng_below(rng, 8) == 0)
            grant(&told[i], (uint32_t)rng_below(rng, 4));
    }
}

/* How often somebody had to begin anew. */
static size_t followers(uint64_t seed, uint32_t changes_max)
{
    size_t resets = 0;
    struct rng rng = {seed};
    struct told told[READS] = {0};
    struct fixture_chain *f = open_shop(changes_max);
    for (int i = 0; i < 3; i++)
        put_shelf(f, i, i);
    for (size_t i = 0; i < READS; i++)
        begin(f, &told[i], reads[i], 1);
    fixture_run(f);
    for (int i = 0; i < STEPS; i++)
        step_by_chance(f, &rng, told);
    for (size_t i = 0; i < READS; i++) {
        grant(&told[i], 1000);
        fixture_run(f);
        agrees(f, &told[i], reads[i]);
        resets += told[i].resets;
        end(f, &told[i]);
    }
    close_shop(f);
    return resets;
}

static void whoever_applies_what_is_told_has_what_there_is(void **state)
{
    (void)state;
    uint64_t seed = 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(followers(seed + i, 0), 0);
}

/* The same where little is remembered: there are resets, and they mend it. */
static void little_memory_costs_resets_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t i = 10; i < 14; i++)
        assert_true(followers(i, 8) > 0);
}

/* ---- slow ones ---- */

static void who_is_slow_is_told_the_newest_once(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_shelf(f, 1, 1);
    put_book(f, 0, 1, 5, 10);
    begin(f, &t, "view view=stock follow", 1);
    assert_int_equal(t.chunks, 1);
    for (int i = 0; i < 100; i++) {
        put_book(f, 0, 1, i + 1, 10);
        look(&t);
    }
    assert_int_equal(t.chunks, 1); /* no credit, no chunk */
    size_t changes = t.changes;
    grant(&t, 5);
    assert_int_equal(t.chunks, 2);
    assert_int_equal(t.changes, changes + 1);
    agrees(f, &t, "view view=stock follow");
    look(&t);
    put_shelf(f, 1, 7); /* is nothing to the view */
    look(&t);
    assert_int_equal(t.chunks, 2);
    end(f, &t);
    close_shop(f);
}

/* More rows than fit a chunk: only the last of them has the position. */
static void large_contents_come_in_parts(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    for (int i = 0; i < 200; i++)
        put_book(f, 0, i, i, 200);
    begin(f, &t, "list type=book follow", 1);
    fixture_run(f);
    assert_int_equal(t.chunks, 1);
    assert_false(t.is_whole);
    put_book(f, 0, 0, 999, 5); /* told already, and changed meanwhile */
    put_book(f, 0, 199, 998, 5);
    grant(&t, 100);
    fixture_run(f);
    assert_true(t.chunks > 2);
    assert_int_equal(t.positions, 1);
    agrees(f, &t, "list type=book follow");
    end(f, &t);
    close_shop(f);
}

/* ---- going on ---- */

/* From each position that was told on, what comes is what changed since: no
 * more, no less; through the memory, and from the log. */
static void goes_on(const char *words, bool reopened, bool is_exact)
{
    struct told from[12] = {0};
    struct rng rng = {77};
    struct fixture_chain *f = open_shop(reopened && is_exact ? 8 : 0);
    for (int i = 0; i < 3; i++)
        put_shelf(f, i, i);
    for (int i = 0; i < 12; i++) {
        for (int k = 0; k < 6; k++)
            write_by_chance(f, &rng);
        read_now(f, &from[i], words);
        from[i].at = chain_size(f->chain);
        from[i].done = false;
    }
    if (reopened)
        assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    for (int i = 0; i < 12; i++) {
        char with[300];
        snprintf(with, sizeof(with), "%s from=%d", words, (int)from[i].at);
        begin(f, &from[i], with, 1000);
        fixture_run(f);
        agrees(f, &from[i], words);
        assert_int_equal(from[i].resets, 0);
        assert_true(from[i].changes <= (size_t)(11 - i) * 6);
        end(f, &from[i]);
    }
    close_shop(f);
}

static void followers_go_on_from_where_they_stopped(void **state)
{
    (void)state;
    for (int reopened = 0; reopened < 2; reopened++) {
        goes_on("list type=book follow", reopened, true);
        goes_on("list type=book parent=s1 follow", reopened, true);
        goes_on("view view=stock follow", reopened, false);
        goes_on("view view=thick where.odd=true follow", reopened, false);
        goes_on("view view=text follow", reopened, false);
        goes_on("get type=shelf key=s1 follow", reopened, false);
    }
}

static void a_position_that_is_too_old_begins_anew(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(8);
    put_shelf(f, 0, 1);
    for (int i = 0; i < 30; i++)
        put_book(f, 0, i, i + 1, 5);
    begin(f, &t, "view view=thick follow from=3", 1000);
    assert_int_equal(t.resets, 1);
    assert_non_null(strstr(t.reset, "since 3 is not known any more"));
    agrees(f, &t, "view view=thick follow");
    end(f, &t);
    begin(f, &t, "list type=book follow from=9999", 1000);
    fixture_run(f);
    assert_int_equal(t.resets, 1);
    assert_non_null(strstr(t.reset, "position 9999 lies behind the log's end"));
    agrees(f, &t, "list type=book follow");
    end(f, &t);
    close_shop(f);
}

/* A quiet view of a busy chain: its follower hears of a position now and then,
 * for the last one would be forgotten. */
static void positions_of_quiet_ones_stay_good(void **state)
{
    struct told t = {0};
    struct told again = {0};
    char words[100];
    (void)state;
    struct fixture_chain *f = open_shop(16);
    put_shelf(f, 0, 1);
    put_shelf(f, 1, 1);
    put_book(f, 1, 1, 5, 5);
    begin(f, &t, "view view=stock where.shelf=s1 follow", 1000);
    for (int i = 0; i < 100; i++) {
        put_shelf(f, 0, i);
        put_book(f, 0, i, 1, 5);
        look(&t);
    }
    assert_int_equal(t.changes, 1);
    snprintf(words, sizeof(words),
             "view view=stock where.shelf=s1 follow from=%d", (int)t.at);
    begin(f, &again, words, 10);
    assert_int_equal(again.resets, 0);
    end(f, &again);
    end(f, &t);
    close_shop(f);
}

/* ---- one value ---- */

static void methods_run_again_when_what_they_read_changed(void **state)
{
    struct told pages = {0};
    struct told books = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_shelf(f, 1, 1);
    begin(f, &pages, "call method=pages args.shelf=s0 follow", 100);
    begin(f, &books, "call method=books args.shelf=s0 follow", 100);
    assert_int_equal(pages.chunks, 1);
    put_book(f, 1, 1, 5, 5); /* another shelf: the same value, not told */
    look(&pages);
    look(&books);
    assert_int_equal(pages.chunks + books.chunks, 2);
    put_book(f, 0, 1, 7, 5);
    look(&pages);
    look(&books);
    assert_int_equal(pages.chunks + books.chunks, 4);
    agrees(f, &pages, "call method=pages args.shelf=s0");
    agrees(f, &books, "call method=books args.shelf=s0");
    assert_int_equal(books.at, chain_size(f->chain));
    char words[100];
    snprintf(words, sizeof(words),
             "call method=books args.shelf=s0 follow from=%d", (int)books.at);
    end(f, &pages);
    end(f, &books);
    begin(f, &books, words, 100);
    assert_int_equal(books.changes, 0); /* nothing since */
    assert_int_equal(books.positions, 1);
    end(f, &books);
    close_shop(f);
}

static void what_does_not_read_is_refused(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *text;
    } cases[] = {
        {"call method=book.put follow", ATE_EINVALID, "book.put: writes"},
        {"call method=boks follow", ATE_ENOT_FOUND, "did you mean 'books'"},
        {"call args.x=y follow", ATE_EINVALID, "'method' is missing"},
        {"call method=pages args=text", ATE_EINVALID, "'args' is a map"},
        {"view view=stock from=3", ATE_EINVALID, "'from' goes with 'follow'"},
        {"view view=stock limit=3 follow", ATE_EINVALID,
         "'limit' does not go with 'follow'"},
        {"list type=book order=last follow", ATE_EINVALID,
         "'order' does not go with 'follow'"},
        {"get type=shelf key=none follow", ATE_ENOT_FOUND, "none"},
        {"sum view=stock column=pages follow", ATE_EINVALID,
         "no argument 'follow'"},
    };
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin(f, &t, cases[i].words, 10);
        fixture_run(f);
        assert_true(t.done);
        assert_int_equal(t.code, cases[i].code);
        if (strstr(t.err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].words, t.err.text);
        told_end(&t);
    }
    close_shop(f);
}

static void a_deleted_object_ends_its_follower(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_book(f, 0, 1, 5, 2000);
    begin(f, &t, "get type=book key=s0/b1 follow", 10);
    fixture_run(f);
    agrees(f, &t, "get type=book key=s0/b1");
    put_book(f, 0, 1, 6, 2000);
    look(&t);
    fixture_run(f);
    agrees(f, &t, "get type=book key=s0/b1");
    assert_int_equal(t.changes, 2);
    fixture_ok(f, 0, "book.delete", ARGS("shelf=s0", "title=b1"));
    look(&t);
    assert_true(t.gone);
    assert_int_equal(t.at, chain_size(f->chain));
    assert_true(t.done);
    assert_int_equal(t.code, ATE_ENOT_FOUND);
    assert_non_null(strstr(t.err.text, "deleted"));
    told_end(&t);
    close_shop(f);
}

/* ---- another schema ---- */

static void activate(struct fixture_chain *f, int version, const char *more)
{
    struct fixture_call c = {0};
    build(f, version, more);
    mp_put_map(&c.args, 1);
    mp_put_text(&c.args, "bundle");
    mp_put_bin(&c.args, buf_bytes(&f->bundle));
    c.call = (struct chain_call){
        .method = bytes_of_text("ate.bundle"),
        .args = buf_bytes(&c.args),
        .author = &f->keys[0],
        .done = fixture_answered,
        .owner = &c,
    };
    put_be64(c.call.call_id, ++f->calls);
    chain_call(f->chain, &c.call);
    fixture_run(f);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    fixture_ok(f, 0, "ate.activate", ARGS());
}

static const char more_view[] =
    "shop:view('more', {doc = 'd', key = {'shelf'},\n"
    "    row = {shelf = t.ref('shelf'), n = t.default(t.integer(), 0)},\n"
    "    fold = {book = function(rows, book)\n"
    "        rows:add(book.shelf, {n = 1})\n"
    "    end}})\n";

static const char shape[] =
    "shop:method('shape', {doc = 'd', mode = '%s', args = {},\n"
    "    returns = t.integer(), run = function(ctx)\n"
    "        return ctx.caller and 1 or 2\n"
    "    end})\n";

static void activate_shape(struct fixture_chain *f, int version,
                           const char *mode)
{
    char text[sizeof(shape) + 10];
    snprintf(text, sizeof(text), shape, mode);
    activate(f, version, text);
}

/* What reads has no key to sign with: a method that writes from now on is not
 * run any more. */
static void a_method_that_begins_to_write_is_followed_no_more(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    activate_shape(f, 2, "read");
    begin(f, &t, "call method=shape follow", 100);
    assert_int_equal(t.changes, 1);
    activate_shape(f, 3, "write");
    uint64_t size = chain_size(f->chain);
    look(&t);
    fixture_run(f);
    assert_true(t.done);
    assert_int_equal(t.code, ATE_EINVALID);
    assert_non_null(strstr(t.err.text, "shape: writes"));
    assert_int_equal(chain_size(f->chain), size);
    told_end(&t);
    close_shop(f);
}

static void another_schema_begins_anew_or_ends(void **state)
{
    struct told stock = {0};
    struct told more = {0};
    struct told list = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_book(f, 0, 1, 5, 5);
    activate(f, 2, more_view);
    uint64_t before = chain_size(f->chain);
    begin(f, &stock, "view view=stock follow", 100);
    begin(f, &more, "view view=more follow", 100);
    begin(f, &list, "list type=book follow", 100);
    fixture_run(f);
    assert_int_equal(more.count, 1);
    activate(f, 3, "");
    look(&stock);
    look(&more);
    look(&list);
    fixture_run(f);
    assert_int_equal(stock.resets, 1);
    assert_non_null(strstr(stock.reset, "another schema is in force"));
    agrees(f, &stock, "view view=stock");
    agrees(f, &list, "list type=book");
    assert_true(more.done);
    assert_int_equal(more.code, ATE_ENOT_FOUND);
    assert_non_null(strstr(more.err.text, "no view 'more'"));
    assert_non_null(strstr(more.err.text, "another schema is in force"));
    told_end(&more);
    end(f, &stock);
    end(f, &list);
    /* Who was away meanwhile hears of it, too. */
    char words[100];
    snprintf(words, sizeof(words), "view view=stock follow from=%d",
             (int)before);
    begin(f, &stock, words, 100);
    assert_int_equal(stock.resets, 1);
    end(f, &stock);
    snprintf(words, sizeof(words), "list type=book follow from=%d",
             (int)before);
    begin(f, &list, words, 100);
    fixture_run(f);
    assert_int_equal(list.resets, 1);
    agrees(f, &list, "list type=book");
    end(f, &list);
    close_shop(f);
}

/* ---- beside a writer ---- */

/* While a log is read, what is new in it is not told before all is there. */
static void readers_tell_what_a_poll_brought(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_book(f, 0, 1, 5, 5);
    struct chain *writer = f->chain;
    char folder[LOG_PATH_MAX];
    log_folder(folder, chain_core(writer)->id);
    struct chain *reader = chain_new(&f->deps);
    chain_open(reader, folder, chain_core(writer)->id, LOG_READ_ONLY,
               fixture_done, f);
    fixture_wait(f);
    assert_int_equal(f->done_code, 0);
    f->chain = reader;
    begin(f, &t, "view view=stock follow", 100);
    f->chain = writer;
    for (int i = 0; i < 20; i++)
        put_book(f, 0, i, i, 5);
    look(&t);
    assert_int_equal(t.chunks, 1);
    chain_poll(reader, fixture_done, f);
    look(&t);
    fixture_wait(f);
    f->chain = reader;
    look(&t);
    assert_int_equal(t.chunks, 2);
    agrees(f, &t, "view view=stock");
    end(f, &t);
    f->chain = writer;
    chain_free(reader);
    close_shop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_applies_what_is_told_has_what_there_is),
        cmocka_unit_test(little_memory_costs_resets_and_nothing_else),
        cmocka_unit_test(who_is_slow_is_told_the_newest_once),
        cmocka_unit_test(large_contents_come_in_parts),
        cmocka_unit_test(followers_go_on_from_where_they_stopped),
        cmocka_unit_test(a_position_that_is_too_old_begins_anew),
        cmocka_unit_test(positions_of_quiet_ones_stay_good),
        cmocka_unit_test(methods_run_again_when_what_they_read_changed),
        cmocka_unit_test(what_does_not_read_is_refused),
        cmocka_unit_test(a_deleted_object_ends_its_follower),
        cmocka_unit_test(another_schema_begins_anew_or_ends),
        cmocka_unit_test(a_method_that_begins_to_write_is_followed_no_more),
        cmocka_unit_test(readers_tell_what_a_poll_brought),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
