/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* States of TCP connections: up, failed, down. */
#ifndef SENSOR_TCP_H
#define SENSOR_TCP_H

#include "network.bpf.h"

/* In the flags of a socket: the other side's stream has ended. */
#define SOCK_DONE_BIT 2

static __always_inline void append_small(struct small_draft *draft, u32 index, const struct address *address, u32 size) {
  u32 at = draft->used;
  if (at > SMALL_CONTENT_BYTES - V6_BYTES || size > V6_BYTES) return;
  if (bpf_probe_read_kernel(&draft->content[at], size, address)) return;
  draft->header.segment_bytes[index & 7] = size;
  draft->used = at + size;
}

static __always_inline void fill_from_owner(struct record_header *header, const struct socket_owner *owner) {
  header->start_ns = owner->start_ns;
  header->parent_start_ns = owner->parent_start_ns;
  header->pid = owner->pid;
  header->tid = owner->tid;
  header->parent_pid = owner->parent_pid;
  header->container_pid = owner->container_pid;
  header->uid = owner->uid;
  header->gid = owner->gid;
  __builtin_memcpy(header->comm, owner->comm, sizeof(header->comm));
}

static __always_inline void fill_tcp(union record_body *body, const struct sock *sock, int from, int to) {
  const struct tcp_sock *tcp = (const void *)sock;
  u64 received = BPF_CORE_READ(tcp, bytes_received);
  /* The end of the other side's stream counts as a byte there. */
  if (received && BPF_CORE_READ(sock, __sk_common.skc_flags) & SOCK_DONE_BIT) received--;
  body->tcp.socket = identity_of(sock);
  body->tcp.bytes_received = received;
  body->tcp.bytes_sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
  body->tcp.type = BPF_CORE_READ(sock, sk_type);
  body->tcp.protocol = BPF_CORE_READ(sock, sk_protocol);
  body->tcp.from = from;
  body->tcp.to = to;
  body->tcp.error = BPF_CORE_READ(sock, sk_err);
}

/*
 * A connection came up, could not, or went down. Runs in interrupts too: the current task means nothing but at its start.
 * Done twice for the same change it does nothing the second time.
 */
static __always_inline int tell_tcp_state(const struct sock *sock, int from, int to, u32 round) {
  u64 key = (u64)sock;
  if (to == STATE_SYN_SENT || to == STATE_SYN_RECEIVED) {
    /* The memory of a socket begins a new life, whoever had it before. */
    struct followed *known = to == STATE_SYN_SENT ? followed_now() : 0;
    if (known) own_socket(sock, known->container_pid);
    else if (bpf_map_lookup_elem(&socket_owners, &key)) bpf_map_delete_elem(&socket_owners, &key);
    return 0;
  }
  if (to != STATE_CLOSE && !(to == STATE_ESTABLISHED && from == STATE_SYN_SENT)) return 0;
  struct socket_owner *owner = bpf_map_lookup_elem(&socket_owners, &key);
  struct small_draft *draft = bpf_map_lookup_elem(&small_drafts, &round);
  if (!owner || !draft || (to == STATE_ESTABLISHED && owner->established)) return 0;
  if (to == STATE_ESTABLISHED) owner->established = 1;
  struct address address = {};
  draft->used = 0;
  fill_header(&draft->header, KIND_TCP_STATE, CLASS_NETWORK);
  fill_from_owner(&draft->header, owner);
  fill_tcp(&draft->header.body, sock, from, to);
  append_small(draft, 0, &address, socket_address(sock, false, &address));
  append_small(draft, 1, &address, socket_address(sock, true, &address));
  u32 used = draft->used;
  if (used > SMALL_CONTENT_BYTES) return 0;
  hand_over(&draft->header, sizeof(struct record_header) + used);
  if (to == STATE_CLOSE) bpf_map_delete_elem(&socket_owners, &key);
  return 0;
}

/*
 * Two programs do the same: the kernel leaves one out when an interrupt comes while it is at work on that processor, as on a
 * busy machine it does. The other one is not at work then.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tcp_state, const struct sock *sock, int from, int to) {
  return tell_tcp_state(sock, from, to, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tcp_state_again, const struct sock *sock, int from, int to) {
  return tell_tcp_state(sock, from, to, 1);
}

#endif
