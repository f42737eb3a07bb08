// SPDX-License-Identifier: Apache-2.0
#include "agent/name.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"

bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n < MSG_NAME && s[0] != '-' &&
	       !s[strspn(s, LOWER "-")];
}

static bool is_label(const char *s, size_t n)
{
	static const char inner[] = LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";

	if (n < 1 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(inner, s[i]))
			return false;
	return true;
}

bool is_hostname(const char *s)
{
	if (strlen(s) >= MSG_HOST)
		return false;
	for (;;) {
		size_t n = strcspn(s, ".");

		if (!is_label(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

bool is_veid(int64_t veid)
{
	return veid >= 1 && veid <= INT32_MAX;
}

static bool is_rate(const struct rate *r)
{
	if (!r->rate)
		return !r->ceil;
	return r->rate >= RATE_MIN && r->rate <= r->ceil && r->ceil <= RATE_MAX;
}

bool is_limits(const struct limits *l)
{
	return l->memory >= (4u << 20) && l->memory <= (1ull << 50) &&
	       l->disk <= DISK_MAX && l->processes >= 4 &&
	       l->processes <= 4000000 && l->cpu_weight >= 1 &&
	       l->cpu_weight <= 10000 && l->egress <= 1 &&
	       l->cpu_cap <= 100 * CPUS_MAX && l->cpus <= CPUS_MAX &&
	       l->io_weight <= 10000 && is_rate(&l->up) && is_rate(&l->down) &&
	       l->flow_rate <= FLOWS_MAX && l->flow_burst <= FLOWS_MAX &&
	       beans_check(&l->beans, NULL) == 0;
}
