// SPDX-License-Identifier: Apache-2.0
#pragma once

enum exit_code { EXIT_USAGE = 2, EXIT_NO_RIGHTS = 3, EXIT_UNFIT = 4 };

/* Says on standard error, as one line of JSON, why this program can't work, and ends it. `hint`: how to mend it. */
_Noreturn void fail(enum exit_code code, const char *error, const char *hint);
/* The same with the reason of the last system call. */
_Noreturn void fail_system(const char *what);
/* Gives up every right for good; what is open stays open. */
void drop_rights(void);
