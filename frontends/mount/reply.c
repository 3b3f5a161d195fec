/* Replies: what a file's method said last, by the file's path, for it is told
 * of files, too, that were not made, or are gone. The newest first; the oldest
 * go when there are too many. */
#include <stdlib.h>
#include <string.h>

#include "mount/inside.h"

struct reply {
    struct reply *next;
    char *path; /* bank/accounts/alice/transfer */
    struct content *content;
};

/* To be freed. */
static char *path_of(const struct inode *folder, const char *name)
{
    struct buffer path = {0};
    struct buffer below = {0};
    inode_path(folder, &below);
    buffer_printf(&path, "%s/%s/%s", folder->chain->name, buffer_string(&below),
                  name);
    buffer_free(&below);
    return path.data;
}

static void reply_free(struct reply *reply)
{
    content_unref(reply->content);
    free(reply->path);
    free(reply);
}

/* Take it out of its place; NULL: there is none. */
static struct reply *take_out(struct door *d, const char *path)
{
    struct reply **at = &d->replies;
    while (*at != NULL && strcmp((*at)->path, path) != 0)
        at = &(*at)->next;
    struct reply *found = *at;
    if (found != NULL)
        *at = found->next;
    return found;
}

static void drop_oldest(struct door *d)
{
    struct reply **at = &d->replies;
    for (size_t i = 0; i < DOOR_REPLIES_MAX && *at != NULL; i++)
        at = &(*at)->next;
    while (*at != NULL) {
        struct reply *oldest = *at;
        *at = oldest->next;
        reply_free(oldest);
    }
}

/* The file that shows it; NULL: nobody has looked for it. */
static struct inode *shown(const struct door *d, const struct inode *node)
{
    struct buffer name = {0};
    buffer_printf(&name, "%s.reply", node->name);
    struct inode *found = inode_find(d, node->parent, name.data);
    buffer_free(&name);
    return found != NULL && found->kind == NODE_REPLY ? found : NULL;
}

void reply_set(struct door *d, struct inode *node, const struct buffer *text)
{
    char *path = path_of(node->parent, node->name);
    struct reply *reply = take_out(d, path);
    if (reply == NULL) {
        reply = memory_new(sizeof(*reply));
        reply->path = path;
        path = NULL;
        inode_unlist(d, node->parent);
    }
    free(path);
    content_unref(reply->content);
    reply->content = content_new(text->data, text->len);
    reply->next = d->replies;
    d->replies = reply;
    drop_oldest(d);
    if (shown(d, node) != NULL)
        inode_went_stale(d, shown(d, node));
}

const struct content *reply_find(const struct door *d,
                                 const struct inode *folder, const char *name)
{
    char *path = path_of(folder, name);
    const struct reply *at = d->replies;
    while (at != NULL && strcmp(at->path, path) != 0)
        at = at->next;
    free(path);
    return at != NULL ? at->content : NULL;
}

void reply_end(struct door *d, struct inode *node)
{
    char *path = path_of(node->parent, node->name);
    struct reply *reply = take_out(d, path);
    free(path);
    if (reply == NULL)
        return;
    reply_free(reply);
    if (shown(d, node) != NULL)
        inode_detach(d, shown(d, node));
}

void replies_free(struct door *d)
{
    while (d->replies != NULL) {
        struct reply *reply = d->replies;
        d->replies = reply->next;
        reply_free(reply);
    }
}
