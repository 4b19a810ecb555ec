/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Which files that are only read are not told. Programs read thousands of libraries and pseudo files; what a reader wants to
 * know is what was read of the user's own. Writes are never filtered. Measured, reads told without and with this: compiling
 * the sensor 775 and 77, a Python program that imports its library 155 and 2, `npm --version` 201 and 77, `git status` 34 and
 * 26. What remains is a few hundred records a minute of an agent's work; the reader keeps those of sensitive paths.
 */
#ifndef SENSOR_READ_FILTER_H
#define SENSOR_READ_FILTER_H

#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define CGROUP2_SUPER_MAGIC 0x63677270

static __always_inline bool same(const u8 *text, const char *word, u32 length) {
  for (u32 i = 0; i < length; i++)
    if (text[i] != (u8)word[i]) return false;
  return true;
}

/* Known before the path is: pseudo file systems, but for what shows another process's memory or secrets. */
static __noinline int is_dull_place(struct file *file) {
  unsigned long magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
  if (magic == SYSFS_MAGIC || magic == CGROUP2_SUPER_MAGIC) return 1;
  if (magic != PROC_SUPER_MAGIC) return 0;
  const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
  u8 leaf[8] = {};
  bpf_probe_read_kernel(leaf, sizeof(leaf), name);
  return !(same(leaf, "environ", 8) || same(leaf, "mem", 4) || same(leaf, "kcore", 6));
}

/* By the resolved path: programs and libraries of the image. */
static __always_inline bool is_dull_path(struct draft *draft) {
  const u8 *path = draft->content;
  return same(path, "/usr/", 5) || same(path, "/lib", 4) || same(path, "/bin/", 5) || same(path, "/sbin/", 6) || same(path, "/etc/ld.so.", 11);
}

#endif
