import type { SyscallGroup } from "./rule.ts";

/**
 * Refused with EPERM, whatever the arguments. All of it would be refused by the default too (ENOSYS); it is named here to
 * give the reason, to give programs the errno they expect of a forbidden thing, and to keep anyone from allowing it by mistake.
 */
export const REFUSED_GROUPS: readonly SyscallGroup[] = [
  {
    title: "namespaces",
    reason: "a new user namespace gives all capabilities inside it and opens most of the kernel's attack surface",
    names: words("unshare setns"),
  },
  {
    title: "mounts",
    reason: "the container's view of the file system must stay as the supervisor made it",
    names: words(`
      mount umount2 umount pivot_root chroot move_mount open_tree mount_setattr fsopen fsconfig fsmount fspick
    `),
  },
  {
    title: "asynchronous rings",
    reason:
      "io_uring opens, reads and connects without a system call that an observer could see; libuv does without it",
    names: words("io_uring_setup io_uring_enter io_uring_register"),
  },
  {
    title: "kernel asynchronous I/O",
    reason: "reads and writes that no read or write call shows; only some databases use it, and they have another way",
    names: words("io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents"),
  },
  {
    title: "other processes' insides",
    reason: "ptrace and its relatives read, change and take over other processes, the recorder's subject included",
    names: words("ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd"),
  },
  {
    title: "kernel programs and tracing",
    reason: "BPF and perf are large attack surfaces and could watch or disturb the sensor",
    names: words("bpf perf_event_open fanotify_init fanotify_mark lookup_dcookie"),
  },
  {
    title: "keys",
    reason: "the kernel's key rings are not separated by container",
    names: words("add_key request_key keyctl"),
  },
  {
    title: "fault handling and memory tricks",
    reason: "userfaultfd and vmsplice serve mainly to win races against the kernel; memfd_secret hides memory",
    names: words("userfaultfd vmsplice memfd_secret remap_file_pages move_pages migrate_pages"),
  },
  {
    title: "files by handle",
    reason: "opening by handle walks past the mounts of the container",
    names: words("name_to_handle_at open_by_handle_at"),
  },
  {
    title: "machine administration",
    reason: "belongs to the host; no capability for it is ever given",
    names: words(`
      reboot kexec_load kexec_file_load init_module finit_module delete_module swapon swapoff acct quotactl quotactl_fd
      sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex syslog vhangup nfsservctl
    `),
  },
  {
    title: "x86 hardware access",
    reason: "port I/O and segment tables have had many holes and no use here",
    names: words("iopl ioperm modify_ldt"),
    arches: ["amd64"],
  },
];

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
