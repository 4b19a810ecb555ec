// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "rights.h"
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define CAPABILITY_VERSION_3 0x20080522

struct capability_header {
  uint32_t version;
  int pid;
};
struct capability_data {
  uint32_t effective, permitted, inheritable;
};

static void print_text(const char *text) {
  fputc('"', stderr);
  for (; *text; text++) {
    unsigned char letter = *text;
    if (letter == '"' || letter == '\\') fprintf(stderr, "\\%c", letter);
    else if (letter < 32 || letter > 126) fprintf(stderr, "\\u%04x", letter);
    else fputc(letter, stderr);
  }
  fputc('"', stderr);
}

void fail(enum exit_code code, const char *error, const char *hint) {
  fputs("{\"error\":", stderr);
  print_text(error);
  fputs(",\"hint\":", stderr);
  print_text(hint);
  fputs("}\n", stderr);
  exit(code);
}

void fail_system(const char *what) {
  int error = errno;
  char text[256];
  snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
  if (error == EPERM || error == EACCES)
    fail(EXIT_NO_RIGHTS, text, "run it as root; it needs CAP_SYS_ADMIN and CAP_NET_RAW to record packets of a container");
  fail(EXIT_UNFIT, text, "the kernel must have packet sockets (CONFIG_PACKET)");
}

void drop_rights(void) {
  struct capability_header header = {.version = CAPABILITY_VERSION_3};
  struct capability_data none[2] = {0};
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
    fail_system("the rights can't be given up");
  if (syscall(SYS_capset, &header, none)) fail_system("the capabilities can't be given up");
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
