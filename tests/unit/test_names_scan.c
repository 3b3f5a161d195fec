/* Names that are found again: the file is a copy of what the geneses say. */
#define _GNU_SOURCE /* memmem */
#include "fixture_node.h"

static int set_up(void **state)
{
    struct world *w = mem_zero(1, sizeof(*w));
    world_init(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_deinit(*state);
    mem_free(*state);
    return 0;
}

static void make(struct world *w, const char *const *names)
{
    struct node *node = world_node(w, false, 0);
    for (; *names != NULL; names++)
        create(w, node, *names);
    world_stop(w, node);
}

static struct buf *names_file(struct world *w)
{
    struct buf *file = memory_disk_file(w->memory, "names");
    assert_non_null(file);
    return file;
}

/* What chain.ls says, for as long as the node that said it. */
static void list(struct world *w, struct node *node, struct ask *ask)
{
    assert_int_equal(call(w, node, ask, NULL, "chain.ls", ARGS()), 0);
}

static void assert_listed(struct world *w, struct node *node,
                          const char *const *names)
{
    struct ask ask;
    uint32_t count = 0;
    list(w, node, &ask);
    for (uint32_t i = 0; names[i] != NULL; i++, count++)
        assert_true(contains(&ask.result, names[i]));
    struct mp mp = mp_open(buf_bytes(&ask.result));
    assert_int_equal(mp_get_array_of(&mp, count, NULL), 0);
    ask_end(&ask);
}

static const char *const three[] = {"bank", "books/2026", "shop", NULL};

/* Any damaged byte of the file, wherever, loses nothing. */
static void a_damaged_file_is_made_anew(void **state)
{
    struct world *w = *state;
    make(w, three);
    struct buf whole = {0};
    buf_put_bytes(&whole, buf_bytes(names_file(w)));
    for (size_t at = 0; at < whole.len; at += 7) {
        names_file(w)->data[at] ^= 0x20;
        struct buf bad = {0};
        buf_put_bytes(&bad, buf_bytes(names_file(w)));
        struct node *reader = world_node(w, true, 0);
        assert_listed(w, reader, three);
        world_stop(w, reader);
        assert_true(bytes_equal(buf_bytes(names_file(w)), buf_bytes(&bad)));
        struct node *node = world_node(w, false, 0);
        assert_listed(w, node, three);
        world_stop(w, node);
        assert_true(bytes_equal(buf_bytes(names_file(w)), buf_bytes(&whole)));
        struct buf *kept = memory_disk_file(w->memory, "names.damaged");
        assert_non_null(kept);
        assert_true(bytes_equal(buf_bytes(kept), buf_bytes(&bad)));
        buf_deinit(&bad);
    }
    buf_deinit(&whole);
}

static void a_file_that_is_lost_or_cut_is_made_anew(void **state)
{
    struct world *w = *state;
    make(w, three);
    size_t len = names_file(w)->len;
    for (size_t cut = 0; cut < len; cut += 50) {
        names_file(w)->len = cut;
        struct node *node = world_node(w, false, 0);
        create(w, node, "new");
        assert_listed(
            w, node,
            (const char *const[]){"bank", "books/2026", "shop", "new", NULL});
        world_stop(w, node);
        node = world_node(w, false, 0);
        assert_listed(
            w, node,
            (const char *const[]){"bank", "books/2026", "shop", "new", NULL});
        world_stop(w, node);
        world_deinit(w);
        world_init(w);
        make(w, three);
    }
}

/* A folder may hold very many chains: a file that is good is believed. */
static void a_good_file_is_believed(void **state)
{
    struct world *w = *state;
    struct node *node = world_node(w, false, 0);
    assert_int_equal(w->lists, 2); /* of keys, and of an empty folder */
    world_stop(w, node);
    assert_null(memory_disk_file(w->memory, "names"));
    make(w, three);
    w->lists = 0;
    node = world_node(w, false, 0);
    assert_listed(w, node, three);
    assert_int_equal(w->lists, 1); /* of keys */
    world_stop(w, node);
}

/* Make one more chain of that name, which the file does not know. */
static void make_twin(struct world *w)
{
    struct buf before = {0};
    make(w, (const char *const[]){"bank", "shop", NULL});
    uint8_t *feed = memchr(names_file(w)->data, '\n', names_file(w)->len);
    assert_non_null(feed);
    size_t first = (size_t)(feed + 1 - names_file(w)->data);
    buf_put(&before, names_file(w)->data + first, names_file(w)->len - first);
    memory_disk_put(w->memory, "names", buf_bytes(&before)); /* of shop alone */
    make(w, (const char *const[]){"bank", NULL});
    buf_deinit(&before);
}

/* Nobody can say which is meant: neither gets it, and nothing is written. */
static void two_chains_of_one_name_are_told(void **state)
{
    struct world *w = *state;
    struct ask ask;
    make_twin(w);
    names_file(w)->len = 0;
    for (int reads = 1; reads >= 0; reads--) {
        struct node *node = world_node(w, reads, 0);
        list(w, node, &ask);
        assert_true(contains(&ask.result, "two chains are called 'bank', in "));
        struct mp mp = mp_open(buf_bytes(&ask.result));
        assert_int_equal(mp_get_array_of(&mp, 3, NULL), 0);
        ask_end(&ask);
        assert_int_equal(read_(w, node, &ask, "bank", "info", ARGS()),
                         ATE_ECONFLICT);
        ask_end(&ask);
        assert_int_equal(read_(w, node, &ask, "shop", "info", ARGS()), 0);
        ask_end(&ask);
        if (!reads) {
            assert_int_equal(call(w, node, &ask, NULL, "chain.create",
                                  ARGS("bundle=bin:toy", "name=new")),
                             ATE_EUNAVAILABLE);
            assert_true(strstr(ask.err.text, "move the folder of one away") !=
                        NULL);
            ask_end(&ask);
        }
        world_stop(w, node);
        assert_int_equal(names_file(w)->len, 0);
    }
}

/* A line that is good says which of two is meant. */
static void a_good_line_keeps_its_name(void **state)
{
    struct world *w = *state;
    struct ask ask;
    make_twin(w);
    uint8_t *shop = memmem(names_file(w)->data, names_file(w)->len, "shop", 4);
    assert_non_null(shop);
    *shop ^= 1;
    struct node *node = world_node(w, false, 0);
    assert_int_equal(read_(w, node, &ask, "bank", "info", ARGS()), 0);
    ask_end(&ask);
    assert_int_equal(read_(w, node, &ask, "shop", "info", ARGS()), 0);
    ask_end(&ask);
    list(w, node, &ask);
    assert_true(contains(&ask.result, "two chains are called 'bank', in "));
    ask_end(&ask);
    world_stop(w, node);
}

static void head_path(struct world *w, const char *name, char path[])
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    struct node *node = world_node(w, true, 0);
    assert_true(names_find(&node->names.names, bytes_of_text(name), id));
    world_stop(w, node);
    log_folder(folder, id);
    snprintf(path, LOG_PATH_MAX + 8, "%s/1.head", folder);
}

