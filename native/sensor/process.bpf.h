/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Processes: who is followed, fork, exec, end. */
#ifndef SENSOR_PROCESS_H
#define SENSOR_PROCESS_H

#include "network.bpf.h"

#define SIGNAL_GROUP_EXIT 4
/* What one read of the blocks of an exec takes. */
#define BLOCK_BYTES 4096

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
  u32 parent_tgid = parent->tgid;
  if (child->tgid == parent_tgid) return 0; /* a thread */
  u32 container_pid = pid_in_namespace(child, variables.followed_namespace);
  /* Whoever enters the pid namespace later (setns, then fork) is in the namespace without a followed parent. */
  if (!container_pid && !bpf_map_lookup_elem(&followed_processes, &parent_tgid)) return 0;
  follow(child, container_pid);
  struct draft *draft = begin(KIND_FORK, CLASS_PROCESS, child, container_pid);
  if (!draft) return 0;
  /* real_parent is already set. With CLONE_PARENT it is not the caller, who could so put its work down to another. */
  if (child->real_parent->tgid != parent_tgid) {
    draft->header.body.fork.maker_start_ns = parent->group_leader->start_boottime;
    draft->header.body.fork.maker_pid = parent_tgid;
  }
  emit(draft);
  return 0;
}

struct block {
  struct draft *draft;
  u64 from;
  u32 at;
  u32 left;
  u32 copied;
};

static long copy_block(u32 index, struct block *block) {
  u32 at = block->at, size = block->left;
  if (size > BLOCK_BYTES) size = BLOCK_BYTES;
  if (size == 0 || at > CONTENT_BYTES - BLOCK_BYTES) return 1;
  if (bpf_probe_read_user(&block->draft->content[at], size, (void *)block->from)) return 1;
  block->at = at + size;
  block->from += size;
  block->left -= size;
  block->copied += size;
  return 0;
}

/* Appends the start of an argument or environment block. A page that can't be read ends it: the length tells. */
static __noinline int append_block(struct draft *draft, u32 index, u64 from, u64 size, u32 limit) {
  struct block block = {.draft = draft, .from = from, .at = draft->used};
  block.left = size > limit ? limit : size;
  bpf_loop(ARGS_BYTES / BLOCK_BYTES, copy_block, &block, 0);
  draft->used = block.at;
  draft->header.segment_bytes[index & 7] = block.copied;
  if (block.copied < size) draft->header.truncated |= 1 << (index & 7);
  return 0;
}

static __always_inline void fill_standard(struct standard_descriptor *standard, struct file *file) {
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  standard->inode = BPF_CORE_READ(inode, i_ino);
  standard->device = BPF_CORE_READ(inode, i_sb, s_dev);
  standard->special = BPF_CORE_READ(inode, i_rdev);
  standard->mode = BPF_CORE_READ(inode, i_mode);
  standard->flags = BPF_CORE_READ(file, f_flags);
  if ((standard->mode & S_IFMT) != S_IFSOCK) return;
  struct socket *socket = BPF_CORE_READ(file, private_data);
  standard->socket = identity_of(BPF_CORE_READ(socket, sk));
}

/* Standard input, output or error as the new program finds it. */
__noinline int append_standard(struct draft *draft, u32 index, u32 descriptor) {
  struct standard_descriptor standard = {};
  struct file *file = file_of(descriptor);
  if (!draft) return 0;
  u32 at = draft->used;
  if (at > CONTENT_BYTES - sizeof(standard)) return 0;
  if (file) fill_standard(&standard, file);
  bpf_probe_read_kernel(&draft->content[at], sizeof(standard), &standard);
  draft->used = at + sizeof(standard);
  draft->header.segment_bytes[index & 7] += sizeof(standard);
  return 0;
}

static __always_inline int emit_canary(struct task_struct *task, u32 at) {
  struct draft *draft = begin(KIND_CANARY, CLASS_PROCESS, task, 0);
  if (!draft) return 0;
  draft->header.body.canary.at = at;
  emit(draft);
  return 0;
}

