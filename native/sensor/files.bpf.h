/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Files: opened, closed after writing, mapped, and calls on names. */
#ifndef SENSOR_FILES_H
#define SENSOR_FILES_H

#include "calls.bpf.h"
#include "path.bpf.h"

#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFSOCK 0140000
#define FMODE_WRITE 2
#define FMODE_CREATED 0x100000
#define O_TMPFILE_BIT 020000000
#define AT_FDCWD -100
#define AT_REMOVEDIR 0x200
#define CLOSE_RANGE_CLOEXEC 4
#define MAP_TYPE 0xf
#define MAP_SHARED 1
#define MAP_SHARED_VALIDATE 3
/* Most descriptors that the end of a process or close_range() looks at. */
#define CLOSED_DESCRIPTORS 4096
#define WORD_BITS 64

static __always_inline u32 mode_of(struct file *file) { return BPF_CORE_READ(file, f_inode, i_mode); }

static __always_inline bool is_regular(struct file *file) { return (mode_of(file) & S_IFMT) == S_IFREG; }

static __noinline int fill_file(struct file_body *body, struct file *file) {
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  u32 mode = BPF_CORE_READ(file, f_mode);
  body->inode = BPF_CORE_READ(inode, i_ino);
  body->size = BPF_CORE_READ(inode, i_size);
  body->device = BPF_CORE_READ(inode, i_sb, s_dev);
  body->mode = BPF_CORE_READ(inode, i_mode);
  body->links = BPF_CORE_READ(inode, i_nlink);
  body->flags = BPF_CORE_READ(file, f_flags);
  body->bits = mode & FMODE_WRITE ? FILE_WRITABLE : 0;
  if (mode & FMODE_CREATED || body->flags & O_TMPFILE_BIT) body->bits |= FILE_CREATED;
  return 0;
}

static __always_inline void emit_file(u8 kind, struct task_struct *task, u32 container_pid, struct file *file) {
  struct draft *draft = begin(kind, CLASS_FILE, task, container_pid);
  if (!draft) return;
  fill_file(&draft->header.body.file, file);
  append_file_path(draft, 0, file);
  emit(draft);
}

#include "read_filter.bpf.h"

__noinline int handle_open(const struct ended_call *ended) {
  if (!ended) return 0;
  if (ended->result < 0) return 0;
  struct file *file = file_of(ended->result);
  if (!file || !is_regular(file)) return 0;
  bool writable = BPF_CORE_READ(file, f_mode) & FMODE_WRITE;
  if (!writable && is_dull_place(file)) return 0;
  struct draft *draft = begin(KIND_OPEN, CLASS_FILE, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  fill_file(&draft->header.body.file, file);
  append_file_path(draft, 0, file);
  if (!writable && is_dull_path(draft)) return 0;
  emit(draft);
  return 0;
}

__noinline int handle_mmap(const struct ended_call *ended) {
  if (!ended) return 0;
  u32 type = ended->arguments[3] & MAP_TYPE;
  if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE) return 0;
  if ((u64)ended->result > (u64)-4096) return 0;
  struct file *file = file_of(ended->arguments[4]);
  /* Without PROT_WRITE too: mprotect() may add it later, no file is named there. */
  if (!file || !is_regular(file) || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE)) return 0;
  emit_file(KIND_SHARED_MAPPING, bpf_get_current_task_btf(), ended->container_pid, file);
  return 0;
}

/* Who looks into /proc/PID/fd holds a file for less than a microsecond: only who still does after so many looks counts. */
#define HOLDER_LOOKS 48

static __always_inline bool is_held_once(struct file *file) {
  struct file___ref *newer = (void *)file;
  if (bpf_core_field_exists(newer->f_ref)) return BPF_CORE_READ(newer, f_ref.refcnt.counter) == 0;
  struct file___counted *older = (void *)file;
  return BPF_CORE_READ(older, f_count.counter) == 1;
}

/* Whether the descriptor that is about to be closed is the last one that holds the file. */
static __noinline int held_once(struct file *file) {
#pragma unroll
  for (int look = 0; look < HOLDER_LOOKS; look++)
    if (is_held_once(file)) return 1;
  return 0;
}

static __noinline int emit_close(struct task_struct *task, u32 container_pid, struct file *file) {
  if (!file || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE) || !is_regular(file) || !held_once(file)) return 0;
  emit_file(KIND_CLOSE_WRITE, task, container_pid, file);
  return 0;
}

struct descriptors {
  u32 container_pid;
  u32 next;
  u32 end;
  unsigned long *open;
};

