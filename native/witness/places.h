/* SPDX-License-Identifier: Apache-2.0 */
/* The watched directories, and the paths of files below them as the container sees them. */
#ifndef WITNESS_PLACES_H
#define WITNESS_PLACES_H

#include <stddef.h>

/* Most directories that can be watched. */
#define MOST_PLACES 8

/* Remembers an open directory; it stays open, and `path` must stay. */
void place_add(int directory, const char *path);

/* Writes the path of an open file to `path`, without a NUL. Returns its length, 0 when it is not known. */
size_t place_path(int file, char *path, size_t size);

#endif
