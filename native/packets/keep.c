// SPDX-License-Identifier: Apache-2.0
#include "keep.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define ETHERNET_BYTES 14
#define TYPE_AT 12
#define IP_BYTES 20
#define TCP_BYTES 20

bool read_endpoint(const char *text, struct endpoint *endpoint) {
  char address[16];
  unsigned port;
  char rest;
  struct in_addr parsed;
  if (sscanf(text, "%15[0-9.]:%5u%c", address, &port, &rest) != 2 || port == 0 || port > 65535) return false;
  if (inet_pton(AF_INET, address, &parsed) != 1) return false;
  *endpoint = (struct endpoint){.set = true, .address = parsed.s_addr, .port = htons(port)};
  return true;
}

static uint16_t short_at(const uint8_t *bytes) {
  uint16_t value;
  memcpy(&value, bytes, sizeof(value));
  return value;
}

static uint32_t word_at(const uint8_t *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof(value));
  return value;
}

uint32_t kept_length(const uint8_t *frame, uint32_t length, const struct endpoint *endpoint) {
  if (!endpoint->set || length < ETHERNET_BYTES + IP_BYTES || short_at(frame + TYPE_AT) != htons(0x0800)) return length;
  const uint8_t *ip = frame + ETHERNET_BYTES;
  uint32_t ip_bytes = (ip[0] & 15) * 4;
  // A later fragment has no ports.
  if (ip[0] >> 4 != 4 || ip_bytes < IP_BYTES || ip[9] != IPPROTO_TCP || (short_at(ip + 6) & htons(0x1fff))) return length;
  if (length < ETHERNET_BYTES + ip_bytes + TCP_BYTES) return length;
  const uint8_t *tcp = ip + ip_bytes;
  bool is_from = word_at(ip + 12) == endpoint->address && short_at(tcp) == endpoint->port;
  bool is_to = word_at(ip + 16) == endpoint->address && short_at(tcp + 2) == endpoint->port;
  if (!is_from && !is_to) return length;
  uint32_t tcp_bytes = (tcp[12] >> 4) * 4;
  uint32_t headers = ETHERNET_BYTES + ip_bytes + (tcp_bytes < TCP_BYTES ? TCP_BYTES : tcp_bytes);
  return headers < length ? headers : length;
}
