/* Connections and datagrams. Everything stays on the loopback of the container: there is no other network. */
#define _GNU_SOURCE
#include "recall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { OPEN_PORT = 21000, CLOSED_PORT = 21001, FULL_PORT = 21002, UDP_PORT = 21003, OPEN_PORT_6 = 21004 };

static struct sockaddr_in ipv4(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

static struct sockaddr_in6 ipv6(const char *host, int port) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  inet_pton(AF_INET6, host, &address.sin6_addr);
  return address;
}

static int tcp(int family) {
  int end = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (end < 0) die("socket");
  return end;
}

static int connect4(int end, const char *host, int port) {
  struct sockaddr_in address = ipv4(host, port);
  return connect(end, (struct sockaddr *)&address, sizeof address);
}

static int connect6(int end, const char *host, int port) {
  struct sockaddr_in6 address = ipv6(host, port);
  return connect(end, (struct sockaddr *)&address, sizeof address);
}

static int listener = -1;

static void listen_on(const struct sockaddr *address, socklen_t length, int backlog) {
  int yes = 1;
  listener = tcp(address->sa_family);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, address, length) || listen(listener, backlog)) die("listen");
}

/* Takes each connection, answers its five bytes with four, and waits for the other end to close. */
static void *serve(void *argument) {
  char bytes[16];
  for (;;) {
    int end = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (end < 0) return argument;
    if (read(end, bytes, 5) == 5 && write(end, "pong", 4) == 4)
      while (read(end, bytes, sizeof bytes) > 0) continue;
    close(end);
  }
}

static void begin_serving(const struct sockaddr *address, socklen_t length) {
  pthread_t thread;
  listen_on(address, length, 128);
  if (pthread_create(&thread, NULL, serve, NULL)) die("thread");
}

static void begin_connect(void) {
  struct sockaddr_in address = ipv4("127.0.0.1", OPEN_PORT);
  begin_serving((struct sockaddr *)&address, sizeof address);
}

static void begin_connect6(void) {
  struct sockaddr_in6 address = ipv6("::", OPEN_PORT_6);
  begin_serving((struct sockaddr *)&address, sizeof address);
}

static bool talk(int end) {
  char bytes[4];
  bool talked = write(end, "ping!", 5) == 5 && recv(end, bytes, 4, MSG_WAITALL) == 4;
  return close(end) == 0 && talked;
}

static bool act_connect(int index) {
  (void)index;
  int end = tcp(AF_INET);
  return connect4(end, "127.0.0.1", OPEN_PORT) == 0 && talk(end);
}

/* ::1, and 127.0.0.1 in the clothes of IPv6. */
static bool act_connect6(int index) {
  (void)index;
  int one = tcp(AF_INET6), other = tcp(AF_INET6);
  bool talked = connect6(one, "::1", OPEN_PORT_6) == 0 && talk(one);
  return connect6(other, "::ffff:127.0.0.1", OPEN_PORT_6) == 0 && talk(other) && talked;
}

static bool act_refused(int index) {
  (void)index;
  int end = tcp(AF_INET);
  bool as_wanted = failed_with(connect4(end, "127.0.0.1", CLOSED_PORT), ECONNREFUSED);
  return close(end) == 0 && as_wanted;
}

static bool act_unreachable(int index) {
  char host[32];
  snprintf(host, sizeof host, "192.0.2.%d", 1 + index % 250);
  int end = tcp(AF_INET);
  bool as_wanted = failed_with(connect4(end, host, 443), ENETUNREACH);
  return close(end) == 0 && as_wanted;
}

/* The queue of this listener is full: whoever comes now gets no answer. */
static void begin_full(void) {
  struct sockaddr_in address = ipv4("127.0.0.1", FULL_PORT);
  listen_on((struct sockaddr *)&address, sizeof address, 0);
  if (connect4(tcp(AF_INET), "127.0.0.1", FULL_PORT)) die("connect");
  /* On a busy machine the last step of that connection comes later, and until then there is room for another. */
  struct tcp_info info = {0};
  for (socklen_t size = sizeof info; info.tcpi_unacked == 0; usleep(1000))
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size)) die("TCP_INFO");
}

static void *connect_until_timeout(void *argument) {
  int once = 1, end = tcp(AF_INET);
  setsockopt(end, IPPROTO_TCP, TCP_SYNCNT, &once, sizeof once);
  *(bool *)argument = failed_with(connect4(end, "127.0.0.1", FULL_PORT), ETIMEDOUT);
  close(end);
  return NULL;
}

