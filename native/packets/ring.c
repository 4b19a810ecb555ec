// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "ring.h"
#include "rights.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <arpa/inet.h>

/* A block takes several of the largest packets. */
#define BLOCK_BYTES (256u << 10)
#define FRAME_BYTES 2048u
#define OWN_NAMESPACE "/proc/self/ns/net"

/* What goes over a loopback interface passes it twice; it is taken once, where it comes in. */
static void filter(int fd, uint32_t snap_bytes) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_HATYPE),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, snap_bytes),
  };
  struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))) fail_system("the packet filter");
}

static void list_interfaces(struct ring *ring) {
  struct if_nameindex *names = if_nameindex();
  for (struct if_nameindex *one = names; one && one->if_index && ring->interface_count < MOST_INTERFACES; one++)
    ring->interfaces[ring->interface_count++] = one->if_index;
  if (names) if_freenameindex(names);
}

/* Without a protocol the socket receives nothing yet. */
static int open_socket(struct ring *ring) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail_system("a packet socket can't be opened");
  list_interfaces(ring);
  return fd;
}

static int open_in_namespace(struct ring *ring, int pid) {
  char path[64];
  struct stat here, there;
  snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
  int own = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
  int other = open(path, O_RDONLY | O_CLOEXEC);
  if (own < 0 || other < 0 || fstat(own, &here) || fstat(other, &there)) fail_system(path);
  // Such a container sees the host's traffic, which is none of ours.
  if (here.st_ino == there.st_ino && here.st_dev == there.st_dev)
    fail(EXIT_UNFIT, "the process shares the host's network namespace", "run the container with a network of its own");
  if (setns(other, CLONE_NEWNET)) fail_system("the container's network namespace can't be entered");
  int fd = open_socket(ring);
  if (setns(own, CLONE_NEWNET)) fail_system("the own network namespace can't be entered again");
  close(own);
  close(other);
  return fd;
}

static void share_memory(struct ring *ring, unsigned block_count) {
  int version = TPACKET_V3;
  struct tpacket_req3 request = {
      .tp_block_size = BLOCK_BYTES,
      .tp_block_nr = block_count,
      .tp_frame_size = FRAME_BYTES,
      .tp_frame_nr = BLOCK_BYTES / FRAME_BYTES * block_count,
      .tp_retire_blk_tov = RING_HANDOVER_MS,
  };
  if (setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
      setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
    fail_system("the ring of packets");
  ring->count = block_count;
  ring->blocks =
      mmap(NULL, (size_t)BLOCK_BYTES * block_count, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
  if (ring->blocks == MAP_FAILED) fail_system("the memory of the ring");
}

void ring_open(struct ring *ring, int pid, uint32_t snap_bytes, unsigned block_count) {
  memset(ring, 0, sizeof(*ring));
  ring->fd = pid ? open_in_namespace(ring, pid) : open_socket(ring);
  filter(ring->fd, snap_bytes);
  share_memory(ring, block_count);
  struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  if (pid && bind(ring->fd, (struct sockaddr *)&all, sizeof(all))) fail_system("the packet socket can't be bound");
}

int ring_next(struct ring *ring, int (*take)(const struct packet *packet)) {
  struct tpacket_block_desc *block = (void *)(ring->blocks + (size_t)ring->at * BLOCK_BYTES);
  if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return 0;
  const struct tpacket3_hdr *head = (void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
  int answer = 0;
  for (uint32_t left = block->hdr.bh1.num_pkts; left > 0 && !answer; left--) {
    const struct sockaddr_ll *from = (void *)((uint8_t *)head + TPACKET_ALIGN(sizeof(*head)));
    struct packet packet = {
        .interface = from->sll_ifindex,
        .time_ns = (uint64_t)head->tp_sec * 1000000000 + head->tp_nsec,
        .data = (uint8_t *)head + head->tp_mac,
        .kept = head->tp_snaplen,
        .length = head->tp_len,
    };
    answer = take(&packet);
    head = (void *)((uint8_t *)head + head->tp_next_offset);
  }
  __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  ring->at = (ring->at + 1) % ring->count;
  return answer ? answer : 1;
}

struct ring_counts ring_counts(const struct ring *ring) {
  struct tpacket_stats_v3 stats = {0};
  socklen_t bytes = sizeof(stats);
  if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes)) return (struct ring_counts){0};
  return (struct ring_counts){.received = stats.tp_packets, .dropped = stats.tp_drops};
}

int ring_interface(const struct ring *ring, int index, char name[INTERFACE_NAME_BYTES], int *hardware) {
  struct ifreq request = {.ifr_ifindex = index};
  if (ioctl(ring->fd, SIOCGIFNAME, &request)) return -1;
  memcpy(name, request.ifr_name, INTERFACE_NAME_BYTES);
  name[INTERFACE_NAME_BYTES - 1] = 0;
  if (ioctl(ring->fd, SIOCGIFHWADDR, &request)) return -1;
  *hardware = request.ifr_hwaddr.sa_family;
  return 0;
}

void ring_clear_error(const struct ring *ring) {
  int error;
  socklen_t bytes = sizeof(error);
  getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
}
