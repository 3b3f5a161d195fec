/* Mutexes are not fair: threads that take turns as fast as they can would keep
 * the owner out for as long as they do, so they ask whether it waits. */
#include "io/turns.h"

void turns_init(struct turns *turns)
{
    pthread_mutex_init(&turns->mutex, NULL);
    atomic_init(&turns->wanted, false);
}

void turns_deinit(struct turns *turns)
{
    pthread_mutex_destroy(&turns->mutex);
}

void turns_take(struct turns *turns)
{
    atomic_store(&turns->wanted, true);
    pthread_mutex_lock(&turns->mutex);
    atomic_store(&turns->wanted, false);
}

bool turns_try(struct turns *turns)
{
    return !atomic_load(&turns->wanted) &&
           pthread_mutex_trylock(&turns->mutex) == 0;
}

void turns_leave(struct turns *turns)
{
    pthread_mutex_unlock(&turns->mutex);
}