static pthread_t waiting[64];
static bool timed_out[64];

static bool act_timeout(int index) {
  if (pthread_create(&waiting[index], NULL, connect_until_timeout, &timed_out[index])) die("thread");
  return false;
}

static int end_timeout(void) {
  int done = 0;
  for (int i = 0; i < instances; i++) {
    pthread_join(waiting[i], NULL);
    if (timed_out[i]) done++;
  }
  return done;
}

static bool act_aborted(int index) {
  (void)index;
  int end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool as_wanted = failed_with(connect4(end, "127.0.0.1", FULL_PORT), EINPROGRESS);
  return close(end) == 0 && as_wanted;
}

/* Ends with a reset as soon as it has begun. */
static bool act_reset(int index) {
  (void)index;
  struct linger at_once = {1, 0};
  int end = tcp(AF_INET);
  setsockopt(end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  bool connected = connect4(end, "127.0.0.1", OPEN_PORT) == 0;
  return close(end) == 0 && connected;
}

static int udp_listener = -1;

static void begin_udp(void) {
  struct sockaddr_in any = ipv4("0.0.0.0", UDP_PORT);
  udp_listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (bind(udp_listener, (struct sockaddr *)&any, sizeof any)) die("bind");
}

static int udp(void) { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

static bool act_sendto(int index) {
  char host[32];
  snprintf(host, sizeof host, "127.1.%d.%d", index / 200, 1 + index % 200);
  struct sockaddr_in address = ipv4(host, UDP_PORT);
  int end = udp();
  bool sent = sendto(end, host, 8, 0, (struct sockaddr *)&address, sizeof address) == 8;
  return close(end) == 0 && sent;
}

static bool act_connected_udp(int index) {
  char host[32];
  snprintf(host, sizeof host, "127.2.%d.%d", index / 200, 1 + index % 200);
  int end = udp();
  bool sent = connect4(end, host, UDP_PORT) == 0 && send(end, "by send", 7, 0) == 7 && write(end, "write", 5) == 5;
  return close(end) == 0 && sent;
}

static bool act_sendmmsg(int index) {
  char hosts[3][32];
  struct sockaddr_in addresses[3];
  struct iovec pieces[3];
  struct mmsghdr messages[3] = {0};
  for (int i = 0; i < 3; i++) {
    snprintf(hosts[i], sizeof hosts[i], "127.%d.%d.%d", 3 + i, index / 200, 1 + index % 200);
    addresses[i] = ipv4(hosts[i], UDP_PORT);
    pieces[i] = (struct iovec){"message", 3 + i};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &addresses[i], .msg_namelen = sizeof addresses[i], .msg_iov = &pieces[i], .msg_iovlen = 1};
  }
  int end = udp();
  bool sent = sendmmsg(end, messages, 3, 0) == 3;
  return close(end) == 0 && sent;
}

/* To the port of QUIC, with the first byte of an Initial; nobody is there. */
static bool act_quic(int index) {
  (void)index;
  static char initial[1200] = {(char)0xc3, 0, 0, 0, 1};
  struct sockaddr_in address = ipv4("127.0.0.1", 443);
  int end = udp();
  bool sent = sendto(end, initial, sizeof initial, 0, (struct sockaddr *)&address, sizeof address) == sizeof initial;
  return close(end) == 0 && sent;
}

static int put_question(unsigned char *message, const char *name, int type) {
  static const unsigned char head[12] = {0, 7, 1, 0, 0, 1};
  memcpy(message, head, sizeof head);
  int length = sizeof head;
  for (const char *label = name; *label;) {
    size_t size = strcspn(label, ".");
    message[length++] = size;
    memcpy(message + length, label, size);
    length += size;
    label += size + (label[size] == '.');
  }
  message[length++] = 0;
  message[length++] = 0;
  message[length++] = type;
  message[length++] = 0;
  message[length++] = 1;
  return length;
}

/* A, TXT and AAAA, by sendto and by write. Nobody answers. */
static bool act_dns(int index) {
  static const int types[] = {1, 16, 28};
  unsigned char message[300];
  char name[80];
  snprintf(name, sizeof name, "host%d.%s.example.test", index, tag);
  struct sockaddr_in address = ipv4("127.0.0.53", 53);
  bool sent = true;
  for (int i = 0; i < 3; i++) {
    int length = put_question(message, name, types[i]), end = udp();
    if (i == 2)
      sent = connect4(end, "127.0.0.53", 53) == 0 && write(end, message, length) == length && sent;
    else
      sent = sendto(end, message, length, 0, (struct sockaddr *)&address, sizeof address) == length && sent;
    close(end);
  }
  return sent;
}

/* DNS over TCP, over TLS, over HTTPS: the ports tell. */
static bool act_dns_elsewhere(int index) {
  static const int ports[] = {53, 853, 443};
  (void)index;
  bool as_wanted = true;
  for (int i = 0; i < 3; i++) {
    int end = tcp(AF_INET);
    as_wanted = failed_with(connect4(end, "127.0.0.53", ports[i]), ECONNREFUSED) && as_wanted;
    close(end);
  }
  return as_wanted;
}

static void begin_unix(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "unix-listener"};
  listen_on((struct sockaddr *)&address, sizeof address, 1024);
}

