// SPDX-License-Identifier: Apache-2.0
#include "workload.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT 18080
#define CLOSED_PORT 18081

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void *answer_streams(void *argument) {
  int listener = *(int *)argument;
  char byte[16];
  for (;;) {
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) return NULL;
    if (read(peer, byte, 4) == 4 && write(peer, "pong!", 5) != 5) return NULL;
    close(peer);
  }
}

static int exchange(int family, const void *address, socklen_t size) {
  char reply[16];
  int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), worked = 0;
  if (!connect(descriptor, address, size) && write(descriptor, "ping", 4) == 4) {
    worked = read(descriptor, reply, sizeof(reply)) == 5;
    /* The other side's end is awaited, so that both have counted all bytes. */
    worked &= read(descriptor, reply, sizeof(reply)) == 0;
  }
  close(descriptor);
  return worked;
}

static int serve(int family, const void *address, socklen_t size) {
  static int listeners[4], count;
  int *listener = &listeners[count++], one = 1;
  pthread_t thread;
  *listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (bind(*listener, address, size) || listen(*listener, 128)) return 0;
  return !pthread_create(&thread, NULL, answer_streams, listener);
}

static int tcp(int times) {
  int worked = 0;
  struct sockaddr_in address = loopback(PORT);
  if (!serve(AF_INET, &address, sizeof(address))) return 0;
  for (int i = 0; i < times; i++) worked += exchange(AF_INET, &address, sizeof(address));
  return worked;
}

static int tcp6(int times) {
  int worked = 0;
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  if (!serve(AF_INET6, &address, sizeof(address))) return 0;
  for (int i = 0; i < times; i++) worked += exchange(AF_INET6, &address, sizeof(address));
  return worked;
}

static int unix_stream(int times) {
  int worked = 0;
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "talk.sock"};
  if (!serve(AF_UNIX, &address, sizeof(address))) return 0;
  for (int i = 0; i < times; i++) worked += exchange(AF_UNIX, &address, sizeof(address));
  return worked;
}

static int refused(int times) {
  int worked = 0;
  struct sockaddr_in address = loopback(CLOSED_PORT);
  for (int i = 0; i < times; i++) {
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    worked += connect(descriptor, (void *)&address, sizeof(address)) == -1 && errno == ECONNREFUSED;
    close(descriptor);
  }
  return worked;
}

/* Answers every question with 10.1.2.3. */
static void *answer_names(void *argument) {
  int server = *(int *)argument;
  static const unsigned char ANSWER[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3};
  unsigned char packet[600];
  struct sockaddr_in from;
  for (;;) {
    socklen_t size = sizeof(from);
    ssize_t got = recvfrom(server, packet, 512, 0, (void *)&from, &size);
    if (got < 0) return NULL;
    packet[2] |= 0x80;
    packet[7] = 1;
    memcpy(packet + got, ANSWER, sizeof(ANSWER));
    sendto(server, packet, got + sizeof(ANSWER), 0, (void *)&from, size);
  }
}

static int question(unsigned char *packet, int number) {
  char label[32];
  int size = 12, length = snprintf(label, sizeof(label), "host%d", number);
  memset(packet, 0, 12);
  packet[0] = number >> 8, packet[1] = number, packet[2] = 1, packet[5] = 1;
  packet[size++] = length;
  memcpy(packet + size, label, length);
  size += length;
  memcpy(packet + size, "\7example\4test\0\0\1\0\1", 18);
  return size + 18;
}

static int receive_as(int descriptor, int way, void *buffer, size_t size) {
  struct iovec piece = {buffer, size};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
  if (way == 0) return recvfrom(descriptor, buffer, size, 0, NULL, NULL) > 0;
  if (way == 1) return read(descriptor, buffer, size) > 0;
  if (way == 2) return recvmsg(descriptor, &message.msg_hdr, 0) > 0;
  return recvmmsg(descriptor, &message, 1, 0, NULL) == 1;
}

static int send_as(int descriptor, int way, void *buffer, size_t size) {
  struct sockaddr_in server = loopback(53);
  struct iovec piece = {buffer, size};
  struct mmsghdr message = {.msg_hdr = {.msg_name = &server, .msg_namelen = sizeof(server), .msg_iov = &piece, .msg_iovlen = 1}};
  if (way == 0) return sendto(descriptor, buffer, size, 0, (void *)&server, sizeof(server)) > 0;
  if (way == 1) return !connect(descriptor, (void *)&server, sizeof(server)) && write(descriptor, buffer, size) > 0;
  if (way == 2) return sendmsg(descriptor, &message.msg_hdr, 0) > 0;
  return sendmmsg(descriptor, &message, 1, 0) == 1;
}

/* Four ways to send and to receive, in turn. */
static int dns(int times) {
  static int server;
  struct sockaddr_in address = loopback(53);
  pthread_t thread;
  int worked = 0;
  server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (bind(server, (void *)&address, sizeof(address))) return 0;
  pthread_create(&thread, NULL, answer_names, &server);
  for (int i = 0; i < times; i++) {
    unsigned char packet[600];
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval limit = {20, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    worked += send_as(descriptor, i % 4, packet, question(packet, i)) && receive_as(descriptor, i % 4, packet, sizeof(packet));
    close(descriptor);
  }
  return worked;
}

/* One call, as many destinations as it is asked for. */
static int many_datagrams(int times) {
  struct sockaddr_in addresses[100];
  struct mmsghdr messages[100];
  struct iovec piece = {"hello", 5};
  int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  memset(messages, 0, sizeof(messages));
  for (int i = 0; i < times && i < 100; i++) {
    addresses[i] = loopback(20000 + i);
    messages[i].msg_hdr = (struct msghdr){.msg_name = &addresses[i], .msg_namelen = sizeof(addresses[i]), .msg_iov = &piece, .msg_iovlen = 1};
  }
  int sent = sendmmsg(descriptor, messages, times < 100 ? times : 100, 0);
  close(descriptor);
  return sent;
}

static int other_families(int times) {
  int worked = 0;
  for (int i = 0; i < times; i++) {
    int vsock = socket(AF_VSOCK, SOCK_STREAM, 0), packet = socket(AF_PACKET, SOCK_RAW, 0), raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    close(vsock);
    close(packet);
    close(raw);
    worked++;
  }
  return worked;
}

const struct workload_case NETWORK_CASES[] = {
    {"tcp", tcp}, {"tcp6", tcp6},                {"unix", unix_stream},          {"refused", refused},
    {"dns", dns}, {"datagrams", many_datagrams}, {"families", other_families}, {NULL, NULL},
};
