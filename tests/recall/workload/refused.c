/* What the sandbox refuses. The attempt is what must be seen. */
#define _GNU_SOURCE
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif

/* Docker of old answers EPERM where Podman answers ENOSYS; which errno it was does not matter to who must see the try. */
static bool refused(long result) { return result == -1 && (errno == EPERM || errno == ENOSYS); }

static bool act_namespace(int index) {
  (void)index;
  int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  bool unshared = refused(unshare(CLONE_NEWUSER | CLONE_NEWPID));
  bool entered = refused(setns(own, CLONE_NEWNET));
  close(own);
  return unshared && entered;
}

static bool act_setuid(int index) {
  (void)index;
  return failed_with(setuid(0), EPERM) && failed_with(setgid(0), EPERM);
}

static bool act_ptrace(int index) {
  (void)index;
  char bytes[4];
  struct iovec here = {bytes, 4}, there = {bytes, 4};
  bool traced = refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
  return refused(process_vm_writev(getppid(), &here, 1, &there, 1, 0)) && traced;
}

static bool act_io_uring(int index) {
  (void)index;
  char parameters[120] = {0};
  return refused(syscall(SYS_io_uring_setup, 8, parameters));
}

static bool act_aio(int index) {
  (void)index;
  unsigned long context = 0;
  return refused(syscall(SYS_io_setup, 8, &context));
}

static bool act_mount(int index) {
  return refused(mount("none", name_of("mountpoint", index), "tmpfs", MS_NOSUID, NULL));
}

static bool act_raw_socket(int index) {
  (void)index;
  bool raw = failed_with(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), EPERM);
  return failed_with(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), EAFNOSUPPORT) && raw;
}

static bool act_vsock(int index) {
  (void)index;
  return failed_with(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0), EAFNOSUPPORT);
}

/* What an agent could try against the recorder: kill what is outside, remove or fake its evidence. */
static bool act_recorder(int index) {
  bool killed = failed_with(kill(3000000 + index, SIGKILL), ESRCH);
  bool removed = failed_with(unlink("/capture/opencode_events.fifo"), EROFS);
  bool faked = failed_with(symlink("nothing", name_of("/capture/fake", index)), EROFS);
  return killed && removed && faked;
}

static bool act_clock(int index) {
  (void)index;
  struct timespec then = {0, 0};
  return refused(clock_settime(CLOCK_REALTIME, &then));
}

static bool act_kernel(int index) {
  (void)index;
  union bpf_attr program = {0};
  struct perf_event_attr counter = {.type = PERF_TYPE_SOFTWARE, .size = sizeof counter};
  bool loaded = refused(syscall(SYS_bpf, BPF_PROG_LOAD, &program, sizeof program));
  return refused(syscall(SYS_perf_event_open, &counter, 0, -1, -1, 0)) && loaded;
}

const struct recall_case REFUSED_CASES[] = {
    {"namespace", NULL, act_namespace, NULL},
    {"setuid", NULL, act_setuid, NULL},
    {"ptrace", NULL, act_ptrace, NULL},
    {"io-uring", NULL, act_io_uring, NULL},
    {"aio", NULL, act_aio, NULL},
    {"mount", NULL, act_mount, NULL},
    {"raw-socket", NULL, act_raw_socket, NULL},
    {"vsock", NULL, act_vsock, NULL},
    {"recorder", NULL, act_recorder, NULL},
    {"clock", NULL, act_clock, NULL},
    {"kernel", NULL, act_kernel, NULL},
    {NULL, NULL, NULL, NULL},
};
