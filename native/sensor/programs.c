// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "programs.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include "rights.h"
#include "variables.h"

/* The object file, put into this program by the assembler. */
__asm__(".section .rodata\n"
        ".global sensor_object\nsensor_object:\n.incbin \"" SENSOR_OBJECT "\"\n"
        ".global sensor_object_end\nsensor_object_end:\n"
        ".byte 0\n.previous\n");
extern const unsigned char sensor_object[], sensor_object_end[];

/* Programs that a capture can do without; what they would have seen is then told as missing. */
static const struct {
  const char *program;
  const char *tracepoint;
} OPTIONAL[] = {
    {"on_call_start", "btf_trace_sys_enter"},
    {"on_tcp_state", "btf_trace_inet_sock_set_state"},
    {"on_tcp_state_again", "btf_trace_inet_sock_set_state"},
    {"on_ring_submit", "btf_trace_io_uring_submit_req"},
};
#define OPTIONAL_COUNT (sizeof(OPTIONAL) / sizeof(OPTIONAL[0]))

/* The last warning of libbpf: the most exact thing that is known when a load fails. */
static char last_warning[512];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list arguments) {
  if (level == LIBBPF_WARN) vsnprintf(last_warning, sizeof(last_warning), format, arguments);
  return 0;
}

static u64 power_of_two(u64 wanted) {
  u64 size = sysconf(_SC_PAGESIZE);
  while (size < wanted && size < (u64)1 << 30) size <<= 1;
  return size;
}

static struct bpf_map *map_of(const struct programs *programs, const char *name) {
  struct bpf_map *map = bpf_object__find_map_by_name(programs->object, name);
  if (!map) fail(EXIT_LOAD_FAILED, name, NULL, "the sensor was built wrong: run scripts/build-sensor.sh again");
  return map;
}

static void refuse(struct programs *programs, const char *name) {
  size_t size = strlen(name) + 1;
  struct bpf_program *program = bpf_object__find_program_by_name(programs->object, name);
  if (program) bpf_program__set_autoload(program, false);
  if (programs->refused_bytes + size > sizeof(programs->refused)) return;
  memcpy(programs->refused + programs->refused_bytes, name, size);
  programs->refused_bytes += size;
}

static void open_object(struct programs *programs, struct programs_options options, bool all_optional) {
  LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "capture_sensor");
  programs->object = bpf_object__open_mem(sensor_object, sensor_object_end - sensor_object, &open_options);
  if (!programs->object) fail(EXIT_LOAD_FAILED, "the sensor's object can't be read", NULL, "run scripts/build-sensor.sh again");
  programs->ring_bytes = power_of_two(options.ring_bytes);
  programs->refused_bytes = 0;
  bpf_map__set_max_entries(map_of(programs, "ring"), programs->ring_bytes);
  bpf_map__set_max_entries(map_of(programs, "drafts"), libbpf_num_possible_cpus());
  if (options.processes) bpf_map__set_max_entries(map_of(programs, "followed_processes"), options.processes);
  struct sensor_constants constants;
  if (getrandom(&constants, sizeof(constants), 0) != sizeof(constants) ||
      bpf_map__set_initial_value(map_of(programs, ".rodata.constants"), &constants, sizeof(constants)))
    fail(EXIT_LOAD_FAILED, "the sensor's constants can't be set", NULL, "run scripts/build-sensor.sh again");
  struct btf *kernel = btf__load_vmlinux_btf();
  for (size_t i = 0; i < OPTIONAL_COUNT; i++) {
    bool there = kernel && btf__find_by_name_kind(kernel, OPTIONAL[i].tracepoint, BTF_KIND_TYPEDEF) > 0;
    if (!all_optional || !there) refuse(programs, OPTIONAL[i].program);
  }
  btf__free(kernel);
}

static void fail_load(int error) {
  char text[700];
  const char *missing[2] = {0};
  const char *hint = "the kernel must be 5.17 or newer; what it said stands in the message";
  if (error == EPERM) {
    missing[0] = "the right to load BPF programs";
    hint = "the capabilities are there, so something else forbids it: a container, a kernel lockdown, or a memory lock limit (ulimit -l)";
  }
  for (char *end = last_warning + strlen(last_warning); end > last_warning && end[-1] == '\n';) *--end = 0;
  snprintf(text, sizeof(text), "the kernel refused the sensor's programs: %s (%s)", strerror(error), last_warning);
  fail(error == EPERM ? EXIT_NO_RIGHTS : EXIT_LOAD_FAILED, text, missing, hint);
}

