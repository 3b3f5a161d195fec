/* crew: threads for what is forked and joined (base/task.h). They are started
 * when the first is needed. */
#ifndef ATE_IO_CREW_H
#define ATE_IO_CREW_H

#include <stdint.h>

#include "base/task.h"

/* One thread less than there are processors, and no more than this. */
enum { CREW_THREADS = 4 };

struct crew;

/* Of at most `threads` threads; with 0, whoever joins does all. */
struct crew *crew_new(uint32_t threads);

/* As many threads as this machine has processors to spare. */
uint32_t crew_size(void);

void crew_free(struct crew *crew); /* all is joined; NULL is harmless */

/* By one thread, the owner's. */
void crew_fork(struct crew *crew, struct forked *forked);
void crew_join(struct crew *crew, struct forked *forked);
#endif
