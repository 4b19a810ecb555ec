/* capture-seccomp-listener SOCKET: sees the calls that a container's seccomp profile notifies, and lets each go on.
 *
 * The container runtime hands the kernel's descriptor of the notifications over SOCKET. As long as any process holds it,
 * a notified call waits for its answer; when the last one is gone, the call fails in the agent's hands. So there are two:
 * a worker that answers, and a guardian that replaces it when it dies, is stopped or is stuck, and that carries the lines
 * out. When the guardian dies, the worker becomes the guardian. Both stay until the container's last process is gone,
 * whatever becomes of who started them.
 *
 * Standard input: its end means that nobody listens any more. Standard output: one JSON object a line. */
#include "line.h"
#include "shared.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 100
#define WAIT_US 1000
#define MOST_WAITS 100
/* A worker that has one call in its hand for so long is stuck. */
#define STUCK_NS 400000000ull
#define END_NS 500000000ull
#define LAST_WORDS_NS 30000000000ull

struct shared *shared;
int notify_fd = -1;
int wake_fd = -1;

static int listen_fd = -1, signal_fd = -1, guard_pipe = -1;
static int input_open = 1, output_open = 1;
static pid_t worker;

static void fail(const char *what) {
  fprintf(stderr, "capture-seccomp-listener: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* Carries what is in the ring out, as far as the reader takes it. */
static void drain(void) {
  for (;;) {
    uint64_t tail = atomic_load(&shared->tail), left = atomic_load(&shared->head) - tail;
    if (left == 0) return;
    size_t at = tail % RING_BYTES, size = left < RING_BYTES - at ? left : RING_BYTES - at;
    ssize_t taken = output_open ? write(STDOUT_FILENO, shared->ring + at, size) : (ssize_t)size;
    if (taken < 0 && errno == EAGAIN) return;
    if (taken < 0 && errno != EINTR) output_open = 0;
    if (taken > 0) atomic_store(&shared->tail, tail + (uint64_t)taken);
  }
}

static void start_worker(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return; /* tried again at the next tick */
  pid_t guard = getpid();
  atomic_store(&shared->guard_beat_ns, now_ns());
  worker = fork();
  if (worker != 0) {
    close(ends[0]);
    if (guard_pipe >= 0) close(guard_pipe);
    guard_pipe = ends[1];
    return;
  }
  close(ends[1]);
  if (guard_pipe >= 0) close(guard_pipe);
  guard_pipe = -1;
  close(signal_fd);
  signal_fd = -1;
  if (work(ends[0], guard) == 0) _exit(0);
  close(ends[0]);
  /* The guardian is gone. From here on this process is it: it returns into guard(). */
  worker = 0;
}

static void tell_replaced(const char *why, uint64_t from, uint64_t unseen) {
  line_begin("gap");
  line_number("from", (int64_t)from);
  line_number("unseen", (int64_t)unseen);
  line_text("why", why);
  line_end();
}

static int open_signals(void) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Ends the worker and waits until it can't run any more: dead, or hanging in the kernel and dead when that lets go of it. */
static void end_worker(void) {
  kill(worker, SIGKILL);
  for (int i = 0; i < MOST_WAITS && waitpid(worker, NULL, WNOHANG) == 0; i++) usleep(WAIT_US);
}

/* The call that a stuck worker has in its hand must not wait for the next one. Returns 1 when no line tells of it. */
static int free_stuck_call(void) {
  uint64_t id = shared->call.id;
  if (id != 0) let_go_on(id);
  end_worker();
  /* Until it was dead it could still answer, and take the next one: that is the next worker's. */
  if (id == 0 || shared->call.id != id) return 0;
  shared->call.id = 0;
  return !atomic_load(&shared->told);
}

/* Looks after the worker. Returns 1 when it ended because there is nothing more to answer. */
static int look_after_worker(void) {
  const char *why = NULL;
  uint64_t from = now_ns(), unseen = 0, busy = atomic_load(&shared->busy_since_ns);
  int status = 0;
  pid_t changed = waitpid(worker, &status, WNOHANG | WUNTRACED);
  if (changed == worker && WIFEXITED(status) && WEXITSTATUS(status) == 0) return 1;
  if (changed == worker && WIFSTOPPED(status)) {
    why = "it was stopped";
    end_worker();
  } else if (changed == worker) {
    why = "it was killed";
  } else if (busy != 0 && from > busy && from - busy > STUCK_NS) {
    why = "it was stuck in a call";
    unseen = (uint64_t)free_stuck_call();
  }
  if (why == NULL) return 0;
  if (busy != 0 && busy < from) from = busy;
  atomic_store(&shared->busy_since_ns, 0);
  if (unseen) atomic_fetch_add(&shared->blind, 1);
  worker = 0;
  tell_replaced(why, from, unseen);
  return 0;
}

/* Takes the descriptor that the runtime sends; the message around it describes the container, which is known. */
static void take_descriptor(void) {
  int peer = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
  if (peer < 0) return;
  char text[65536];
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(16 * sizeof(int))];
  } control;
  struct iovec part = { text, sizeof text };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
  if (recvmsg(peer, &message, MSG_CMSG_CLOEXEC) < 0) message.msg_controllen = 0;
  struct cmsghdr *head = message.msg_controllen > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (head != NULL && head->cmsg_type == SCM_RIGHTS) memcpy(&notify_fd, CMSG_DATA(head), sizeof notify_fd);
  close(peer);
  if (notify_fd < 0) return;
  close(listen_fd);
  listen_fd = -1;
  line_begin("taken");
  line_end();
}

