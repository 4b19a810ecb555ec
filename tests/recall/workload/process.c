/* Processes: forks, executions that work and that don't, ends. */
#define _GNU_SOURCE
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void mark(char *text, size_t size, int index) { snprintf(text, size, "%s-%d", tag, index); }

/* Runs this program as `recall nop TAG-INDEX` in a child made by `make`. */
static bool run_child(pid_t child, int index, const char *path) {
  if (child != 0) return ended_with(child, 0);
  char text[64];
  mark(text, sizeof text, index);
  execl(path, "recall", "nop", text, (char *)NULL);
  _exit(71);
}

static bool act_fork(int index) {
  pid_t child = fork();
  if (child == 0) _exit(index % 200);
  return ended_with(child, index % 200);
}

static bool act_vfork(int index) {
  char text[64];
  mark(text, sizeof text, index);
  pid_t child = vfork();
  if (child == 0) {
    execl(self_path, "recall", "nop", text, (char *)NULL);
    _exit(71);
  }
  return ended_with(child, 0);
}

static bool act_posix_spawn(int index) {
  char text[64];
  mark(text, sizeof text, index);
  char *argv[] = {"recall", "nop", text, NULL};
  pid_t child;
  return posix_spawn(&child, self_path, NULL, NULL, argv, environ) == 0 && ended_with(child, 0);
}

static void *do_nothing(void *argument) { return argument; }

static bool act_thread(int index) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, do_nothing, NULL) || pthread_join(thread, NULL)) return false;
  pid_t child = fork();
  if (child == 0) _exit(1 + index % 200);
  return ended_with(child, 1 + index % 200);
}

/* The grandchild leaves the session, outlives its parent, and runs a program then. */
static bool act_daemon(int index) {
  pid_t child = fork();
  if (child == 0) {
    setsid();
    pid_t grandchild = fork();
    if (grandchild != 0) _exit(grandchild < 0 ? 72 : 0);
    usleep(100000);
    run_child(0, index, self_path);
  }
  return ended_with(child, 0);
}

static int end_daemon(void) {
  usleep(400000);
  return 0;
}

/* The longest argument that the kernel takes: 128 KiB with its end. */
static bool act_long_argument(int index) {
  static char text[131072];
  memset(text, 'a', sizeof text - 1);
  int length = snprintf(text, 64, "%s-%d", tag, index);
  text[length] = '_';
  pid_t child = fork();
  if (child == 0) {
    execl(self_path, "recall", "nop", text, (char *)NULL);
    _exit(71);
  }
  return ended_with(child, 0);
}

static bool act_odd_arguments(int index) {
  char text[64];
  mark(text, sizeof text, index);
  pid_t child = fork();
  if (child == 0) {
    execl(self_path, "recall", "nop", text, "", "two\nlines", "\xff\xfe not UTF-8 \xc3\x28", "", (char *)NULL);
    _exit(71);
  }
  return ended_with(child, 0);
}

static bool act_execveat(int index) {
  char text[64];
  mark(text, sizeof text, index);
  pid_t child = fork();
  if (child == 0) {
    int file = open(self_path, O_PATH | O_CLOEXEC);
    char *argv[] = {"recall", "nop", text, NULL};
    syscall(SYS_execveat, file, "", argv, environ, AT_EMPTY_PATH);
    _exit(71);
  }
  return ended_with(child, 0);
}

static void copy_self(int to) {
  int from = open(self_path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (from < 0 || fstat(from, &info)) die(self_path);
  for (off_t at = 0; at < info.st_size;)
    if (sendfile(to, from, &at, info.st_size - at) <= 0) die("sendfile");
  close(from);
}

static bool act_memfd(int index) {
  char text[64];
  mark(text, sizeof text, index);
  int file = memfd_create("recall-memfd", MFD_CLOEXEC);
  if (file < 0) die("memfd_create");
  copy_self(file);
  pid_t child = fork();
  if (child == 0) {
    char *argv[] = {"recall", "nop", text, NULL};
    syscall(SYS_execveat, file, "", argv, environ, AT_EMPTY_PATH);
    _exit(71);
  }
  close(file);
  return ended_with(child, 0);
}

/* A program that is made, runs, and is gone. */
static bool act_unlinked_binary(int index) {
  char *path = name_of("/tmp/program", index);
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
  if (file < 0) die(path);
  copy_self(file);
  close(file);
  bool ran = run_child(fork(), index, path);
  return unlink(path) == 0 && ran;
}

static bool act_failed_exec(int index) {
  static const int wanted[] = {ENOENT, EACCES, ENOEXEC};
  char *paths[] = {name_of("missing", index), name_of("forbidden", index), name_of("nonsense", index)};
  for (int i = 1; i < 3; i++) {
    int file = open(paths[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, i == 1 ? 0600 : 0700);
    if (file < 0 || write(file, "nonsense\n", 9) != 9) die(paths[i]);
    close(file);
  }
  bool as_wanted = true;
  for (int i = 0; i < 3; i++) {
    pid_t child = fork();
    if (child == 0) {
      execl(paths[i], paths[i], (char *)NULL);
      _exit(errno == wanted[i] ? 0 : 73);
    }
    as_wanted = ended_with(child, 0) && as_wanted;
  }
  return as_wanted;
}

static bool act_ends(int index) {
  (void)index;
  bool as_wanted = true;
  for (int way = 0; way < 3; way++) {
    pid_t child = fork();
    if (child == 0) {
      if (way == 0) kill(getpid(), SIGKILL);
      if (way == 1) *(volatile int *)8 = 1;
      _exit(42);
    }
    int status;
    if (waitpid(child, &status, 0) != child) return false;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    as_wanted = as_wanted && signal == (way == 0 ? SIGKILL : way == 1 ? SIGSEGV : 0);
    if (way == 2) as_wanted = as_wanted && WEXITSTATUS(status) == 42;
  }
  return as_wanted;
}

static bool act_renamed_process(int index) {
  char text[64];
  mark(text, sizeof text, index);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NAME, "[kworker/0:1]");
    execl(self_path, "sshd", "nop", text, (char *)NULL);
    _exit(71);
  }
  return ended_with(child, 0);
}

/* Left behind: still running when the agent ends. */
static bool act_survivor(int index) {
  char text[64];
  mark(text, sizeof text, index);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    int nothing = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++) dup2(nothing, i);
    execl(self_path, "recall", "stay", text, (char *)NULL);
    _exit(71);
  }
  return child > 0;
}

const struct recall_case PROCESS_CASES[] = {
    {"fork", NULL, act_fork, NULL},
    {"vfork", NULL, act_vfork, NULL},
    {"posix-spawn", NULL, act_posix_spawn, NULL},
    {"thread", NULL, act_thread, NULL},
    {"daemon", NULL, act_daemon, end_daemon},
    {"long-argument", NULL, act_long_argument, NULL},
    {"odd-arguments", NULL, act_odd_arguments, NULL},
    {"execveat", NULL, act_execveat, NULL},
    {"memfd", NULL, act_memfd, NULL},
    {"unlinked-binary", NULL, act_unlinked_binary, NULL},
    {"failed-exec", NULL, act_failed_exec, NULL},
    {"ends", NULL, act_ends, NULL},
    {"survivor", NULL, act_survivor, NULL},
    {"renamed-process", NULL, act_renamed_process, NULL},
    {NULL, NULL, NULL, NULL},
};
