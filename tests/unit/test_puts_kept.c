/* Large bodies that were put: kept for how long, for whom, and while what
 * fails. */
#define _GNU_SOURCE /* memmem */
#include "fixture_puts.h"

/* ---- what nobody wants ---- */

static void nobody_waits_longer_than_an_hour(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, 10);
    put_whole(s, 2);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_int_equal(offset_of(s, 1), 10); /* touched */
    assert_non_null(file_of(s, s->hash, true));
    world_pass(&s->world, s->node, 1);
    assert_int_equal(offset_of(s, 3), 0);
    assert_null(file_of(s, s->hash, true));
    assert_int_equal(film(s, "a", s->hash, BODY, "more than an hour ago"),
                     ATE_ENOT_FOUND);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_int_equal(offset_of(s, 1), 0); /* who comes back begins anew */
    put_part(s, 1, 0, 20);
    assert_int_equal(upload_file(s, 1)->len, 20);
}

/* Time that passes while the chain is closed is time, and opening it, however
 * often, gives nothing a new hour. */
static void opening_makes_nothing_younger(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, 10);
    put_whole(s, 2);
    for (int i = 0; i < 3; i++) {
        s->world.wall_ms += HOUR_MS / 4;
        reopen(s);
        assert_int_equal(offset_of(s, 9), 0); /* it is open */
    }
    assert_non_null(upload_file(s, 1));
    put_part(s, 1, 10, 10); /* this one is gone on with */
    s->world.wall_ms += HOUR_MS / 4 + 1;
    reopen(s);
    assert_int_equal(offset_of(s, 8), 0);
    world_pass(&s->world, s->node, 0);
    assert_null(file_of(s, s->hash, true));
    assert_int_equal(upload_file(s, 1)->len, 20);
    s->world.wall_ms += HOUR_MS;
    reopen(s);
    assert_int_equal(offset_of(s, 7), 0);
    world_pass(&s->world, s->node, 0);
    assert_null(upload_file(s, 1));
}

/* More files than are asked for their age at once. */
static void many_are_found_with_their_age(void **state)
{
    struct bench *s = *state;
    for (uint8_t i = 0; i < 50; i++) {
        put_part(s, i, 0, 1);
        s->world.wall_ms += 1000;
    }
    s->world.wall_ms += HOUR_MS - 25500;
    reopen(s);
    assert_int_equal(offset_of(s, 99), 0);
    world_pass(&s->world, s->node, 0);
    for (uint8_t i = 0; i < 50; i++)
        assert_true((upload_file(s, i) != NULL) == (i >= 25));
}

/* A clock that went back makes no file of the future live for ever. */
static void a_file_of_the_future_is_as_old_as_the_opening(void **state)
{
    struct bench *s = *state;
    s->world.wall_ms += 10 * HOUR_MS;
    put_part(s, 1, 0, 10);
    s->world.wall_ms -= 10 * HOUR_MS;
    reopen(s);
    assert_int_equal(offset_of(s, 9), 0);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_non_null(upload_file(s, 1));
    world_pass(&s->world, s->node, 1);
    assert_int_equal(offset_of(s, 8), 0);
    assert_null(upload_file(s, 1));
}

/* Nobody has to come for that, and until then the chain stays open: who puts
 * slowly does not have to name a hash at the end. */
static void it_goes_by_itself(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    put_part(s, 2, 0, BODY);
    for (int i = 0; i < 50; i++)
        world_pass(&s->world, s->node, 70000);
    assert_non_null(file_of(s, s->hash, true));
    assert_non_null(chain_of(s));
    assert_int_equal(put(s, &(struct piece){.id = 2, .end = true}, NULL), 0);
    for (int i = 0; i < 60; i++)
        world_pass(&s->world, s->node, 70000);
    assert_null(file_of(s, s->hash, true));
    struct hosted *h = hosted_find(s->node, bytes_of_text("films"));
    assert_true(h == NULL || h->chain == NULL);
}

/* A transaction cannot claim what is being removed, and what is put meanwhile
 * is not removed with it. */
static void what_goes_cannot_be_claimed(void **state)
{
    struct bench *s = *state;
    struct ask asks[3];
    put_whole(s, 1);
    s->world.wall_ms += HOUR_MS + 1;
    node_tick(s->node, s->world.wall_ms, s->world.steady_us);
    start_put(s, &asks[0], &(struct piece){.id = 9});
    node_flush(s->node);
    start_film(s, &asks[1], "a", s->hash, BODY);
    start_whole(s, &asks[2], 2);
    world_run(&s->world, s->node);
    assert_int_equal(asks[0].code, 0);
    bool accepted = asks[1].code == 0;
    assert_true(accepted || asks[1].code == ATE_ENOT_FOUND);
    assert_hash(&asks[2], s->hash);
    for (size_t i = 0; i < 3; i++)
        ask_end(&asks[i]);
    if (accepted)
        check_film(s, "a");
    film_ok(s, "b");
    check_film(s, "b");
}

