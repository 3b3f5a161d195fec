/* asker: what a thread does after it asked for something, by which it is chosen
 * who begins it. */
#ifndef ATE_IO_ASKER_H
#define ATE_IO_ASKER_H

enum asker {
    ASKER_WAITS,   /* nothing: it may as well begin it itself */
    ASKER_POLLS,   /* something else: another thread has to be told */
    ASKER_GATHERS, /* it asks for more, then comes back to begin it all */
};
#endif
