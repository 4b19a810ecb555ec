/* Reads the arguments of one notified call while its thread waits for the answer. What stands in the process's memory can
 * be changed by another thread of it before the kernel reads it again: what is told here is what was asked, as far as seen. */
#include "files.h"
#include "line.h"
#include "process.h"
#include "shared.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_KEPT_ARGUMENTS (16u << 10)
#define MOST_KEPT_ENVIRONMENT (8u << 10)
#define MOST_COUNTED (4u << 20)
#define MOST_STRINGS 65536u
#define RECENT_THREADS 64
#define RECENT_NS 20000000ull

/* A vector of texts as the kernel will lay it out: each with its NUL, one behind the other. */
static size_t read_vector(int memory, uint64_t address, char *into, size_t size, size_t *whole) {
  size_t kept = 0;
  *whole = 0;
  for (unsigned i = 0; address != 0 && i < MOST_STRINGS && *whole < MOST_COUNTED; i++) {
    uint64_t at;
    if (read_memory(memory, address + i * sizeof at, &at, sizeof at) < sizeof at || at == 0) break;
    char text[4096];
    for (size_t got = sizeof text; got == sizeof text && *whole < MOST_COUNTED; at += got) {
      got = read_string(memory, at, text, sizeof text);
      size_t keep = got < size - kept ? got : size - kept;
      memcpy(into + kept, text, keep);
      kept += keep;
      *whole += got;
    }
    if (kept < size) into[kept++] = 0;
    *whole += 1;
  }
  return kept;
}

static void tell_exec(const struct process *process, int memory, const struct path *path, uint64_t argv, uint64_t envp) {
  static char args[MOST_KEPT_ARGUMENTS], env[MOST_KEPT_ENVIRONMENT];
  struct program program;
  int error = look_at_program(process, path, &program);
  if (!atomic_load(&shared->begun)) {
    /* The runtime's own steps end with the exec of the agent. */
    if (error != 0 || process->container_pid != 1) return;
    atomic_store(&shared->begun, 1);
  }
  tell_origin(process, error != 0);
  begin_line(error == 0 ? "exec" : "exec-failed", process);
  line_path("path", path);
  if (error != 0) {
    line_number("errno", error);
    line_end();
    return;
  }
  char cwd[4096];
  size_t whole, kept = read_vector(memory, argv, args, sizeof args, &whole);
  line_bytes("args", args, kept);
  line_number("args_bytes", (int64_t)whole);
  kept = read_vector(memory, envp, env, sizeof env, &whole);
  line_bytes("env", env, kept);
  line_number("env_bytes", (int64_t)whole);
  line_bytes("cwd", cwd, read_link(process->tid, "cwd", cwd, sizeof cwd));
  line_number("gid", process->gid);
  line_program(&program);
  line_end();
}

static void tell_open(const struct process *process, const struct path *path, uint64_t flags, uint64_t mode) {
  struct file file;
  int is_new = 0;
  if (!will_open_for_writing(process, path, flags, &file, &is_new)) return;
  begin_line("open", process);
  line_path("path", path);
  line_number("flags", (int64_t)flags);
  if (is_new) line_number("new_mode", (int64_t)(mode & 07777));
  else line_file(&file);
  line_end();
}

static void tell_path(const struct process *process, const char *operation, const struct path *path,
                      const struct path *target, uint64_t argument, uint64_t argument2, int error) {
  begin_line("path", process);
  line_text("op", operation);
  line_path("path", path);
  if (target != NULL) line_path("target", target);
  line_number("arg", (int64_t)argument);
  line_number("arg2", (int64_t)argument2);
  if (error != 0) line_number("errno", error);
  line_end();
}

static void tell_address(const struct process *process, const char *kind, int memory, const uint64_t *args) {
  unsigned char address[128];
  size_t length = (uint32_t)args[2] < sizeof address ? (uint32_t)args[2] : sizeof address;
  struct socket_facts facts = look_at_socket(process, (int)args[0]);
  begin_line(kind, process);
  line_bytes("address", address, read_memory(memory, args[1], address, length));
  line_number("socket", (int64_t)facts.inode);
  line_number("type", facts.type);
  line_number("protocol", facts.protocol);
  line_end();
}

