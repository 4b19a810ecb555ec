// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "output.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Twice the largest frame. */
static unsigned char held[512 << 10];
static size_t held_bytes;

void record_begin(struct record_header *header, enum record_kind kind) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  memset(header, 0, sizeof(*header));
  header->magic = RECORD_MAGIC;
  header->version = RECORD_VERSION;
  header->kind = kind;
  header->class = CLASS_SENSOR;
  header->time_ns = (u64)now.tv_sec * 1000000000 + now.tv_nsec;
}

int output_flush(void) {
  size_t sent = 0;
  while (sent < held_bytes) {
    ssize_t written = write(STDOUT_FILENO, held + sent, held_bytes - sent);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    sent += written;
  }
  held_bytes = 0;
  return 0;
}

int output_frame(const void *header, size_t header_bytes, const void *content, size_t content_bytes) {
  u32 length = header_bytes + content_bytes;
  if (sizeof(length) + length > sizeof(held)) {
    errno = EMSGSIZE;
    return -1;
  }
  if (held_bytes + sizeof(length) + length > sizeof(held) && output_flush()) return -1;
  memcpy(held + held_bytes, &length, sizeof(length));
  held_bytes += sizeof(length);
  memcpy(held + held_bytes, header, header_bytes);
  held_bytes += header_bytes;
  if (content_bytes) memcpy(held + held_bytes, content, content_bytes);
  held_bytes += content_bytes;
  return 0;
}
