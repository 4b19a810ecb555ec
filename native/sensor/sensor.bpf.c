// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Tells what the processes of one container do. Tracepoints with type information only (tp_btf): they need CAP_BPF and
 * CAP_PERFMON, no tracefs, no kprobes, no security module.
 *
 * System calls are read when they end: their strings are in memory then, the result is known, and an opened file is taken
 * from the kernel's own object, so that no link and no other thread can make us tell the wrong one. Strings that a program
 * passes may still be changed by another thread of it between the kernel's look and ours.
 */
#include "process.bpf.h"
#include "files.bpf.h"

SEC("tp_btf/sys_exit")
int BPF_PROG(on_call_end, struct pt_regs *regs, long result) {
  struct followed *known = followed_now();
  if (!known) return 0;
  struct ended_call ended = {.task = bpf_get_current_task_btf(), .result = result, .container_pid = known->container_pid};
#if defined(__TARGET_ARCH_x86)
  struct pt_regs___x86 *registers = (void *)regs;
  ended.number = registers->orig_ax;
  ended.arguments[0] = registers->di;
  ended.arguments[1] = registers->si;
  ended.arguments[2] = registers->dx;
  ended.arguments[3] = registers->r10;
  ended.arguments[4] = registers->r8;
  ended.arguments[5] = registers->r9;
#elif defined(__TARGET_ARCH_arm64)
  struct pt_regs___arm64 *registers = (void *)regs;
  ended.number = registers->syscallno;
  ended.arguments[0] = registers->orig_x0;
  ended.arguments[1] = registers->regs[1];
  ended.arguments[2] = registers->regs[2];
  ended.arguments[3] = registers->regs[3];
  ended.arguments[4] = registers->regs[4];
  ended.arguments[5] = registers->regs[5];
#endif
  if (ended.number >= CALLS) return 0;
  ended.call = &calls[ended.number];
  switch (ended.call->handler) {
    case HANDLE_PATH: return emit_path(&ended, KIND_PATH, CLASS_FILE);
    case HANDLE_OPEN: return handle_open(&ended);
    case HANDLE_MMAP: return handle_mmap(&ended);
    case HANDLE_EXEC: return handle_exec(&ended);
  }
  return 0;
}

/* The kernel reads this word; as loaded the program is under the GPL. */
char LICENSE[] SEC("license") = "GPL";
