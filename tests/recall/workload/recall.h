/* Ground truth for the recall suite: small programs that do exactly what their arguments say, and say what they did. */
#ifndef RECALL_H
#define RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One kind of thing to do. `act` does it once and tells whether it went exactly as meant. */
struct recall_case {
  const char *name;
  /* Called once before the first `act`; may be NULL. */
  void (*begin)(void);
  bool (*act)(int index);
  /* Called once after the last `act`; may be NULL. Returns how many more of the acts it confirmed. */
  int (*end)(void);
};

/* Marks every name and argument of this call of the program. */
extern const char *tag;
extern int instances;
/* Path of this program, as the container sees it. */
extern char self_path[4096];

extern const struct recall_case PROCESS_CASES[], FILE_CASES[], METADATA_CASES[], NETWORK_CASES[], REFUSED_CASES[];

/* "PREFIX-TAG-INDEX". The last eight results stay valid. */
char *name_of(const char *prefix, int index);
/* Ends the program: what should have worked did not, and nothing after it would mean anything. */
_Noreturn void die(const char *what);
/* Whether `result` is -1 with this errno. */
bool failed_with(long result, int wanted);
/* Whether this child ended with exit code `code`. */
bool ended_with(pid_t child, int code);

#endif
