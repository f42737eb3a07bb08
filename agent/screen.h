/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_SCREEN_H
#define VE_AGENT_SCREEN_H

/*
 * [term] What a terminal shows, by libvterm: for a client whose place in the
 * output is gone, a repaint instead of the bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/buf.h"

struct screen;

struct screen *screen_create(uint16_t cols, uint16_t rows);
void screen_destroy(struct screen *s);
void screen_feed(struct screen *s, const void *data, size_t n);
void screen_resize(struct screen *s, uint16_t cols, uint16_t rows);

/* Append control sequences that paint it on any fresh xterm. */
void screen_paint(struct screen *s, struct buf *out);

#endif
