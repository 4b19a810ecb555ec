/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Descriptors that are passed through Unix sockets. Included by network.bpf.h. */
#ifndef SENSOR_PASSING_H
#define SENSOR_PASSING_H

/* The kernel passes no more descriptors in one message; a message may have other things before them. */
#define SCM_DESCRIPTORS 253
#define CONTROL_PARTS 4
#define SOL_SOCKET 1
#define SCM_RIGHTS 1

/* struct cmsghdr of a 64-bit program. */
struct user_control {
  u64 bytes;
  s32 level;
  s32 type;
};

struct descriptor_walk {
  const struct ended_call *ended;
  const struct endpoint *endpoint;
  u64 from;
  u32 count;
  u32 received;
};

static long descriptor_step(u32 index, struct descriptor_walk *walk) {
  s32 descriptor = -1;
  if (index >= walk->count || bpf_probe_read_user(&descriptor, sizeof(descriptor), (void *)(walk->from + 4 * index))) return 1;
  struct file *file = file_of(descriptor);
  if (!file) return 0;
  struct draft *draft = begin(KIND_DESCRIPTOR, CLASS_NETWORK, bpf_get_current_task_btf(), walk->ended->container_pid);
  if (!draft) return 0;
  union record_body *body = &draft->header.body;
  fill_file(&body->descriptor.file, file);
  body->descriptor.socket = identity_of(walk->endpoint->sock);
  body->descriptor.type = walk->endpoint->type;
  body->descriptor.protocol = walk->endpoint->protocol;
  body->descriptor.received = walk->received;
  append_file_path(draft, 0, file);
  emit(draft);
  return 0;
}

__noinline int emit_passed(const struct ended_call *ended, const struct endpoint *endpoint, u64 from, u32 count) {
  if (!ended || !endpoint) return 0;
  struct descriptor_walk walk = {.ended = ended, .endpoint = endpoint, .from = from, .count = count};
  walk.received = ended->call.detail & DATAGRAM_RECEIVED;
  bpf_loop(SCM_DESCRIPTORS, descriptor_step, &walk, 0);
  return 0;
}

/* Descriptors that a message on a Unix socket carried: their numbers are those of the current process, sender or receiver. */
__noinline int emit_descriptors(const struct ended_call *ended, const struct endpoint *endpoint, u64 message_at) {
  if (!ended || !endpoint || endpoint->family != AF_UNIX) return 0;
  struct user_message message = {};
  if (bpf_probe_read_user(&message, sizeof(message), (void *)message_at)) return 0;
  u64 at = message.control, end = message.control + message.control_bytes;
  for (u32 part = 0; part < CONTROL_PARTS; part++) {
    struct user_control control = {};
    if (!at || at + sizeof(control) > end || bpf_probe_read_user(&control, sizeof(control), (void *)at)) return 0;
    if (control.bytes < sizeof(control) || control.bytes > end - at) return 0;
    if (control.level == SOL_SOCKET && control.type == SCM_RIGHTS)
      emit_passed(ended, endpoint, at + sizeof(control), (control.bytes - sizeof(control)) / sizeof(s32));
    at += (control.bytes + 7) & ~7ull;
  }
  return 0;
}

#endif
