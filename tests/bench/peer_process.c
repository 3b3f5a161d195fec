/* How peers are started, waited for, and ended. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peers.h"

enum { UP_MS = 60000, END_MS = 60000, STEP_MS = 1 };

static void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* PostgreSQL refuses to run as root: then peers run as Debian's user for it.
 */
static const struct passwd *other_user(void)
{
    return geteuid() == 0 ? getpwnam("postgres") : NULL;
}

char *fresh_folder(const char *name)
{
    static int count;
    char *path = (char *)text_of("%s/%s%d", bench_folder, name, count++);
    const struct passwd *user = other_user();
    if (chmod(bench_folder, 0755) != 0 || mkdir(path, 0700) != 0 ||
        (user != NULL && chown(path, user->pw_uid, user->pw_gid) != 0))
        bench_die(path, NULL);
    return path;
}

static void become(const char *folder)
{
    const struct passwd *user = other_user();
    int log =
        open(text_of("%s/log", folder), O_CREAT | O_APPEND | O_WRONLY, 0644);
    if (user != NULL &&
        (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(log, 1);
    dup2(log, 2);
    if (chdir(folder) != 0)
        _exit(126);
}

pid_t spawn_in(const char *folder, char *const argv[])
{
    pid_t pid = fork();
    if (pid < 0)
        bench_die("fork", NULL);
    if (pid == 0) {
        become(folder);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

int wait_for(pid_t pid)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_and_wait(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    return wait_for(pid);
}

void end_child(pid_t pid)
{
    struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    kill(pid, SIGTERM);
    if (end.fd < 0 || poll(&end, 1, END_MS) != 1)
        kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(end.fd);
}

double resident(pid_t pid)
{
    FILE *f = fopen(text_of("/proc/%d/statm", (int)pid), "r");
    unsigned long all, here;
    if (f == NULL || fscanf(f, "%lu %lu", &all, &here) != 2)
        bench_die("memory of a process", NULL);
    fclose(f);
    return (double)here * (double)sysconf(_SC_PAGESIZE);
}

int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        bench_die("a free port", NULL);
    close(fd);
    return ntohs(a.sin_port);
}

void wait_until_up(const char *name, pid_t pid, int (*is_up)(const void *where),
                   const void *where)
{
    for (int ms = 0; ms < UP_MS; ms += STEP_MS) {
        int fd = is_up(where);
        if (fd >= 0) {
            close(fd);
            return;
        }
        if (waitpid(pid, NULL, WNOHANG) != 0)
            bench_die(name, "it ended at once; see its log");
        pause_ms(STEP_MS);
    }
    bench_die(name, "does not listen after a minute");
}

static const char *found(const char *pattern)
{
    glob_t g = {0};
    const char *path = NULL;
    if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc > 0)
        path = text_of("%s", g.gl_pathv[g.gl_pathc - 1]);
    globfree(&g);
    return path;
}

const char *program(const char *name)
{
    static const char *const places[] = {"/usr/bin/%s", "/usr/sbin/%s",
                                         "/usr/lib/postgresql/*/bin/%s"};
    const char *path = NULL;
    for (size_t i = 0; path == NULL && i < 3; i++) {
        char pattern[200];
        const char *mark = strstr(places[i], "%s");
        snprintf(pattern, sizeof(pattern), "%.*s%s", (int)(mark - places[i]),
                 places[i], name);
        path = found(pattern);
    }
    if (path == NULL)
        bench_missing("%s, which is not installed here", name);
    return path;
}

const char *payload(void)
{
    static char text[PAYLOAD + 1];
    memset(text, 'p', PAYLOAD);
    return text;
}
