// SPDX-License-Identifier: Apache-2.0
/*
 * workload DIRECTORY CASE=TIMES…: waits for a line on standard input, then runs the cases in order in DIRECTORY and prints
 * what worked as one line of JSON, {"case":[worked,wanted],…,"cpu-ms":[own and children's,the same]}.
 */
#include "workload.h"
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int ended_well(pid_t child) {
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The loopback of a new network namespace is down. */
static void raise_loopback(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ioctl(descriptor, SIOCSIFFLAGS, &request);
  close(descriptor);
}

static int cpu_ms_of(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static const struct workload_case *find(const char *name, size_t length) {
  const struct workload_case *const tables[] = {PROCESS_CASES, FILE_CASES, NETWORK_CASES, SECURITY_CASES, ATTEMPT_CASES};
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
    for (const struct workload_case *entry = tables[i]; entry->name; entry++)
      if (strlen(entry->name) == length && !strncmp(entry->name, name, length)) return entry;
  return NULL;
}

int main(int count, char **words) {
  char line[16];
  if (count < 3 || chdir(words[1])) return 2;
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IONBF, 0);
  if (!fgets(line, sizeof(line), stdin)) return 2;
  raise_loopback();
  for (int i = 2; i < count; i++) {
    char *equals = strchr(words[i], '=');
    const struct workload_case *entry = equals ? find(words[i], equals - words[i]) : NULL;
    if (!entry) return 2;
    int times = atoi(equals + 1);
    printf("%s\"%s\":[%d,%d]", i == 2 ? "{" : ",", entry->name, entry->run(times), times);
  }
  int cpu_ms = cpu_ms_of(RUSAGE_SELF) + cpu_ms_of(RUSAGE_CHILDREN);
  printf(",\"cpu-ms\":[%d,%d]}\n", cpu_ms, cpu_ms);
  return 0;
}
