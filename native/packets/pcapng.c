// SPDX-License-Identifier: Apache-2.0
#include "pcapng.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum block { BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum option {
  OPTION_END = 0,
  OPTION_COMMENT = 1,
  OPTION_APPLICATION = 4,
  OPTION_NAME = 2,
  OPTION_RESOLUTION = 9,
  OPTION_RECEIVED = 4,
  OPTION_DROPPED_BY_SYSTEM = 7,
  OPTION_DELIVERED = 8,
};

#define LAST "last statistics"

/* Larger than the largest block: a packet of 64 KiB and its frame. */
static uint8_t held[256 << 10];
static size_t held_bytes;
static size_t block_at;

int pcapng_flush(void) {
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

static void put(const void *bytes, size_t count) {
  memcpy(held + held_bytes, bytes, count);
  held_bytes += count;
}

static void put_word(uint32_t value) { put(&value, sizeof(value)); }

static void put_short(uint16_t value) { put(&value, sizeof(value)); }

static void pad(void) {
  static const uint8_t zeros[4];
  put(zeros, -held_bytes & 3);
}

static void put_option(enum option code, const void *value, uint16_t bytes) {
  put_short(code);
  put_short(bytes);
  put(value, bytes);
  pad();
}

/* Times stand in two halves, the higher first, whatever the order of bytes. */
static void put_time(uint64_t time_ns) {
  put_word(time_ns >> 32);
  put_word(time_ns);
}

static int begin(enum block type, size_t most_bytes) {
  if (held_bytes + most_bytes > sizeof(held) && pcapng_flush()) return -1;
  block_at = held_bytes;
  put_word(type);
  put_word(0);
  return 0;
}

static void end(void) {
  uint32_t bytes = held_bytes - block_at + 4;
  memcpy(held + block_at + 4, &bytes, sizeof(bytes));
  put_word(bytes);
}

int pcapng_section(void) {
  static const char program[] = "opencode-capture capture-packets";
  if (begin(BLOCK_SECTION, 256)) return -1;
  put_word(0x1a2b3c4d);
  put_short(1);
  put_short(0);
  put_word(UINT32_MAX);  // its length is not known
  put_word(UINT32_MAX);
  put_option(OPTION_APPLICATION, program, sizeof(program) - 1);
  put_option(OPTION_END, NULL, 0);
  end();
  return 0;
}

int pcapng_interface(const char *name, enum link_type link, uint32_t snap_bytes) {
  static const uint8_t nanoseconds = 9;
  if (begin(BLOCK_INTERFACE, 256)) return -1;
  put_short(link);
  put_short(0);
  put_word(snap_bytes);
  put_option(OPTION_NAME, name, strnlen(name, 64));
  put_option(OPTION_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
  put_option(OPTION_END, NULL, 0);
  end();
  return 0;
}

int pcapng_packet(uint32_t interface, uint64_t time_ns, const uint8_t *data, uint32_t kept, uint32_t length) {
  if (begin(BLOCK_PACKET, 64 + kept)) return -1;
  put_word(interface);
  put_time(time_ns);
  put_word(kept);
  put_word(length);
  put(data, kept);
  pad();
  end();
  return 0;
}

int pcapng_statistics(uint32_t interface, uint64_t time_ns, const struct interface_counts *counts, int is_last) {
  if (begin(BLOCK_STATISTICS, 256)) return -1;
  put_word(interface);
  put_time(time_ns);
  if (is_last) put_option(OPTION_COMMENT, LAST, sizeof(LAST) - 1);
  put_option(OPTION_RECEIVED, &counts->received, 8);
  put_option(OPTION_DROPPED_BY_SYSTEM, &counts->dropped, 8);
  put_option(OPTION_DELIVERED, &counts->delivered, 8);
  put_option(OPTION_END, NULL, 0);
  end();
  return 0;
}
