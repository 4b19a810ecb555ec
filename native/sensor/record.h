/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Wire format of the kernel sensor, shared by the BPF programs, the loader, and (by offset) src/sensors/kernel/decode.ts.
 *
 * The loader writes a stream of frames to its standard output. All numbers are little-endian.
 *
 *   frame   := length (u32, bytes that follow), record
 *   record  := struct record_header (176 bytes), segments
 *   segments:= segment_bytes[0] bytes, segment_bytes[1] bytes, …; their sum is length - 176
 *
 * What the body and the segments of a record mean depends on its kind and stands with the kinds below. A segment that does
 * not apply is empty. `seq` comes from one counter for all records of the BPF programs, so that a hole is a lost record; two
 * processors may deliver neighbouring numbers in swapped order. Records that the loader makes itself (KIND_READY and later)
 * have no number.
 */
#ifndef SENSOR_RECORD_H
#define SENSOR_RECORD_H

#ifndef SENSOR_HAS_INTEGERS
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#endif

#define RECORD_MAGIC 0x434f
#define RECORD_VERSION 2
#define RECORD_SEGMENTS 8

/* Longest path kept, resolved or as passed; PATH_MAX for a name, twice that for a resolved one. */
#define NAME_BYTES 4096
#define PATH_BYTES 8192
/* Start of the argument and environment blocks that is kept; body.exec has the whole lengths. */
#define ARGS_BYTES 131072
#define ENV_BYTES 65536
/* Start of a datagram that is kept when a port is 53. */
#define PAYLOAD_BYTES 2048
#define ADDRESS_BYTES 128

/* What the kernel side counts apart. */
enum record_class {
  CLASS_PROCESS = 0,
  CLASS_FILE = 1,
  CLASS_NETWORK = 2,
  CLASS_SECURITY = 3,
  CLASS_COUNT = 4,
  /* About the sensor itself; not counted. */
  CLASS_SENSOR = 255,
};

enum record_kind {
  KIND_FORK = 1,        /* fork; about the child */
  KIND_EXEC = 2,        /* exec; segments: file, filename, interpreter, cwd, argument block, environment block,
                           three struct standard_descriptor */
  KIND_EXEC_FAILED = 3, /* path; segments: base, name */
  KIND_EXIT = 4,        /* exit */

  KIND_OPEN = 16,           /* file; segments: path */
  KIND_CLOSE_WRITE = 17,    /* file; segments: path */
  KIND_SHARED_MAPPING = 18, /* file; segments: path */
  KIND_PATH = 19,           /* path; segments: base, name, target base, target name, text */
  KIND_OPEN_FAILED = 20,    /* path, argument: flags of open(2); segments: base, name */

  KIND_CONNECT = 32,   /* socket; segments: address of the peer */
  KIND_BIND = 33,      /* socket; segments: own address */
  KIND_LISTEN = 34,    /* socket; segments: own address */
  KIND_ACCEPT = 35,    /* socket; segments: address of the peer */
  KIND_SOCKET = 36,    /* socket, with the family in body.socket.family */
  KIND_TCP_STATE = 37, /* tcp; segments: local address, remote address */
  KIND_DATAGRAM = 38,  /* datagram; segments: remote address, payload */
  KIND_DESCRIPTOR = 39, /* descriptor; segments: path */

  KIND_CREDENTIALS = 48, /* credentials */
  KIND_NAMESPACE = 49,   /* namespace */
  KIND_REACH = 50,       /* reach */
  KIND_BLIND_SPOT = 51,  /* blind_spot */

  KIND_CANARY = 64,   /* canary; numbered and counted as CLASS_PROCESS */
  KIND_READY = 65,    /* ready; segments: NUL-separated names of refused programs */
  KIND_WATCHING = 66, /* watching */
  KIND_COUNTERS = 67, /* segments: struct sensor_counters */
};

enum path_operation {
  PATH_UNLINK = 1,
  PATH_RMDIR,
  PATH_MKDIR,
  PATH_MKNOD,
  PATH_RENAME,
  PATH_LINK,
  PATH_SYMLINK,
  PATH_CHMOD,
  PATH_CHOWN,
  PATH_TRUNCATE,
  PATH_SETXATTR,
  PATH_REMOVEXATTR,
  PATH_MOUNT,
  PATH_UMOUNT,
  PATH_CHROOT,
  /* The newer ways to mount; result and names as far as the call has any. */
  PATH_MOVE_MOUNT,
  PATH_OPEN_TREE,
  PATH_FSOPEN,
  PATH_FSMOUNT,
  PATH_MOUNT_SETATTR,
  PATH_PIVOT_ROOT,
  /* The text is what the call was given: two struct timespec, two struct timeval, a struct utimbuf; empty for "now". */
  PATH_UTIMENSAT,
  PATH_UTIMES,
  PATH_UTIME,
  PATH_FALLOCATE,
};

