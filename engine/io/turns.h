/* turns: who works for the node: one thread at a time.
 *
 * The owner, a thread with a loop, has the turn but while it sleeps. Meanwhile
 * others may take it, to do at once what they would have to wake the owner
 * for. */
#ifndef ATE_IO_TURNS_H
#define ATE_IO_TURNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct turns {
    pthread_mutex_t mutex;
    atomic_bool wanted; /* the owner waits for it */
};

void turns_init(struct turns *turns);
void turns_deinit(struct turns *turns); /* nobody has it */

/* The owner's: wait for it. */
void turns_take(struct turns *turns);
/* Anybody's: true: it is this thread's now. False: somebody has it, perhaps
 * this thread, or the owner waits for it. */
bool turns_try(struct turns *turns);
void turns_leave(struct turns *turns);
#endif
