/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on standard output. Writes block: a reader that stalls makes the kernel's queue fill, which tells so itself. */
#ifndef WITNESS_OUTPUT_H
#define WITNESS_OUTPUT_H

#include <stddef.h>
#include "record.h"

/* Exit codes; src/sensors/fanotify/witness-process.ts knows them. */
enum witness_exit {
  EXIT_DONE = 0,
  EXIT_USAGE = 2,
  EXIT_REFUSED = 3,       /* the kernel does not let it watch */
  EXIT_OUTPUT_BROKEN = 6, /* nobody reads any more */
};

struct record_header record_begin(enum record_kind kind);

/* Adds one frame. Ends the program when nobody reads any more. */
void output_frame(const struct record_header *header, const void *content, size_t content_bytes);

/* Sends what is held back. */
void output_flush(void);

/* Says on standard error, as one line of JSON, what failed and how to mend it; texts without quotes. Ends the program. */
_Noreturn void fail(enum witness_exit code, const char *what, int error, const char *hint);

#endif
