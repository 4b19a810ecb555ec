/* Modes, owners, attributes, sizes, special files. */
#define _GNU_SOURCE
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

static void make(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 || write(file, "ten bytes!", 10) != 10 || close(file)) die(path);
}

static bool act_mode(int index) {
  char *path = name_of("mode", index);
  make(path);
  bool changed = chmod(path, 0755) == 0 && chmod(path, 04755) == 0;
  changed = chown(path, -1, getgid()) == 0 && changed;
  return failed_with(chown(path, 0, -1), EPERM) && changed;
}

static bool act_attribute(int index) {
  char *path = name_of("attribute", index);
  make(path);
  return setxattr(path, "user.recall", "value", 5, 0) == 0 && removexattr(path, "user.recall") == 0;
}

static bool act_size(int index) {
  char *path = name_of("size", index), *other = name_of("shrunk", index);
  make(path);
  if (truncate(path, 4)) return false;
  int file = open(other, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 || ftruncate(file, 8192)) return false;
  bool punched = fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;
  return ftruncate(file, 5000) == 0 && close(file) == 0 && punched;
}

static bool act_special(int index) {
  char *fifo = name_of("fifo", index), *plain = name_of("plain", index), *device = name_of("device", index);
  bool made = mkfifo(fifo, 0600) == 0 && mknod(plain, S_IFREG | 0600, 0) == 0;
  made = failed_with(mknod(device, S_IFCHR | 0600, 0x103), EPERM) && made;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", name_of("socket", index));
  int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  made = bind(end, (struct sockaddr *)&address, sizeof address) == 0 && made;
  return close(end) == 0 && made;
}

const struct recall_case METADATA_CASES[] = {
    {"mode", NULL, act_mode, NULL},
    {"attribute", NULL, act_attribute, NULL},
    {"size", NULL, act_size, NULL},
    {"special", NULL, act_special, NULL},
    {NULL, NULL, NULL, NULL},
};