/* Whoever puts it again counts on it for another hour. */
static void putting_it_again_keeps_it(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    world_pass(&s->world, s->node, HOUR_MS);
    put_whole(s, 2);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_int_equal(offset_of(s, 3), 0);
    film_ok(s, "a");
    check_film(s, "a");
}

static void so_many_and_no_more(void **state)
{
    struct bench *s = *state;
    for (int i = 0; i < UPLOADS_MAX - 1; i++)
        put_part(s, (uint8_t)i, 0, 1);
    put_whole(s, 255);
    uint8_t id[UPLOAD_ID_SIZE] = {1};
    struct ask ask;
    struct buf text = {0};
    char arg[64];
    hex_put(&text, bytes_of(id, sizeof(id)));
    snprintf(arg, sizeof(arg), "id=%s", buf_text(&text));
    buf_deinit(&text);
    assert_int_equal(
        call(&s->world, s->node, &ask, "films", "ate.put", ARGS(arg)),
        ATE_ELIMIT);
    assert_non_null(strstr(ask.err.text, "256 bodies"));
    ask_end(&ask);
    put_part(s, 7, 1, 1); /* those that are there go on */
    film_ok(s, "a");
    call_ok(&s->world, s->node, "films", "ate.put", ARGS(arg));
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 3), 0);
}

static void so_many_bytes_and_no_more(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, 1);
    chain_of(s)->uploads.length_max = BODY + PIECE;
    put_whole(s, 2);
    put_part(s, 3, 0, PIECE - 1);
    struct piece more = {
        .id = 3, .offset = PIECE - 1, .data = part(s, PIECE - 1, 1)};
    assert_int_equal(put(s, &more, "that no call names yet"), ATE_ELIMIT);
    assert_int_equal(offset_of(s, 3), PIECE - 1);
    film_ok(s, "a"); /* it names the second */
    assert_int_equal(put(s, &more, NULL), 0);
}

/* All that waits goes at once, and makes room at once. */
static void room_comes_with_the_hour(void **state)
{
    struct bench *s = *state;
    for (int i = 0; i < UPLOADS_MAX; i++)
        put_part(s, (uint8_t)i, 0, 1);
    world_pass(&s->world, s->node, HOUR_MS + 1);
    call_ok(&s->world, s->node, "films", "ate.put",
            ARGS("id=000102030405060708090a0b0c0d0e0f"));
}

/* ---- several ---- */

static void the_same_may_be_put_at_once(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask other;
    start_whole(s, &one, 1);
    start_whole(s, &other, 2);
    world_run(&s->world, s->node);
    assert_hash(&one, s->hash);
    assert_hash(&other, s->hash);
    ask_end(&one);
    ask_end(&other);
    put_whole(s, 3); /* and after the other */
    assert_null(upload_file(s, 3));
    film_ok(s, "a");
    put_whole(s, 4); /* and when it is in the log */
    assert_null(upload_file(s, 4));
    assert_null(file_of(s, s->hash, true));
    film_ok(s, "b");
    check_film(s, "a");
    check_film(s, "b");
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 9), 0);
    check_film(s, "a");
    reopen(s);
    check_film(s, "b");
}

/* Whatever the steps of the two, and of a claim, in between: each step of the
 * disk is tried. */
static void the_same_may_be_claimed_while_it_is_put(void **state)
{
    struct bench *s = *state;
    for (int steps = 0; steps < 12; steps++) {
        struct ask asks[3];
        char name[16];
        snprintf(name, sizeof(name), "f%d", steps);
        s->body.data[0]++;
        body_hash(buf_bytes(&s->body), s->hash);
        start_whole(s, &asks[0], 1);
        node_flush(s->node);
        for (int i = 0; i < steps; i++) {
            world_reap(&s->world);
            node_flush(s->node);
        }
        start_whole(s, &asks[1], 2);
        start_film(s, &asks[2], name, s->hash, BODY);
        world_run(&s->world, s->node);
        assert_hash(&asks[0], s->hash);
        assert_hash(&asks[1], s->hash);
        if (asks[2].code == ATE_ENOT_FOUND)
            film_ok(s, name);
        else
            assert_int_equal(asks[2].code, 0);
        for (size_t i = 0; i < 3; i++)
            ask_end(&asks[i]);
        check_film(s, name);
    }
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 9), 0);
    check_film(s, "f11");
}

static void two_transactions_may_name_one(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask other;
    put_whole(s, 1);
    start_film(s, &one, "a", s->hash, BODY);
    start_film(s, &other, "b", s->hash, BODY);
    world_run(&s->world, s->node);
    assert_int_equal(one.code, 0);
    assert_int_equal(other.code, 0);
    ask_end(&one);
    ask_end(&other);
    check_film(s, "a");
    check_film(s, "b");
    call_ok(&s->world, s->node, "films", "copy", ARGS("name=c", "of=a"));
    call_ok(&s->world, s->node, "films", "film.delete", ARGS("name=a"));
    check_film(s, "b");
    check_film(s, "c");
}

