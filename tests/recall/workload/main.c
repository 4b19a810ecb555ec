/*
 * recall NAME TAG COUNT [PER_SECOND]
 *   does case NAME COUNT times, at most PER_SECOND times a second (0 or absent: as fast as it goes), and prints one
 *   line of JSON that begins with "RECALL ". `done` is how many went exactly as meant.
 * recall nop …       does nothing
 * recall stay …      waits to be killed
 */
#define _GNU_SOURCE
#include "recall.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *tag;
int instances;
char self_path[4096];

char *name_of(const char *prefix, int index) {
  static char names[8][256];
  static unsigned next;
  char *name = names[next++ % 8];
  snprintf(name, sizeof names[0], "%s-%s-%d", prefix, tag, index);
  return name;
}

_Noreturn void die(const char *what) {
  fprintf(stderr, "recall: %s: %s\n", what, strerror(errno));
  exit(70);
}

bool failed_with(long result, int wanted) {
  if (result != -1)
    fprintf(stderr, "recall: result %ld instead of %s\n", result, strerror(wanted));
  else if (errno != wanted)
    fprintf(stderr, "recall: %s instead of %s\n", strerror(errno), strerror(wanted));
  return result == -1 && errno == wanted;
}

bool ended_with(pid_t child, int code) {
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static long long boottime_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void wait_until(long long due_ns) {
  struct timespec due = {due_ns / 1000000000LL, due_ns % 1000000000LL};
  while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
}

static const struct recall_case *find_case(const char *name) {
  const struct recall_case *const tables[] = {PROCESS_CASES, FILE_CASES, METADATA_CASES, NETWORK_CASES, REFUSED_CASES};
  for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
    for (const struct recall_case *entry = tables[t]; entry->name; entry++)
      if (!strcmp(entry->name, name)) return entry;
  return NULL;
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "nop")) return 0;
  if (argc > 1 && !strcmp(argv[1], "stay")) return pause();
  const struct recall_case *chosen = argc > 3 ? find_case(argv[1]) : NULL;
  if (!chosen) {
    fprintf(stderr, "usage: recall NAME TAG COUNT [PER_SECOND]\n");
    return 64;
  }
  tag = argv[2];
  instances = atoi(argv[3]);
  int per_second = argc > 4 ? atoi(argv[4]) : 0;
  if (readlink("/proc/self/exe", self_path, sizeof self_path - 1) < 0) die("/proc/self/exe");
  signal(SIGPIPE, SIG_IGN);
  long long began_ns = boottime_ns();
  if (chosen->begin) chosen->begin();
  long long first_ns = boottime_ns();
  int done = 0;
  for (int i = 0; i < instances; i++) {
    if (per_second > 0) wait_until(first_ns + i * (1000000000LL / per_second));
    if (chosen->act(i)) done++;
  }
  if (chosen->end) done += chosen->end();
  printf("RECALL {\"case\":\"%s\",\"tag\":\"%s\",\"n\":%d,\"done\":%d,\"pid\":%d,\"began_ns\":%lld,\"ended_ns\":%lld}\n",
         chosen->name, tag, instances, done, (int)getpid(), began_ns, boottime_ns());
  return 0;
}
