/* events: what happens in a node, for a log that people read. Told to
 * node_env.happened; never a key, a body or an argument. */
#ifndef ATE_NODE_EVENTS_H
#define ATE_NODE_EVENTS_H

struct err;
struct hosted;
struct work;

/* It can be used, perhaps only up to a damage: then that is told, too. */
void events_opened(const struct hosted *h);
/* It can not be used (any more), and why. */
void events_damaged(const struct hosted *h, const struct err *why);
/* A worker gave up, or will try again. */
void events_worked(const struct work *w, const char *what);
#endif
