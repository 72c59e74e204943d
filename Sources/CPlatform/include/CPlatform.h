// Thin shims for what the Glibc module does not import: macros, variadics and GNU extensions.
#ifndef TIDEMARK_CPLATFORM_H
#define TIDEMARK_CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Tunes glibc malloc: keeps freed 1 MiB buffers instead of returning them to the kernel at every free.
void tm_tune_malloc(void);

/// A non-blocking, close-on-exec eventfd; -1 and errno on failure.
int tm_eventfd(void);

/// Names the calling thread (at most 15 characters are kept).
void tm_name_thread(const char *name);

/// open(2) with mode; `direct` asks for O_DIRECT. -1 and errno on failure.
int tm_open(const char *path, int flags, int mode, int direct);

/// fallocate(2), mode 0 or FALLOC_FL_KEEP_SIZE. -1 and errno on failure.
int tm_fallocate(int fd, int keep_size, int64_t offset, int64_t length);

/// Device and inode of what `path` names, and nothing else: since Linux 6.13 whoever asks for a file's
/// times makes its next write dirty the inode, which costs the following fdatasync another wait for
/// the disk. -1 and errno on failure.
int tm_identify(const char *path, uint64_t *device, uint64_t *inode);

/// rename that fails with EEXIST when the target exists (RENAME_NOREPLACE).
int tm_rename_noreplace(const char *from, const char *to);

/// CRC-32C (Castagnoli) of `length` bytes continued from `crc` (0 to start).
uint32_t tm_crc32c(uint32_t crc, const void *bytes, size_t length);

/// syncfs(2): everything of the file system that holds `fd` is durable. -1 and errno on failure.
int tm_syncfs(int fd);

/// sync_file_range(2), SYNC_FILE_RANGE_WRITE: these bytes begin to go to the disk. Advice only.
void tm_begin_writeback(int fd, int64_t offset, int64_t length);

/// flock(2) exclusive, non-blocking. 0 when held, -1 and errno otherwise.
int tm_lock_exclusive(int fd);

/// Gives the flock(2) back, for every copy of the descriptor.
void tm_unlock(int fd);

/// A pipe with both ends close-on-exec; end `ours` (0 reading, 1 writing) is non-blocking. -1 and
/// errno on failure.
int tm_pipe(int ends[2], int ours);

/// The environment of this process.
char **tm_environment(void);

/// A close-on-exec descriptor that polls readable when the child `pid` has ended (Linux 5.3).
int tm_process_descriptor(pid_t pid);

/// posix_spawn with an empty signal mask and default signal actions: a child must not inherit what a
/// thread pool blocks, or SIGTERM never reaches it. `directory` may be NULL. The three descriptors
/// become 0, 1 and 2; every other one is closed. Returns 0 or an errno.
int tm_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[],
             const char *directory, int input, int output, int errors);

/// What `tm_catch_end` writes to standard error, in one write; NULL for nothing. It must stay valid
/// for ever.
void tm_set_last_words(const char *text);

/// From now on this signal writes the last words, and then ends the process as it does by default.
/// One that is ignored stays ignored. -1 and errno on failure.
int tm_catch_end(int number);

/// The process's own argument, as ps shows it; it may be overwritten in place. NULL beyond the last.
char *tm_argument(int index);

/// A function of a library that is loaded when it is wanted.
struct tm_function {
    const char *name;
    void **place;
};

/// Loads a library and finds functions in it. NULL, or why that cannot be, which stays valid.
const char *tm_load_functions(
    const char *library, const struct tm_function *functions, size_t count);

// A module has one header; this part is for C files alone.
#include "CLibrary.h"

#endif
