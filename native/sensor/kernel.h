/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel's structures, only with the members that are read. The loader finds each member by name in the type
 * information of the running kernel (CO-RE), so order and gaps here mean nothing. A suffix ___ marks a second view of one
 * structure, for kernels that differ.
 */
#ifndef SENSOR_KERNEL_H
#define SENSOR_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;
/* Names that the headers of libbpf expect. */
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;
#define SENSOR_HAS_INTEGERS

enum { false = 0, true = 1 };
typedef _Bool bool;

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
  u32 len;
  const unsigned char *name;
};

struct super_block {
  u32 s_dev;
  unsigned long s_magic;
};

struct inode {
  u16 i_mode;
  u32 i_rdev;
  u32 i_nlink;
  unsigned long i_ino;
  s64 i_size;
  void *i_private;
  struct super_block *i_sb;
};

struct dentry {
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
};

struct mnt_namespace;

struct vfsmount {
  struct dentry *mnt_root;
};

struct mount {
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
  struct mnt_namespace *mnt_ns;
};

struct path {
  struct vfsmount *mnt;
  struct dentry *dentry;
};

struct file {
  u32 f_mode;
  u32 f_flags;
  void *private_data;
  struct path f_path;
  struct inode *f_inode;
};

typedef struct {
  s64 counter;
} sensor_atomic64;

/* Up to 6.12 the count of references is 1 for one holder … */
struct file___counted {
  sensor_atomic64 f_count;
};

typedef struct {
  sensor_atomic64 refcnt;
} file_ref_t;

/* … and 0 since. */
struct file___ref {
  file_ref_t f_ref;
};

struct fdtable {
  u32 max_fds;
  struct file **fd;
  unsigned long *close_on_exec;
  unsigned long *open_fds;
};

struct files_struct {
  struct {
    int counter;
  } count;
  struct fdtable *fdt;
};

struct fs_struct {
  struct path root;
  struct path pwd;
};

struct mm_struct {
  unsigned long arg_start, arg_end, env_start, env_end;
};

struct ns_common {
  u32 inum;
};

struct pid_namespace {
  struct ns_common ns;
};

struct upid {
  int nr;
  struct pid_namespace *ns;
};

struct pid {
  u32 level;
  struct upid numbers[1];
};

struct nsproxy {
  struct mnt_namespace *mnt_ns;
};

typedef struct {
  u32 val;
} kuid_t;
typedef struct {
  u32 val;
} kgid_t;

struct cred {
  kuid_t euid;
  kgid_t egid;
};

struct signal_struct {
  struct {
    int counter;
  } live;
  int nr_threads;
  u32 flags;
  int group_exit_code;
};

struct thread_info {
  unsigned long flags;
};

/* x86 only. */
struct thread_info___x86 {
  u32 status;
};

struct task_struct {
  struct thread_info thread_info;
  u32 pid;
  u32 tgid;
  int exit_code;
  u64 start_boottime;
  struct task_struct *real_parent;
  struct task_struct *group_leader;
  struct mm_struct *mm;
  struct nsproxy *nsproxy;
  struct pid *thread_pid;
  struct fs_struct *fs;
  struct files_struct *files;
  const struct cred *cred;
  struct signal_struct *signal;
  char comm[16];
};

struct linux_binprm {
  struct file *file;
  const char *filename;
  const char *interp;
};

struct in6_addr {
  u8 bytes[16];
};

struct sock_common {
  u32 skc_daddr;
  u32 skc_rcv_saddr;
  u16 skc_dport;
  u16 skc_num;
  u16 skc_family;
  u8 skc_state;
  unsigned long skc_flags;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
  struct sock_common __sk_common;
  u16 sk_type;
  u16 sk_protocol;
  int sk_err;
};

struct inet_sock {
  u16 inet_sport;
};

struct tcp_sock {
  u64 bytes_received;
  u64 bytes_sent;
  u64 bytes_retrans;
};

struct socket {
  short type;
  struct sock *sk;
};

struct sockaddr_un {
  u16 sun_family;
};

struct unix_address {
  int len;
  struct sockaddr_un name[0];
};

struct unix_sock {
  struct unix_address *addr;
};

struct io_kiocb {
  u8 opcode;
};

/* Registers of a system call. On arm64 the first argument is overwritten by the result and kept in orig_x0. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs___registers {
  unsigned long r10, r9, r8, dx, si, di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs___registers {
  u64 regs[31];
  u64 orig_x0;
  s32 syscallno;
};
#endif

struct seq_file;

struct bpf_iter_meta {
  struct seq_file *seq;
};

struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
};

#pragma clang attribute pop

/* Opaque here: see the two views above. */
struct pt_regs;

#endif
