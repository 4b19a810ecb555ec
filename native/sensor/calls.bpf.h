/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Which system calls are looked at, and where their arguments stand: one line a call. Numbers of arguments count from 1;
 * 0 is "this call has none".
 */
#ifndef SENSOR_CALLS_H
#define SENSOR_CALLS_H

#include "core.bpf.h"
#include "syscalls.h"

#define CALLS 512

enum handler {
  HANDLE_NOTHING = 0,
  HANDLE_PATH,
  HANDLE_OPEN,
  HANDLE_MMAP,
  HANDLE_EXEC,
  HANDLE_ADDRESS,
  HANDLE_ACCEPT,
  HANDLE_SOCKET,
  HANDLE_DATAGRAM,
  HANDLE_MESSAGE,
  HANDLE_MESSAGES,
  HANDLE_CREDENTIALS,
  HANDLE_NAMESPACE,
  HANDLE_REACH,
  HANDLE_BLIND,
  HANDLE_OPEN_BY_HANDLE,
};

struct call {
  u8 handler;
  u8 detail; /* an operation, a kind, …: what the handler expects */
  u8 directory;
  u8 name;
  u8 target_directory;
  u8 target_name;
  u8 argument;
  u8 argument2;
  u8 argument3;
  u8 text;
};

/* Of a call that opens: how its flags are passed. */
enum open_detail { OPEN_FLAGS = 0, OPEN_HOW = 1, OPEN_CREAT = 2 };
/* Of a datagram call: sent or received, and whether the buffer is a plain one or a list of pieces. */
enum datagram_detail { DATAGRAM_SENT = 0, DATAGRAM_RECEIVED = 1, DATAGRAM_VECTOR = 2 };

#define PATH_CALL(number, operation, ...) [CALL_##number] = {.handler = HANDLE_PATH, .detail = operation, __VA_ARGS__}
#define CALL(number, handle, what, ...) [CALL_##number] = {.handler = handle, .detail = what, ##__VA_ARGS__}

