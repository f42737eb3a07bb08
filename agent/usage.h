/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_USAGE_H
#define VE_AGENT_USAGE_H

/*
 * [api] What VEs use of what they are bounded in, and what was refused to them.
 * A request never waits for priv itself: it asks, sleeps, and finds the answer
 * when it is called again.
 */
#include "agent/libve/buf.h"
#include "agent/libve/json.h"
#include "agent/msg.h"

#define USAGE_MS 1000 /* an answer of that age will do */

void usage_start(void);

/* The answer of @since (clock_mono()) or later, if there is one. */
bool usage_get(uint32_t veid, int64_t since, struct msg_usage *u);
/* An answer from before will not do: its bounds have changed. */
void usage_forget(uint32_t veid);
/* Have priv asked; http_wake() of the VE when it has answered. */
void usage_ask(uint32_t veid);

/* The member "usage" of a status; null when nothing is counted. */
void usage_show(const struct msg_usage *u, struct json_out *o);

/* Events of what priv read; takes the state lock. */
void usage_refused(const struct msg_refusals *m);

/* Its rows of /metrics. */
void usage_metrics(struct buf *b);

#endif
