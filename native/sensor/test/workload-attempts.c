// SPDX-License-Identifier: Apache-2.0
/* What fails to open, times that are set, and last closes that no close(2) tells of. */
#include "workload.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <utime.h>
#include <unistd.h>

struct how {
  unsigned long long flags, mode, resolve;
};

static int failed_with(long result, int wanted) { return result == -1 && errno == wanted; }

/* Of these, the last three are look-ups: one of them is for a library and not told. */
static int failing_opens(int times) {
  int worked = 0;
  struct how how = {O_WRONLY, 0, 0};
  mkdir("sealed", 0755);
  if (symlink("anywhere", "link") || mount("none", "sealed", "tmpfs", MS_RDONLY, "size=1m")) return 0;
  for (int i = 0; i < times; i++) {
    int good = failed_with(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    good &= failed_with(open("sealed/new", O_WRONLY | O_CREAT, 0644), EROFS);
    good &= failed_with(syscall(SYS_creat, "sealed/other", 0644), EROFS);
    good &= failed_with(syscall(SYS_openat2, AT_FDCWD, "not-there", &how, sizeof(how)), ENOENT);
    good &= failed_with(open(".", O_RDWR), EISDIR);
    pid_t child = fork();
    if (child == 0) _exit(setresuid(65534, 65534, 65534) || !failed_with(open("/etc/shadow", O_RDONLY), EACCES));
    good &= ended_well(child);
    good &= failed_with(open("missing/id_rsa", O_RDONLY), ENOENT) && failed_with(open("/nowhere/.env", O_RDONLY), ENOENT);
    good &= failed_with(open("/usr/lib/not-there.so", O_RDONLY), ENOENT);
    worked += good;
  }
  umount2("sealed", MNT_DETACH);
  return worked;
}

static int set_times(int times) {
  int worked = 0;
  struct timespec exact[2] = {{0, UTIME_OMIT}, {1000000000, 123456789}};
  struct timeval micro[2] = {{1, 2}, {3, 4}};
  struct utimbuf whole = {5, -6};
  for (int i = 0; i < times; i++) {
    int file = open("dated", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    int good = !utimensat(AT_FDCWD, "dated", exact, 0) && !futimens(file, NULL);
    good &= !syscall(SYS_utimes, "dated", micro) && !syscall(SYS_utime, "dated", &whole);
    good &= !fallocate(file, FALLOC_FL_KEEP_SIZE, 4096, 8192);
    good &= failed_with(utimensat(AT_FDCWD, "never-there", NULL, 0), ENOENT);
    close(file);
    worked += good;
  }
  return worked;
}

static int write_to(const char *name, int flags, const char *text) {
  int file = open(name, O_CREAT | O_RDWR | O_TRUNC | flags, 0644);
  return write(file, text, strlen(text)) == (ssize_t)strlen(text) ? file : -1;
}

static void *wait_for_ever(void *argument) {
  pause();
  return argument;
}

/* One process a round: threads that end all at once, with a file still open. */
static int end_with_threads(void) {
  pthread_t threads[8];
  pid_t child = fork();
  if (child == 0) {
    if (write_to("closed-by-threads", 0, "1234") < 0) _exit(1);
    for (int i = 0; i < 8; i++)
      if (pthread_create(&threads[i], NULL, wait_for_ever, NULL)) _exit(1);
    _exit(0);
  }
  return ended_well(child);
}

/* An exec that fails closes nothing; the one that works does, but for the file that the parent has too. */
static int end_by_exec(void) {
  int shared = write_to("still-open", O_CLOEXEC, "x");
  pid_t child = fork();
  if (child == 0) {
    int early = write_to("closed-early", O_CLOEXEC, "1");
    if (write_to("closed-by-exec", O_CLOEXEC, "1234567") < 0) _exit(1);
    if (write_to("kept-by-exec", 0, "12") < 0) _exit(1);
    execl("./not-there", "not-there", (char *)NULL);
    close(early);
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
  }
  int worked = ended_well(child);
  close(shared);
  return worked;
}

/* The mapping outlives the descriptor; a second descriptor keeps the first close from being the last. */
static int end_mapped(void) {
  int file = open("mapped-file", O_CREAT | O_RDWR | O_CLOEXEC, 0600), other = dup(file);
  if (ftruncate(file, 4096)) return 0;
  char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  close(other);
  memory[0] = 'x';
  return !munmap(memory, 4096);
}

static int hidden_closes(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) worked += end_with_threads() & end_by_exec() & end_mapped();
  return worked;
}

/* One message with two descriptors, behind the sender's credentials. */
static int send_two(int end, const int *descriptors) {
  struct iovec piece = {"x", 1};
  char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(2 * sizeof(int))] = {0};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  struct ucred own = {getpid(), getuid(), getgid()};
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  *part = (struct cmsghdr){CMSG_LEN(sizeof(own)), SOL_SOCKET, SCM_CREDENTIALS};
  memcpy(CMSG_DATA(part), &own, sizeof(own));
  part = CMSG_NXTHDR(&message, part);
  *part = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(part), descriptors, 2 * sizeof(int));
  return sendmsg(end, &message, 0) == 1;
}