/* A chain whose name is lost in both places is still told of. */
static void a_chain_without_a_readable_genesis_is_told(void **state)
{
    struct world *w = *state;
    struct ask ask;
    char path[LOG_PATH_MAX + 8];
    make(w, three);
    head_path(w, "bank", path);
    memory_disk_file(w->memory, path)->data[0x2000 + 120] ^= 1;
    names_file(w)->data[3] ^= 1;
    struct node *node = world_node(w, false, 0);
    list(w, node, &ask);
    assert_true(contains(&ask.result, path));
    assert_true(contains(&ask.result, "what it is called cannot be read"));
    assert_true(contains(&ask.result, "books/2026"));
    ask_end(&ask);
    world_stop(w, node);
    memory_disk_file(w->memory, path)->data[0x2000 + 120] ^= 1;
    node = world_node(w, false, 0);
    assert_listed(w, node, three);
    world_stop(w, node);
}

/* Without `cur`, what has no more than a genesis was never made. */
static void what_a_cut_creation_left_is_no_chain(void **state)
{
    struct world *w = *state;
    struct buf head = {0};
    char path[LOG_PATH_MAX + 8];
    make(w, three);
    head_path(w, "bank", path);
    buf_put_bytes(&head, buf_bytes(memory_disk_file(w->memory, path)));
    path[1] = path[1] == '0' ? '1' : '0'; /* no longer the folder of its id */
    path[4] = path[1];
    memory_disk_put(w->memory, path, buf_bytes(&head));
    memory_disk_put(w->memory, "ab/notes.txt", bytes_of_text("mine"));
    memory_disk_put(w->memory, "zz/other", bytes_of_text("mine, too"));
    names_file(w)->data[3] ^= 1;
    struct node *node = world_node(w, false, 0);
    assert_listed(w, node, three);
    world_stop(w, node);
    buf_deinit(&head);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_file_is_made_anew),
        TEST(a_file_that_is_lost_or_cut_is_made_anew),
        TEST(a_good_file_is_believed),
        TEST(two_chains_of_one_name_are_told),
        TEST(a_good_line_keeps_its_name),
        TEST(a_chain_without_a_readable_genesis_is_told),
        TEST(what_a_cut_creation_left_is_no_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
