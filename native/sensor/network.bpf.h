/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sockets: calls on them, and datagrams with DNS payload. */
#ifndef SENSOR_NETWORK_H
#define SENSOR_NETWORK_H

#include "files.bpf.h"
#include <bpf/bpf_endian.h>

#define AF_UNIX 1
#define AF_INET 2
#define AF_NETLINK 16
#define AF_INET6 10
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_TYPE_MASK 0xf
#define DNS_PORT 53
#define MSG_PEEK 2
#define EAGAIN 11
#define EINTR 4
#define ERESTARTSYS 512
/* The kernel takes no more messages in one call. */
#define MESSAGES 1024
#define MESSAGE_BYTES 64
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262

enum tcp_state { STATE_ESTABLISHED = 1, STATE_SYN_SENT = 2, STATE_SYN_RECEIVED = 3, STATE_CLOSE = 7 };

struct endpoint {
  struct sock *sock;
  u16 type, protocol, family, local_port;
};

/* A sockaddr as programs know it, for IPv4 and IPv6. */
struct address {
  u16 family;
  u16 port; /* network order */
  union {
    u32 v4;
    struct {
      u32 flow;
      struct in6_addr v6;
      u32 scope;
    };
  };
};
#define V4_BYTES 16
#define V6_BYTES 28

/* struct msghdr of a 64-bit program. */
struct user_message {
  u64 name;
  u32 name_bytes;
  u32 gap;
  u64 vector;
  u64 vector_length;
  u64 control;
  u64 control_bytes;
  u32 flags;
};

struct user_piece {
  u64 base;
  u64 bytes;
};

/* The verifier forbids arithmetic on a typed pointer; as a number that went through memory it may be mixed. */
static __always_inline u64 number_of(const void *pointer) {
  u64 number = 0;
  bpf_probe_read_kernel(&number, sizeof(number), &pointer);
  return number;
}

/* A number that stands for the socket while it lives. */
static __always_inline u64 identity_of(const struct sock *sock) {
  if (!sock) return 0;
  u64 mixed = number_of(sock) ^ constants.socket_secret;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
  return mixed ^ (mixed >> 31);
}

/* Returns 1 when the descriptor of the current process is a socket. */
__noinline int find_endpoint(u32 descriptor, struct endpoint *endpoint) {
  if (!endpoint) return 0;
  struct file *file = file_of(descriptor);
  if (!file || (mode_of(file) & S_IFMT) != S_IFSOCK) return 0;
  struct socket *socket = BPF_CORE_READ(file, private_data);
  struct sock *sock = BPF_CORE_READ(socket, sk);
  if (!sock) return 0;
  endpoint->sock = sock;
  endpoint->type = BPF_CORE_READ(socket, type);
  endpoint->protocol = BPF_CORE_READ(sock, sk_protocol);
  endpoint->family = BPF_CORE_READ(sock, __sk_common.skc_family);
  endpoint->local_port = BPF_CORE_READ(sock, __sk_common.skc_num);
  return 1;
}

/* Fills in one end of an IPv4 or IPv6 socket; returns its size, 0 for other families. */
static __noinline u32 socket_address(const struct sock *sock, bool remote, struct address *address) {
  u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
  address->family = family;
  /* Not skc_num: a connection that goes down has already given it back. */
  const struct inet_sock *inet = (const void *)sock;
  address->port = remote ? BPF_CORE_READ(sock, __sk_common.skc_dport) : BPF_CORE_READ(inet, inet_sport);
  if (family == AF_INET) {
    address->v4 = remote ? BPF_CORE_READ(sock, __sk_common.skc_daddr) : BPF_CORE_READ(sock, __sk_common.skc_rcv_saddr);
    return V4_BYTES;
  }
  if (family != AF_INET6) return 0;
  address->flow = 0;
  address->scope = 0;
  if (remote) BPF_CORE_READ_INTO(&address->v6, sock, __sk_common.skc_v6_daddr);
  else BPF_CORE_READ_INTO(&address->v6, sock, __sk_common.skc_v6_rcv_saddr);
  return V6_BYTES;
}

