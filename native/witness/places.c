// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "places.h"
#include <fcntl.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
  int directory;
  const char *path;
  uint64_t mount; /* 0: the directory is not the root of its mount */
};

static const char GONE[] = " (deleted)";
static struct place places[MOST_PLACES];
static int place_count;

/* Number of the mount on which an open file stands; with `root`, 0 where the file is not that mount's root. */
static uint64_t mount_of(int file, bool root) {
  struct statx status;
  if (statx(file, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) || !(status.stx_mask & STATX_MNT_ID)) return 0;
  if (root && !(status.stx_attributes & STATX_ATTR_MOUNT_ROOT)) return 0;
  return status.stx_mnt_id;
}

void place_add(int directory, const char *path) {
  if (place_count == MOST_PLACES) return;
  places[place_count++] = (struct place){.directory = directory, .path = path, .mount = mount_of(directory, true)};
}

static size_t name_of(int file, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, size);
  return length < 0 ? 0 : length;
}

/*
 * Cuts what the kernel puts behind the name of a file that has none any more. A file loses its last link before its name
 * is told as gone, so the links are counted after the name was read.
 */
static size_t own_name(int file, const char *path, size_t length) {
  size_t mark = sizeof(GONE) - 1;
  struct stat status;
  if (fstat(file, &status) || status.st_nlink > 0 || length <= mark || memcmp(path + length - mark, GONE, mark)) return length;
  return length - mark;
}

/* The mount has left the container's tree, because the container is gone: names begin at its own root then. */
static bool is_detached(const struct place *place) {
  char path[PATH_MAX];
  return name_of(place->directory, path, sizeof(path)) == 1;
}

static const struct place *detached_place(int file) {
  uint64_t mount = mount_of(file, false);
  for (int i = 0; mount && i < place_count; i++) {
    if (places[i].mount == mount) return is_detached(&places[i]) ? &places[i] : NULL;
  }
  return NULL;
}

size_t place_path(int file, char *path, size_t size) {
  size_t length = name_of(file, path, size);
  const struct place *place = detached_place(file);
  /* It may have happened in between, so the name is asked for again. */
  if (place) {
    size_t before = strlen(place->path);
    memcpy(path, place->path, before);
    length = before + name_of(file, path + before, size - before);
  }
  return own_name(file, path, length);
}
