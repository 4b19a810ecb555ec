// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#define MOST_INTERFACES 64
#define INTERFACE_NAME_BYTES 16

/* A packet socket of another network namespace, with a ring of blocks that kernel and program share. */
struct ring {
  int fd;
  uint8_t *blocks;
  unsigned count;
  unsigned at;
  /* Interfaces that the namespace had when the socket was opened. */
  unsigned interfaces[MOST_INTERFACES];
  unsigned interface_count;
};

struct packet {
  int interface;
  uint64_t time_ns;
  const uint8_t *data;
  uint32_t kept, length;
};

struct ring_counts {
  uint64_t received, dropped;
};

/* The kernel hands a block over at the latest after this time. */
#define RING_HANDOVER_MS 50

/*
 * Opens it in the namespace of process `pid`, without staying there; 0: in the own one, and without receiving anything.
 * Ends the program when it can't.
 */
void ring_open(struct ring *ring, int pid, uint32_t snap_bytes, unsigned block_count);
/* Gives every packet of the next block to `take`. @returns 1 after a block, 0 when there is none, or what `take` fails with. */
int ring_next(struct ring *ring, int (*take)(const struct packet *packet));
/* What came and what found no room since the last call. */
struct ring_counts ring_counts(const struct ring *ring);
/* Name and hardware type (ARPHRD_…) of an interface of the socket's namespace. @returns -1 when it is gone. */
int ring_interface(const struct ring *ring, int index, char name[INTERFACE_NAME_BYTES], int *hardware);
/* An interface that went down leaves an error, which would wake up the waiting program again and again. */
void ring_clear_error(const struct ring *ring);
