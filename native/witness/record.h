/* SPDX-License-Identifier: Apache-2.0 */
/* What the witness writes: frames on standard output, each a length (u32) and then a header with its content. All little-endian. */
#ifndef WITNESS_RECORD_H
#define WITNESS_RECORD_H

#include <stdint.h>

#define RECORD_MAGIC 0x53544957 /* "WITS" */
#define RECORD_VERSION 1

/* src/sensors/fanotify/record.ts knows these numbers. */
enum record_kind {
  KIND_READY = 1,    /* it sees; content: the watched directories, each with a NUL behind it */
  KIND_FILE = 2,     /* a file was closed after writing; content: its path as the container sees it */
  KIND_PIECE = 3,    /* a piece of the content of the file before */
  KIND_FILE_END = 4, /* nothing more of that file; `size`: bytes sent */
  KIND_OVERFLOW = 5, /* the kernel had no room: an unknown number of closes is missing */
  KIND_END = 6,      /* nothing more at all; `number`: closes, `size`: those that could not be looked at */
};

enum record_flag {
  FLAG_UNLINKED = 1,  /* the file had no name any more when it was read */
  FLAG_TOO_LARGE = 2, /* larger than what is read of one file */
  FLAG_FAILED = 4,    /* it could not be read; `size`: errno */
  FLAG_CHANGED = 8,   /* it changed while it was read */
};

struct record_header {
  uint32_t magic;
  uint16_t version;
  uint16_t kind;
  uint64_t time_ns; /* CLOCK_BOOTTIME, when it was read */
  uint64_t number;  /* of the file, from 0 */
  uint64_t size;    /* bytes of the file */
  int32_t pid;      /* who closed it, pid on the host */
  uint32_t flags;
};

_Static_assert(sizeof(struct record_header) == 40, "the reader knows the offsets");

#endif
