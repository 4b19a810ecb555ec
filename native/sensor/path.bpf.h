/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Paths from the kernel's own objects. bpf_d_path() is not allowed in tracepoints, so the names are collected from the leaf to
 * the root of the mount namespace, which for a process of the container is the container's root, also after a chroot.
 */
#ifndef SENSOR_PATH_H
#define SENSOR_PATH_H

#include "core.bpf.h"

/* A path of one-letter names has this many. */
#define PATH_STEPS (PATH_BYTES / 2)
#define LONGEST_COMPONENT 255

struct path_room {
  /* Filled from the end; the rest is only there so that the verifier sees that a component always fits. */
  u8 bytes[PATH_BYTES + LONGEST_COMPONENT + 1];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct path_room);
} path_rooms SEC(".maps");

struct walk {
  struct path_room *room;
  struct dentry *dentry;
  struct mount *mount;
  struct dentry *mount_root;
  u32 at;
  u32 whole;
};

static __always_inline void prepend(struct walk *walk, const unsigned char *name, u32 length) {
  walk->at -= length;
  bpf_probe_read_kernel(&walk->room->bytes[walk->at & (PATH_BYTES - 1)], length & LONGEST_COMPONENT, name);
}

static long walk_step(u32 index, struct walk *walk) {
  struct dentry *dentry = walk->dentry;
  if (dentry == walk->mount_root) {
    struct mount *mount = walk->mount;
    struct mount *above = BPF_CORE_READ(mount, mnt_parent);
    if (above == mount) {
      walk->whole = 1;
      return 1;
    }
    walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    walk->mount = above;
    walk->mount_root = BPF_CORE_READ(above, mnt.mnt_root);
    return 0;
  }
  struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
  u32 length = BPF_CORE_READ(dentry, d_name.len) & LONGEST_COMPONENT;
  const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
  if (walk->at < length + 1) return 1;
  if (length > 0) prepend(walk, name, length);
  if (parent == dentry) {
    /* In no tree: a memfd, whose name stands alone. */
    walk->whole = 1;
    return 1;
  }
  walk->at -= 1;
  walk->room->bytes[walk->at & (PATH_BYTES - 1)] = '/';
  walk->dentry = parent;
  return 0;
}

/* Collects the path in the room of this processor. Returns where it begins there, PATH_BYTES when nothing was found. */
static __always_inline u32 collect_path(struct dentry *dentry, struct vfsmount *vfsmount, u32 *whole) {
  u32 zero = 0;
  struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
  if (!room || !dentry || !vfsmount) return PATH_BYTES;
  struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
  struct walk walk = {.room = room, .dentry = dentry, .mount = mount, .at = PATH_BYTES};
  walk.mount_root = BPF_CORE_READ(vfsmount, mnt_root);
  bpf_loop(PATH_STEPS, walk_step, &walk, 0);
  *whole = walk.whole;
  u32 at = walk.at;
  if (at > PATH_BYTES) at = PATH_BYTES;
  if (at == PATH_BYTES) {
    at = PATH_BYTES - 1;
    room->bytes[PATH_BYTES - 1] = '/';
  }
  return at;
}

/* Takes over what collect_path() found as segment `index`. */
static __noinline int append_collected(struct draft *draft, u32 index, u32 at, u32 whole) {
  u32 zero = 0, used = draft->used;
  struct path_room *room = bpf_map_lookup_elem(&path_rooms, &zero);
  if (!room || at >= PATH_BYTES || used > SEGMENTS_BYTES - PATH_BYTES) return 0;
  u32 length = PATH_BYTES - at;
  if (length > PATH_BYTES) return 0;
  if (bpf_probe_read_kernel(&draft->content[used], length, &room->bytes[at])) return 0;
  draft->header.segment_bytes[index & 7] = length;
  draft->used = used + length;
  if (!whole) {
    draft->header.truncated |= 1 << (index & 7);
    __sync_fetch_and_add(&variables.counters.paths_truncated, 1);
  }
  return 0;
}

/*
 * A path as the container sees it. Global, with addresses as numbers: the verifier then looks at it once and not at each call,
 * which is most of the time that loading takes.
 */
__noinline int append_path(struct draft *draft, u32 index, u64 dentry, u64 vfsmount_address) {
  struct vfsmount *vfsmount = (void *)vfsmount_address;
  u32 whole = 0;
  if (!draft || !vfsmount) return 0;
  u32 at = collect_path((void *)dentry, vfsmount, &whole);
  append_collected(draft, index, at, whole);
  struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
  struct task_struct *task = (void *)bpf_get_current_task();
  struct mnt_namespace *own = BPF_CORE_READ(task, nsproxy, mnt_ns);
  if (own && BPF_CORE_READ(mount, mnt_ns) != own) draft->header.foreign |= 1 << (index & 7);
  return 0;
}

static __always_inline void append_file_path(struct draft *draft, u32 index, struct file *file) {
  append_path(draft, index, (u64)BPF_CORE_READ(file, f_path.dentry), (u64)BPF_CORE_READ(file, f_path.mnt));
}

/* The open file behind a descriptor of the current process, or 0. */
static __noinline struct file *file_of(u32 descriptor) {
  struct task_struct *task = (void *)bpf_get_current_task();
  struct fdtable *table = BPF_CORE_READ(task, files, fdt);
  if (!table || descriptor >= BPF_CORE_READ(table, max_fds)) return 0;
  struct file **slots = BPF_CORE_READ(table, fd);
  struct file *file = 0;
  bpf_probe_read_kernel(&file, sizeof(file), slots + descriptor);
  return file;
}

#endif
