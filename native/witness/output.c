// SPDX-License-Identifier: Apache-2.0
#include "output.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned char held[256 << 10];
static size_t held_bytes;

struct record_header record_begin(enum record_kind kind) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (struct record_header){
      .magic = RECORD_MAGIC,
      .version = RECORD_VERSION,
      .kind = kind,
      .time_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec,
  };
}

void output_flush(void) {
  size_t sent = 0;
  while (sent < held_bytes) {
    ssize_t written = write(STDOUT_FILENO, held + sent, held_bytes - sent);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) exit(EXIT_OUTPUT_BROKEN);
    sent += written;
  }
  held_bytes = 0;
}

static void hold(const void *bytes, size_t count) {
  if (count) memcpy(held + held_bytes, bytes, count);
  held_bytes += count;
}

void output_frame(const struct record_header *header, const void *content, size_t content_bytes) {
  uint32_t length = sizeof(*header) + content_bytes;
  if (held_bytes + sizeof(length) + length > sizeof(held)) output_flush();
  hold(&length, sizeof(length));
  hold(header, sizeof(*header));
  hold(content, content_bytes);
}

_Noreturn void fail(enum witness_exit code, const char *what, int error, const char *hint) {
  const char *reason = error ? strerror(error) : "";
  fprintf(stderr, "{\"error\":\"%s%s%s\",\"hint\":\"%s\"}\n", what, error ? ": " : "", reason, hint);
  exit(code);
}
