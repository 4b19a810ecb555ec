/* SPDX-License-Identifier: Apache-2.0 */
/* The files that the kernel hands over, open, after somebody has written to them. */
#ifndef WITNESS_FILES_H
#define WITNESS_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct file_counts {
  uint64_t closes;
  uint64_t unreadable; /* closes that the kernel could not hand over */
};

/* Takes what waits in the queue `watch`, and sends it. `file_bytes`: most that is read of one file. False: nothing waited. */
bool files_take(int watch, uint64_t file_bytes, struct file_counts *counts);

#endif
