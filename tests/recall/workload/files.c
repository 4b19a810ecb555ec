/* Content and names of files. All relative names are in the working directory, which belongs to this call alone. */
#define _GNU_SOURCE
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Makes a file with this content. */
static void make(const char *path, const char *content) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  ssize_t size = (ssize_t)strlen(content);
  if (file < 0 || write(file, content, size) != size || close(file)) die(path);
}

static bool act_create_delete(int index) {
  char *path = name_of("short-lived", index);
  make(path, "x\n");
  return unlink(path) == 0;
}

static bool act_tmpfile_linked(int index) {
  int file = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0 || write(file, "linked\n", 7) != 7) die("O_TMPFILE");
  char by_descriptor[64];
  snprintf(by_descriptor, sizeof by_descriptor, "/proc/self/fd/%d", file);
  bool linked = linkat(AT_FDCWD, by_descriptor, AT_FDCWD, name_of("linked", index), AT_SYMLINK_FOLLOW) == 0;
  return close(file) == 0 && linked;
}

static bool act_tmpfile_dropped(int index) {
  (void)index;
  int file = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  return file >= 0 && write(file, "dropped\n", 8) == 8 && close(file) == 0;
}

static bool act_write_after_unlink(int index) {
  char *path = name_of("unlinked", index);
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 || write(file, "before", 6) != 6 || unlink(path)) return false;
  return write(file, " and after", 10) == 10 && close(file) == 0;
}

static bool act_rename(int index) {
  char *from = name_of("from", index), *to = name_of("to", index), *victim = name_of("victim", index);
  make(from, "moved\n");
  make(victim, "overwritten\n");
  return rename(from, to) == 0 && rename(to, victim) == 0;
}

static bool act_exchange(int index) {
  char *one = name_of("one", index), *two = name_of("two", index);
  make(one, "1\n");
  make(two, "22\n");
  return renameat2(AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE) == 0;
}

static bool act_rename_directory(int index) {
  char *from = name_of("directory", index), *to = name_of("elsewhere", index), child[300];
  snprintf(child, sizeof child, "%s/child", from);
  if (mkdir(from, 0755)) die(from);
  make(child, "child\n");
  if (rename(from, to)) return false;
  snprintf(child, sizeof child, "%s/child", to);
  int file = open(child, O_WRONLY | O_APPEND | O_CLOEXEC);
  return file >= 0 && write(file, "more\n", 5) == 5 && close(file) == 0;
}

static bool act_hard_link(int index) {
  char *path = name_of("original", index), *other = name_of("hard", index);
  make(path, "one\n");
  if (link(path, other)) return false;
  int file = open(other, O_WRONLY | O_APPEND | O_CLOEXEC);
  return file >= 0 && write(file, "two\n", 4) == 4 && close(file) == 0;
}

/* `secret/id_rsa` is on the list of sensitive names; the link's own name is not. */
static void begin_symlink(void) {
  if (mkdir("secret", 0700)) die("secret");
  make("secret/id_rsa", "not a key\n");
}

static bool act_symlink(int index) {
  char *path = name_of("innocent", index), bytes[16];
  if (symlink("secret/id_rsa", path)) return false;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  return file >= 0 && read(file, bytes, sizeof bytes) == 10 && close(file) == 0;
}

static bool act_sensitive_read(int index) {
  (void)index;
  char bytes[16];
  int file = open("secret/id_rsa", O_RDONLY | O_CLOEXEC);
  return file >= 0 && read(file, bytes, sizeof bytes) == 10 && close(file) == 0;
}

static bool act_shared_mapping(int index) {
  char *path = name_of("mapped", index);
  int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 || ftruncate(file, 4096)) die(path);
  char *bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED || close(file)) return false;
  memcpy(bytes, path, strlen(path));
  return msync(bytes, 4096, MS_SYNC) == 0 && munmap(bytes, 4096) == 0;
}

static bool act_refused_open(int index) {
  bool refused = failed_with(open("/etc/shadow", O_RDONLY | O_CLOEXEC), EACCES);
  refused = failed_with(open(name_of("/usr/refused", index), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), EROFS) && refused;
  return failed_with(open("id_rsa", O_RDONLY | O_CLOEXEC), ENOENT) && refused;
}

static bool write_by(int way, int to, int from) {
  struct iovec piece = {"ten bytes!", 10};
  off_t at = 0;
  int ends[2];
  switch (way) {
    case 0: return pwritev2(to, &piece, 1, 0, 0) == 10;
    case 1: return sendfile(to, from, &at, 10) == 10;
    case 2: return copy_file_range(from, &at, to, NULL, 10, 0) == 10;
    default:
      if (pipe2(ends, O_CLOEXEC) || write(ends[1], "ten bytes!", 10) != 10) return false;
      ssize_t moved = splice(ends[0], NULL, to, NULL, 10, 0);
      close(ends[0]);
      close(ends[1]);
      return moved == 10;
  }
}

