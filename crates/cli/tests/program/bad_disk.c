/* A shared file system on a bad day, to be loaded before the C library: renames, links and locks are late, and fail now and then,
   sometimes after they were carried out, as when the answer of a server is lost. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum fate { WORKS, FAILS, IS_LOST };

static unsigned one_in(const char *name, unsigned otherwise) {
    const char *text = getenv(name);
    return text ? (unsigned)atoi(text) : otherwise;
}

static uint64_t next_random(void) {
    static atomic_uint_fast64_t state;
    uint64_t z = atomic_fetch_add(&state, 0x9e3779b97f4a7c15u) + (uint64_t)getpid() * 0x2545f4914f6cdd1du;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static enum fate meet(void) {
    if (next_random() % 4 == 0) {
        struct timespec pause = {0, (long)(next_random() % 10) * 1000000};
        nanosleep(&pause, NULL);
    }
    unsigned fails = one_in("BAD_DISK_FAILS_IN", 25);
    if (fails == 0 || next_random() % fails != 0) return WORKS;
    return next_random() % 2 ? FAILS : IS_LOST;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CHANGE(call)                        \
    do {                                    \
        enum fate fate = meet();            \
        if (fate == FAILS) {                \
            errno = EIO;                    \
            return -1;                      \
        }                                   \
        int result = (call);                \
        if (fate == IS_LOST && !result) {   \
            errno = EIO;                    \
            return -1;                      \
        }                                   \
        return result;                      \
    } while (0)

int rename(const char *from, const char *to);
int linkat(int from, const char *file, int to, const char *name, int flags);
int link(const char *file, const char *name);
int flock(int file, int operation);

int rename(const char *from, const char *to) { CHANGE(REAL(rename)(from, to)); }
int link(const char *file, const char *name) { CHANGE(REAL(link)(file, name)); }
int linkat(int from, const char *file, int to, const char *name, int flags) {
    CHANGE(REAL(linkat)(from, file, to, name, flags));
}
/* A lock that was given and not told of would be held by nobody: it only fails. */
int flock(int file, int operation) {
    if (meet() != WORKS) {
        errno = ENOLCK;
        return -1;
    }
    return REAL(flock)(file, operation);
}
