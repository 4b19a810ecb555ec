/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Maps, the set of followed processes, and how a record is begun and handed to the ring. */
#ifndef SENSOR_CORE_H
#define SENSOR_CORE_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "variables.h"

#define FOLLOWED_PROCESSES 32768
#define FOLLOWED_SOCKETS 16384
/* The kernel's limit of nested pid namespaces. */
#define NAMESPACE_LEVELS 32
/* A consumer that waits is woken when this much is in the ring; before that it looks by itself, every few milliseconds. */
#define WAKE_BYTES (128 << 10)

/* Room for two pairs of base and name, besides the blocks of an exec. */
#define SEGMENTS_BYTES (2 * PATH_BYTES + 2 * NAME_BYTES + 4096)
#define CONTENT_BYTES (SEGMENTS_BYTES + ARGS_BYTES + ENV_BYTES)

/* A record under construction. */
struct draft {
  struct record_header header;
  u8 content[CONTENT_BYTES];
  /* Not sent. */
  u32 used;
};

/* Records from interrupts (states of TCP) are small. */
#define SMALL_CONTENT_BYTES 256
struct small_draft {
  struct record_header header;
  u8 content[SMALL_CONTENT_BYTES];
  u32 used;
};

struct followed {
  u64 start_ns;
  u32 container_pid;
  /* Bit n: 32-bit system call n of this process has been told. */
  u64 told_compat[8];
};

/* Who opened a connection: its states change in interrupts, where the current task is anybody. */
struct socket_owner {
  u64 start_ns;
  u64 parent_start_ns;
  u32 pid, tid, parent_pid, container_pid, uid, gid;
  char comm[16];
  u64 established; /* has been told */
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 16 << 20);
} ring SEC(".maps");

/* Key: thread group. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, FOLLOWED_PROCESSES);
  __type(key, u32);
  __type(value, struct followed);
} followed_processes SEC(".maps");

/* Key: thread group of a process that the loader runs to prove that it sees; value: 0 at the start, 1 at the end. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4);
  __type(key, u32);
  __type(value, u32);
} canaries SEC(".maps");

/* Key: address of the kernel's socket. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, FOLLOWED_SOCKETS);
  __type(key, u64);
  __type(value, struct socket_owner);
} socket_owners SEC(".maps");

/* Sockets that sent to port 53: what they receive may be an answer although nobody names its sender. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, u64);
  __type(value, u8);
} dns_sockets SEC(".maps");

/*
 * One draft a processor. Not a per-processor map: their values end at 32 KiB. Tracepoint programs run with preemption off,
 * and only the one for TCP states can interrupt the others; it has its own.
 */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1); /* the loader sets the number of processors */
  __type(key, u32);
  __type(value, struct draft);
} drafts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, u32);
  __type(value, struct small_draft);
} small_drafts SEC(".maps");

struct sensor_variables variables;
const volatile struct sensor_constants constants SEC(".rodata.constants");

/* Pid of `task` in the followed namespace at any level, or 0. */
static __noinline u32 pid_in_namespace(struct task_struct *task, u32 namespace) {
  struct pid *pid = BPF_CORE_READ(task, thread_pid);
  if (namespace == 0 || !pid) return 0;
  u32 level = BPF_CORE_READ(pid, level);
  for (u32 i = 0; i < NAMESPACE_LEVELS; i++) {
    if (i > level) break;
    const void *at = (const void *)&pid->numbers[0] + i * bpf_core_type_size(struct upid);
    struct upid *entry = (struct upid *)at;
    if (BPF_CORE_READ(entry, ns, ns.inum) == namespace) return BPF_CORE_READ(entry, nr);
  }
  return 0;
}

static __always_inline struct followed *followed_now(void) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  return bpf_map_lookup_elem(&followed_processes, &tgid);
}

static __always_inline void follow(struct task_struct *task, u32 container_pid) {
  u32 tgid = task->tgid;
  struct followed entry = {.start_ns = task->group_leader->start_boottime, .container_pid = container_pid};
  if (bpf_map_update_elem(&followed_processes, &tgid, &entry, BPF_ANY)) __sync_fetch_and_add(&variables.counters.untracked, 1);
}

