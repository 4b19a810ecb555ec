// SPDX-License-Identifier: Apache-2.0
/*
 * capture-witness FILE-BYTES PID DIRECTORY…
 *
 * Watches the mounts on which these directories stand, as the process PID sees them, and sends each file that is closed
 * after writing with its content (record.h). First comes `ready`, once it has seen a file of its own. When standard input
 * ends it takes what still waits, writes `end` and ends with 0. Whoever writes never waits for it: the kernel's queue has a
 * bound, and when it is full the kernel says so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "files.h"
#include "output.h"
#include "places.h"

#define HINT_RIGHTS "run it as root: CAP_SYS_ADMIN and CAP_SYS_PTRACE are needed, and a kernel with CONFIG_FANOTIFY"
#define USAGE "usage: capture-witness FILE-BYTES PID DIRECTORY..."

static unsigned long number_of(const char *text) {
  char *end;
  unsigned long number = strtoul(text, &end, 10);
  if (end == text || *end || number == 0) fail(EXIT_USAGE, "a number is expected", 0, USAGE);
  return number;
}

static int open_root(unsigned long pid) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%lu/root", pid);
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) fail(EXIT_REFUSED, "the container's root can't be reached", errno, HINT_RIGHTS);
  return root;
}

/* Links in the container lead nowhere else but in the container. */
static int open_inside(int root, const char *path) {
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
  return syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int open_queue(void) {
  int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
                            O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
  if (watch < 0) fail(EXIT_REFUSED, "the kernel does not hand over files (fanotify)", errno, HINT_RIGHTS);
  return watch;
}

/* Writes a file without a name, which nobody else can meet, and looks whether the watch tells of it. */
static bool is_seen(int watch, int directory) {
  struct fanotify_event_metadata event;
  int file = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return false;
  close(file);
  bool seen = read(watch, &event, sizeof(event)) == sizeof(event);
  if (!seen || event.fd < 0) return false;
  close(event.fd);
  return event.pid == getpid();
}

/* Watches each directory that there is, and tells which. */
static void watch_all(int watch, int root, char **paths, int count) {
  char names[MOST_PLACES * 256];
  size_t used = 0;
  struct record_header ready = record_begin(KIND_READY);
  for (int i = 0; i < count && i < MOST_PLACES; i++) {
    int directory = open_inside(root, paths[i]);
    if (directory < 0) continue;
    if (fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_WRITE, directory, ".")) {
      fail(EXIT_REFUSED, "the kernel does not let this mount be watched", errno, HINT_RIGHTS);
    }
    ready.number += is_seen(watch, directory);
    ready.size++;
    used += snprintf(names + used, sizeof(names) - used, "%.254s", paths[i]) + 1;
    place_add(directory, paths[i]);
  }
  if (ready.size == 0) fail(EXIT_REFUSED, "none of the directories is there", 0, USAGE);
  output_frame(&ready, names, used);
  output_flush();
}

/* What the agent has written passes through here, so nothing is kept that this work does not need. */
static void drop_rights(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {0};
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall(SYS_capset, &header, data)) perror("capset");
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Returns when standard input has ended. */
static void follow(int watch, uint64_t file_bytes, struct file_counts *counts) {
  struct pollfd inputs[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = watch, .events = POLLIN}};
  char ignored[64];
  for (;;) {
    output_flush();
    if (poll(inputs, 2, -1) < 0) continue;
    if (inputs[1].revents) files_take(watch, file_bytes, counts);
    if (inputs[0].revents && read(STDIN_FILENO, ignored, sizeof(ignored)) == 0) return;
  }
}

int main(int count, char **words) {
  if (count < 4 || count - 3 > MOST_PLACES) fail(EXIT_USAGE, "arguments are missing, or too many", 0, USAGE);
  uint64_t file_bytes = number_of(words[1]);
  struct file_counts counts = {0};
  /* What stops the supervisor, its terminal or its process group must not stop the witness before the end is recorded. */
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  int root = open_root(number_of(words[2]));
  int watch = open_queue();
  watch_all(watch, root, words + 3, count - 3);
  close(root);
  drop_rights();
  follow(watch, file_bytes, &counts);
  while (files_take(watch, file_bytes, &counts)) {}
  struct record_header end = record_begin(KIND_END);
  end.number = counts.closes;
  end.size = counts.unreadable;
  output_frame(&end, NULL, 0);
  output_flush();
  return EXIT_DONE;
}