static bool act_unix(int index) {
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "unix-listener"}, abstract = {.sun_family = AF_UNIX};
  int length = snprintf(abstract.sun_path + 1, 100, "%s", name_of("abstract", index));
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + length;
  int one = tcp(AF_UNIX), server = tcp(AF_UNIX), other = tcp(AF_UNIX);
  bool connected = connect(one, (struct sockaddr *)&path, sizeof path) == 0;
  connected = bind(server, (struct sockaddr *)&abstract, size) == 0 && listen(server, 4) == 0 && connected;
  connected = connect(other, (struct sockaddr *)&abstract, size) == 0 && connected;
  close(one);
  close(server);
  return close(other) == 0 && connected;
}

/* A file goes from one end of a pair of sockets to the other, and is written there. */
static bool act_pass_descriptor(int index) {
  int ends[2], file = open(name_of("passed", index), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), got = -1;
  char byte = 'x', control[CMSG_SPACE(sizeof file)] = {0};
  struct iovec piece = {&byte, 1};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  *part = (struct cmsghdr){CMSG_LEN(sizeof file), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(part), &file, sizeof file);
  if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return false;
  bool passed = sendmsg(ends[0], &message, 0) == 1 && close(file) == 0 && recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC) == 1;
  memcpy(&got, CMSG_DATA(part), sizeof got);
  passed = passed && write(got, "passed", 6) == 6 && close(got) == 0;
  return close(ends[0]) == 0 && close(ends[1]) == 0 && passed;
}

static bool act_netlink(int index) {
  (void)index;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  int end = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  bool bound = bind(end, (struct sockaddr *)&address, sizeof address) == 0;
  return close(end) == 0 && bound;
}

/* No way leads out, so the kernel answers at once; the destination is what counts. */
static bool act_multicast(int index) {
  (void)index;
  struct sockaddr_in address = ipv4("224.0.0.251", 5353);
  int end = udp();
  bool as_wanted = failed_with(sendto(end, "hello", 5, 0, (struct sockaddr *)&address, sizeof address), ENETUNREACH);
  return close(end) == 0 && as_wanted;
}

const struct recall_case NETWORK_CASES[] = {
    {"connect", begin_connect, act_connect, NULL},
    {"connect6", begin_connect6, act_connect6, NULL},
    {"refused", NULL, act_refused, NULL},
    {"unreachable", NULL, act_unreachable, NULL},
    {"timeout", begin_full, act_timeout, end_timeout},
    {"aborted", begin_full, act_aborted, NULL},
    {"reset", begin_connect, act_reset, NULL},
    {"sendto", begin_udp, act_sendto, NULL},
    {"connected-udp", begin_udp, act_connected_udp, NULL},
    {"sendmmsg", begin_udp, act_sendmmsg, NULL},
    {"quic", NULL, act_quic, NULL},
    {"dns", NULL, act_dns, NULL},
    {"dns-elsewhere", NULL, act_dns_elsewhere, NULL},
    {"unix", begin_unix, act_unix, NULL},
    {"pass-descriptor", NULL, act_pass_descriptor, NULL},
    {"netlink", NULL, act_netlink, NULL},
    {"multicast", NULL, act_multicast, NULL},
    {NULL, NULL, NULL, NULL},
};