enum credential_call { CREDENTIAL_SETUID = 1, CREDENTIAL_SETGID, CREDENTIAL_SETGROUPS, CREDENTIAL_CAPSET };
enum namespace_call { NAMESPACE_UNSHARE = 1, NAMESPACE_SETNS, NAMESPACE_CLONE };
enum reach_call { REACH_PTRACE = 1, REACH_VM_READV, REACH_VM_WRITEV, REACH_KILL, REACH_PIDFD_GETFD };
enum blind_interface {
  BLIND_IO_URING = 1,
  BLIND_COMPAT_CALL,
  BLIND_BPF,
  BLIND_PERF,
  BLIND_USERFAULTFD,
  BLIND_MEMFD,
  BLIND_OPEN_BY_HANDLE,
  BLIND_AIO,
};
enum blind_stage { BLIND_ATTEMPT = 0, BLIND_SUBMIT = 1 };

/* Bits of file_body.bits. */
enum file_bits { FILE_WRITABLE = 1, FILE_CREATED = 2, FILE_MEMFD = 4, FILE_STILL_MAPPED = 8 };

struct file_body {
  u64 inode;
  u64 size;
  u32 device; /* as the kernel has it: major << 20 | minor */
  u32 mode;   /* st_mode with the type bits */
  u32 links;
  u32 flags; /* of open(2) */
  u32 bits;  /* enum file_bits */
  u32 reserved;
};

/* What one of the descriptors 0, 1, 2 is at an exec. */
struct standard_descriptor {
  u64 inode;
  u64 socket;  /* as in the records about sockets; 0: it is none */
  u32 device;  /* that the inode lies on */
  u32 special; /* of a device file: which device */
  u32 mode;    /* st_mode; 0: closed */
  u32 flags;   /* of open(2) */
};

union record_body {
  struct {
    u64 maker_start_ns; /* the process that called, where it is not the parent (CLONE_PARENT); else 0 */
    u32 maker_pid;
  } fork;
  struct {
    struct file_body file;
    u64 args_bytes;
    u64 env_bytes;
  } exec;
  struct {
    u32 status; /* as wait(2) gives it */
  } exit;
  struct file_body file;
  struct {
    s64 result; /* of the system call: 0 or more, or a negative errno */
    u64 argument;
    u64 argument2;
    u32 operation; /* enum path_operation */
    u32 system_call;
    u64 argument3;
  } path;
  struct {
    u64 socket; /* identity while it lives, not an address */
    s64 result;
    u16 type;
    u16 protocol;
    u16 family;
  } socket;
  struct {
    u64 socket;
    u64 bytes_received;
    u64 bytes_sent;
    u16 type;
    u16 protocol;
    u8 from;
    u8 to;
    u16 reserved;
    s32 error;
  } tcp;
  struct {
    u64 socket;
    s64 result;
    u64 size_bytes;
    u16 type;
    u16 protocol;
    u32 messages;
    u32 received; /* 0: sent, 1: received */
  } datagram;
  struct {
    struct file_body file;
    u64 socket;
    u16 type;
    u16 protocol;
    u32 received; /* 0: sent, 1: received */
  } descriptor;
  struct {
    s64 result;
    u32 call; /* enum credential_call */
    u32 euid;
    u32 egid;
  } credentials;
  struct {
    s64 result;
    u64 flags;
    u32 call; /* enum namespace_call */
  } namespaces;
  struct {
    s64 result;
    s64 target_pid; /* as the caller names it */
    u64 request;
    u32 call; /* enum reach_call */
  } reach;
  struct {
    s64 result;
    u64 number;
    u32 interface; /* enum blind_interface */
    u32 stage;     /* enum blind_stage */
  } blind_spot;
  struct {
    u32 at; /* 0: start, 1: end */
  } canary;
  struct {
    u64 ring_bytes;
    u32 programs;
  } ready;
  struct {
    u32 pid;
    u32 processes; /* found alive and followed; 0: there is no such process */
    u32 namespaced; /* 1: its pid namespace is followed, 0: only it and its descendants (it shares the loader's) */
  } watching;
  u64 words[8];
};

struct record_header {
  u16 magic;
  u8 version;
  u8 kind;
  u8 class;
  u8 reserved;
  u8 truncated; /* bit n: segment n is not whole */
  u8 foreign;   /* bit n: segment n is a path in another mount namespace than the process has */
  u64 seq;
  u64 time_ns;         /* since boot */
  u64 start_ns;        /* start of the process (its thread group), since boot */
  u64 parent_start_ns; /* the same of its parent */
  u32 pid;             /* thread group, as the host numbers it */
  u32 tid;
  u32 parent_pid;
  u32 container_pid; /* pid in the followed namespace; 0: none */
  u32 uid;           /* effective, as the host numbers it */
  u32 gid;
  char comm[16];
  u32 segment_bytes[RECORD_SEGMENTS];
  union record_body body;
};

/* All count from the load of the sensor. */
struct sensor_counters {
  u64 emitted[CLASS_COUNT]; /* got a number */
  u64 lost[CLASS_COUNT];    /* of these, found no room in the ring */
  u64 untracked;            /* processes that the table of followed ones had no room for */
  u64 paths_truncated;
  u64 missed_runs; /* the kernel did not run a program: it was at work on that processor already */
  u64 final;       /* 1: the sensor ends on purpose, nothing follows */
};

_Static_assert(sizeof(union record_body) == 64, "the body has 64 bytes");
_Static_assert(sizeof(struct standard_descriptor) == 32, "names.ts counts on this");
_Static_assert(sizeof(struct record_header) == 176, "decode.ts counts on this");

#endif
