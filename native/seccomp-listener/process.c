#include "process.h"
#include "line.h"
#include "shared.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ANCESTORS 64
#define PAGE_BYTES 4096u

static size_t read_file(int tid, const char *name, char *into, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  size_t length = 0;
  for (ssize_t got; length + 1 < size && (got = read(fd, into + length, size - 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  into[length] = 0;
  return length;
}

/* Start of a process in nanoseconds since boot, to the clock tick; 0: it is gone. */
static uint64_t start_of(int pid) {
  char text[1024];
  if (read_file(pid, "stat", text, sizeof text) == 0) return 0;
  char *at = strrchr(text, ')'); /* a name can hold blanks and brackets */
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  if (at == NULL) return 0;
  return strtoull(at + 1, NULL, 10) * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
}

static const char *value_of(const char *status, const char *key) {
  const char *at = strstr(status, key);
  return at == NULL ? "" : at + strlen(key);
}

int read_process(int tid, struct process *process) {
  char status[4096];
  if (read_file(tid, "status", status, sizeof status) == 0) return 0;
  memset(process, 0, sizeof *process);
  process->tid = tid;
  const char *name = value_of(status, "Name:\t");
  size_t length = strcspn(name, "\n");
  if (length >= sizeof process->comm) length = sizeof process->comm - 1;
  memcpy(process->comm, name, length);
  process->pid = atoi(value_of(status, "\nTgid:\t"));
  process->parent_pid = atoi(value_of(status, "\nPPid:\t"));
  process->uid = (unsigned)strtoul(value_of(status, "\nUid:\t"), NULL, 10);
  process->gid = (unsigned)strtoul(value_of(status, "\nGid:\t"), NULL, 10);
  /* One number for each pid namespace it is in, from ours to its own. */
  const char *at = value_of(status, "\nNSpid:");
  for (char *end; *at == '\t' || *at == ' '; at = end) {
    process->container_pid = (int)strtol(at, &end, 10);
    if (end == at) break;
    process->levels++;
  }
  process->start_ns = start_of(process->pid);
  process->parent_start_ns = start_of(process->parent_pid);
  return process->start_ns != 0;
}

size_t read_link(int tid, const char *name, char *into, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
  ssize_t length = readlink(path, into, size);
  return length < 0 ? 0 : (size_t)length;
}

int open_memory(int tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", tid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

size_t read_memory(int memory, uint64_t address, void *into, size_t size) {
  size_t length = 0;
  while (length < size) {
    /* Page by page: what follows the text may not be there. */
    size_t piece = PAGE_BYTES - (address + length) % PAGE_BYTES;
    if (piece > size - length) piece = size - length;
    ssize_t got = pread(memory, (char *)into + length, piece, (off_t)(address + length));
    if (got <= 0) break;
    length += (size_t)got;
  }
  return length;
}

size_t read_string(int memory, uint64_t address, char *into, size_t size) {
  size_t length = 0;
  while (length < size) {
    size_t piece = PAGE_BYTES - (address + length) % PAGE_BYTES;
    if (piece > 256) piece = 256;
    if (piece > size - length) piece = size - length;
    size_t got = read_memory(memory, address + length, into + length, piece);
    char *end = memchr(into + length, 0, got);
    if (end != NULL) return (size_t)(end - into);
    length += got;
    if (got < piece) break;
  }
  return length;
}

void begin_line(const char *kind, const struct process *process) {
  line_begin(kind);
  line_number("id", (int64_t)(shared->call.id & ((1ull << 53) - 1))); /* as much as a number in JSON keeps exactly */
  line_number("pid", process->pid);
  line_number("start", (int64_t)process->start_ns);
  if (process->tid != process->pid) line_number("tid", process->tid);
  line_number("ppid", process->parent_pid);
  line_number("pstart", (int64_t)process->parent_start_ns);
  line_number("cpid", process->levels > 1 ? process->container_pid : 0);
  line_number("uid", process->uid);
  line_bytes("comm", process->comm, strlen(process->comm));
}

static void tell_found(const struct process *process) {
  char text[8192];
  begin_line("found", process);
  line_bytes("exe", text, read_link(process->tid, "exe", text, 4096));
  line_bytes("cwd", text, read_link(process->tid, "cwd", text, 4096));
  line_bytes("args", text, read_file(process->tid, "cmdline", text, sizeof text));
  line_end();
}

/* Whether it was told before; it is now. */
static int is_known(const struct process *process) {
  struct known_process *known = &shared->known[(unsigned)process->pid % KNOWN_PROCESSES];
  if (known->pid == process->pid && known->start_ns == process->start_ns) return 1;
  known->start_ns = process->start_ns;
  known->pid = process->pid;
  return 0;
}

void tell_origin(const struct process *process, int self_too) {
  struct process chain[MAX_ANCESTORS];
  int count = 0;
  if (!is_known(process) && self_too) chain[count++] = *process;
  /* The container's first process was started by the runtime, which is none of the agent's. */
  for (int pid = process->container_pid == 1 ? 0 : process->parent_pid; pid > 1 && count < MAX_ANCESTORS;) {
    struct process *next = &chain[count];
    if (!read_process(pid, next) || next->levels < 2 || is_known(next)) break;
    count++;
    pid = next->container_pid == 1 ? 0 : next->parent_pid;
  }
  while (count > 0) tell_found(&chain[--count]);
}
