#include "files.h"
#include "line.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct path read_path(const struct process *process, int memory, int dir, uint64_t address) {
  struct path path = { .dir = dir };
  path.name_length = read_string(memory, address, path.name, sizeof path.name - 1);
  path.name[path.name_length] = 0;
  if (path.name[0] == '/') return path;
  char link[32] = "cwd";
  if (dir != AT_FDCWD) snprintf(link, sizeof link, "fd/%d", dir);
  path.base_length = read_link(process->tid, link, path.base, sizeof path.base - 1);
  path.base[path.base_length] = 0;
  return path;
}

/* Opens what the process would reach by this name, without touching it (O_PATH); or -errno. */
static int find(const struct process *process, const struct path *path, int follow) {
  char own[64], joined[2 * PATH_MAX + 2];
  if (path->name_length == 0 && path->dir != AT_FDCWD) { /* the descriptor itself (AT_EMPTY_PATH) */
    snprintf(own, sizeof own, "/proc/%d/fd/%d", process->tid, path->dir);
    int fd = open(own, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
  }
  snprintf(own, sizeof own, "/proc/%d/root", process->tid);
  int root = open(own, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -errno;
  snprintf(joined, sizeof joined, "%s/%s", path->base, path->name);
  struct open_how how = {
    .flags = (uint64_t)(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)),
    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  };
  long fd = syscall(SYS_openat2, root, path->name[0] == '/' ? path->name : joined, &how, sizeof how);
  int error = errno;
  close(root);
  return fd < 0 ? -error : (int)fd;
}

static size_t path_of(int fd, char *into, size_t size) {
  char own[64];
  snprintf(own, sizeof own, "fd/%d", fd);
  return read_link(getpid(), own, into, size);
}

/* The words of a script's first line; 0 when it is none. */
static int read_first_line(int fd, struct program *program) {
  char own[64], text[256];
  snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
  int content = open(own, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (content < 0) return 0;
  ssize_t length = read(content, text, sizeof text - 1);
  close(content);
  if (length < 3 || text[0] != '#' || text[1] != '!') return 0;
  text[length] = 0;
  char *at = text + 2 + strspn(text + 2, " \t");
  at[strcspn(at, "\n")] = 0;
  program->interpreter_length = strcspn(at, " \t");
  memcpy(program->interpreter, at, program->interpreter_length);
  program->interpreter[program->interpreter_length] = 0;
  at += program->interpreter_length;
  at += strspn(at, " \t");
  program->option_length = strlen(at);
  while (program->option_length > 0 && strchr(" \t", at[program->option_length - 1]) != NULL) program->option_length--;
  memcpy(program->option, at, program->option_length);
  return program->interpreter_length > 0;
}

static int take_program(int fd, struct program *program) {
  if (fstat(fd, &program->file.stat) != 0) return errno;
  program->exe_length = path_of(fd, program->exe, sizeof program->exe);
  program->is_memfd = program->exe_length >= 7 && memcmp(program->exe, "/memfd:", 7) == 0;
  if (!S_ISREG(program->file.stat.st_mode) || (program->file.stat.st_mode & 0111) == 0) return EACCES;
  return 0;
}

int look_at_program(const struct process *process, const struct path *path, struct program *program) {
  memset(program, 0, sizeof *program);
  int fd = find(process, path, 1);
  if (fd < 0) return -fd;
  int error = take_program(fd, program);
  int is_script = error == 0 && read_first_line(fd, program);
  close(fd);
  if (!is_script) return error;
  struct path interpreter = { .dir = AT_FDCWD, .name_length = program->interpreter_length };
  memcpy(interpreter.name, program->interpreter, program->interpreter_length + 1);
  if (interpreter.name[0] != '/') interpreter.base_length = read_link(process->tid, "cwd", interpreter.base, PATH_MAX - 1);
  fd = find(process, &interpreter, 1);
  if (fd < 0) return -fd;
  error = take_program(fd, program);
  close(fd);
  return error;
}

/* 0, or why nothing can be changed there. Closes it. */
static int refuses_changes(int fd) {
  if (fd < 0) return -fd;
  struct statfs facts;
  int is_read_only = fstatfs(fd, &facts) == 0 && (facts.f_flags & ST_RDONLY) != 0;
  close(fd);
  return is_read_only ? EROFS : 0;
}

/* 0, or why no name can be made in the directory that this one lies in. */
static int parent_refuses(const struct process *process, const struct path *path) {
  static struct path parent;
  parent = *path;
  size_t length = parent.name_length;
  while (length > 1 && parent.name[length - 1] == '/') length--;
  while (length > 0 && parent.name[length - 1] != '/') length--;
  if (length == 0) parent.name[length++] = '.';
  parent.name[length] = 0;
  parent.name_length = length;
  return refuses_changes(find(process, &parent, 1));
}

int look_at_name(const struct process *process, const struct path *path, int must_be_there) {
  int fd = find(process, path, 0);
  if (must_be_there) return refuses_changes(fd);
  if (fd == -ENOENT && path->name_length > 0) return parent_refuses(process, path);
  if (fd < 0) return -fd;
  close(fd);
  return EEXIST;
}

int will_open_for_writing(const struct process *process, const struct path *path, uint64_t flags, struct file *file,
                          int *is_new) {
  int fd = find(process, path, (flags & O_NOFOLLOW) == 0);
  if (fd == -ENOENT && (flags & O_CREAT) != 0) {
    *is_new = 1;
    return path->name_length > 0 && parent_refuses(process, path) == 0;
  }
  if (fd < 0) return 0;
  int is_known = fstat(fd, &file->stat) == 0;
  if (refuses_changes(fd) != 0) return 0;
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return 0;
  if (!is_known) return 0;
  int is_temporary = (flags & O_TMPFILE) == O_TMPFILE;
  if (is_temporary) *is_new = 1;
  if (S_ISDIR(file->stat.st_mode)) return is_temporary;
  /* Pipes and devices are no files that anything stays in. O_CREAT alone on a file that is there opens it for reading. */
  return S_ISREG(file->stat.st_mode) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0);
}

struct socket_facts look_at_socket(const struct process *process, int fd) {
  struct socket_facts facts = { 0 };
  char link[32], target[64];
  snprintf(link, sizeof link, "fd/%d", fd);
  size_t length = read_link(process->tid, link, target, sizeof target - 1);
  target[length] = 0;
  if (strncmp(target, "socket:[", 8) == 0) facts.inode = strtoull(target + 8, NULL, 10);
  int process_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
  if (process_fd < 0) return facts;
  int copy = (int)syscall(SYS_pidfd_getfd, process_fd, fd, 0);
  close(process_fd);
  if (copy < 0) return facts;
  socklen_t size = sizeof facts.type;
  getsockopt(copy, SOL_SOCKET, SO_TYPE, &facts.type, &size);
  size = sizeof facts.protocol;
  getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &facts.protocol, &size);
  close(copy);
  return facts;
}

void line_path(const char *key, const struct path *path) {
  char base[16];
  snprintf(base, sizeof base, "%s_base", key);
  line_bytes(key, path->name, path->name_length);
  if (path->base_length > 0) line_bytes(base, path->base, path->base_length);
}

void line_file(const struct file *file) {
  line_number("ino", (int64_t)file->stat.st_ino);
  line_number("major", major(file->stat.st_dev));
  line_number("minor", minor(file->stat.st_dev));
  line_number("mode", file->stat.st_mode);
  line_number("size", (int64_t)file->stat.st_size);
  line_number("links", (int64_t)file->stat.st_nlink);
}

void line_program(const struct program *program) {
  line_bytes("exe", program->exe, program->exe_length);
  if (program->is_memfd) line_number("memfd", 1);
  if (program->interpreter_length > 0) {
    line_bytes("interpreter", program->interpreter, program->interpreter_length);
    line_bytes("option", program->option, program->option_length);
  }
  line_file(&program->file);
}
