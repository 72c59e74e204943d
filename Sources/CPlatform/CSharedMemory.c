#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

// libmongoc makes its performance counters from a constructor, before main and before any of its
// settings can be made: a file /dev/shm/mongoc-PID, which stays when the process is killed, and a
// warning on standard error where /dev/shm cannot be written, whatever command was given. Nobody
// reads the counters, so they get memory without a name; the warning has no cause then. The
// executable's own shm_open comes before glibc's, which all other names still reach by their path.
int shm_open(const char *name, int flags, mode_t mode) {
    if (strncmp(name, "/mongoc-", 8) == 0) return memfd_create("mongoc", MFD_CLOEXEC);
    char path[PATH_MAX];
    while (*name == '/') name++;
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);
}