static __always_inline void append_socket_address(struct draft *draft, u32 index, const struct endpoint *endpoint, bool remote) {
  struct address address = {};
  struct sock *sock = endpoint->sock;
  u32 size = socket_address(sock, remote, &address);
  if (size) {
    append_bytes(draft, index, &address, size, V6_BYTES, false);
    return;
  }
  if (endpoint->family != AF_UNIX) {
    append_bytes(draft, index, &address.family, sizeof(address.family), V6_BYTES, false);
    return;
  }
  struct unix_sock *unix_socket = (void *)sock;
  struct unix_address *name = BPF_CORE_READ(unix_socket, addr);
  u32 length = name ? BPF_CORE_READ(name, len) : 0;
  if (length) append_bytes(draft, index, &name->name, length, ADDRESS_BYTES, false);
  else append_bytes(draft, index, &address.family, sizeof(address.family), V6_BYTES, false);
}

static __noinline int fill_owner(struct socket_owner *owner, u32 container_pid) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct task_struct *parent = task->real_parent;
  owner->start_ns = task->group_leader->start_boottime;
  owner->parent_start_ns = parent->group_leader->start_boottime;
  owner->pid = task->tgid;
  owner->tid = task->pid;
  owner->parent_pid = parent->tgid;
  owner->container_pid = container_pid;
  owner->uid = task->cred->euid.val;
  owner->gid = task->cred->egid.val;
  bpf_get_current_comm(owner->comm, sizeof(owner->comm));
  return 0;
}

/* Its later states are told as those of the current process. */
static __noinline int own_socket(const struct sock *sock, u32 container_pid) {
  struct socket_owner owner = {};
  u64 key = (u64)sock;
  fill_owner(&owner, container_pid);
  if (!bpf_map_update_elem(&socket_owners, &key, &owner, BPF_ANY)) return 0;
  /* No room: its end can't be told. */
  __sync_fetch_and_add(&variables.counters.emitted[CLASS_NETWORK], 1);
  __sync_fetch_and_add(&variables.counters.lost[CLASS_NETWORK], 1);
  return 0;
}

/* One that was reset before it was taken has had its last state: whoever gets its memory next must not inherit the owner. */
static __noinline int own_accepted(const struct sock *sock, u32 container_pid) {
  u64 key = (u64)sock;
  own_socket(sock, container_pid);
  if (BPF_CORE_READ(sock, __sk_common.skc_state) == STATE_CLOSE) bpf_map_delete_elem(&socket_owners, &key);
  return 0;
}

