/*
 * Records what a process asks of its disk: preloaded before libc, it notes every write, truncation and sync of the files
 * below RECORD_FOLDER into RECORD_FILE, in order, and then does it. One record:
 *   u8 operation ('o' open, 'w' write, 't' truncate, 's' sync, 'u' unlink), u32 file, u64 offset (or size), u32 length, bytes.
 * For 'o' and 'u' the bytes are the path. Little-endian, as the machine is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;
static char watched[FILES];

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_truncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_close)(int);

static void *libc(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  real_write = libc("write");
  real_pwrite = libc("pwrite64");
  real_truncate = libc("ftruncate64");
  real_fsync = libc("fsync");
  real_fdatasync = libc("fdatasync");
  real_unlink = libc("unlink");
  real_close = libc("close");
  const char *file = getenv("RECORD_FILE");
  int (*real_open)(const char *, int, ...) = libc("open64");
  if (file) record = real_open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void all(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t done = real_write(record, at, length);
    if (done <= 0) abort();
    at += done;
    length -= (size_t)done;
  }
}

static void note(char operation, uint32_t file, uint64_t offset, const void *bytes, uint32_t length) {
  pthread_mutex_lock(&lock);
  char head[17];
  head[0] = operation;
  memcpy(head + 1, &file, 4);
  memcpy(head + 5, &offset, 8);
  memcpy(head + 13, &length, 4);
  all(head, sizeof head);
  if (length > 0) all(bytes, length);
  pthread_mutex_unlock(&lock);
}

static int is_watched(int fd) { return record >= 0 && fd >= 0 && fd < FILES && watched[fd]; }

static int opened(int fd, const char *path) {
  const char *folder = getenv("RECORD_FOLDER");
  if (record < 0 || fd < 0 || fd >= FILES || !folder) return fd;
  char full[PATH_MAX];
  if (!realpath(path, full)) return fd;
  watched[fd] = strncmp(full, folder, strlen(folder)) == 0;
  if (watched[fd]) note('o', (uint32_t)fd, 0, full, (uint32_t)strlen(full));
  return fd;
}

#define OPEN(name, ...)                                                    \
  va_list rest;                                                            \
  va_start(rest, flags);                                                   \
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
  va_end(rest);                                                            \
  return opened(((int (*)())libc(name))(__VA_ARGS__, flags, mode), path);

int open(const char *path, int flags, ...) { OPEN("open", path) }
int open64(const char *path, int flags, ...) { OPEN("open64", path) }
int openat(int at, const char *path, int flags, ...) { OPEN("openat", at, path) }
int openat64(int at, const char *path, int flags, ...) { OPEN("openat64", at, path) }

int close(int fd) {
  if (fd >= 0 && fd < FILES) watched[fd] = 0;
  return real_close(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  if (is_watched(fd)) note('w', (uint32_t)fd, (uint64_t)offset, bytes, (uint32_t)length);
  return real_pwrite(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
  if (is_watched(fd)) note('w', (uint32_t)fd, (uint64_t)lseek64(fd, 0, SEEK_CUR), bytes, (uint32_t)length);
  return real_write(fd, bytes, length);
}

int ftruncate64(int fd, off64_t size) {
  if (is_watched(fd)) note('t', (uint32_t)fd, (uint64_t)size, NULL, 0);
  return real_truncate(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fsync(int fd) {
  int done = real_fsync(fd);
  if (done == 0 && is_watched(fd)) note('s', (uint32_t)fd, 0, NULL, 0);
  return done;
}

int fdatasync(int fd) {
  int done = real_fdatasync(fd);
  if (done == 0 && is_watched(fd)) note('s', (uint32_t)fd, 0, NULL, 0);
  return done;
}

int unlink(const char *path) {
  char full[PATH_MAX];
  const char *folder = getenv("RECORD_FOLDER");
  if (record >= 0 && folder && realpath(path, full) && strncmp(full, folder, strlen(folder)) == 0) {
    note('u', 0, 0, full, (uint32_t)strlen(full));
  }
  return real_unlink(path);
}
