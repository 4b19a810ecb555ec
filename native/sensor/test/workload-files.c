// SPDX-License-Identifier: Apache-2.0
#include "workload.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int make(const char *name, const char *text) {
  int file = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return 0;
  int worked = write(file, text, strlen(text)) == (ssize_t)strlen(text);
  close(file);
  return worked;
}

static int create_delete(int times) {
  int worked = 0;
  char name[64];
  for (int i = 0; i < times; i++) {
    snprintf(name, sizeof(name), "file-%d.txt", i);
    worked += make(name, "hello\n") && !unlink(name);
  }
  return worked;
}

static int renames(int times) {
  int worked = 0;
  char from[64], to[64];
  for (int i = 0; i < times; i++) {
    snprintf(from, sizeof(from), "from-%d", i);
    snprintf(to, sizeof(to), "to-%d", i);
    worked += make(from, "x") && !rename(from, to);
  }
  return worked;
}

/* One of each; `times` counts rounds. */
static int operations(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    int directory = open(".", O_PATH | O_DIRECTORY);
    int good = make("one", "1") && make("two", "2");
    good &= !renameat2(directory, "one", directory, "two", RENAME_EXCHANGE);
    good &= !mkdirat(directory, "dir", 0750) && !linkat(directory, "one", directory, "dir/hard", 0);
    good &= !symlinkat("../one", directory, "dir/soft") && !mknodat(directory, "fifo", S_IFIFO | 0600, 0);
    good &= !fchmodat(directory, "one", 0755, 0) && !chown("one", 1, 2) && !truncate("one", 100);
    int file = open("two", O_RDWR);
    good &= !fchmod(file, 0700) && !fchown(file, 3, 4) && !ftruncate(file, 50);
    fsetxattr(file, "user.note", "v", 1, 0);
    removexattr("two", "user.note");
    close(file);
    good &= !unlinkat(directory, "dir/hard", 0) && !unlink("dir/soft") && !unlink("fifo") && !unlink("one");
    good &= !unlinkat(directory, "dir", AT_REMOVEDIR) && !unlink("two");
    good &= unlink("never-there") == -1;
    close(directory);
    worked += good;
  }
  return worked;
}

static int temporary(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    int file = open(".", O_TMPFILE | O_RDWR, 0600);
    if (file < 0) continue;
    worked += write(file, "x", 1) == 1;
    close(file);
  }
  return worked;
}

static int mappings(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    int file = open("mapped", O_CREAT | O_RDWR, 0600);
    if (ftruncate(file, 4096)) continue;
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    worked += memory != MAP_FAILED;
    memory[0] = 'x';
    munmap(memory, 4096);
    close(file);
  }
  return worked;
}

/* Files that are closed without close(2): by the end of a process, by dup2(2) in a shell's way, by close_range(2). */
static int other_closes(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      int left = open("closed-by-exit", O_CREAT | O_WRONLY, 0644);
      int other = open("closed-by-dup", O_CREAT | O_WRONLY, 0644);
      dup2(other, 90);
      close(other);
      if (write(90, "12345", 5) != 5 || write(left, "123", 3) != 3) _exit(1);
      dup2(0, 90);
      int ranged = open("closed-by-range", O_CREAT | O_WRONLY, 0644);
      syscall(SYS_close_range, ranged, ranged, 0);
      _exit(0);
    }
    worked += ended_well(child);
  }
  return worked;
}

static int reads(int times) {
  int worked = 0;
  char byte;
  for (int i = 0; i < times; i++) {
    int file = open("/etc/shadow", O_RDONLY);
    worked += file >= 0 && read(file, &byte, 1) >= 0;
    close(file);
    close(open("/usr/bin/env", O_RDONLY));
    close(open("/proc/self/status", O_RDONLY));
  }
  return worked;
}

static int mounts(int times) {
  int worked = 0;
  mkdir("mounted", 0755);
  for (int i = 0; i < times; i++) {
    int good = !mount("source", "mounted", "tmpfs", 0, "size=1m") && make("mounted/inside", "x") && !umount2("mounted", MNT_DETACH);
    int context = syscall(SYS_fsopen, "tmpfs", 0);
    syscall(SYS_fsconfig, context, 6, NULL, NULL, 0);
    int tree = syscall(SYS_fsmount, context, 0, 0);
    good &= !syscall(SYS_move_mount, tree, "", AT_FDCWD, "mounted", 4) && !umount2("mounted", MNT_DETACH);
    close(syscall(SYS_open_tree, AT_FDCWD, ".", 1));
    close(tree);
    close(context);
    worked += good;
  }
  return worked;
}

/* A path longer than PATH_MAX, and names that are no text. */
static int odd_names(int times) {
  int worked = 0, back = open(".", O_PATH | O_DIRECTORY);
  char part[201];
  memset(part, 'd', 200);
  part[200] = 0;
  for (int i = 0; i < times; i++) {
    int good = make("\xff\xfe\n'\"", "x");
    for (int depth = 0; depth < 30; depth++) {
      mkdir(part, 0755);
      good &= !chdir(part);
    }
    good &= make("deep", "x");
    good &= !fchdir(back);
    worked += good;
  }
  close(back);
  return worked;
}

const struct workload_case FILE_CASES[] = {
    {"files", create_delete}, {"renames", renames}, {"operations", operations}, {"temporary", temporary}, {"mappings", mappings},
    {"closes", other_closes}, {"reads", reads},     {"mounts", mounts},         {"odd-names", odd_names}, {NULL, NULL},
};
