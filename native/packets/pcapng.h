// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/*
 * Writes pcapng (IETF draft-ietf-opsawg-pcapng) to standard output: one section, times in nanoseconds. All return 0, or -1
 * when the reader is gone.
 */
enum link_type { LINK_ETHERNET = 1, LINK_RAW_IP = 101, LINK_UNKNOWN = 147 };

struct interface_counts {
  uint64_t received, dropped, delivered;
};

int pcapng_section(void);
int pcapng_interface(const char *name, enum link_type link, uint32_t snap_bytes);
int pcapng_packet(uint32_t interface, uint64_t time_ns, const uint8_t *data, uint32_t kept, uint32_t length);
/* What came so far. `is_last`: nothing follows. */
int pcapng_statistics(uint32_t interface, uint64_t time_ns, const struct interface_counts *counts, int is_last);
int pcapng_flush(void);
