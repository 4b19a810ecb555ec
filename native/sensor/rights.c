// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "rights.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CAPABILITY_SYS_ADMIN 21
#define CAPABILITY_PERFMON 38
#define CAPABILITY_BPF 39
#define CAPABILITY_VERSION_3 0x20080522
#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

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

int fail(enum loader_exit code, const char *error, const char *const *missing, const char *hint) {
  fputs("{\"error\":", stderr);
  print_text(error);
  fputs(",\"missing\":[", stderr);
  for (int i = 0; missing && missing[i]; i++) {
    if (i) fputc(',', stderr);
    print_text(missing[i]);
  }
  fputs("],\"hint\":", stderr);
  print_text(hint);
  fputs("}\n", stderr);
  exit(code);
}

static uint64_t effective_capabilities(void) {
  struct capability_header header = {.version = CAPABILITY_VERSION_3};
  struct capability_data data[2] = {0};
  if (syscall(SYS_capget, &header, data)) return 0;
  return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static bool has(uint64_t set, int capability) { return set >> capability & 1; }

void require_rights(void) {
  const char *missing[4] = {0};
  int count = 0;
  uint64_t set = effective_capabilities();
  if (!has(set, CAPABILITY_SYS_ADMIN)) {
    if (!has(set, CAPABILITY_BPF)) missing[count++] = "CAP_BPF";
    if (!has(set, CAPABILITY_PERFMON)) missing[count++] = "CAP_PERFMON";
  }
  if (count) {
    fail(EXIT_NO_RIGHTS, "loading the sensor needs rights that this process does not have", missing,
         "run it as root, or give it CAP_BPF and CAP_PERFMON: setcap cap_bpf,cap_perfmon+ep capture-sensor");
  }
  if (access(KERNEL_TYPES, R_OK)) {
    missing[0] = "kernel type information (" KERNEL_TYPES ")";
    fail(EXIT_KERNEL_UNFIT, "this kernel does not show its types", missing,
         "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, version 5.17 or newer");
  }
}

/* Before 5.19, kernel.unprivileged_bpf_disabled also closes lookups in maps that are already open. */
static bool maps_need_capability(void) {
  struct utsname name;
  int major = 0, minor = 0;
  if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2) return true;
  return major < 5 || (major == 5 && minor < 19);
}

void drop_rights(void) {
  struct capability_header header = {.version = CAPABILITY_VERSION_3};
  struct capability_data data[2] = {0};
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (maps_need_capability()) data[1].effective = data[1].permitted = 1u << (CAPABILITY_BPF - 32);
  if (syscall(SYS_capset, &header, data)) perror("capset");
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
