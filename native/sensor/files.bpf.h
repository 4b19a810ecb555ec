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
#define MAP_TYPE 0xf
#define MAP_SHARED 1
#define MAP_SHARED_VALIDATE 3

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

/* Of the current task. Global, with the file's address as a number, so that the verifier looks at it once. */
__noinline int emit_file(u8 kind, u32 container_pid, u64 address, u32 more_bits) {
  struct file *file = (void *)address;
  struct draft *draft = begin(kind, CLASS_FILE, bpf_get_current_task_btf(), container_pid);
  if (!draft) return 0;
  fill_file(&draft->header.body.file, file);
  draft->header.body.file.bits |= more_bits;
  append_file_path(draft, 0, file);
  emit(draft);
  return 0;
}

#include "closes.bpf.h"
#include "read_filter.bpf.h"

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

__noinline int append_name(struct draft *draft, u32 index, const struct ended_call *ended, u8 directory, u8 name) {
  if (!draft || !ended || index > 2) return 0;
  u64 pointer = argument_of(ended, name);
  append_base(draft, index, ended, directory, pointer);
  if (pointer) append_string(draft, index + 1, (void *)pointer, true);
  return 0;
}

/* The program names the file; the kernel has opened none that could be asked. */
__noinline int handle_failed_open(const struct ended_call *ended) {
  if (!ended) return 0;
  u64 flags = open_flags(ended);
  if (is_dull_failure(ended, flags)) return 0;
  struct draft *draft = begin(KIND_OPEN_FAILED, CLASS_FILE, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->path.result = ended->result;
  body->path.argument = flags;
  body->path.system_call = ended->number;
  append_name(draft, 0, ended, ended->call.directory, ended->call.name);
  emit(draft);
  return 0;
}

__noinline int handle_open(const struct ended_call *ended) {
  if (!ended) return 0;
  if (ended->result < 0) return handle_failed_open(ended);
  struct file *file = file_of(ended->result);
  if (!file || !is_regular(file)) return 0;
  bool writable = BPF_CORE_READ(file, f_mode) & FMODE_WRITE;
  if (!writable && is_dull_place(file)) return 0;
  if (writable) forget_mappings(file);
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
  note_mapping(file);
  return emit_file(KIND_SHARED_MAPPING, ended->container_pid, (u64)file, 0);
}

static __always_inline bool target_is_relative(u8 operation) {
  return operation == PATH_RENAME || operation == PATH_LINK || operation == PATH_MOVE_MOUNT || operation == PATH_PIVOT_ROOT;
}

/* struct utimbuf has two numbers, the others have two pairs. */
#define TIMES_BYTES 32

static __always_inline void append_text(struct draft *draft, u8 operation, u64 from) {
  if (operation < PATH_UTIMENSAT || operation > PATH_UTIME) append_string(draft, 4, (void *)from, true);
  else if (from) append_bytes(draft, 4, (void *)from, operation == PATH_UTIME ? TIMES_BYTES / 2 : TIMES_BYTES, TIMES_BYTES, true);
}

__noinline int emit_path(const struct ended_call *ended) {
  if (!ended) return 0;
  const struct call *call = &ended->call;
  bool exec = call->handler == HANDLE_EXEC;
  if (exec && ended->result >= 0) return 0; /* sched_process_exec told of it */
  if (exec) forget_closing();
  u8 kind = exec ? KIND_EXEC_FAILED : KIND_PATH, class = exec ? CLASS_PROCESS : CLASS_FILE;
  struct draft *draft = begin(kind, class, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  u8 operation = call->detail;
  body->path.result = ended->result;
  body->path.argument = argument_of(ended, call->argument);
  body->path.argument2 = argument_of(ended, call->argument2);
  body->path.argument3 = argument_of(ended, call->argument3);
  body->path.system_call = ended->number;
  if (operation == PATH_UNLINK && body->path.argument & AT_REMOVEDIR) operation = PATH_RMDIR;
  body->path.operation = operation;
  if (call->name || call->directory) append_name(draft, 0, ended, call->directory, call->name);
  if (target_is_relative(operation)) append_name(draft, 2, ended, call->target_directory, call->target_name);
  else if (call->target_name) append_string(draft, 3, (void *)argument_of(ended, call->target_name), true);
  if (call->text) append_text(draft, operation, argument_of(ended, call->text));
  emit(draft);
  return 0;
}

#endif
