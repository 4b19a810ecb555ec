/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the sensor needs of the machine, and giving it up again. */
#ifndef SENSOR_RIGHTS_H
#define SENSOR_RIGHTS_H

/* Exit codes of the loader; src/sensors/kernel/sensor-process.ts knows them. */
enum loader_exit {
  EXIT_DONE = 0,
  EXIT_USAGE = 2,
  EXIT_NO_RIGHTS = 3,
  EXIT_KERNEL_UNFIT = 4,
  EXIT_LOAD_FAILED = 5,
  EXIT_OUTPUT_BROKEN = 6,
};

/* Says on standard error, as one line of JSON, what went wrong, what is missing (NULL-terminated) and how to mend it. */
int fail(enum loader_exit code, const char *error, const char *const *missing, const char *hint);

/* Ends the program with the exact list when a right or the kernel's type information is missing. */
void require_rights(void);

/* Gives up every capability and the way to new ones. CAP_BPF stays where the kernel wants it for each look at a map. */
void drop_rights(void);

#endif