/* Which arguments of a call say what. -1: it has none of the kind. */
struct shape {
  int number;
  const char *operation;
  signed char dir, path, dir2, path2, argument, argument2;
  /* unlinkat: what it is called with this bit in `argument`. */
  const char *with_flag;
  unsigned flag;
};

/* The error that a call on names can be expected to end with; 0: none. */
static int expected_error(const struct process *process, const char *operation, const struct path *path,
                          const struct path *target) {
  static const char *const making[] = { "mkdir", "mknod", "symlink" };
  for (size_t i = 0; i < sizeof making / sizeof making[0]; i++) {
    if (strcmp(operation, making[i]) == 0) return look_at_name(process, path, 0);
  }
  int error = look_at_name(process, path, 1);
  return error == 0 && strcmp(operation, "link") == 0 ? look_at_name(process, target, 0) : error;
}

static const struct shape shapes[] = {
  { SYS_unlinkat, "unlink", 0, 1, -1, -1, 2, -1, "rmdir", AT_REMOVEDIR },
  { SYS_renameat2, "rename", 0, 1, 2, 3, 4, -1, NULL, 0 },
  { SYS_mkdirat, "mkdir", 0, 1, -1, -1, 2, -1, NULL, 0 },
  { SYS_linkat, "link", 0, 1, 2, 3, -1, -1, NULL, 0 },
  { SYS_symlinkat, "symlink", 1, 2, -1, 0, -1, -1, NULL, 0 },
  { SYS_mknodat, "mknod", 0, 1, -1, -1, 2, -1, NULL, 0 },
  { SYS_fchmodat, "chmod", 0, 1, -1, -1, 2, -1, NULL, 0 },
  { 452 /* fchmodat2 */, "chmod", 0, 1, -1, -1, 2, -1, NULL, 0 },
  { SYS_fchownat, "chown", 0, 1, -1, -1, 2, 3, NULL, 0 },
  { SYS_truncate, "truncate", -1, 0, -1, -1, 1, -1, NULL, 0 },
#ifdef SYS_renameat
  { SYS_renameat, "rename", 0, 1, 2, 3, -1, -1, NULL, 0 },
#endif
#ifdef SYS_unlink
  { SYS_unlink, "unlink", -1, 0, -1, -1, -1, -1, NULL, 0 },
  { SYS_rmdir, "rmdir", -1, 0, -1, -1, -1, -1, NULL, 0 },
  { SYS_rename, "rename", -1, 0, -1, 1, -1, -1, NULL, 0 },
  { SYS_mkdir, "mkdir", -1, 0, -1, -1, 1, -1, NULL, 0 },
  { SYS_link, "link", -1, 0, -1, 1, -1, -1, NULL, 0 },
  { SYS_symlink, "symlink", -1, 1, -1, 0, -1, -1, NULL, 0 },
  { SYS_mknod, "mknod", -1, 0, -1, -1, 1, -1, NULL, 0 },
  { SYS_chmod, "chmod", -1, 0, -1, -1, 1, -1, NULL, 0 },
  { SYS_chown, "chown", -1, 0, -1, -1, 1, 2, NULL, 0 },
  { SYS_lchown, "chown", -1, 0, -1, -1, 1, 2, NULL, 0 },
#endif
};

static struct path path_argument(const struct process *process, int memory, const uint64_t *args, int dir, int at) {
  return read_path(process, memory, dir < 0 ? AT_FDCWD : (int)args[dir], args[at]);
}

