/* Looks at the files and sockets that a waiting call is about, in the container's own view. */
#pragma once
#include "process.h"
#include <limits.h>
#include <sys/stat.h>

/* A name as the program passed it, and the directory that a relative one starts from. */
struct path {
  int dir; /* AT_FDCWD or a descriptor of the process */
  size_t base_length, name_length;
  char base[PATH_MAX], name[PATH_MAX];
};

struct file {
  struct stat stat;
};

struct program {
  struct file file;
  int is_memfd;
  size_t exe_length, interpreter_length, option_length;
  char exe[PATH_MAX];
  /* Of a script: what its first line names. `exe` is then the interpreter. */
  char interpreter[256], option[256];
};

struct socket_facts {
  uint64_t inode;
  int type, protocol; /* 0: not known */
};

struct path read_path(const struct process *process, int memory, int dir, uint64_t address);
/* 0, or the error with which the exec will most likely fail. */
int look_at_program(const struct process *process, const struct path *path, struct program *program);
/* 0, or the error with which a call on a name will most likely fail that must be there, or must not. */
int look_at_name(const struct process *process, const struct path *path, int must_be_there);
/* Whether the open is one for writing that can be expected to succeed; `is_new`: it will make the file. */
int will_open_for_writing(const struct process *process, const struct path *path, uint64_t flags, struct file *file,
                          int *is_new);
struct socket_facts look_at_socket(const struct process *process, int fd);

void line_path(const char *key, const struct path *path);
void line_file(const struct file *file);
void line_program(const struct program *program);
