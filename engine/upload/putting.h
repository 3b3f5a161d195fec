/* putting: one large body from piece to piece, to its end.
 *
 * Each request of an upload waits in its list, `first` to `last`, until it is
 * answered; what goes wrong is told by its answer. An upload that is of no use
 * any more goes by itself, so whoever calls one of these holds no pointer to it
 * afterwards. */
#ifndef ATE_UPLOAD_PUTTING_H
#define ATE_UPLOAD_PUTTING_H

struct put;
struct upload;

/* As `put`, its first request, has it; nothing is there yet. */
void putting_begin(struct upload *up, const struct put *put);
/* Do the next thing for the first of its requests, unless it is busy or there
 * is none. */
void putting_next(struct upload *up);
/* Drop its file, and forget it then. Not busy, nobody waits. */
void putting_drop(struct upload *up);
#endif