static void begin_other_writes(void) { make("source", "ten bytes!"); }

static bool act_other_writes(int index) {
  static const char *const names[] = {"pwritev2", "sendfile", "copied", "spliced"};
  bool all = true;
  for (int way = 0; way < 4; way++) {
    int from = open("source", O_RDONLY | O_CLOEXEC);
    int to = open(name_of(names[way], index), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (from < 0 || to < 0) die(names[way]);
    all = write_by(way, to, from) && all;
    close(from);
    all = close(to) == 0 && all;
  }
  return all;
}

/* Sharing blocks works on some file systems only; the try itself makes a file. */
static bool act_reflink(int index) {
  int from = open("source", O_RDONLY | O_CLOEXEC);
  int to = open(name_of("cloned", index), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (from < 0 || to < 0) die("reflink");
  if (ioctl(to, FICLONE, from) && write(to, "ten bytes!", 10) != 10) return false;
  close(from);
  return close(to) == 0;
}

/* Names of 255 bytes, not UTF-8, and a path of almost 4 KiB. */
static bool act_odd_names(int index) {
  char longest[256], odd[64];
  memset(longest, 'n', 255);
  longest[255] = 0;
  int length = snprintf(longest, 64, "%s-%d", tag, index);
  longest[length] = '_';
  snprintf(odd, sizeof odd, "odd-\xff\xfe\n-%s-%d", tag, index);
  make(longest, "x\n");
  make(odd, "x\n");
  return true;
}

/* Fifteen directories of 200 bytes: about 3 KiB. */
static bool act_deep_path(int index) {
  char part[201], path[4096] = "";
  memset(part, 'd', 200);
  part[200] = 0;
  for (int depth = 0; depth < 15; depth++) {
    strcat(path, part);
    if (mkdir(path, 0755) && errno != EEXIST) die("mkdir");
    strcat(path, "/");
  }
  strcat(path, name_of("deep", index));
  make(path, "x\n");
  return true;
}

static void begin_same_bytes(void) { make("same", "same\n"); }

static bool act_same_bytes(int index) {
  (void)index;
  int file = open("same", O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, "same\n", 5) != 5 || close(file)) return false;
  return utimensat(AT_FDCWD, "same", NULL, 0) == 0;
}

static bool act_elsewhere(int index) {
  static const char *const places[] = {"/dev/shm/elsewhere", "/tmp/elsewhere", "/home/agent/elsewhere"};
  for (int i = 0; i < 3; i++) {
    char *path = name_of(places[i], index);
    make(path, "x\n");
    if (unlink(path)) return false;
  }
  return true;
}

static bool act_large_file(int index) {
  static char block[1 << 20];
  int file = open(name_of("large", index), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  for (int i = 0; i < 1024; i++)
    if (write(file, block, sizeof block) != sizeof block) die("large file");
  return close(file) == 0;
}

static bool act_tiny_file(int index) {
  make(name_of("tiny", index), "x\n");
  return true;
}

/* Opens and closes as fast as it goes: as many events as one process can make. */
static bool act_flood(int index) {
  int file = open("flood", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  (void)index;
  return file >= 0 && close(file) == 0;
}

const struct recall_case FILE_CASES[] = {
    {"create-delete", NULL, act_create_delete, NULL},
    {"tmpfile-linked", NULL, act_tmpfile_linked, NULL},
    {"tmpfile-dropped", NULL, act_tmpfile_dropped, NULL},
    {"write-after-unlink", NULL, act_write_after_unlink, NULL},
    {"rename", NULL, act_rename, NULL},
    {"exchange", NULL, act_exchange, NULL},
    {"rename-directory", NULL, act_rename_directory, NULL},
    {"hard-link", NULL, act_hard_link, NULL},
    {"symlink", begin_symlink, act_symlink, NULL},
    {"sensitive-read", begin_symlink, act_sensitive_read, NULL},
    {"refused-open", NULL, act_refused_open, NULL},
    {"shared-mapping", NULL, act_shared_mapping, NULL},
    {"other-writes", begin_other_writes, act_other_writes, NULL},
    {"reflink", begin_other_writes, act_reflink, NULL},
    {"odd-names", NULL, act_odd_names, NULL},
    {"deep-path", NULL, act_deep_path, NULL},
    {"same-bytes", begin_same_bytes, act_same_bytes, NULL},
    {"elsewhere", NULL, act_elsewhere, NULL},
    {"large-file", NULL, act_large_file, NULL},
    {"tiny-file", NULL, act_tiny_file, NULL},
    {"flood", NULL, act_flood, NULL},
    {NULL, NULL, NULL, NULL},
};