static __always_inline u32 lowest_bit(u64 word) {
  u32 bit = 0;
  if (!(word & 0xffffffff)) bit += 32, word >>= 32;
  if (!(word & 0xffff)) bit += 16, word >>= 16;
  if (!(word & 0xff)) bit += 8, word >>= 8;
  if (!(word & 0xf)) bit += 4, word >>= 4;
  if (!(word & 3)) bit += 2, word >>= 2;
  if (!(word & 1)) bit += 1;
  return bit;
}

/* One open descriptor a step; empty words are skipped. */
static long close_step(u32 index, struct descriptors *walk) {
  u32 descriptor = walk->next;
  if (descriptor >= walk->end) return 1;
  unsigned long word = 0;
  bpf_probe_read_kernel(&word, sizeof(word), walk->open + descriptor / WORD_BITS);
  word >>= descriptor % WORD_BITS;
  if (word == 0) {
    walk->next = (descriptor / WORD_BITS + 1) * WORD_BITS;
    return 0;
  }
  descriptor += lowest_bit(word);
  walk->next = descriptor + 1;
  if (descriptor < walk->end) emit_close(bpf_get_current_task_btf(), walk->container_pid, file_of(descriptor));
  return 0;
}

static __noinline int emit_range(u32 container_pid, u32 first, u32 last) {
  struct task_struct *task = (void *)bpf_get_current_task();
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  if (!table) return 0;
  u32 size = BPF_CORE_READ(table, max_fds);
  struct descriptors walk = {.container_pid = container_pid, .next = first, .end = last >= size ? size : last + 1};
  walk.open = BPF_CORE_READ(table, open_fds);
  bpf_loop(CLOSED_DESCRIPTORS, close_step, &walk, 0);
  return 0;
}

/* What a process still holds open at its end is closed without a system call. */
static __always_inline void emit_open_files(struct task_struct *task, u32 container_pid) {
  if (task->files && task->files->count.counter == 1) emit_range(container_pid, 0, ~0u - 1);
}

/* Where a name starts from: the root for an absolute one, else a directory that is open, or the current one. */
static __always_inline void append_base(struct draft *draft, u32 index, const struct ended_call *ended, u8 directory, u64 name) {
  struct task_struct *task = (void *)bpf_get_current_task();
  struct path start = {};
  u8 first = 0;
  s32 descriptor = directory ? (s32)argument_of(ended, directory) : AT_FDCWD;
  if (name && bpf_probe_read_user(&first, 1, (void *)name)) first = 0;
  struct file *file = first != '/' && descriptor != AT_FDCWD ? file_of(descriptor) : 0;
  if (first == '/') BPF_CORE_READ_INTO(&start, task, fs, root);
  else if (descriptor == AT_FDCWD) BPF_CORE_READ_INTO(&start, task, fs, pwd);
  else if (file) BPF_CORE_READ_INTO(&start, file, f_path);
  append_path(draft, index, (u64)start.dentry, (u64)start.mnt);
}

static __noinline int append_name(struct draft *draft, u32 index, const struct ended_call *ended, u8 directory, u8 name) {
  u64 pointer = argument_of(ended, name);
  append_base(draft, index, ended, directory, pointer);
  if (pointer) append_string(draft, index + 1, (void *)pointer, true);
  return 0;
}

static __always_inline bool target_is_relative(u8 operation) {
  return operation == PATH_RENAME || operation == PATH_LINK || operation == PATH_MOVE_MOUNT || operation == PATH_PIVOT_ROOT;
}

__noinline int emit_path(const struct ended_call *ended) {
  if (!ended) return 0;
  const struct call *call = &ended->call;
  bool exec = call->handler == HANDLE_EXEC;
  if (exec && ended->result >= 0) return 0; /* sched_process_exec told of it */
  u8 kind = exec ? KIND_EXEC_FAILED : KIND_PATH, class = exec ? CLASS_PROCESS : CLASS_FILE;
  struct draft *draft = begin(kind, class, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  u8 operation = call->detail;
  body->path.result = ended->result;
  body->path.argument = argument_of(ended, call->argument);
  body->path.argument2 = argument_of(ended, call->argument2);
  body->path.system_call = ended->number;
  if (operation == PATH_UNLINK && body->path.argument & AT_REMOVEDIR) operation = PATH_RMDIR;
  body->path.operation = operation;
  if (call->name || call->directory) append_name(draft, 0, ended, call->directory, call->name);
  if (target_is_relative(operation)) append_name(draft, 2, ended, call->target_directory, call->target_name);
  else if (call->target_name) append_string(draft, 3, (void *)argument_of(ended, call->target_name), true);
  if (call->text) append_string(draft, 4, (void *)argument_of(ended, call->text), true);
  emit(draft);
  return 0;
}

#endif
