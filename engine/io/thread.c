#include "io/thread.h"

#include <stddef.h>

void thread_signals_off(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void thread_signals_back(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

int thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx)
{
    sigset_t before;
    thread_signals_off(&before);
    int rc = pthread_create(thread, NULL, run, ctx);
    thread_signals_back(&before);
    return rc;
}
