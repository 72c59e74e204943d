#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

int tm_pipe(int ends[2], int ours) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    return fcntl(ends[ours], F_SETFL, O_NONBLOCK);
}

char **tm_environment(void) { return environ; }

int tm_process_descriptor(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static int describe(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int status = posix_spawnattr_setsigmask(attributes, &none);
    if (status == 0) status = posix_spawnattr_setsigdefault(attributes, &all);
    if (status == 0)
        status = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return status;
}

static int prepare(posix_spawn_file_actions_t *actions, const char *directory, int input,
                   int output, int errors) {
    int status = directory ? posix_spawn_file_actions_addchdir_np(actions, directory) : 0;
    if (status == 0) status = posix_spawn_file_actions_adddup2(actions, input, 0);
    if (status == 0) status = posix_spawn_file_actions_adddup2(actions, output, 1);
    if (status == 0) status = posix_spawn_file_actions_adddup2(actions, errors, 2);
    if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return status;
}

int tm_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[],
             const char *directory, int input, int output, int errors) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int status = posix_spawnattr_init(&attributes);
    if (status != 0) return status;
    status = posix_spawn_file_actions_init(&actions);
    if (status == 0) {
        status = describe(&attributes);
        if (status == 0) status = prepare(&actions, directory, input, output, errors);
        if (status == 0) status = posix_spawn(pid, path, &actions, &attributes, argv, envp);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return status;
}
