// SPDX-License-Identifier: Apache-2.0
/*
 * Records the packets of a container's network namespace: opens a packet socket there without staying, and writes pcapng to
 * standard output. The first bytes mean that it sees. The end of standard input asks it to write what it has and to end.
 *   capture-packets --pid PID [--snap BYTES] [--ring-blocks N] [--model A.B.C.D:PORT]
 *   capture-packets --check       tries whether it could, records nothing
 * Exit codes: 0 ended as asked; 1 the reader is gone; 2 usage; 3 rights are missing; 4 this kernel can't.
 */
#include "keep.h"
#include "pcapng.h"
#include "rights.h"
#include "ring.h"
#include <getopt.h>
#include <net/if_arp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATISTICS_EVERY_MS 1000
/* At the end: so long the kernel may take to hand over what came last. */
#define DRAIN_MS (4 * RING_HANDOVER_MS)

static struct ring ring;
static struct endpoint model;
static uint32_t snap_bytes = 65535;
static struct interface {
  int index;
  struct interface_counts counts;
} interfaces[MOST_INTERFACES];
static unsigned interface_count;
static uint64_t skipped;
static struct ring_counts total, told;

static enum link_type link_of(int hardware) {
  switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      return LINK_ETHERNET;
    case ARPHRD_NONE:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_RAWIP:
      return LINK_RAW_IP;
    default:
      return LINK_UNKNOWN;
  }
}

/* @returns its place in the file, or -1 when there are too many, or -2 when the reader is gone. */
static int interface_of(int index) {
  for (unsigned i = 0; i < interface_count; i++)
    if (interfaces[i].index == index) return i;
  if (interface_count == MOST_INTERFACES) return -1;
  char name[INTERFACE_NAME_BYTES];
  int hardware = -1;
  if (ring_interface(&ring, index, name, &hardware)) snprintf(name, sizeof(name), "interface-%d", index);
  if (pcapng_interface(name, link_of(hardware), snap_bytes)) return -2;
  interfaces[interface_count].index = index;
  return interface_count++;
}

static int take(const struct packet *packet) {
  int at = interface_of(packet->interface);
  if (at == -1) skipped++;
  if (at < 0) return at + 1;
  interfaces[at].counts.delivered++;
  uint32_t kept = kept_length(packet->data, packet->kept, &model);
  return pcapng_packet(at, packet->time_ns, packet->data, kept, packet->length);
}

/* The kernel counts for the socket, not for each interface: what it dropped stands at the first. */
static int write_statistics(int is_last) {
  struct timespec now;
  struct ring_counts more = ring_counts(&ring);
  clock_gettime(CLOCK_REALTIME, &now);
  total.received += more.received;
  total.dropped += more.dropped;
  if (!is_last && total.received == told.received) return 0;
  told = total;
  uint64_t others = 0;
  for (unsigned i = 1; i < interface_count; i++) others += interfaces[i].counts.delivered;
  for (unsigned i = 0; i < interface_count; i++) {
    struct interface_counts counts = interfaces[i].counts;
    counts.received = i ? counts.delivered : total.received - others;
    counts.dropped = i ? 0 : total.dropped + skipped;
    uint64_t time_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (pcapng_statistics(i, time_ns, &counts, is_last && i + 1 == interface_count)) return -1;
  }
  return pcapng_flush();
}

/* At most once round the ring: under a flood there is always one more, and the rest of the program must have its turn. */
static int read_blocks(void) {
  int answer = 1;
  for (unsigned left = ring.count; left > 0 && answer > 0; left--) answer = ring_next(&ring, take);
  return answer < 0 ? -1 : pcapng_flush();
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int drain(void) {
  struct pollfd packets = {.fd = ring.fd, .events = POLLIN};
  int64_t until = now_ms() + DRAIN_MS;
  for (int64_t left = DRAIN_MS; left > 0; left = until - now_ms()) {
    poll(&packets, 1, left);
    if (read_blocks()) return 1;
  }
  return write_statistics(1) ? 1 : 0;
}

static int record(void) {
  struct pollfd waits[] = {{.fd = ring.fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  int64_t statistics_at = now_ms() + STATISTICS_EVERY_MS;
  for (;;) {
    poll(waits, 2, STATISTICS_EVERY_MS);
    if (waits[0].revents & POLLERR) ring_clear_error(&ring);
    if (read_blocks()) return 1;
    if (now_ms() >= statistics_at) {
      if (write_statistics(0)) return 1;
      statistics_at = now_ms() + STATISTICS_EVERY_MS;
    }
    char byte;
    if (waits[1].revents && read(STDIN_FILENO, &byte, 1) <= 0) return drain();
  }
}

static unsigned long number(const char *text, unsigned long least, unsigned long most) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || value < least || value > most)
    fail(EXIT_USAGE, "a number is out of its range", "see the head of native/packets/capture-packets.c");
  return value;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"pid", required_argument, 0, 'p'},   {"snap", required_argument, 0, 's'}, {"ring-blocks", required_argument, 0, 'r'},
      {"model", required_argument, 0, 'm'}, {"check", no_argument, 0, 'c'},      {0},
  };
  int pid = 0, check = 0, letter;
  unsigned blocks = 32;
  while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (letter == 'p') pid = number(optarg, 1, 1 << 22);
    else if (letter == 's') snap_bytes = number(optarg, 64, 65535);
    else if (letter == 'r') blocks = number(optarg, 2, 1024);
    else if (letter == 'c') check = 1;
    else if (letter != 'm' || !read_endpoint(optarg, &model)) fail(EXIT_USAGE, "not an option of this program", "--pid PID");
  }
  if (check == (pid != 0)) fail(EXIT_USAGE, "which process?", "--pid PID, or --check");
  signal(SIGPIPE, SIG_IGN);
  ring_open(&ring, pid, snap_bytes, blocks);
  drop_rights();
  if (check) return 0;
  if (pcapng_section()) return 1;
  for (unsigned i = 0; i < ring.interface_count; i++)
    if (interface_of(ring.interfaces[i]) == -2) return 1;
  if (pcapng_flush()) return 1;
  return record();
}
