import type { SyscallGroup } from "./rule.ts";

/**
 * Everything a process in the container may ask the kernel for without a look at the arguments. What is named neither
 * here, nor in refused-groups.ts, nor in argument-rules.ts answers ENOSYS, so that libraries take their older way.
 */
export const ALLOWED_GROUPS: readonly SyscallGroup[] = [
  {
    title: "processes",
    reason: "start, end, wait for and signal processes; shells, make and test runners live on it",
    names: words(`
      execve execveat exit exit_group fork vfork wait4 waitid
      kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal process_mrelease
      getpid gettid getppid getpgid getpgrp getsid setpgid setsid prctl
    `),
  },
  {
    title: "threads",
    reason: "locks, thread-local data and scheduling of the process's own threads",
    names: words(`
      futex futex_waitv set_tid_address set_robust_list get_robust_list rseq membarrier restart_syscall
      sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler
      sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min
      sched_rr_get_interval getcpu getpriority setpriority ioprio_get ioprio_set
    `),
  },
  {
    title: "x86 thread pointer",
    reason: "the C library of x86_64 sets the thread pointer with it",
    names: ["arch_prctl"],
    arches: ["amd64"],
  },
  {
    title: "memory",
    reason: "heap, mappings, JIT compilers; memfd_create is used by runtimes and is seen by the sensor when executed",
    names: words(`
      brk mmap munmap mprotect mremap madvise msync mincore mlock mlock2 munlock mlockall munlockall
      pkey_alloc pkey_free pkey_mprotect get_mempolicy set_mempolicy mbind memfd_create
    `),
  },
  {
    title: "open and close",
    reason: "files by name and by descriptor; what may be opened is decided by mounts and file modes",
    names: words(`
      open openat openat2 creat close close_range dup dup2 dup3 fcntl ioctl flock umask
      pipe pipe2 eventfd eventfd2
    `),
  },
  {
    title: "read and write",
    reason: "file and pipe content",
    names: words(`
      read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 lseek
      sendfile splice tee copy_file_range readahead fadvise64
      truncate ftruncate fallocate fsync fdatasync sync syncfs sync_file_range
    `),
  },
  {
    title: "file metadata",
    reason: "look at and change names, modes, times, owners and attributes",
    names: words(`
      stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2
      getdents getdents64 getcwd chdir fchdir readlink readlinkat
      mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat mknod mknodat
      chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat
      getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
      setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
    `),
  },
  {
    title: "waiting for events",
    reason: "event loops of Node, Bun and Python; file watchers",
    names: words(`
      select pselect6 poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
      inotify_init inotify_init1 inotify_add_watch inotify_rm_watch signalfd signalfd4
      timerfd_create timerfd_settime timerfd_gettime
    `),
  },
  {
    title: "signals",
    reason: "signal handlers and masks of the process itself",
    names: words(`
      rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigreturn sigaltstack pause
    `),
  },
  {
    title: "time",
    reason: "read clocks, sleep, set own timers; setting a clock is refused",
    names: words(`
      time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep alarm getitimer setitimer
      timer_create timer_delete timer_settime timer_gettime timer_getoverrun
    `),
  },
  {
    title: "connected sockets",
    reason: "everything on a socket that exists; making one is decided by its family",
    names: words(`
      bind connect listen accept accept4 shutdown sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg
      getsockname getpeername getsockopt setsockopt
    `),
  },
  {
    title: "identity",
    reason: "read ids; setting them gives nothing without capabilities, but package managers and su try it",
    names: words(`
      getuid geteuid getgid getegid getgroups getresuid getresgid capget capset
      setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups
    `),
  },
  {
    title: "limits and system information",
    reason: "resource limits of the process, names and figures of the machine, random numbers",
    names: words(`
      uname sysinfo getrandom getrlimit setrlimit prlimit64 getrusage times
    `),
  },
  {
    title: "shared memory and queues",
    reason: "databases and multi-process programs; the container has its own IPC namespace",
    names: words(`
      shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
      mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    `),
  },
  {
    title: "self-restriction",
    reason: "a program may give up rights of its own (Landlock); it can't gain any",
    names: words("landlock_create_ruleset landlock_add_rule landlock_restrict_self"),
  },
];

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
