/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The last close of a file that was open for writing: by close(2) and its kin, by an exec, by the end of a process. Included
 * by files.bpf.h.
 */
#ifndef SENSOR_CLOSES_H
#define SENSOR_CLOSES_H

#define CLOSE_RANGE_CLOEXEC 4
/* Most descriptors that the end of a process or close_range() looks at. */
#define CLOSED_DESCRIPTORS 4096
#define WORD_BITS 64
/* Most files that an exec closes and that are told. */
#define CLOSED_BY_EXEC 16

/* Key: address of the kernel's open file. Which it was is known by its inode: the memory may be another file's by now. */
struct mapped_file {
  u64 inode;
  u64 mappings;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, u64);
  __type(value, struct mapped_file);
} mapped_files SEC(".maps");

/* Files that end with an exec, should it succeed: looked up before it, because afterwards no descriptor leads to them. */
struct closing_files {
  u32 count;
  u32 container_pid;
  u64 files[CLOSED_BY_EXEC];
  u64 inodes[CLOSED_BY_EXEC];
};

/* Key: thread group. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 512);
  __type(key, u32);
  __type(value, struct closing_files);
} closing SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct closing_files);
} closing_rooms SEC(".maps");

/* Shared and writable. Each mapping holds the file open, beside its descriptors. */
static __noinline int note_mapping(struct file *file) {
  u64 key = 0;
  bpf_probe_read_kernel(&key, sizeof(key), &file);
  struct mapped_file entry = {.inode = BPF_CORE_READ(file, f_inode, i_ino), .mappings = 1};
  struct mapped_file *known = bpf_map_lookup_elem(&mapped_files, &key);
  if (known && known->inode == entry.inode) entry.mappings = known->mappings + 1;
  bpf_map_update_elem(&mapped_files, &key, &entry, BPF_ANY);
  return 0;
}

/* One that is opened anew may stand where another was that ended with its mapping. */
static __always_inline void forget_mappings(struct file *file) {
  u64 key = 0;
  bpf_probe_read_kernel(&key, sizeof(key), &file);
  bpf_map_delete_elem(&mapped_files, &key);
}

/* Who looks into /proc/PID/fd holds a file for less than a microsecond: only who still does after so many looks counts. */
#define HOLDER_LOOKS 48

static __always_inline s64 holders_of(struct file *file) {
  struct file___ref *newer = (void *)file;
  if (bpf_core_field_exists(newer->f_ref)) return BPF_CORE_READ(newer, f_ref.refcnt.counter) + 1;
  struct file___counted *older = (void *)file;
  return BPF_CORE_READ(older, f_count.counter);
}

struct looks {
  struct file *file;
  u32 once;
};

static long look_step(u32 index, struct looks *looks) {
  looks->once = holders_of(looks->file) == 1;
  return looks->once;
}

/* Whether the descriptor that is about to be closed is the last one that holds the file. */
static __noinline int held_once(struct file *file) {
  struct looks looks = {.file = file};
  bpf_loop(HOLDER_LOOKS, look_step, &looks, 0);
  return looks.once;
}

/* Whether all that holds the file besides this descriptor can be its mappings. One that the sensor did not see end makes it too sure. */
static __noinline int held_by_mappings(struct file *file) {
  u64 key = 0;
  bpf_probe_read_kernel(&key, sizeof(key), &file);
  struct mapped_file *known = bpf_map_lookup_elem(&mapped_files, &key);
  return known && known->inode == BPF_CORE_READ(file, f_inode, i_ino) && holders_of(file) <= (s64)known->mappings + 1;
}

static __always_inline bool is_written(struct file *file) {
  return file && BPF_CORE_READ(file, f_mode) & FMODE_WRITE && is_regular(file);
}

/* Of the current task. `mapped`: what it is told with when mappings still hold the file. */
__noinline int emit_close(u32 container_pid, u32 descriptor, u32 mapped) {
  struct file *file = file_of(descriptor);
  if (!is_written(file)) return 0;
  if (held_once(file)) return emit_file(KIND_CLOSE_WRITE, container_pid, (u64)file, 0);
  return held_by_mappings(file) ? emit_file(KIND_CLOSE_WRITE, container_pid, (u64)file, mapped) : 0;
}

