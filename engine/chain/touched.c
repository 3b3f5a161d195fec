/* What placed transactions touched, on its way to `changes`, which tells of
 * what is durable only.
 *
 * Keys wait in a buffer, a length in front of each: c->touched of what is
 * placed, c->touched_writing of the group under way. While a log is read there
 * are no groups, and what is read can be seen only at the end: changes are
 * added after each frame, but `ahead`. */
#include <assert.h>

#include "chain/inside.h"

void touched_note(struct chain *c)
{
    const struct state *s = &c->core.state;
    for (size_t i = 0; i < s->change_count; i++) {
        uint8_t length[4];
        put_le32(length, (uint32_t)s->changes[i].len);
        buf_put(&c->touched, length, sizeof(length));
        buf_put_bytes(&c->touched, s->changes[i]);
    }
}

static void take(struct chain *c, struct buf *keys, uint64_t size)
{
    for (size_t at = 0; at < keys->len;) {
        size_t length = get_le32(keys->data + at);
        changes_add(&c->changes, bytes_of(keys->data + at + 4, length), size);
        at += 4 + length;
    }
    changes_added(&c->changes, size);
    buf_clear(keys);
}

void touched_seal(struct chain *c)
{
    struct buf empty = c->touched_writing;
    assert(empty.len == 0);
    c->touched_writing = c->touched;
    c->touched = empty;
}

void touched_durable(struct chain *c)
{
    take(c, &c->touched_writing, c->durable.size);
}

void touched_drop(struct chain *c)
{
    buf_clear(&c->touched);
    buf_clear(&c->touched_writing);
}

void touched_read(struct chain *c)
{
    take(c, &c->touched, c->next_index);
    c->changes.ahead = true;
}

void touched_shown(struct chain *c)
{
    buf_clear(&c->touched); /* of a frame that was not good */
    c->changes.ahead = false;
}

void touched_forget(struct chain *c)
{
    touched_drop(c);
    changes_forget(&c->changes, c->next_index + 1);
}
