/* What guardian and worker share: memory that outlives either of them, and the descriptors that both hold. */
#pragma once
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdint.h>

#define RING_BYTES (4u << 20)
#define KNOWN_PROCESSES 4096

struct known_process {
  int pid;
  uint64_t start_ns;
};

struct shared {
  /* Bytes ever put into the ring, and ever taken out. The worker puts, the guardian takes; the guardian puts only while
   * there is no worker. */
  _Atomic uint64_t head, tail;
  /* Calls taken from the kernel; lines put into the ring; lines that found no room; calls answered without a look. */
  _Atomic uint64_t calls, lines, dropped, blind;
  /* Since when the call in hand is being worked at, nanoseconds since boot; 0: none is. */
  _Atomic uint64_t busy_since_ns;
  /* When the guardian last came around. */
  _Atomic uint64_t guard_beat_ns;
  /* How often the call in hand was begun, and whether its line is in the ring. */
  _Atomic uint32_t attempts, told;
  /* The container's program runs: what its runtime did before that is none of the agent's doing. */
  _Atomic uint32_t begun;
  /* Processes whose origin was told, by pid modulo the size. */
  struct known_process known[KNOWN_PROCESSES];
  /* The call in hand; id 0: none. The kernel writes it here itself, so that a worker that is killed loses nothing: the
   * kernel hands a call out once, and it would wait for ever for an answer that nobody knows is due. */
  union {
    struct seccomp_notif call;
    unsigned char room[1024]; /* a newer kernel's structure may be longer */
  };
  char ring[RING_BYTES];
};

extern struct shared *shared;
/* The kernel's descriptor of the notifications, once the runtime has handed it over. */
extern int notify_fd;
/* Wakes the guardian when there is something in the ring. */
extern int wake_fd;

/* Nanoseconds since boot (CLOCK_BOOTTIME). */
uint64_t now_ns(void);
/* Lets the call go on as if nobody had looked. Harmless for one that was answered already or whose process is gone. */
void let_go_on(uint64_t id);
/* Whether the process of this call still waits for the answer: what was read about it is about it. */
int still_waits(uint64_t id);

/* Serves until the container's last process is gone (returns 0) or the guardian is (returns 1: be the guardian now). */
int work(int guard_pipe, int guard_pid);
/* Tells of one call. */
void tell_call(const struct seccomp_notif *call);
/* Tries on a process of its own whether this kernel can do all that; 0: it can. */
int probe(void);