struct descriptors {
  u32 container_pid;
  u32 next;
  u32 end;
  u32 mapped;
  /* Bits of the descriptors that are meant. */
  unsigned long *bits;
  struct closing_files *closing;
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

/* Takes the next descriptor; -1: none in this word, or at the end. One a step, empty words are skipped. */
static __always_inline s32 take_descriptor(struct descriptors *walk) {
  u32 descriptor = walk->next;
  unsigned long word = 0;
  bpf_probe_read_kernel(&word, sizeof(word), walk->bits + descriptor / WORD_BITS);
  word >>= descriptor % WORD_BITS;
  if (word == 0) {
    walk->next = (descriptor / WORD_BITS + 1) * WORD_BITS;
    return -1;
  }
  descriptor += lowest_bit(word);
  walk->next = descriptor + 1;
  return descriptor < walk->end ? (s32)descriptor : -1;
}

static long close_step(u32 index, struct descriptors *walk) {
  if (walk->next >= walk->end) return 1;
  s32 descriptor = take_descriptor(walk);
  if (descriptor >= 0) emit_close(walk->container_pid, descriptor, walk->mapped);
  return 0;
}

__noinline int emit_range(u32 container_pid, u32 first, u32 last, u32 mapped) {
  struct task_struct *task = (void *)bpf_get_current_task();
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  if (!table) return 0;
  u32 size = BPF_CORE_READ(table, max_fds);
  struct descriptors walk = {.container_pid = container_pid, .next = first, .end = last >= size ? size : last + 1, .mapped = mapped};
  walk.bits = BPF_CORE_READ(table, open_fds);
  bpf_loop(CLOSED_DESCRIPTORS, close_step, &walk, 0);
  return 0;
}

/*
 * What a process still holds open at its end is closed without a system call. Its threads that end at the same time may
 * still share the table; another process that does keeps the files open.
 */
static __always_inline void emit_open_files(struct task_struct *task, u32 container_pid) {
  if (task->files && task->files->count.counter <= task->signal->nr_threads) emit_range(container_pid, 0, ~0u - 1, 0);
}

static long remember_step(u32 index, struct descriptors *walk) {
  struct closing_files *closing = walk->closing;
  if (walk->next >= walk->end || !closing) return 1;
  s32 descriptor = take_descriptor(walk);
  u32 count = closing->count;
  if (count >= CLOSED_BY_EXEC) return 1;
  struct file *file = descriptor < 0 ? 0 : file_of(descriptor);
  if (!is_written(file) || !held_once(file)) return 0;
  bpf_probe_read_kernel(&closing->files[count], sizeof(u64), &file);
  closing->inodes[count] = BPF_CORE_READ(file, f_inode, i_ino);
  closing->count = count + 1;
  return 0;
}

static __noinline int forget_closing(void) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  bpf_map_delete_elem(&closing, &tgid);
  return 0;
}

/* At the start of an exec: keeps which files will have been closed when it has succeeded. */
__noinline int remember_closing(u32 container_pid) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32, zero = 0;
  struct task_struct *task = (void *)bpf_get_current_task();
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  struct closing_files *room = bpf_map_lookup_elem(&closing_rooms, &zero);
  if (!table || !room) return 0;
  room->count = 0;
  room->container_pid = container_pid;
  struct descriptors walk = {.container_pid = container_pid, .end = BPF_CORE_READ(table, max_fds), .closing = room};
  walk.bits = BPF_CORE_READ(table, close_on_exec);
  bpf_loop(CLOSED_DESCRIPTORS, remember_step, &walk, 0);
  if (room->count) bpf_map_update_elem(&closing, &tgid, room, BPF_ANY);
  else forget_closing();
  return 0;
}

static long closed_step(u32 index, struct closing_files **closed) {
  struct closing_files *closing = *closed;
  if (!closing || index >= closing->count || index >= CLOSED_BY_EXEC) return 1;
  struct file *file = (void *)closing->files[index];
  /* The kernel lets go of a file's memory at the end of the system call: it is still the one that was remembered. */
  if (BPF_CORE_READ(file, f_inode, i_ino) != closing->inodes[index]) return 0;
  emit_file(KIND_CLOSE_WRITE, closing->container_pid, closing->files[index], 0);
  return 0;
}

/* After an exec has succeeded. */
__noinline int emit_closed_by_exec(void) {
  u32 tgid = bpf_get_current_pid_tgid() >> 32;
  struct closing_files *closed = bpf_map_lookup_elem(&closing, &tgid);
  if (!closed) return 0;
  bpf_loop(CLOSED_BY_EXEC, closed_step, &closed, 0);
  return forget_closing();
}

#endif
