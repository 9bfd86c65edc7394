/*
 * Loaded before libc into a process under test: a clock that can be set while it runs, syncs that fail and a disk that is
 * full while they are told to. FAULT_CLOCK names a file of eight bytes: seconds to add to the time of day. While the file is
 * there that FAULT_SYNC names, fsync and fdatasync fail with EIO; that of FAULT_DISK: writes to files fail with ENOSPC.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *ahead;
static const char *failing;
static const char *full;

__attribute__((constructor)) static void begin(void) {
  const char *clock = getenv("FAULT_CLOCK");
  failing = getenv("FAULT_SYNC");
  full = getenv("FAULT_DISK");
  if (!clock) return;
  int file = open(clock, O_RDONLY);
  if (file < 0) return;
  void *page = mmap(0, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) ahead = page;
}

int clock_gettime(clockid_t id, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, time);
  if (ahead && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) time->tv_sec += *ahead;
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  static int (*real)(struct timeval *, void *);
  if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
  int result = real(time, zone);
  if (ahead) time->tv_sec += *ahead;
  return result;
}

static int fails(void) {
  if (!failing || access(failing, F_OK) != 0) return 0;
  errno = EIO;
  return 1;
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  return fails() ? -1 : real(file);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  return fails() ? -1 : real(file);
}

static int isFull(int file) {
  struct stat about;
  if (!full || access(full, F_OK) != 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
  errno = ENOSPC;
  return 1;
}

ssize_t write(int file, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  return isFull(file) ? -1 : real(file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite");
  return isFull(file) ? -1 : real(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
  return pwrite(file, bytes, count, at);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
  static ssize_t (*real)(int, const struct iovec *, int, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwritev");
  return isFull(file) ? -1 : real(file, parts, count, at);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off_t at) {
  return pwritev(file, parts, count, at);
}

int posix_fallocate(int file, off_t at, off_t size) {
  static int (*real)(int, off_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "posix_fallocate");
  return isFull(file) ? ENOSPC : real(file, at, size);
}