static void tell_shape(const struct process *process, int memory, const uint64_t *args, const struct shape *shape) {
  static struct path path, target;
  path = path_argument(process, memory, args, shape->dir, shape->path);
  if (shape->path2 >= 0) target = path_argument(process, memory, args, shape->dir2, shape->path2);
  uint64_t argument = shape->argument < 0 ? 0 : (uint32_t)args[shape->argument];
  uint64_t argument2 = shape->argument2 < 0 ? 0 : (uint32_t)args[shape->argument2];
  int is_other = shape->with_flag != NULL && (argument & shape->flag) != 0;
  const char *operation = is_other ? shape->with_flag : shape->operation;
  int error = expected_error(process, operation, &path, &target);
  tell_path(process, operation, &path, shape->path2 < 0 ? NULL : &target, argument, argument2, error);
}

/* Calls that are no operation on names alone; 0: it is none of these. */
static int tell_other(const struct process *process, int memory, int number, const uint64_t *args) {
  static struct path path;
  switch (number) {
    case SYS_connect: tell_address(process, "connect", memory, args); return 1;
    case SYS_bind: tell_address(process, "bind", memory, args); return 1;
    case SYS_openat:
      path = read_path(process, memory, (int)args[0], args[1]);
      tell_open(process, &path, args[2], args[3]);
      return 1;
    case SYS_openat2: {
      uint64_t how[2] = { 0 }; /* struct open_how begins with flags and mode */
      read_memory(memory, args[2], how, sizeof how);
      path = read_path(process, memory, (int)args[0], args[1]);
      tell_open(process, &path, how[0], how[1]);
      return 1;
    }
#ifdef SYS_open
    case SYS_open:
      path = read_path(process, memory, AT_FDCWD, args[0]);
      tell_open(process, &path, args[1], args[2]);
      return 1;
    case SYS_creat:
      path = read_path(process, memory, AT_FDCWD, args[0]);
      tell_open(process, &path, O_CREAT | O_WRONLY | O_TRUNC, args[1]);
      return 1;
#endif
    default: return 0;
  }
}

static void tell_read(const struct seccomp_notif *call, const struct process *process, int memory) {
  int number = call->data.nr;
  uint64_t args[6];
  for (int i = 0; i < 6; i++) args[i] = call->data.args[i];
  if (number == SYS_execve || number == SYS_execveat) {
    static struct path path;
    int at = number == SYS_execveat;
    path = read_path(process, memory, at ? (int)args[0] : AT_FDCWD, args[at]);
    tell_exec(process, memory, &path, args[at + 1], args[at + 2]);
    return;
  }
  if (!atomic_load(&shared->begun)) return;
  tell_origin(process, 1);
  if (tell_other(process, memory, number, args)) return;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    if (shapes[i].number != number) continue;
    tell_shape(process, memory, args, &shapes[i]);
    return;
  }
}

/* What is known of a thread costs more than all else, and a thread that makes one call makes more. Kept for so short a time
 * that its number can't have gone to another one, and forgotten when it runs another program. */
static int recall_process(int tid, int will_change, struct process *process) {
  static struct {
    uint64_t read_ns;
    struct process process;
  } recent[RECENT_THREADS];
  unsigned at = (unsigned)tid % RECENT_THREADS;
  uint64_t now = now_ns();
  if (recent[at].process.tid == tid && now - recent[at].read_ns < RECENT_NS) {
    *process = recent[at].process;
  } else if (read_process(tid, process)) {
    recent[at].read_ns = now;
    recent[at].process = *process;
  } else {
    return 0;
  }
  if (will_change) recent[at].process.tid = 0;
  return 1;
}

void tell_call(const struct seccomp_notif *call) {
  struct process process;
  int is_exec = call->data.nr == SYS_execve || call->data.nr == SYS_execveat;
  if (!recall_process((int)call->pid, is_exec, &process)) return;
  int memory = open_memory((int)call->pid);
  /* The number could have gone to another process between the call and the look: the kernel says whether it did. */
  if (memory >= 0 && still_waits(call->id)) tell_read(call, &process, memory);
  if (memory < 0) atomic_fetch_add(&shared->blind, 1);
  else close(memory);
}
