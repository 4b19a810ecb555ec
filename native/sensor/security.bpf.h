/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Credentials, namespaces, reaching into other processes, and interfaces that could hide effects from system call records.
 *
 * A call that the seccomp profile refuses with an error never reaches tracepoint sys_enter (the filter answers before it), but
 * sys_exit is still passed, with the number and the arguments of the call and the filter's errno as its result. All records
 * here come from sys_exit, so refused attempts are seen; tests/integration/kernel-sensor-blind-spots.test.ts proves it.
 */
#ifndef SENSOR_SECURITY_H
#define SENSOR_SECURITY_H

#include "files.bpf.h"

/* CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; clone(2) uses the first for its exit signal. */
#define CLONE_NEWTIME 0x80
#define CLONE_NEW 0x7e020000
#define ENOSYS 38
#define TS_COMPAT 2
#define X32_BIT 0x40000000
#define TIF_32BIT_ARM64 (1 << 22)

static __always_inline int emit_blind_spot(struct task_struct *task, u32 container_pid, u32 interface, u64 number, u32 stage, s64 result) {
  struct draft *draft = begin(KIND_BLIND_SPOT, CLASS_SECURITY, task, container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->blind_spot.interface = interface;
  body->blind_spot.number = number;
  body->blind_spot.stage = stage;
  body->blind_spot.result = result;
  emit(draft);
  return 0;
}

__noinline int handle_blind(const struct ended_call *ended) {
  if (!ended) return 0;
  s64 result = ended->result;
  /* io_uring_enter is called for every batch, and on_ring_submit tells of each operation: only refusals are news. */
  if (ended->number == CALL_io_uring_enter && result != -EPERM && result != -EACCES && result != -ENOSYS) return 0;
  return emit_blind_spot(bpf_get_current_task_btf(), ended->container_pid, ended->call.detail, ended->number, BLIND_ATTEMPT, result);
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_ring_submit, struct io_kiocb *request) {
  struct followed *known = followed_now();
  if (!known) return 0;
  return emit_blind_spot(bpf_get_current_task_btf(), known->container_pid, BLIND_IO_URING, request->opcode, BLIND_SUBMIT, 0);
}

/* Whether the current system call came by a door with other numbers. */
static __always_inline bool is_compat(struct task_struct *task, u32 number) {
#if defined(__TARGET_ARCH_x86)
  struct thread_info___x86 *info = (void *)&task->thread_info;
  return BPF_CORE_READ(info, status) & TS_COMPAT || number & X32_BIT;
#else
  return task->thread_info.flags & TIF_32BIT_ARM64;
#endif
}

/* Each number once a process: a 32-bit program makes thousands of calls, and that it is one is the news. */
static __noinline int handle_compat(struct task_struct *task, struct followed *known, u32 number, s64 result) {
  u32 plain = number & ~X32_BIT;
  u64 bit = 1ull << (plain & 63);
  u64 *told = &known->told_compat[(plain / 64) & 7];
  if (*told & bit) return 0;
  *told |= bit;
  return emit_blind_spot(task, known->container_pid, BLIND_COMPAT_CALL, number, BLIND_ATTEMPT, result);
}

__noinline int handle_credentials(const struct ended_call *ended) {
  if (!ended) return 0;
  struct draft *draft = begin(KIND_CREDENTIALS, CLASS_SECURITY, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->credentials.call = ended->call.detail;
  body->credentials.result = ended->result;
  body->credentials.euid = draft->header.uid;
  body->credentials.egid = draft->header.gid;
  emit(draft);
  return 0;
}

__noinline int handle_namespace(const struct ended_call *ended) {
  if (!ended) return 0;
  const struct call *call = &ended->call;
  u64 flags = argument_of(ended, call->argument);
  if (call->detail == NAMESPACE_CLONE) {
    if (ended->result == 0) return 0; /* the child's side of the same call */
    if (call->name && bpf_probe_read_user(&flags, sizeof(flags), (void *)argument_of(ended, call->name))) return 0;
    flags &= CLONE_NEW | (call->name ? CLONE_NEWTIME : 0);
    if (!flags) return 0;
  }
  struct draft *draft = begin(KIND_NAMESPACE, CLASS_SECURITY, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->namespaces.call = call->detail;
  body->namespaces.flags = flags;
  body->namespaces.result = ended->result;
  emit(draft);
  return 0;
}

/* Number of a process in the pid namespace that the current one lives in. */
static __noinline s32 pid_for_caller(struct pid *pid) {
  struct task_struct *task = (void *)bpf_get_current_task();
  struct pid *own = BPF_CORE_READ(task, group_leader, thread_pid);
  u32 level = BPF_CORE_READ(own, level);
  if (!pid || level >= NAMESPACE_LEVELS || level > BPF_CORE_READ(pid, level)) return 0;
  struct upid *entry = (void *)&pid->numbers[0] + level * bpf_core_type_size(struct upid);
  return BPF_CORE_READ(entry, nr);
}

/* Since 6.9 the process of a pidfd hangs at its inode, before that at its file. */
static __noinline s32 pid_of_descriptor(u32 descriptor) {
  struct file *file = file_of(descriptor);
  if (!file) return 0;
  struct pid *pid = BPF_CORE_READ(file, f_inode, i_private);
  if (!pid) pid = BPF_CORE_READ(file, private_data);
  return pid_for_caller(pid);
}

__noinline int handle_reach(const struct ended_call *ended) {
  if (!ended) return 0;
  const struct call *call = &ended->call;
  s32 target = call->directory ? pid_of_descriptor(argument_of(ended, call->directory)) : (s32)argument_of(ended, call->target_name);
  struct task_struct *task = (void *)bpf_get_current_task();
  struct pid *leader = BPF_CORE_READ(task, group_leader, thread_pid);
  struct pid *thread = BPF_CORE_READ(task, thread_pid);
  bool itself = target == pid_for_caller(leader) || target == pid_for_caller(thread);
  if (call->detail == REACH_KILL && itself) return 0;
  struct draft *draft = begin(KIND_REACH, CLASS_SECURITY, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->reach.call = call->detail;
  body->reach.request = argument_of(ended, call->argument);
  body->reach.target_pid = target;
  body->reach.result = ended->result;
  emit(draft);
  return 0;
}

#endif
