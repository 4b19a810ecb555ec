// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Tells what the processes of one container do. Tracepoints with type information only (tp_btf): they need CAP_BPF and
 * CAP_PERFMON, no tracefs, no kprobes, no security module.
 *
 * System calls are read when they end: their strings are in memory then, the result is known, and an opened file is taken
 * from the kernel's own object, so that no link and no other thread can make us tell the wrong one. Strings that a program
 * passes may still be changed by another thread of it between the kernel's look and ours.
 */
#include "files.bpf.h"
#include "network.bpf.h"
#include "process.bpf.h"
#include "security.bpf.h"
#include "tcp.bpf.h"

#if defined(__TARGET_ARCH_x86)
static __always_inline u32 call_number(struct pt_regs *regs) {
  struct pt_regs___registers *registers = (void *)regs;
  return registers->orig_ax;
}

static __always_inline void read_arguments(struct pt_regs *regs, u64 *arguments) {
  struct pt_regs___registers *registers = (void *)regs;
  arguments[0] = registers->di;
  arguments[1] = registers->si;
  arguments[2] = registers->dx;
  arguments[3] = registers->r10;
  arguments[4] = registers->r8;
  arguments[5] = registers->r9;
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline u32 call_number(struct pt_regs *regs) {
  struct pt_regs___registers *registers = (void *)regs;
  return registers->syscallno;
}

static __always_inline void read_arguments(struct pt_regs *regs, u64 *arguments) {
  struct pt_regs___registers *registers = (void *)regs;
  arguments[0] = registers->orig_x0;
  for (int i = 1; i < 6; i++) arguments[i] = registers->regs[i];
}
#endif

static __always_inline int handle(const struct ended_call *ended) {
  switch (ended->call.handler) {
    case HANDLE_PATH:
    case HANDLE_EXEC: return emit_path(ended);
    case HANDLE_OPEN_BY_HANDLE: handle_blind(ended); /* fall through */
    case HANDLE_OPEN: return handle_open(ended);
    case HANDLE_MMAP: return handle_mmap(ended);
    case HANDLE_ADDRESS: return handle_address(ended);
    case HANDLE_ACCEPT: return handle_accept(ended);
    case HANDLE_SOCKET: return handle_socket(ended);
    case HANDLE_DATAGRAM: return handle_datagram(ended);
    case HANDLE_MESSAGE: return handle_message(ended);
    case HANDLE_MESSAGES: return handle_messages(ended);
    case HANDLE_CREDENTIALS: return handle_credentials(ended);
    case HANDLE_NAMESPACE: return handle_namespace(ended);
    case HANDLE_REACH: return handle_reach(ended);
    case HANDLE_BLIND: return handle_blind(ended);
    default: return 0;
  }
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_call_end, struct pt_regs *regs, long result) {
  struct followed *known = followed_now();
  if (!known) return 0;
  struct task_struct *task = bpf_get_current_task_btf();
  struct ended_call ended = {.result = result, .container_pid = known->container_pid, .number = call_number(regs)};
  if (is_compat(task, ended.number)) return handle_compat(task, known, ended.number, result);
  if (ended.number >= CALLS) return 0;
  ended.call = *(const struct call *)&calls[ended.number];
  if (ended.call.handler == HANDLE_NOTHING) return 0;
  read_arguments(regs, ended.arguments);
  return handle(&ended);
}

/* What closes a file must be seen before it does: afterwards nobody knows which one it was. */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_call_start, struct pt_regs *regs, long number) {
  if (number != CALL_close && number != CALL_close_range && number != CALL_dup3 && number != CALL_execve &&
      number != CALL_execveat
#if defined(__TARGET_ARCH_x86)
      && number != CALL_dup2
#endif
  )
    return 0;
  struct followed *known = followed_now();
  if (!known) return 0;
  struct task_struct *task = bpf_get_current_task_btf();
  if (is_compat(task, number)) return 0;
  if (number == CALL_execve || number == CALL_execveat) return remember_closing(known->container_pid);
  u64 arguments[6];
  read_arguments(regs, arguments);
  if (number == CALL_close) return emit_close(known->container_pid, arguments[0], FILE_STILL_MAPPED);
  if (number == CALL_close_range) {
    if (arguments[2] & CLOSE_RANGE_CLOEXEC) return 0;
    return emit_range(known->container_pid, arguments[0], arguments[1], FILE_STILL_MAPPED);
  }
  /* The second descriptor of dup2 and dup3 is closed, unless it is the first or the call fails. */
  if (arguments[0] == arguments[1] || !file_of(arguments[0])) return 0;
  return emit_close(known->container_pid, arguments[1], FILE_STILL_MAPPED);
}

/* The kernel reads this word; as loaded the program is under the GPL. */
char LICENSE[] SEC("license") = "GPL";