static int wait_for_something(void) {
  int is_full = output_open && atomic_load(&shared->head) != atomic_load(&shared->tail);
  struct pollfd fds[] = {
    { .fd = input_open ? STDIN_FILENO : -1, .events = POLLIN },
    { .fd = output_open ? STDOUT_FILENO : -1, .events = is_full ? POLLOUT : 0 },
    { .fd = wake_fd, .events = POLLIN },
    { .fd = signal_fd, .events = POLLIN },
    { .fd = listen_fd, .events = POLLIN },
    { .fd = notify_fd },
  };
  if (poll(fds, 6, TICK_MS) < 0) return 0;
  char some[512];
  if (fds[0].revents != 0 && read(STDIN_FILENO, some, sizeof some) == 0) input_open = 0;
  if ((fds[1].revents & POLLERR) != 0) output_open = 0;
  if (fds[2].revents != 0 && read(wake_fd, some, 8) < 0) return 0;
  if (fds[3].revents != 0 && read(signal_fd, some, sizeof some) < 0) return 0;
  if (fds[4].revents != 0) take_descriptor();
  return (fds[5].revents & POLLHUP) != 0;
}

static int say_the_last(void) {
  line_begin("end");
  line_number("calls", (int64_t)atomic_load(&shared->calls));
  line_number("lines", (int64_t)atomic_load(&shared->lines) + 1);
  line_number("dropped", (int64_t)atomic_load(&shared->dropped));
  line_number("blind", (int64_t)atomic_load(&shared->blind));
  line_end();
  uint64_t until = now_ns() + LAST_WORDS_NS;
  for (drain(); output_open && atomic_load(&shared->head) != atomic_load(&shared->tail) && now_ns() < until; drain())
    wait_for_something();
  return 0;
}

/* Who started all this looks after the guardian as the guardian looks after the worker. */
static void tell_guard(void) {
  line_begin("guard");
  line_number("pid", getpid());
  line_end();
  drain();
}

static int guard(void) {
  uint64_t ended = 0;
  tell_guard();
  if (signal_fd < 0) signal_fd = open_signals();
  for (;;) {
    int is_over = wait_for_something();
    atomic_store(&shared->guard_beat_ns, now_ns());
    drain();
    if (notify_fd < 0 && !input_open) return 0;
    if (notify_fd < 0) continue;
    if (is_over && ended == 0) ended = now_ns();
    if (worker > 0 && look_after_worker()) return say_the_last();
    if (ended != 0 && now_ns() - ended > END_NS) {
      if (worker > 0) kill(worker, SIGKILL);
      return say_the_last();
    }
    if (worker > 0) continue;
    start_worker();
    if (signal_fd >= 0) continue;
    signal_fd = open_signals();
    tell_guard();
    tell_replaced("its guardian was killed", now_ns(), 0);
  }
}

static int listen_at(const char *path) {
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail(path);
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0) fail(path);
  return fd;
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "--probe") == 0) return probe();
  if (count != 2) {
    fputs("usage: capture-seccomp-listener SOCKET | --probe\n", stderr);
    return 2;
  }
  /* It is ended by the end of the container, not by a signal to its terminal. */
  for (int i = 0; i < 4; i++) signal((int[]){ SIGPIPE, SIGINT, SIGTERM, SIGHUP }[i], SIG_IGN);
  int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0 && write(score, "-1000", 5) < 0) errno = 0; /* without the right it is as others are */
  if (score >= 0) close(score);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("memory");
  wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) fail("eventfd");
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  listen_fd = listen_at(arguments[1]);
  line_begin("listening");
  line_end();
  return guard();
}
