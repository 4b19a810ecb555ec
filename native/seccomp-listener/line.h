/* One line of output: a JSON object. Bytes of the container are written in hex, so that no text of it needs escaping. */
#pragma once
#include <stddef.h>
#include <stdint.h>

void line_begin(const char *kind);
void line_number(const char *key, int64_t value);
void line_bytes(const char *key, const void *bytes, size_t length);
/* Plain text of our own, without quotes or backslashes. */
void line_text(const char *key, const char *text);
/* Puts the line into the ring whole, or counts it as dropped. */
void line_end(void);
