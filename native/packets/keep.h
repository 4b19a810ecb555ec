// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* One end of TCP connections whose payload is recorded elsewhere: address and port in network byte order. */
struct endpoint {
  bool set;
  uint32_t address;
  uint16_t port;
};

/* Reads `a.b.c.d:port`. @returns whether it is one. */
bool read_endpoint(const char *text, struct endpoint *endpoint);
/* How many of the first `length` bytes of an Ethernet frame are kept: those of the headers where it goes to or comes from `endpoint`. */
uint32_t kept_length(const uint8_t *frame, uint32_t length, const struct endpoint *endpoint);