const volatile struct call calls[CALLS] = {
    CALL(openat, HANDLE_OPEN, OPEN_FLAGS, .directory = 1, .name = 2, .argument = 3),
    CALL(openat2, HANDLE_OPEN, OPEN_HOW, .directory = 1, .name = 2, .argument = 3),
    CALL(open_by_handle_at, HANDLE_OPEN_BY_HANDLE, BLIND_OPEN_BY_HANDLE),
    CALL(mmap, HANDLE_MMAP, 0),
    CALL(execve, HANDLE_EXEC, 0, .name = 1),
    CALL(execveat, HANDLE_EXEC, 0, .directory = 1, .name = 2),

    PATH_CALL(unlinkat, PATH_UNLINK, .directory = 1, .name = 2, .argument = 3),
    PATH_CALL(mkdirat, PATH_MKDIR, .directory = 1, .name = 2, .argument = 3),
    PATH_CALL(mknodat, PATH_MKNOD, .directory = 1, .name = 2, .argument = 3, .argument2 = 4),
    PATH_CALL(renameat, PATH_RENAME, .directory = 1, .name = 2, .target_directory = 3, .target_name = 4),
    PATH_CALL(renameat2, PATH_RENAME, .directory = 1, .name = 2, .target_directory = 3, .target_name = 4, .argument = 5),
    PATH_CALL(linkat, PATH_LINK, .directory = 1, .name = 2, .target_directory = 3, .target_name = 4, .argument = 5),
    PATH_CALL(symlinkat, PATH_SYMLINK, .directory = 2, .name = 3, .target_name = 1),
    PATH_CALL(fchmod, PATH_CHMOD, .directory = 1, .argument = 2),
    PATH_CALL(fchmodat, PATH_CHMOD, .directory = 1, .name = 2, .argument = 3),
    PATH_CALL(fchmodat2, PATH_CHMOD, .directory = 1, .name = 2, .argument = 3),
    PATH_CALL(fchown, PATH_CHOWN, .directory = 1, .argument = 2, .argument2 = 3),
    PATH_CALL(fchownat, PATH_CHOWN, .directory = 1, .name = 2, .argument = 3, .argument2 = 4),
    PATH_CALL(truncate, PATH_TRUNCATE, .name = 1, .argument = 2),
    PATH_CALL(ftruncate, PATH_TRUNCATE, .directory = 1, .argument = 2),
    PATH_CALL(utimensat, PATH_UTIMENSAT, .directory = 1, .name = 2, .text = 3, .argument2 = 3),
    PATH_CALL(fallocate, PATH_FALLOCATE, .directory = 1, .argument = 2, .argument2 = 3, .argument3 = 4),
    PATH_CALL(setxattr, PATH_SETXATTR, .name = 1, .text = 2, .argument = 4, .argument2 = 5),
    PATH_CALL(lsetxattr, PATH_SETXATTR, .name = 1, .text = 2, .argument = 4, .argument2 = 5),
    PATH_CALL(fsetxattr, PATH_SETXATTR, .directory = 1, .text = 2, .argument = 4, .argument2 = 5),
    PATH_CALL(setxattrat, PATH_SETXATTR, .directory = 1, .name = 2, .text = 4),
    PATH_CALL(removexattr, PATH_REMOVEXATTR, .name = 1, .text = 2),
    PATH_CALL(lremovexattr, PATH_REMOVEXATTR, .name = 1, .text = 2),
    PATH_CALL(fremovexattr, PATH_REMOVEXATTR, .directory = 1, .text = 2),
    PATH_CALL(removexattrat, PATH_REMOVEXATTR, .directory = 1, .name = 2, .text = 4),
    PATH_CALL(mount, PATH_MOUNT, .name = 2, .target_name = 1, .text = 3, .argument = 4),
    PATH_CALL(umount2, PATH_UMOUNT, .name = 1, .argument = 2),
    PATH_CALL(chroot, PATH_CHROOT, .name = 1),
    PATH_CALL(pivot_root, PATH_PIVOT_ROOT, .name = 1, .target_name = 2),
    PATH_CALL(move_mount, PATH_MOVE_MOUNT, .directory = 3, .name = 4, .target_directory = 1, .target_name = 2, .argument = 5),
    PATH_CALL(open_tree, PATH_OPEN_TREE, .directory = 1, .name = 2, .argument = 3),
    PATH_CALL(open_tree_attr, PATH_OPEN_TREE, .directory = 1, .name = 2, .argument = 3),
    PATH_CALL(fsopen, PATH_FSOPEN, .text = 1, .argument = 2),
    PATH_CALL(fsmount, PATH_FSMOUNT, .argument = 2),
    PATH_CALL(mount_setattr, PATH_MOUNT_SETATTR, .directory = 1, .name = 2, .argument = 3),

#if defined(__TARGET_ARCH_x86)
    CALL(open, HANDLE_OPEN, OPEN_FLAGS, .name = 1, .argument = 2),
    CALL(creat, HANDLE_OPEN, OPEN_CREAT, .name = 1),
    PATH_CALL(futimesat, PATH_UTIMES, .directory = 1, .name = 2, .text = 3, .argument2 = 3),
    PATH_CALL(utimes, PATH_UTIMES, .name = 1, .text = 2, .argument2 = 2),
    PATH_CALL(utime, PATH_UTIME, .name = 1, .text = 2, .argument2 = 2),
    PATH_CALL(unlink, PATH_UNLINK, .name = 1),
    PATH_CALL(rmdir, PATH_RMDIR, .name = 1),
    PATH_CALL(mkdir, PATH_MKDIR, .name = 1, .argument = 2),
    PATH_CALL(mknod, PATH_MKNOD, .name = 1, .argument = 2, .argument2 = 3),
    PATH_CALL(rename, PATH_RENAME, .name = 1, .target_name = 2),
    PATH_CALL(link, PATH_LINK, .name = 1, .target_name = 2),
    PATH_CALL(symlink, PATH_SYMLINK, .name = 2, .target_name = 1),
    PATH_CALL(chmod, PATH_CHMOD, .name = 1, .argument = 2),
    PATH_CALL(chown, PATH_CHOWN, .name = 1, .argument = 2, .argument2 = 3),
    PATH_CALL(lchown, PATH_CHOWN, .name = 1, .argument = 2, .argument2 = 3),
#endif

    CALL(connect, HANDLE_ADDRESS, KIND_CONNECT),
    CALL(bind, HANDLE_ADDRESS, KIND_BIND),
    CALL(listen, HANDLE_ADDRESS, KIND_LISTEN),
    CALL(accept, HANDLE_ACCEPT, 0),
    CALL(accept4, HANDLE_ACCEPT, 0),
    CALL(socket, HANDLE_SOCKET, 0),
    /* directory: descriptor; name: buffer; argument: size; target_name: address. */
    CALL(sendto, HANDLE_DATAGRAM, DATAGRAM_SENT, .name = 2, .argument = 3, .target_name = 5),
    CALL(write, HANDLE_DATAGRAM, DATAGRAM_SENT, .name = 2, .argument = 3),
    CALL(writev, HANDLE_DATAGRAM, DATAGRAM_SENT | DATAGRAM_VECTOR, .name = 2, .argument = 3),
    CALL(recvfrom, HANDLE_DATAGRAM, DATAGRAM_RECEIVED, .name = 2, .argument = 3, .target_name = 5),
    CALL(read, HANDLE_DATAGRAM, DATAGRAM_RECEIVED, .name = 2, .argument = 3),
    CALL(readv, HANDLE_DATAGRAM, DATAGRAM_RECEIVED | DATAGRAM_VECTOR, .name = 2, .argument = 3),
    CALL(sendmsg, HANDLE_MESSAGE, DATAGRAM_SENT),
    CALL(recvmsg, HANDLE_MESSAGE, DATAGRAM_RECEIVED),
    CALL(sendmmsg, HANDLE_MESSAGES, DATAGRAM_SENT),
    CALL(recvmmsg, HANDLE_MESSAGES, DATAGRAM_RECEIVED),

    CALL(setuid, HANDLE_CREDENTIALS, CREDENTIAL_SETUID),
    CALL(setreuid, HANDLE_CREDENTIALS, CREDENTIAL_SETUID),
    CALL(setresuid, HANDLE_CREDENTIALS, CREDENTIAL_SETUID),
    CALL(setfsuid, HANDLE_CREDENTIALS, CREDENTIAL_SETUID),
    CALL(setgid, HANDLE_CREDENTIALS, CREDENTIAL_SETGID),
    CALL(setregid, HANDLE_CREDENTIALS, CREDENTIAL_SETGID),
    CALL(setresgid, HANDLE_CREDENTIALS, CREDENTIAL_SETGID),
    CALL(setfsgid, HANDLE_CREDENTIALS, CREDENTIAL_SETGID),
    CALL(setgroups, HANDLE_CREDENTIALS, CREDENTIAL_SETGROUPS),
    CALL(capset, HANDLE_CREDENTIALS, CREDENTIAL_CAPSET),

    CALL(unshare, HANDLE_NAMESPACE, NAMESPACE_UNSHARE, .argument = 1),
    CALL(setns, HANDLE_NAMESPACE, NAMESPACE_SETNS, .argument = 2),
    CALL(clone, HANDLE_NAMESPACE, NAMESPACE_CLONE, .argument = 1),
    /* name: a structure that begins with the flags. */
    CALL(clone3, HANDLE_NAMESPACE, NAMESPACE_CLONE, .name = 1),

    /* argument: request or signal; target_name: pid; directory: descriptor of a process instead. */
    CALL(ptrace, HANDLE_REACH, REACH_PTRACE, .argument = 1, .target_name = 2),
    CALL(process_vm_readv, HANDLE_REACH, REACH_VM_READV, .target_name = 1),
    CALL(process_vm_writev, HANDLE_REACH, REACH_VM_WRITEV, .target_name = 1),
    CALL(kill, HANDLE_REACH, REACH_KILL, .target_name = 1, .argument = 2),
    CALL(tkill, HANDLE_REACH, REACH_KILL, .target_name = 1, .argument = 2),
    CALL(tgkill, HANDLE_REACH, REACH_KILL, .target_name = 1, .argument = 3),
    CALL(rt_sigqueueinfo, HANDLE_REACH, REACH_KILL, .target_name = 1, .argument = 2),
    CALL(rt_tgsigqueueinfo, HANDLE_REACH, REACH_KILL, .target_name = 1, .argument = 3),
    CALL(pidfd_send_signal, HANDLE_REACH, REACH_KILL, .directory = 1, .argument = 2),
    CALL(pidfd_getfd, HANDLE_REACH, REACH_PIDFD_GETFD, .directory = 1, .argument = 2),

    CALL(io_uring_setup, HANDLE_BLIND, BLIND_IO_URING),
    CALL(io_uring_enter, HANDLE_BLIND, BLIND_IO_URING),
    CALL(io_uring_register, HANDLE_BLIND, BLIND_IO_URING),
    CALL(bpf, HANDLE_BLIND, BLIND_BPF),
    CALL(perf_event_open, HANDLE_BLIND, BLIND_PERF),
    CALL(userfaultfd, HANDLE_BLIND, BLIND_USERFAULTFD),
    CALL(memfd_create, HANDLE_BLIND, BLIND_MEMFD),
    CALL(io_setup, HANDLE_BLIND, BLIND_AIO),
    CALL(io_submit, HANDLE_BLIND, BLIND_AIO),
};

/*
 * A system call that ends, of the current task. No pointers in it: the handlers are global functions, which the verifier
 * looks at once each instead of once for every way that leads to them (0.03 s instead of 0.4 s at each start).
 */
struct ended_call {
  struct call call;
  u64 arguments[8];
  s64 result;
  u32 number;
  u32 container_pid;
};

/* Argument `position`, counted from 1; 0 is none and gives 0. */
static __always_inline u64 argument_of(const struct ended_call *ended, u8 position) {
  if (position == 0 || position > 6) return 0;
  return ended->arguments[(position - 1) & 7];
}

#endif
