// SPDX-License-Identifier: Apache-2.0
#include "workload.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn_true(const char *tag, int number) {
  char word[64];
  pid_t child;
  snprintf(word, sizeof(word), "%s=%d", tag, number);
  char *words[] = {"/bin/true", word, "", "a\nb", "\xff", NULL};
  return !posix_spawn(&child, "/bin/true", NULL, NULL, words, environ) && ended_well(child);
}

static int exec_many(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) worked += spawn_true("exec", i);
  return worked;
}

static int fork_only(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) _exit(42);
    int status = 0;
    worked += waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 42;
  }
  return worked;
}

static int exec_daemons(int times) {
  int worked = 0;
  char word[64];
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      setsid();
      if (fork() > 0) _exit(0);
      snprintf(word, sizeof(word), "daemon=%d", i);
      execl("/bin/true", "/bin/true", word, (char *)NULL);
      _exit(1);
    }
    worked += ended_well(child);
  }
  usleep(200000); /* the daemons are nobody's to wait for */
  return worked;
}

static int exec_memfd(int times) {
  int worked = 0, self = open("/bin/true", O_RDONLY | O_CLOEXEC);
  struct stat status;
  fstat(self, &status);
  void *content = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, self, 0);
  for (int i = 0; i < times; i++) {
    char word[64];
    int memory = memfd_create("hidden", 0);
    if (write(memory, content, status.st_size) != status.st_size) continue;
    pid_t child = fork();
    if (child == 0) {
      snprintf(word, sizeof(word), "memfd=%d", i);
      char *words[] = {"memory", word, NULL};
      fexecve(memory, words, environ);
      _exit(9);
    }
    worked += ended_well(child);
    close(memory);
  }
  close(self);
  return worked;
}

static int exec_nested(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      if (unshare(CLONE_NEWPID)) _exit(1);
      _exit(spawn_true("nested", i) ? 0 : 1);
    }
    worked += ended_well(child);
  }
  return worked;
}

static int exec_failing(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      execl("./not-there", "x", (char *)NULL);
      syscall(SYS_execveat, AT_FDCWD, "/etc/passwd", (char *[]){"x", NULL}, environ, 0);
      _exit(0);
    }
    worked += ended_well(child);
  }
  return worked;
}

static void *exec_here(void *word) {
  execl("/bin/true", "/bin/true", word, (char *)NULL);
  _exit(1);
}

/* Exec from a thread that is not the first: it takes over the first one's number. */
static int exec_in_thread(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread;
      char word[64];
      snprintf(word, sizeof(word), "thread=%d", i);
      pthread_create(&thread, NULL, exec_here, word);
      pause();
    }
    worked += ended_well(child);
  }
  return worked;
}

static void *exit_later(void *nothing) {
  (void)nothing;
  usleep(20000);
  exit(7);
}

/* The first thread ends before the process does. */
static int leader_exit(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, exit_later, NULL);
      syscall(SYS_exit, 0);
    }
    int status = 0;
    worked += waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7;
  }
  return worked;
}

static int signals(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
      setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
      if (i % 2) kill(getpid(), SIGKILL);
      *(volatile int *)8 = 1;
    }
    worked += waitpid(child, &status, 0) == child && WIFSIGNALED(status);
  }
  return worked;
}

/* More arguments than one look takes, and more environment than is kept. */
static int exec_large(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      char *large = malloc(100001), *larger = malloc(100001);
      memset(large, 'a', 100000);
      memset(larger, 'b', 100000);
      large[100000] = larger[100000] = 0;
      memcpy(larger, "X=", 2);
      execle("/bin/true", "large", large, (char *)NULL, (char *[]){"FIRST=1", larger, NULL});
      _exit(1);
    }
    worked += ended_well(child);
  }
  return worked;
}

static int exec_script(int times) {
  int worked = 0, file = open("script.sh", O_CREAT | O_WRONLY | O_TRUNC, 0755);
  dprintf(file, "#!/bin/sh\nexit 0\n");
  close(file);
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) execl("./script.sh", "./script.sh", "x", (char *)NULL);
    worked += ended_well(child);
  }
  return worked;
}

const struct workload_case PROCESS_CASES[] = {
    {"exec", exec_many},      {"fork", fork_only},           {"daemon", exec_daemons},  {"memfd", exec_memfd},
    {"nested", exec_nested},  {"exec-failed", exec_failing}, {"thread", exec_in_thread}, {"leader", leader_exit},
    {"signals", signals},     {"large", exec_large},         {"script", exec_script},   {NULL, NULL},
};
