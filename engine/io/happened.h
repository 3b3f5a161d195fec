/* happened: events of the node on their way to the port that is told of them.
 * On the engine's thread; a port that is NULL is told nothing. */
#ifndef ATE_IO_HAPPENED_H
#define ATE_IO_HAPPENED_H

#include "base/bytes.h"

struct err;
struct port;

/* A msgpack map, copied. Dropped where HAPPENED_MAX wait. */
enum { HAPPENED_MAX = 1024 };
void happened_tell(struct port *port, struct bytes event);

/* Somebody who connected was turned away. */
void happened_refused(struct port *port, const struct err *why);

/* Give the reference back. */
void happened_end(struct port *port);
#endif
