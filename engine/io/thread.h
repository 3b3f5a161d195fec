/* thread: how threads of the library begin. They take no signals: those are the
 * program's. */
#ifndef ATE_IO_THREAD_H
#define ATE_IO_THREAD_H

#include <pthread.h>
#include <signal.h>

/* As pthread_create(): 0, or an errno. */
int thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx);

/* The same for threads that another library may start in between: they take
 * after the one that calls it, which may be one of the program's. */
void thread_signals_off(sigset_t *before);
void thread_signals_back(const sigset_t *before);
#endif
