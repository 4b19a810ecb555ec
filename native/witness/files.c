// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "files.h"
#include <errno.h>
#include <linux/limits.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "output.h"
#include "places.h"

/* Each event brings an open file: few at a time. */
#define EVENTS_AT_ONCE 32
#define PIECE_BYTES (128 << 10)
/* More in a row than any agent's files can explain: the queue itself is broken. */
#define MOST_FAILURES 100000

static bool same(const struct timespec *a, const struct timespec *b) {
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Renaming and removing change the status too, so it is the time of the content that counts. */
static bool has_changed(const struct stat *before, const struct stat *after) {
  return before->st_size != after->st_size || !same(&before->st_mtim, &after->st_mtim);
}

/* Sends the content, as far as `file_bytes` goes; `end` says how it went. */
static void send_content(int file, uint64_t file_bytes, struct record_header *end) {
  static unsigned char piece[PIECE_BYTES];
  struct record_header header = record_begin(KIND_PIECE);
  header.number = end->number;
  uint64_t sent = 0;
  while (sent <= file_bytes) {
    ssize_t got = pread(file, piece, sizeof(piece), sent);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      end->flags |= FLAG_FAILED;
      end->size = errno;
      return;
    }
    if (got == 0) break;
    output_frame(&header, piece, got);
    sent += got;
  }
  if (sent > file_bytes) end->flags |= FLAG_TOO_LARGE;
  end->size = sent;
}

/* False: it is no file with content. */
static bool send_file(const struct fanotify_event_metadata *event, uint64_t file_bytes, uint64_t number) {
  char path[2 * PATH_MAX];
  struct stat before, after;
  /* Pipes and devices have no content to keep, and reading them would change what the agent meets. */
  if (fstat(event->fd, &before) || !S_ISREG(before.st_mode)) return false;
  struct record_header header = record_begin(KIND_FILE);
  header.number = number;
  header.size = before.st_size;
  header.pid = event->pid;
  if (before.st_nlink == 0) header.flags |= FLAG_UNLINKED;
  output_frame(&header, path, place_path(event->fd, path, sizeof(path)));
  struct record_header end = record_begin(KIND_FILE_END);
  end.number = number;
  if ((uint64_t)before.st_size > file_bytes) end.flags |= FLAG_TOO_LARGE;
  else send_content(event->fd, file_bytes, &end);
  if (fstat(event->fd, &after) || has_changed(&before, &after)) end.flags |= FLAG_CHANGED;
  output_frame(&end, NULL, 0);
  return true;
}

static void take_event(const struct fanotify_event_metadata *event, uint64_t file_bytes, struct file_counts *counts) {
  if (event->mask & FAN_Q_OVERFLOW) {
    struct record_header header = record_begin(KIND_OVERFLOW);
    output_frame(&header, NULL, 0);
    output_flush();
  }
  if (event->fd < 0) return;
  /* Its own, made to see whether the watch works. */
  if (event->pid != getpid() && send_file(event, file_bytes, counts->closes)) counts->closes++;
  close(event->fd);
}

bool files_take(int watch, uint64_t file_bytes, struct file_counts *counts) {
  static struct fanotify_event_metadata events[EVENTS_AT_ONCE];
  static int failures;
  ssize_t got = read(watch, events, sizeof(events));
  if (got < 0 && errno == EAGAIN) return false;
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) {
    /* The kernel takes an event that it can't open out of the queue. */
    counts->unreadable++;
    if (++failures > MOST_FAILURES) fail(EXIT_REFUSED, "the queue can't be read", errno, "see the kernel's log");
    return true;
  }
  failures = 0;
  for (struct fanotify_event_metadata *event = events; FAN_EVENT_OK(event, got); event = FAN_EVENT_NEXT(event, got)) {
    take_event(event, file_bytes, counts);
  }
  return true;
}
