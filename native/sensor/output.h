/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Frames on standard output. Writes block: a reader that stalls makes the ring fill, and there the kernel side counts. */
#ifndef SENSOR_OUTPUT_H
#define SENSOR_OUTPUT_H

#include <stddef.h>
#include "record.h"

/* Begins a record of the loader's own. */
void record_begin(struct record_header *header, enum record_kind kind);

/* Adds one frame, header and content one after the other; 0 or -1 when nobody reads any more. */
int output_frame(const void *header, size_t header_bytes, const void *content, size_t content_bytes);

/* Sends what is held back. */
int output_flush(void);

#endif
