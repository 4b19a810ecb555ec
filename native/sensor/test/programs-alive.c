// SPDX-License-Identifier: Apache-2.0
/* programs-alive ID…: prints those of the BPF program numbers that the kernel still has. Needs root. */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **words) {
  for (int i = 1; i < count; i++) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_id = atoi(words[i]);
    int program = syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attributes, sizeof(attributes));
    if (program < 0) continue;
    puts(words[i]);
    close(program);
  }
  return 0;
}