/* Between any two steps: it is in put/, on its way, or in large/. */
static void it_is_read_while_it_moves(void **state)
{
    enum { READS = 40 };
    struct bench *s = *state;
    struct ask film_ask;
    struct ask reads[READS];
    int count = 0;
    put_whole(s, 1);
    start_film(s, &film_ask, "a", s->hash, BODY);
    for (size_t busy = 1; busy > 0 && count < READS;) {
        node_flush(s->node);
        if (film_ask.done)
            start_range(s, &reads[count++], "a", 0, BODY);
        busy = world_reap(&s->world);
    }
    world_run(&s->world, s->node);
    assert_int_equal(film_ask.code, 0);
    ask_end(&film_ask);
    assert_true(count > 1);
    for (int i = 0; i < count; i++)
        check_read(s, &reads[i], 0, BODY);
}

/* ---- the disk fails ---- */

static void a_piece_that_failed_is_sent_again(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, PIECE);
    s->world.broken = JOB_WRITE;
    s->world.broken_in = "put/";
    struct piece piece = {
        .id = 1, .offset = PIECE, .data = part(s, PIECE, BODY - PIECE)};
    assert_int_equal(put(s, &piece, "write"), ATE_EIO);
    assert_int_equal(
        put(s, &(struct piece){.id = 2, .data = part(s, 0, 1)}, "write"),
        ATE_EIO);
    s->world.broken = 0;
    assert_int_equal(offset_of(s, 1), PIECE);
    assert_int_equal(put(s, &piece, NULL), 0);
    s->world.broken = JOB_RENAME;
    assert_int_equal(put(s, &(struct piece){.id = 1, .end = true}, "renaming"),
                     ATE_EIO);
    s->world.broken = 0;
    assert_int_equal(
        put(s, &(struct piece){.id = 1, .end = true, .hash = s->hash}, NULL),
        0);
    film_ok(s, "a");
    check_film(s, "a");
}

/* The next sync would say that all is well, and it may not be. */
static void a_sync_that_failed_takes_it_away(void **state)
{
    static const enum job_kind kinds[] = {JOB_SYNC, JOB_SYNC_FOLDER};
    struct bench *s = *state;
    for (size_t i = 0; i < 2; i++) {
        put_part(s, 1, 0, BODY);
        s->world.broken = kinds[i];
        s->world.broken_in = "put";
        assert_int_equal(put(s, &(struct piece){.id = 1, .end = true}, "sync"),
                         ATE_EIO);
        s->world.broken = 0;
        assert_int_equal(offset_of(s, 1), 0);
        assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"),
                         ATE_ENOT_FOUND);
    }
    put_whole(s, 1);
    film_ok(s, "a");
    check_film(s, "a");
}

/* What cannot move is read where it is, and moves with a later commit. */
static void a_move_that_failed_is_made_good(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    s->world.broken = JOB_MKDIR;
    s->world.broken_in = "large";
    film_ok(s, "a");
    check_film(s, "a");
    assert_non_null(file_of(s, s->hash, true));
    s->world.broken = 0;
    call_ok(&s->world, s->node, "films", "script.create",
            ARGS("body=words", "name=x"));
    assert_null(file_of(s, s->hash, true));
    check_film(s, "a");
}

/* ---- the node stops ---- */

static void what_is_under_way_is_answered_before_the_end(void **state)
{
    struct bench *s = *state;
    for (int steps = 0; steps < 8; steps++) {
        struct ask asks[4];
        int stopped = 1;
        s->body.data[0]++;
        start_put(s, &asks[0],
                  &(struct piece){.id = 1, .data = part(s, 0, PIECE)});
        start_put(s, &asks[1],
                  &(struct piece){.id = 1,
                                  .offset = PIECE,
                                  .data = part(s, PIECE, BODY - PIECE)});
        start_put(s, &asks[2], &(struct piece){.id = 1, .end = true});
        start_whole(s, &asks[3], 2);
        for (int i = 0; i < steps; i++) {
            node_flush(s->node);
            world_reap(&s->world);
        }
        node_stop(s->node, node_ready, &stopped);
        world_run(&s->world, s->node);
        assert_int_equal(stopped, 0);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(asks[i].code, 0);
            ask_end(&asks[i]);
        }
        node_free(s->node);
        s->node = world_node(&s->world, false, 0);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(nobody_waits_longer_than_an_hour),
        T(opening_makes_nothing_younger),
        T(many_are_found_with_their_age),
        T(a_file_of_the_future_is_as_old_as_the_opening),
        T(it_goes_by_itself),
        T(what_goes_cannot_be_claimed),
        T(putting_it_again_keeps_it),
        T(so_many_and_no_more),
        T(so_many_bytes_and_no_more),
        T(room_comes_with_the_hour),
        T(the_same_may_be_put_at_once),
        T(the_same_may_be_claimed_while_it_is_put),
        T(two_transactions_may_name_one),
        T(it_is_read_while_it_moves),
        T(a_piece_that_failed_is_sent_again),
        T(a_sync_that_failed_takes_it_away),
        T(a_move_that_failed_is_made_good),
        T(what_is_under_way_is_answered_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