static int receive_two(int end) {
  char byte, control[CMSG_SPACE(2 * sizeof(int))];
  struct iovec piece = {&byte, 1};
  struct mmsghdr message = {
      .msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)}};
  if (recvmmsg(end, &message, 1, MSG_CMSG_CLOEXEC, NULL) != 1) return 0;
  int *descriptors = (int *)CMSG_DATA(CMSG_FIRSTHDR(&message.msg_hdr));
  return !close(descriptors[0]) && !close(descriptors[1]);
}

static int pass_descriptors(int times) {
  int worked = 0, ends[2], file = open("passed", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  for (int i = 0; i < times; i++) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) continue;
    worked += send_two(ends[0], (int[]){file, ends[0]}) && receive_two(ends[1]);
    close(ends[0]);
    close(ends[1]);
  }
  return worked;
}

/* One program writes into the pipe that the next one reads. */
static int join_programs(int times) {
  int worked = 0, ends[2];
  for (int i = 0; i < times; i++) {
    if (pipe2(ends, O_CLOEXEC)) continue;
    pid_t writer = fork();
    if (writer == 0) {
      dup2(ends[1], 1);
      close(0);
      execl("/bin/true", "true", "writer", (char *)NULL);
    }
    pid_t reader = fork();
    if (reader == 0) {
      dup2(ends[0], 0);
      dup2(open("/dev/null", O_WRONLY), 2);
      execl("/bin/true", "true", "reader", (char *)NULL);
    }
    close(ends[0]);
    close(ends[1]);
    worked += ended_well(writer) & ended_well(reader);
  }
  return worked;
}

#define FULL_PORT 18090

static void nothing(int number) { (void)number; }

static void *connect_until_refused(void *argument) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(FULL_PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *(int *)argument = failed_with(connect(end, (void *)&address, sizeof(address)), ECONNREFUSED);
  close(end);
  return NULL;
}

/* A connect that waits because the queue is full is interrupted by a signal, made anew, and refused when the listener is gone. */
static int interrupted_connects(int times) {
  int worked = 0, one = 1;
  struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(FULL_PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < times; i++) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int as_wanted = 0;
    pthread_t thread;
    struct tcp_info info = {0};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (void *)&address, sizeof(address)) || listen(listener, 0)) return worked;
    if (connect(first, (void *)&address, sizeof(address))) return worked;
    for (socklen_t size = sizeof(info); info.tcpi_unacked == 0; usleep(1000)) getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size);
    pthread_create(&thread, NULL, connect_until_refused, &as_wanted);
    for (int signals = 0; signals < 3; signals++) {
      usleep(100000);
      pthread_kill(thread, SIGUSR1);
    }
    close(listener);
    pthread_join(thread, NULL);
    close(first);
    worked += as_wanted;
  }
  return worked;
}

const struct workload_case ATTEMPT_CASES[] = {
    {"failing-opens", failing_opens}, {"times", set_times},    {"hidden-closes", hidden_closes},
    {"passing", pass_descriptors},    {"joined", join_programs}, {"interrupted", interrupted_connects},
    {NULL, NULL},
};
