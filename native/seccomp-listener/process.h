/* Looks at a process that waits in a call, from /proc. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
  int tid, pid, parent_pid, container_pid, levels;
  unsigned uid, gid;
  uint64_t start_ns, parent_start_ns;
  char comm[64];
};

/* Fills in what is known of the thread `tid`; 0: it is gone. */
int read_process(int tid, struct process *process);
/* Target of a link below /proc/TID, without a NUL; 0 when it can't be read. */
size_t read_link(int tid, const char *name, char *into, size_t size);
/* Opens /proc/TID/mem. */
int open_memory(int tid);
/* Copies up to `size` bytes from the process's memory, as many as are there. */
size_t read_memory(int memory, uint64_t address, void *into, size_t size);
/* Copies a text that ends with a NUL, without the NUL; `size` bytes at most. */
size_t read_string(int memory, uint64_t address, char *into, size_t size);
/* Tells where the process and its ancestors in the container come from, where that was not told yet. */
void tell_origin(const struct process *process, int self_too);
/* Begins a line about the process. */
void begin_line(const char *kind, const struct process *process);
