#include "line.h"
#include "shared.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Arguments and environment of the longest call, in hex, and some paths. */
static char line[192 << 10];
static size_t length;
static int overflow;

static void put(const char *text, size_t size) {
  if (length + size > sizeof line) {
    overflow = 1;
    return;
  }
  memcpy(line + length, text, size);
  length += size;
}

static void put_text(const char *text) { put(text, strlen(text)); }

static void put_key(const char *key) {
  put_text(",\"");
  put_text(key);
  put_text("\":");
}

void line_begin(const char *kind) {
  length = 0;
  overflow = 0;
  put_text("{\"k\":\"");
  put_text(kind);
  put_text("\"");
  line_number("t", (int64_t)now_ns());
}

void line_number(const char *key, int64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)value);
  put_key(key);
  put_text(text);
}

void line_bytes(const char *key, const void *bytes, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *from = bytes;
  put_key(key);
  put_text("\"");
  if (length + 2 * size > sizeof line) {
    overflow = 1;
    return;
  }
  for (size_t i = 0; i < size; i++) {
    line[length++] = digits[from[i] >> 4];
    line[length++] = digits[from[i] & 15];
  }
  put_text("\"");
}

void line_text(const char *key, const char *text) {
  put_key(key);
  put_text("\"");
  put_text(text);
  put_text("\"");
}

void line_end(void) {
  put_text("}\n");
  uint64_t head = atomic_load(&shared->head);
  if (overflow || head + length - atomic_load(&shared->tail) > RING_BYTES) {
    atomic_fetch_add(&shared->dropped, 1);
    return;
  }
  size_t at = head % RING_BYTES, first = length < RING_BYTES - at ? length : RING_BYTES - at;
  memcpy(shared->ring + at, line, first);
  memcpy(shared->ring, line + first, length - first);
  atomic_fetch_add(&shared->lines, 1);
  /* Only now is it there: a worker that is killed before leaves no torn line. */
  atomic_store(&shared->head, head + length);
  uint64_t one = 1;
  if (write(wake_fd, &one, sizeof one) < 0) return; /* it is woken already */
}
