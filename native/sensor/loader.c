// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * capture-sensor [--ring-bytes N] [--processes N]
 *
 * Loads and attaches the BPF programs, then writes frames (record.h) to standard output: first `ready`, and counters once a
 * second. Lines on standard input: "watch PID" follows that process and everything in its pid namespace, answered by a
 * `watching` record. When standard input ends it drains the ring, runs its second canary, writes the final counters and
 * ends with 0. Other exit codes: rights.h. A failure is one line of JSON on standard error.
 *
 * Nothing is dropped here: a reader that stalls blocks the write, the ring fills up, and the BPF side counts what it loses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "output.h"
#include "programs.h"
#include "rights.h"

#define LOOK_MS 10
#define COUNTERS_MS 1000
#define LINE_BYTES 64

static const char CANARY[] = "canary";
static struct programs programs;
static bool output_broken;

static int on_record(void *context, void *data, size_t size) {
  (void)context;
  if (size < sizeof(struct record_header)) return 0;
  if (output_frame(data, size, NULL, 0)) {
    output_broken = true;
    return -1;
  }
  return 0;
}

static u64 now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (u64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drain(void) {
  if (programs_consume(&programs) < 0 || output_flush()) output_broken = true;
  if (output_broken) exit(EXIT_OUTPUT_BROKEN);
}

static void send(const struct record_header *header, const void *content, size_t size) {
  if (output_frame(header, sizeof(*header), content, size) || output_flush()) exit(EXIT_OUTPUT_BROKEN);
}

static void send_counters(bool final) {
  struct record_header header;
  struct sensor_counters counters = programs_counters(&programs);
  counters.final = final;
  record_begin(&header, KIND_COUNTERS);
  header.segment_bytes[0] = sizeof(counters);
  send(&header, &counters, sizeof(counters));
}

static void send_ready(void) {
  struct record_header header;
  record_begin(&header, KIND_READY);
  header.body.ready.programs = programs.attached;
  header.body.ready.ring_bytes = programs.ring_bytes;
  header.segment_bytes[0] = programs.refused_bytes;
  send(&header, programs.refused, programs.refused_bytes);
}

/* Runs this program once more, known to the BPF side as a canary from before its exec. */
static void run_canary(u32 at) {
  int gate[2];
  char byte = 0;
  if (pipe(gate)) return;
  pid_t pid = fork();
  if (pid < 0) return;
  if (pid == 0) {
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 1) _exit(1);
    execl("/proc/self/exe", "capture-sensor", CANARY, (char *)NULL);
    _exit(1);
  }
  close(gate[0]);
  programs_mark_canary(&programs, pid, at);
  if (write(gate[1], &byte, 1) != 1) kill(pid, SIGKILL);
  close(gate[1]);
  waitpid(pid, NULL, 0);
}

static void watch(const char *text) {
  struct record_header header;
  char *end;
  unsigned long pid = strtoul(text, &end, 10);
  record_begin(&header, KIND_WATCHING);
  header.body.watching.pid = pid;
  if (end != text && pid > 0 && pid <= 0x7fffffff) {
    header.body.watching.processes = programs_watch(&programs, pid, &header.body.watching.namespaced);
  }
  drain();
  send(&header, NULL, 0);
}

/* Takes what has arrived on standard input. Returns false at its end. */
static bool read_commands(void) {
  static char line[LINE_BYTES];
  static size_t used;
  ssize_t got = read(STDIN_FILENO, line + used, sizeof(line) - 1 - used);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  used += got;
  line[used] = 0;
  for (char *end; (end = strchr(line, '\n'));) {
    *end = 0;
    if (!strncmp(line, "watch ", 6)) watch(line + 6);
    used -= end + 1 - line;
    memmove(line, end + 1, used + 1);
  }
  if (used == sizeof(line) - 1) used = 0; /* no command is that long */
  return true;
}

static void follow_until_end(void) {
  struct pollfd inputs[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = programs_poll_fd(&programs), .events = POLLIN}};
  u64 counters_due = now_ms() + COUNTERS_MS;
  for (;;) {
    poll(inputs, 2, LOOK_MS);
    drain();
    if (inputs[0].revents && !read_commands()) return;
    if (now_ms() >= counters_due) {
      send_counters(false);
      counters_due = now_ms() + COUNTERS_MS;
    }
  }
}

static unsigned long number_option(const char *name, const char *text) {
  char *end;
  unsigned long number = text ? strtoul(text, &end, 10) : 0;
  if (!text || *end || number == 0) fail(EXIT_USAGE, name, NULL, "usage: capture-sensor [--ring-bytes N] [--processes N]");
  return number;
}

static struct programs_options read_options(int count, char **words) {
  struct programs_options options = {.ring_bytes = 16 << 20};
  for (int i = 1; i < count; i += 2) {
    const char *value = i + 1 < count ? words[i + 1] : NULL;
    if (!strcmp(words[i], "--ring-bytes")) options.ring_bytes = number_option(words[i], value);
    else if (!strcmp(words[i], "--processes")) options.processes = number_option(words[i], value);
    else fail(EXIT_USAGE, words[i], NULL, "usage: capture-sensor [--ring-bytes N] [--processes N]");
  }
  return options;
}

int main(int count, char **words) {
  if (count == 2 && !strcmp(words[1], CANARY)) return 0;
  struct programs_options options = read_options(count, words);
  /* What stops the supervisor, its terminal or its process group must not stop the sensor before the end is recorded. */
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  require_rights();
  programs_load(&programs, options, on_record);
  drop_rights();
  run_canary(0);
  drain();
  send_ready();
  follow_until_end();
  run_canary(1);
  drain();
  programs_detach(&programs);
  drain();
  send_counters(true);
  return EXIT_DONE;
}