static int link_fd(struct bpf_program *program) {
  struct bpf_link *link = bpf_program__attach(program);
  return link ? bpf_link__fd(link) : -1;
}

static void attach(struct programs *programs) {
  struct bpf_program *program;
  bpf_object__for_each_program(program, programs->object) {
    const char *name = bpf_program__name(program);
    if (!bpf_program__autoload(program)) continue;
    if (!strcmp(name, "find_namespace")) programs->find_namespace_link = link_fd(program);
    else if (!strcmp(name, "seed_followed")) programs->seed_link = link_fd(program);
    else {
      struct bpf_link *link = bpf_program__attach(program);
      if (!link) fail_load(errno);
      /* Of the two for states of TCP each stands in for the other. */
      programs->program_fds[programs->attached] = strncmp(name, "on_tcp_state", 12) ? bpf_program__fd(program) : -1;
      programs->links[programs->attached++] = link;
    }
  }
  if (programs->find_namespace_link < 0 || programs->seed_link < 0) fail_load(errno);
}

void programs_load(struct programs *programs, struct programs_options options, int (*on_record)(void *, void *, size_t)) {
  libbpf_set_print(keep_warning);
  open_object(programs, options, true);
  int error = bpf_object__load(programs->object);
  if (error && error != -EPERM) {
    /* A kernel that refuses one of the optional programs may take the rest. */
    bpf_object__close(programs->object);
    open_object(programs, options, false);
    error = bpf_object__load(programs->object);
  }
  if (error) fail_load(-error);
  attach(programs);
  programs->ring = ring_buffer__new(bpf_map__fd(map_of(programs, "ring")), on_record, NULL, NULL);
  if (!programs->ring) fail_load(errno);
  size_t size = sizeof(struct sensor_variables);
  programs->variables = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map_of(programs, ".bss")), 0);
  if (programs->variables == MAP_FAILED) fail_load(errno);
}

int programs_consume(struct programs *programs) { return ring_buffer__consume(programs->ring); }

int programs_poll_fd(const struct programs *programs) { return ring_buffer__epoll_fd(programs->ring); }

struct sensor_counters programs_counters(const struct programs *programs) {
  struct sensor_counters counters = programs->variables->counters;
  for (u32 i = 0; i < programs->attached; i++) {
    struct bpf_prog_info info = {0};
    u32 size = sizeof(info);
    if (programs->program_fds[i] >= 0 && !bpf_obj_get_info_by_fd(programs->program_fds[i], &info, &size)) counters.missed_runs += info.recursion_misses;
  }
  return counters;
}

/* Runs an iterator over all tasks. */
static void run_iterator(int link) {
  char nothing[64];
  int iterator = bpf_iter_create(link);
  if (iterator < 0) return;
  while (read(iterator, nothing, sizeof(nothing)) > 0 || errno == EAGAIN) errno = 0;
  close(iterator);
}

u32 programs_watch(struct programs *programs, u32 pid, u32 *namespaced) {
  volatile struct sensor_variables *variables = programs->variables;
  variables->watch_pid = pid;
  variables->watch_found = 0;
  variables->watch_namespaced = 0;
  run_iterator(programs->find_namespace_link);
  *namespaced = variables->watch_namespaced;
  if (!variables->watch_found) return 0;
  /* From here on forks in the namespace are followed, so that none slips through while the living are collected. */
  variables->watch_found = 0;
  run_iterator(programs->seed_link);
  return variables->watch_found;
}

void programs_mark_canary(struct programs *programs, u32 pid, u32 at) {
  bpf_map_update_elem(bpf_map__fd(map_of(programs, "canaries")), &pid, &at, BPF_ANY);
}

void programs_detach(struct programs *programs) {
  for (u32 i = 0; i < programs->attached; i++) bpf_link__destroy(programs->links[i]);
}
