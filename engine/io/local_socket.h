/* local_socket: DATA/socket, where the process that serves a data folder
 * listens, and who may be at its other end: the folder's owner, and root.
 *
 * All functions may be called from any thread. Descriptors are the caller's,
 * and are not inherited by programs that he starts. */
#ifndef ATE_IO_LOCAL_SOCKET_H
#define ATE_IO_LOCAL_SOCKET_H

struct err;

/* Listen there; nobody but the folder's owner and root can connect. What a
 * process that is gone left there is replaced, so only the holder of the
 * folder's lock may call this. Returns a descriptor. Errors: CONFLICT (what
 * stands there is no socket), DENIED, FULL, IO. */
int local_socket_listen(const char *folder, struct err *err);

/* `fd` listens already: whether it does so there, and nobody has to wait for
 * it. Its mode and its removal are whoever's made it. Errors: INVALID. */
int local_socket_adopt(int fd, const char *folder, struct err *err);

/* By whoever listened. */
void local_socket_remove(const char *folder);

/* Returns a descriptor that does not wait. Errors: NOT_FOUND (nobody listens),
 * DENIED, UNAVAILABLE (not within `timeout_ms`; 0: not at once), IO. */
int local_socket_connect(const char *folder, int timeout_ms, struct err *err);

/* Whether the process at the other end may be there. Errors: DENIED, IO. */
int local_socket_check(int fd, const char *folder, struct err *err);
#endif
