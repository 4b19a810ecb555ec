// SPDX-License-Identifier: Apache-2.0
#include "workload.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The calls that may not work here, and need not: the attempt counts. */
static int blind_attempts(void) {
  char nothing[128] = {0};
  struct file_handle handle = {0};
  syscall(SYS_bpf, 0, nothing, sizeof(nothing));
  syscall(SYS_perf_event_open, nothing, 0, -1, -1, 0);
  close(syscall(SYS_userfaultfd, 0));
  close(memfd_create("blind", 0));
  syscall(SYS_io_submit, 0, 0, NULL);
  open_by_handle_at(AT_FDCWD, &handle, O_RDONLY);
  return 1;
}

static int blind(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) worked += blind_attempts();
  return worked;
}

/* One io_uring operation that does nothing. */
static int ring_nop(void) {
  struct io_uring_params parameters = {0};
  int ring = syscall(SYS_io_uring_setup, 4, &parameters);
  if (ring < 0) return 0;
  size_t size = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  char *queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entries =
      mmap(NULL, parameters.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  memset(&entries[0], 0, sizeof(entries[0]));
  entries[0].opcode = IORING_OP_NOP;
  ((uint32_t *)(queue + parameters.sq_off.array))[0] = 0;
  __atomic_store_n((uint32_t *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
  int done = syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
  close(ring);
  return done == 1;
}

static int io_uring(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) worked += ring_nop();
  return worked;
}

/* A filter as container engines install it: io_uring, bpf and the 32-bit door are answered with an errno. */
static void refuse_calls(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static long compat_getpid(void) {
  long result = -1;
#if defined(__x86_64__)
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
#endif
  return result;
}

static int filtered(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      char nothing[128] = {0};
      refuse_calls();
      int good = syscall(SYS_io_uring_setup, 4, nothing) == -1 && errno == ENOSYS;
      good &= syscall(SYS_bpf, 0, nothing, sizeof(nothing)) == -1 && errno == ENOSYS;
      good &= syscall(SYS_execveat, AT_FDCWD, "/bin/filtered", NULL, NULL, 0) == -1 && errno == ENOSYS;
      good &= compat_getpid() == -EPERM;
      _exit(good ? 0 : 1);
    }
    worked += ended_well(child);
  }
  return worked;
}

static int compat(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) _exit(compat_getpid() > 0 && compat_getpid() > 0 ? 0 : 1);
    worked += ended_well(child);
  }
  return worked;
}

static int credentials(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      int good = !syscall(SYS_setgroups, 0, NULL) && !syscall(SYS_setgid, 1234) && !syscall(SYS_setuid, 4321);
      good &= syscall(SYS_setuid, 0) == -1;
      _exit(good ? 0 : 1);
    }
    worked += ended_well(child);
  }
  return worked;
}

static int namespaces(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) {
      int own = open("/proc/self/ns/uts", O_RDONLY);
      int good = !unshare(CLONE_NEWUTS) && !setns(own, CLONE_NEWUTS);
      pid_t other = syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, NULL, NULL, NULL, 0);
      if (other == 0) _exit(0);
      _exit(good && ended_well(other) ? 0 : 1);
    }
    worked += ended_well(child);
  }
  return worked;
}

static int reaches(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    char byte = 0;
    struct iovec own = {&byte, 1};
    pid_t child = fork();
    if (child == 0) pause();
    int good = process_vm_readv(child, &own, 1, &own, 1, 0) == 1 && process_vm_writev(child, &own, 1, &own, 1, 0) == 1;
    good &= !ptrace(PTRACE_ATTACH, child, NULL, NULL);
    waitpid(child, NULL, 0);
    ptrace(PTRACE_DETACH, child, NULL, NULL);
    int descriptor = syscall(SYS_pidfd_open, child, 0);
    close(syscall(SYS_pidfd_getfd, descriptor, 0, 0));
    good &= !syscall(SYS_pidfd_send_signal, descriptor, 0, NULL, 0) && !kill(child, SIGKILL);
    close(descriptor);
    waitpid(child, NULL, 0);
    kill(getpid(), 0); /* itself: no reach */
    worked += good;
  }
  return worked;
}

const struct workload_case SECURITY_CASES[] = {
    {"blind", blind},           {"io-uring", io_uring},     {"filtered", filtered}, {"compat", compat},
    {"credentials", credentials}, {"namespaces", namespaces}, {"reaches", reaches},   {NULL, NULL},
};
