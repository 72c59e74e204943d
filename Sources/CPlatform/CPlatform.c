#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void tm_tune_malloc(void) {
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
    mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
}

int tm_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void tm_name_thread(const char *name) {
    char kept[16];
    strncpy(kept, name, sizeof kept - 1);
    kept[sizeof kept - 1] = 0;
    pthread_setname_np(pthread_self(), kept);
}

int tm_open(const char *path, int flags, int mode, int direct) {
    return open(path, flags | O_CLOEXEC | (direct ? O_DIRECT : 0), mode);
}

int tm_fallocate(int fd, int keep_size, int64_t offset, int64_t length) {
    return fallocate(fd, keep_size ? FALLOC_FL_KEEP_SIZE : 0, offset, length);
}

int tm_identify(const char *path, uint64_t *device, uint64_t *inode) {
    struct statx found;
    if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_INO, &found) != 0) return -1;
    *device = makedev(found.stx_dev_major, found.stx_dev_minor);
    *inode = found.stx_ino;
    return 0;
}

int tm_rename_noreplace(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int tm_syncfs(int fd) { return syncfs(fd); }

void tm_begin_writeback(int fd, int64_t offset, int64_t length) {
    sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}

int tm_lock_exclusive(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

void tm_unlock(int fd) { flock(fd, LOCK_UN); }

// CRC-32C by eight tables; the tables are made once, before the first use.
static uint32_t table[8][256];

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[0][n] = c;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int t = 1; t < 8; t++)
            table[t][n] = (table[t - 1][n] >> 8) ^ table[0][table[t - 1][n] & 0xff];
}

static uint32_t crc_portable(uint32_t c, const uint8_t *p, size_t n) {
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        w ^= c;
        c = table[7][w & 0xff] ^ table[6][(w >> 8) & 0xff] ^ table[5][(w >> 16) & 0xff] ^
            table[4][(w >> 24) & 0xff] ^ table[3][(w >> 32) & 0xff] ^ table[2][(w >> 40) & 0xff] ^
            table[1][(w >> 48) & 0xff] ^ table[0][w >> 56];
        p += 8;
        n -= 8;
    }
    while (n--) c = (c >> 8) ^ table[0][(c ^ *p++) & 0xff];
    return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(uint32_t c, const uint8_t *p, size_t n) {
    uint64_t wide = c;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        wide = __builtin_ia32_crc32di(wide, w);
        p += 8;
        n -= 8;
    }
    c = (uint32_t)wide;
    while (n--) c = __builtin_ia32_crc32qi(c, *p++);
    return c;
}
#endif

uint32_t tm_crc32c(uint32_t crc, const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc_hardware(~crc, bytes, length);
#endif
    return ~crc_portable(~crc, bytes, length);
}
