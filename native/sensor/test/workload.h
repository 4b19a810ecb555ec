/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the kernel sensor let happen. Each case does something `times` times and returns how often it worked. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/types.h>

struct workload_case {
  const char *name;
  int (*run)(int times);
};

extern const struct workload_case PROCESS_CASES[], FILE_CASES[], NETWORK_CASES[], SECURITY_CASES[], ATTEMPT_CASES[];

/* Waits; 1 when the child ended with code 0. */
int ended_well(pid_t child);

#endif
