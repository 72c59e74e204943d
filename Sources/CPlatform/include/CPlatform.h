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

/// rename that fails with EEXIST when the target exists (RENAME_NOREPLACE).
int tm_rename_noreplace(const char *from, const char *to);

/// CRC-32C (Castagnoli) of `length` bytes continued from `crc` (0 to start).
uint32_t tm_crc32c(uint32_t crc, const void *bytes, size_t length);

/// flock(2) exclusive, non-blocking. 0 when held, -1 and errno otherwise.
int tm_lock_exclusive(int fd);

#endif