static __always_inline void fill_header(struct record_header *header, u8 kind, u8 class) {
  header->magic = RECORD_MAGIC;
  header->version = RECORD_VERSION;
  header->kind = kind;
  header->class = class;
  header->reserved = 0;
  header->truncated = 0;
  header->foreign = 0;
  header->time_ns = bpf_ktime_get_boot_ns();
  for (int i = 0; i < RECORD_SEGMENTS; i++) header->segment_bytes[i] = 0;
  for (int i = 0; i < 8; i++) header->body.words[i] = 0;
}

static __always_inline void fill_process(struct record_header *header, struct task_struct *task, u32 container_pid) {
  struct task_struct *parent = task->real_parent;
  header->pid = task->tgid;
  header->tid = task->pid;
  header->start_ns = task->group_leader->start_boottime;
  header->parent_pid = parent->tgid;
  header->parent_start_ns = parent->group_leader->start_boottime;
  header->container_pid = container_pid;
  header->uid = task->cred->euid.val;
  header->gid = task->cred->egid.val;
  bpf_probe_read_kernel(header->comm, sizeof(header->comm), &task->comm);
}

/* Begins a record about `task`; 0 when there is no room to write it, which can't be. */
static __always_inline struct draft *begin(u8 kind, u8 class, struct task_struct *task, u32 container_pid) {
  u32 processor = bpf_get_smp_processor_id();
  struct draft *draft = bpf_map_lookup_elem(&drafts, &processor);
  if (!draft) return 0;
  draft->used = 0;
  fill_header(&draft->header, kind, class);
  fill_process(&draft->header, task, container_pid);
  return draft;
}

static __always_inline void hand_over(struct record_header *header, u64 size) {
  u8 class = header->class;
  if (class >= CLASS_COUNT) return;
  header->seq = __sync_fetch_and_add(&variables.next_seq, 1);
  __sync_fetch_and_add(&variables.counters.emitted[class], 1);
  u64 flags = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > WAKE_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
  if (bpf_ringbuf_output(&ring, header, size, flags)) __sync_fetch_and_add(&variables.counters.lost[class], 1);
}

/* Gives the record its number and puts it into the ring; a full ring is counted. */
static __always_inline void emit(struct draft *draft) {
  u32 used = draft->used;
  if (used > CONTENT_BYTES) used = CONTENT_BYTES;
  hand_over(&draft->header, sizeof(struct record_header) + used);
}

/* Appends up to `size` bytes of the kernel's or the program's memory as segment `index`. */
static __always_inline void append_bytes(struct draft *draft, u32 index, const void *from, u32 size, u32 limit, bool user) {
  u32 at = draft->used;
  if (at > SEGMENTS_BYTES - PATH_BYTES || limit > PATH_BYTES) return;
  if (size > limit) {
    size = limit;
    draft->header.truncated |= 1 << index;
  }
  long failed = user ? bpf_probe_read_user(&draft->content[at], size, from) : bpf_probe_read_kernel(&draft->content[at], size, from);
  if (failed) {
    draft->header.truncated |= 1 << index;
    return;
  }
  draft->header.segment_bytes[index & 7] = size;
  draft->used = at + size;
}

/*
 * Appends a string without its end. One that can't be read is marked as cut: when a filter refuses a call before the kernel
 * has looked at the name, its page may not be in memory, and a tracepoint can't wait for it.
 */
static __always_inline void append_string(struct draft *draft, u32 index, const void *from, bool user) {
  u32 at = draft->used;
  if (at > SEGMENTS_BYTES - NAME_BYTES) return;
  long length = user ? bpf_probe_read_user_str(&draft->content[at], NAME_BYTES, from)
                     : bpf_probe_read_kernel_str(&draft->content[at], NAME_BYTES, from);
  if (length < 0) draft->header.truncated |= 1 << index;
  if (length <= 1 || length > NAME_BYTES) return;
  if (length == NAME_BYTES) {
    /* Whole with the end, or cut: the longest name that the kernel takes has just this size. */
    u8 more = 0;
    if (user ? bpf_probe_read_user(&more, 1, from + NAME_BYTES - 1) : bpf_probe_read_kernel(&more, 1, from + NAME_BYTES - 1)) more = 0;
    if (more) draft->header.truncated |= 1 << index;
  }
  draft->header.segment_bytes[index & 7] = length - 1;
  draft->used = at + length - 1;
}

#endif
