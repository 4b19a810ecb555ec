#include "shared.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 200
/* A guardian that has not come around for so long is stopped, or worse: it does ten times a second. */
#define GUARD_SILENT_NS 5000000000ull
/* … while this process came around so often: a machine that stood still is no reason. */
#define LEAST_ROUNDS 10
/* A call at which so many workers have died is let go without a look. */
#define MOST_ATTEMPTS 2

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void let_go_on(uint64_t id) {
  union {
    struct seccomp_notif_resp answer;
    unsigned char room[256];
  } all;
  memset(&all, 0, sizeof all);
  all.answer.id = id;
  all.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  while (ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &all) != 0 && errno == EINTR) {
  }
}

int still_waits(uint64_t id) { return ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

/* Takes the next call into the hand; 0: there was none. */
static int take_call(void) {
  memset(shared->room, 0, sizeof shared->room);
  atomic_store(&shared->attempts, 0);
  atomic_store(&shared->told, 0);
  if (ioctl(notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &shared->call) != 0) return 0;
  atomic_fetch_add(&shared->calls, 1);
  return 1;
}

static void answer_call(void) {
  atomic_store(&shared->busy_since_ns, now_ns());
  if (!atomic_load(&shared->told)) {
    if (atomic_fetch_add(&shared->attempts, 1) < MOST_ATTEMPTS) tell_call(&shared->call);
    else atomic_fetch_add(&shared->blind, 1);
    atomic_store(&shared->told, 1);
  }
  let_go_on(shared->call.id);
  shared->call.id = 0;
  atomic_store(&shared->busy_since_ns, 0);
}

/* Whether the guardian has stopped coming around. */
static int guard_is_silent(void) {
  static uint64_t last_beat, since_ns;
  static unsigned rounds;
  uint64_t beat = atomic_load(&shared->guard_beat_ns), now = now_ns();
  if (beat != last_beat) {
    last_beat = beat;
    since_ns = now;
    rounds = 0;
  }
  return ++rounds > LEAST_ROUNDS && now - since_ns > GUARD_SILENT_NS;
}

int work(int guard_pipe, int guard_pid) {
  /* What the last one had in its hand when it died. */
  if (shared->call.id != 0) answer_call();
  for (;;) {
    struct pollfd fds[] = { { .fd = notify_fd, .events = POLLIN }, { .fd = guard_pipe } };
    if (poll(fds, 2, POLL_MS) < 0 && errno != EINTR) return 1;
    if (fds[1].revents != 0) return 1;
    if (guard_is_silent()) {
      if (getppid() == guard_pid) kill(guard_pid, SIGKILL);
      return 1; /* not the end, even if nothing is left to answer: someone must say the last word */
    }
    if ((fds[0].revents & POLLIN) != 0) {
      if (take_call()) answer_call();
    } else if ((fds[0].revents & POLLHUP) != 0) {
      return 0;
    }
  }
}
