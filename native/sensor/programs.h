/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The BPF programs as the loader handles them. */
#ifndef SENSOR_PROGRAMS_H
#define SENSOR_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include "variables.h"

#define MAX_PROGRAMS 16

struct bpf_object;
struct bpf_link;
struct ring_buffer;

struct programs_options {
  unsigned long ring_bytes; /* rounded up to a power of two */
  unsigned long processes;  /* most processes followed at a time; 0: the default */
};

struct programs {
  struct bpf_object *object;
  struct ring_buffer *ring;
  struct bpf_link *links[MAX_PROGRAMS];
  int program_fds[MAX_PROGRAMS]; /* -1: runs that were left out are none */
  u32 attached;
  int find_namespace_link;
  int seed_link;
  u64 ring_bytes;
  volatile struct sensor_variables *variables;
  /* NUL-separated names of programs that this kernel refused. */
  char refused[512];
  size_t refused_bytes;
};

/* Loads and attaches. Ends the program with an explanation when that can't be done. */
void programs_load(struct programs *programs, struct programs_options options, int (*on_record)(void *, void *, size_t));

/* Hands what is in the ring to on_record; negative when that failed. */
int programs_consume(struct programs *programs);

int programs_poll_fd(const struct programs *programs);

struct sensor_counters programs_counters(const struct programs *programs);

/* Follows a process and its pid namespace. Returns how many processes were found; 0: there is none of that number. */
u32 programs_watch(struct programs *programs, u32 pid, u32 *namespaced);

void programs_mark_canary(struct programs *programs, u32 pid, u32 at);

/* Nothing is recorded from here on. */
void programs_detach(struct programs *programs);

#endif
