/* parts: reading records whose parts stand in a fixed order, so that an error
 * can name the part it is about. */
#ifndef ATE_EVENT_PARTS_H
#define ATE_EVENT_PARTS_H

/* In a function that returns a code and has `int rc` and `const char **part`:
 * note the name of the part, read it by `call`, leave when that failed. */
#define PART(name, call)                                                       \
    do {                                                                       \
        *part = (name);                                                        \
        rc = (call);                                                           \
        if (rc != 0)                                                           \
            return rc;                                                         \
    } while (0)
#endif
