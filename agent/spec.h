/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_SPEC_H
#define VE_AGENT_SPEC_H

/* [api] What is wanted of a VE, in JSON: from a request, and back. */
#include "agent/ve.h"

struct bean_spec {
	bool there;
	int64_t barrier, limit; /* limit -1: as the barrier */
};

struct spec {
	char template[MSG_NAME], hostname[MSG_HOST], desired[8];
	char ipv6[ADDR_TEXT], network[VE_NETWORK];
	int64_t generation, memory, processes, cpu_weight, disk;
	int64_t cpu_cap, cpus, io_weight, flow_rate, flow_burst;
	int64_t up_rate, up_ceil, down_rate, down_ceil;
	struct bean_spec beans[BEANS];
	struct idle_rule idle;
	bool egress;
};

/* Read and check one; what is not there gets its default.  0, or -EBADMSG and
 * -EINVAL with words. */
int spec_read(struct spec *s, const char *text, size_t len, struct err *e);

void spec_apply(struct ve *v, const struct spec *s);

/* The member "spec". */
void spec_show(const struct ve *v, struct json_out *o);

#endif