static __always_inline struct draft *begin_socket(u8 kind, const struct ended_call *ended, const struct endpoint *endpoint) {
  struct draft *draft = begin(kind, CLASS_NETWORK, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->socket.socket = identity_of(endpoint->sock);
  body->socket.result = ended->result;
  body->socket.type = endpoint->type;
  body->socket.protocol = endpoint->protocol;
  body->socket.family = endpoint->family;
  return draft;
}

/* connect, bind, listen */
__noinline int handle_address(const struct ended_call *ended) {
  if (!ended) return 0;
  struct endpoint endpoint = {};
  u8 kind = ended->call.detail;
  find_endpoint(ended->arguments[0], &endpoint);
  struct draft *draft = begin_socket(kind, ended, &endpoint);
  if (!draft) return 0;
  if (kind != KIND_LISTEN) append_bytes(draft, 0, (void *)ended->arguments[1], ended->arguments[2], ADDRESS_BYTES, true);
  else if (endpoint.sock) append_socket_address(draft, 0, &endpoint, false);
  emit(draft);
  return 0;
}

__noinline int handle_accept(const struct ended_call *ended) {
  if (!ended) return 0;
  struct endpoint endpoint = {};
  s64 result = ended->result;
  /* A server that waits asks again and again. */
  if (result == -EAGAIN || result == -EINTR || result == -ERESTARTSYS) return 0;
  find_endpoint(result < 0 ? ended->arguments[0] : result, &endpoint);
  struct draft *draft = begin_socket(KIND_ACCEPT, ended, &endpoint);
  if (!draft) return 0;
  if (result >= 0 && endpoint.sock) {
    /* Who connected to a unix socket has no name as a rule: the name of the socket it came to says more. */
    append_socket_address(draft, 0, &endpoint, endpoint.family != AF_UNIX);
    if (endpoint.family != AF_UNIX) append_socket_address(draft, 1, &endpoint, false);
    if (endpoint.protocol == IPPROTO_TCP || endpoint.protocol == IPPROTO_MPTCP) own_accepted(endpoint.sock, ended->container_pid);
  }
  emit(draft);
  return 0;
}

/* socket(2) of the families whose traffic no other record tells of, and of raw sockets. */
__noinline int handle_socket(const struct ended_call *ended) {
  if (!ended) return 0;
  struct endpoint endpoint = {};
  u32 family = ended->arguments[0];
  endpoint.family = family;
  endpoint.type = ended->arguments[1] & SOCK_TYPE_MASK;
  endpoint.protocol = ended->arguments[2];
  if (family == AF_UNIX || family == AF_NETLINK) return 0;
  if ((family == AF_INET || family == AF_INET6) && endpoint.type != SOCK_RAW) return 0;
  struct draft *draft = begin_socket(KIND_SOCKET, ended, &endpoint);
  if (draft) emit(draft);
  return 0;
}

/* One datagram that was sent or received, or could not be sent. */
struct datagram {
  u64 name; /* address that the program passed, or 0 */
  u64 buffer;
  u64 requested;
  s64 result;
  u32 received;
};

static __always_inline u32 name_size(u16 family) {
  if (family == AF_INET) return V4_BYTES;
  if (family == AF_INET6) return V6_BYTES;
  return family == AF_UNIX ? ADDRESS_BYTES - 18 : 0; /* sizeof(struct sockaddr_un) */
}

static __noinline int is_dns(const struct endpoint *endpoint, u16 remote_port, u32 received) {
  u64 key = (u64)endpoint->sock;
  u8 one = 1;
  if (received) return remote_port == DNS_PORT || endpoint->local_port == DNS_PORT || bpf_map_lookup_elem(&dns_sockets, &key) != 0;
  if (remote_port == DNS_PORT) bpf_map_update_elem(&dns_sockets, &key, &one, BPF_ANY);
  return remote_port == DNS_PORT || endpoint->local_port == DNS_PORT;
}

/* Whether the program named the other end itself; only family and port are read then. */
static __always_inline bool is_named(const struct datagram *datagram, struct address *remote) {
  return datagram->name && !bpf_probe_read_user(remote, 4, (void *)datagram->name) && name_size(remote->family) > 0;
}

__noinline int emit_datagram(const struct ended_call *ended, const struct endpoint *endpoint, const struct datagram *datagram) {
  if (!ended || !endpoint || !datagram) return 0;
  struct address remote = {};
  bool named = is_named(datagram, &remote);
  u32 remote_bytes = named ? name_size(remote.family) : socket_address(endpoint->sock, true, &remote);
  /* A unix socket without a name is a pair of processes that talk; with one it is a service. */
  if (endpoint->family == AF_UNIX && (!named || datagram->received)) return 0;
  bool dns = endpoint->family != AF_UNIX && is_dns(endpoint, bpf_ntohs(remote.port), datagram->received);
  if (datagram->received && !dns) return 0;
  struct draft *draft = begin(KIND_DATAGRAM, CLASS_NETWORK, bpf_get_current_task_btf(), ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  body->datagram.socket = identity_of(endpoint->sock);
  body->datagram.type = endpoint->type;
  body->datagram.protocol = endpoint->protocol;
  body->datagram.result = datagram->result;
  body->datagram.size_bytes = datagram->result < 0 ? datagram->requested : (u64)datagram->result;
  body->datagram.messages = 1;
  body->datagram.received = datagram->received;
  if (named) append_bytes(draft, 0, (void *)datagram->name, remote_bytes, ADDRESS_BYTES, true);
  /* A socket that is not connected, and a program that did not ask who sent it: unknown. */
  else if (remote.port) append_bytes(draft, 0, &remote, remote_bytes, V6_BYTES, false);
  if (dns) append_bytes(draft, 1, (void *)datagram->buffer, body->datagram.size_bytes, PAYLOAD_BYTES, true);
  emit(draft);
  return 0;
}

/* Where datagrams are looked for: everything that is no stream. */
static __always_inline bool takes_datagrams(u32 descriptor, struct endpoint *endpoint) {
  if (!find_endpoint(descriptor, endpoint)) return false;
  if (endpoint->type != SOCK_DGRAM && endpoint->type != SOCK_RAW) return false;
  return endpoint->family == AF_INET || endpoint->family == AF_INET6 || endpoint->family == AF_UNIX;
}

/* An empty queue is no event. */
static __always_inline bool is_nothing(u32 received, s64 result) { return received && result <= 0; }

static __always_inline void first_piece(u64 vector, struct datagram *datagram) {
  struct user_piece piece = {};
  bpf_probe_read_user(&piece, sizeof(piece), (void *)vector);
  datagram->buffer = piece.base;
  datagram->requested = piece.bytes;
}

/* sendto, recvfrom, and read and write, which do the same on a connected socket. */
__noinline int handle_datagram(const struct ended_call *ended) {
  if (!ended) return 0;
  const struct call *call = &ended->call;
  struct datagram datagram = {.result = ended->result, .received = call->detail & DATAGRAM_RECEIVED};
  if (is_nothing(datagram.received, datagram.result)) return 0;
  struct endpoint endpoint = {};
  if (!takes_datagrams(ended->arguments[0], &endpoint)) return 0;
  if (call->target_name && datagram.received && ended->arguments[3] & MSG_PEEK) return 0;
  datagram.name = argument_of(ended, call->target_name);
  datagram.buffer = ended->arguments[1];
  datagram.requested = ended->arguments[2];
  if (call->detail & DATAGRAM_VECTOR) first_piece(ended->arguments[1], &datagram);
  return emit_datagram(ended, &endpoint, &datagram);
}

__noinline int emit_message(const struct ended_call *ended, const struct endpoint *endpoint, u64 message_at, s64 result) {
  if (!ended || !endpoint) return 0;
  struct user_message message = {};
  struct datagram datagram = {.result = result, .received = ended->call.detail & DATAGRAM_RECEIVED};
  if (bpf_probe_read_user(&message, sizeof(message), (void *)message_at)) return 0;
  datagram.name = message.name;
  first_piece(message.vector, &datagram);
  return emit_datagram(ended, endpoint, &datagram);
}

#include "passing.bpf.h"

__noinline int handle_message(const struct ended_call *ended) {
  if (!ended) return 0;
  struct endpoint endpoint = {};
  bool received = ended->call.detail & DATAGRAM_RECEIVED;
  bool takes = takes_datagrams(ended->arguments[0], &endpoint);
  if (ended->result >= 0) emit_descriptors(ended, &endpoint, ended->arguments[1]);
  if (!takes || is_nothing(received, ended->result) || (received && ended->arguments[2] & MSG_PEEK)) return 0;
  return emit_message(ended, &endpoint, ended->arguments[1], ended->result);
}

struct message_walk {
  const struct ended_call *ended;
  const struct endpoint *endpoint;
  u64 messages;
  u32 count;
  u32 datagrams;
};

static long message_step(u32 index, struct message_walk *walk) {
  if (index >= walk->count) return 1;
  u64 at = walk->messages + index * MESSAGE_BYTES;
  u32 size = 0;
  /* The kernel has written how much of each message it took, behind its header. */
  bpf_probe_read_user(&size, sizeof(size), (void *)(at + MESSAGE_BYTES - 8));
  emit_descriptors(walk->ended, walk->endpoint, at);
  if (walk->datagrams) emit_message(walk->ended, walk->endpoint, at, size);
  return 0;
}

__noinline int handle_messages(const struct ended_call *ended) {
  if (!ended) return 0;
  struct endpoint endpoint = {};
  bool received = ended->call.detail & DATAGRAM_RECEIVED;
  bool takes = takes_datagrams(ended->arguments[0], &endpoint);
  if (!takes && endpoint.family != AF_UNIX) return 0;
  if (is_nothing(received, ended->result) || (received && ended->arguments[3] & MSG_PEEK)) return 0;
  if (ended->result < 0) return takes ? emit_message(ended, &endpoint, ended->arguments[1], ended->result) : 0;
  struct message_walk walk = {.ended = ended, .endpoint = &endpoint, .messages = ended->arguments[1], .count = ended->result, .datagrams = takes};
  bpf_loop(MESSAGES, message_step, &walk, 0);
  return 0;
}

#endif
