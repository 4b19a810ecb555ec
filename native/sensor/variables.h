/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Memory that the BPF programs and the loader share. */
#ifndef SENSOR_VARIABLES_H
#define SENSOR_VARIABLES_H

#include "record.h"

struct sensor_variables {
  struct sensor_counters counters;
  u64 next_seq;
  /* What `watch` asks of the iterators, and their answer. */
  u32 watch_pid;
  u32 watch_found;
  u32 watch_namespaced;
  /* Number of the followed pid namespace; 0: none. */
  u32 followed_namespace;
};

/* Set before the load. */
struct sensor_constants {
  /* Mixed into the identity of sockets, so that no address of the kernel gets out. */
  u64 socket_secret;
};

#endif