static __always_inline void append_exec(struct draft *draft, struct task_struct *task, struct linux_binprm *bprm) {
  struct record_header *header = &draft->header;
  struct file *file = bprm->file;
  fill_file(&header->body.exec.file, file);
  append_file_path(draft, 0, file);
  append_string(draft, 1, bprm->filename, false);
  if (bprm->interp != bprm->filename) append_string(draft, 2, bprm->interp, false);
  append_path(draft, 3, (u64)BPF_CORE_READ(task, fs, pwd.dentry), (u64)BPF_CORE_READ(task, fs, pwd.mnt));
  u64 args = task->mm->arg_start, args_end = task->mm->arg_end;
  u64 env = task->mm->env_start, env_end = task->mm->env_end;
  header->body.exec.args_bytes = args_end - args;
  header->body.exec.env_bytes = env_end - env;
  append_block(draft, 4, args, args_end - args, ARGS_BYTES);
  append_block(draft, 5, env, env_end - env, ENV_BYTES);
  for (u32 descriptor = 0; descriptor < 3; descriptor++) append_standard(draft, 6, descriptor);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm) {
  u32 tgid = task->tgid;
  u32 *canary = bpf_map_lookup_elem(&canaries, &tgid);
  if (canary) return emit_canary(task, *canary);
  struct followed *known = bpf_map_lookup_elem(&followed_processes, &tgid);
  u32 container_pid = known ? known->container_pid : pid_in_namespace(task, variables.followed_namespace);
  if (!known) {
    if (!container_pid) return 0;
    follow(task, container_pid);
  }
  emit_closed_by_exec();
  struct draft *draft = begin(KIND_EXEC, CLASS_PROCESS, task, container_pid);
  if (!draft) return 0;
  append_exec(draft, task, bprm);
  emit(draft);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
  u32 tgid = task->tgid;
  struct followed *known = bpf_map_lookup_elem(&followed_processes, &tgid);
  if (!known) return 0;
  /* The kernel has already taken this thread off: 0 means that it was the last one, leader or not. */
  if (task->signal->live.counter != 0) return 0;
  u32 container_pid = known->container_pid;
  /* Two last threads may both find 0; only one can take the entry. */
  if (bpf_map_delete_elem(&followed_processes, &tgid)) return 0;
  emit_open_files(task, container_pid);
  struct draft *draft = begin(KIND_EXIT, CLASS_PROCESS, task, container_pid);
  if (!draft) return 0;
  struct signal_struct *signal = task->signal;
  draft->header.body.exit.status =
      signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->group_leader->exit_code;
  emit(draft);
  return 0;
}

/* What `watch` starts: follows the process that is asked for and everything alive in its pid namespace. */
SEC("iter/task")
int seed_followed(struct bpf_iter__task *context) {
  struct task_struct *task = context->task;
  if (!task || task->pid != task->tgid) return 0;
  u32 tgid = task->tgid;
  u32 container_pid = pid_in_namespace(task, variables.followed_namespace);
  if (!container_pid && tgid != variables.watch_pid) return 0;
  __sync_fetch_and_add(&variables.watch_found, 1);
  if (!bpf_map_lookup_elem(&followed_processes, &tgid)) follow(task, container_pid);
  return 0;
}

static __always_inline struct pid_namespace *active_namespace(struct task_struct *task) {
  struct pid *pid = BPF_CORE_READ(task, thread_pid);
  if (!pid) return 0;
  u32 level = BPF_CORE_READ(pid, level);
  if (level >= NAMESPACE_LEVELS) return 0;
  struct upid *entry = (void *)&pid->numbers[0] + level * bpf_core_type_size(struct upid);
  return BPF_CORE_READ(entry, ns);
}

/* The first half of `watch`: which pid namespace has the process? The loader's own is not followed, that would be the host. */
SEC("iter/task")
int find_namespace(struct bpf_iter__task *context) {
  struct task_struct *task = context->task;
  if (!task || task->tgid != variables.watch_pid || task->pid != task->tgid) return 0;
  struct pid_namespace *namespace = active_namespace(task);
  struct pid_namespace *own = active_namespace((void *)bpf_get_current_task());
  variables.watch_found = 1;
  if (!namespace || namespace == own) return 0;
  variables.followed_namespace = BPF_CORE_READ(namespace, ns.inum);
  variables.watch_namespaced = 1;
  return 0;
}

#endif
