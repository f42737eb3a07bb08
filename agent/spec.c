// SPDX-License-Identifier: Apache-2.0
#include "agent/spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/http.h"
#include "agent/name.h"

static const struct json_field bean_fields[] = {
	JSON_ROW_INT("barrier", struct bean_spec, barrier, JSON_REQUIRED, 0,
		     BEAN_MAX),
	JSON_ROW_INT("limit", struct bean_spec, limit, 0, 0, BEAN_MAX),
	JSON_ROW_END,
};

/* limits and what is like it lie flat in struct spec: their objects are read at
 * the same base */
static const struct json_field limit_fields[] = {
	JSON_ROW_INT("memory_bytes", struct spec, memory, 0, 4 << 20,
		     1LL << 50),
	JSON_ROW_INT("processes", struct spec, processes, 0, 4, 4000000),
	JSON_ROW_INT("cpu_weight", struct spec, cpu_weight, 0, 1, 10000),
	JSON_ROW_INT("disk_bytes", struct spec, disk, 0, 0, 1LL << 50),
#define ROW(number, name)                                                \
	{ name, JSON_OBJECT, 0, offsetof(struct spec, beans[number]), 0, \
	  0, 0, offsetof(struct spec, beans[number].there), bean_fields },
	BEAN_ROWS(ROW)
	JSON_ROW_END,
};

static const struct json_field cpu_fields[] = {
	JSON_ROW_INT("weight", struct spec, cpu_weight, 0, 1, 10000),
	JSON_ROW_INT("cap_percent", struct spec, cpu_cap, 0, 0,
		     100 * CPUS_MAX),
	JSON_ROW_INT("cpus", struct spec, cpus, 0, 0, CPUS_MAX),
	JSON_ROW_END,
};

static const struct json_field up_fields[] = {
	JSON_ROW_INT("rate", struct spec, up_rate, 0, 0, RATE_MAX),
	JSON_ROW_INT("ceil", struct spec, up_ceil, 0, 0, RATE_MAX),
	JSON_ROW_END,
};

static const struct json_field down_fields[] = {
	JSON_ROW_INT("rate", struct spec, down_rate, 0, 0, RATE_MAX),
	JSON_ROW_INT("ceil", struct spec, down_ceil, 0, 0, RATE_MAX),
	JSON_ROW_END,
};

#define FLAT(key, table)                                        \
	{                                                       \
		key, JSON_OBJECT, 0, 0, 0, 0, 0, JSON_NO_SEEN, table \
	}

static const struct json_field bandwidth_fields[] = {
	FLAT("up", up_fields),
	FLAT("down", down_fields),
	JSON_ROW_END,
};

static const struct json_field flow_fields[] = {
	JSON_ROW_INT("rate", struct spec, flow_rate, 0, 0, FLOWS_MAX),
	JSON_ROW_INT("burst", struct spec, flow_burst, 0, 0, FLOWS_MAX),
	JSON_ROW_END,
};

#define MOST_S 31536000 /* a year */

static const struct json_field idle_fields[] = {
	JSON_ROW_INT("idle_after_s", struct spec, idle.idle_after, 0, 0,
		     MOST_S),
	JSON_ROW_INT("stop_after_s", struct spec, idle.stop_after, 0, 0,
		     MOST_S),
	JSON_ROW_INT("archive_after_s", struct spec, idle.archive_after, 0, 0,
		     MOST_S),
	JSON_ROW_INT("lease_max_s", struct spec, idle.lease_max, 0, 0, MOST_S),
	JSON_ROW_INT("warn_s", struct spec, idle.warn, 0, 0, MOST_S),
	JSON_ROW_INT("busy_permille", struct spec, idle.busy, 0, 1, 1000),
	JSON_ROW_END,
};

static const struct json_field spec_fields[] = {
	JSON_ROW_STRING("template", struct spec, template, JSON_REQUIRED, 1,
			32),
	JSON_ROW_STRING("hostname", struct spec, hostname, 0, 1, 64),
	JSON_ROW_STRING("desired", struct spec, desired, JSON_REQUIRED, 7, 7),
	JSON_ROW_INT("generation", struct spec, generation, JSON_REQUIRED, 1,
		     INT64_MAX),
	FLAT("limits", limit_fields),
	FLAT("cpu", cpu_fields),
	FLAT("bandwidth", bandwidth_fields),
	FLAT("flows", flow_fields),
	JSON_ROW_INT("io_weight", struct spec, io_weight, 0, 1, 10000),
	FLAT("idle", idle_fields),
	JSON_ROW_BOOL("egress", struct spec, egress, 0),
	JSON_ROW_STRING("ipv6", struct spec, ipv6, JSON_NULLABLE, 2, 45),
	JSON_ROW_STRING("network", struct spec, network, JSON_NULLABLE, 1,
			VE_NETWORK - 1),
	JSON_ROW_END,
};

static struct beans beans_of(const struct spec *s)
{
	struct beans b = { 0 };

	for (unsigned i = 0; i < BEANS; i++) {
		const struct bean_spec *x = &s->beans[i];

		if (x->there)
			bean_set(&b, i, (uint64_t)x->barrier,
				 (uint64_t)(x->limit < 0 ? x->barrier
							 : x->limit));
	}
	return b;
}

/* One of the two is enough: the other is the same then. */
static struct rate rate_of(int64_t rate, int64_t ceil)
{
	return (struct rate){ (uint64_t)(rate ? rate : ceil),
			      (uint64_t)(ceil ? ceil : rate) };
}

static int check_rate(const char *way, int64_t rate, int64_t ceil,
		      struct err *e)
{
	struct rate r = rate_of(rate, ceil);

	if (r.rate && r.rate < RATE_MIN)
		return err_set(e, -EINVAL,
			       "bandwidth %s: less than %d bytes a second",
			       way, RATE_MIN);
	if (r.ceil < r.rate)
		return err_set(e, -EINVAL,
			       "bandwidth %s: the ceiling %" PRIu64
			       " is below the rate %" PRIu64,
			       way, r.ceil, r.rate);
	return 0;
}

static int check(const struct spec *s, struct err *e)
{
	struct beans b = beans_of(s);
	struct addr a;

	if (!is_name(s->template))
		return err_set(e, -EINVAL, "'%s' is no template's name",
			       s->template);
	if (s->hostname[0] && !is_hostname(s->hostname))
		return err_set(e, -EINVAL, "'%s' is no host name", s->hostname);
	if (strcmp(s->desired, "running") && strcmp(s->desired, "stopped"))
		return err_set(e, -EINVAL,
			       "desired must be \"running\" or"
			       " \"stopped\"");
	if (s->ipv6[0] && (addr_parse(&a, s->ipv6) < 0 || a.family != 6 ||
			   !addr_is_host(&a)))
		return err_set(e, -EINVAL, "'%s' is no host's IPv6 address",
			       s->ipv6);
	if (check_rate("up", s->up_rate, s->up_ceil, e) < 0 ||
	    check_rate("down", s->down_rate, s->down_ceil, e) < 0)
		return -EINVAL;
	return beans_check(&b, e);
}

int spec_read(struct spec *s, const char *text, size_t len, struct err *e)
{
	*s = (struct spec){ .memory = 256 << 20,
			    .processes = 256,
			    .cpu_weight = 100,
			    .disk = 1LL << 30,
			    .idle.warn = 120,
			    .idle.busy = 20,
			    .egress = true };
	for (unsigned i = 0; i < BEANS; i++)
		s->beans[i].limit = -1;
	if (json_decode(text, len, BODY_MAX, spec_fields, s, true, e) < 0)
		return -EBADMSG;
	return check(s, e);
}

void spec_apply(struct ve *v, const struct spec *s)
{
	snprintf(v->template, sizeof(v->template), "%s", s->template);
	if (s->hostname[0])
		snprintf(v->hostname, sizeof(v->hostname), "%s", s->hostname);
	else
		snprintf(v->hostname, sizeof(v->hostname), "ve%" PRIu32,
			 v->veid);
	snprintf(v->ipv6, sizeof(v->ipv6), "%s", s->ipv6);
	snprintf(v->network, sizeof(v->network), "%s", s->network);
	v->want_running = !strcmp(s->desired, "running");
	v->generation = s->generation;
	v->idle = s->idle;
	v->limits = (struct limits){
		.memory = (uint64_t)s->memory,
		.disk = (uint64_t)s->disk,
		.up = rate_of(s->up_rate, s->up_ceil),
		.down = rate_of(s->down_rate, s->down_ceil),
		.beans = beans_of(s),
		.processes = (uint32_t)s->processes,
		.cpu_weight = (uint32_t)s->cpu_weight,
		.cpu_cap = (uint32_t)s->cpu_cap,
		.cpus = (uint32_t)s->cpus,
		.io_weight = (uint32_t)s->io_weight,
		.flow_rate = (uint32_t)s->flow_rate,
		.flow_burst = (uint32_t)s->flow_burst,
		.egress = s->egress,
	};
}

static void show_limits(const struct limits *l, struct json_out *o)
{
	json_open(o, "limits", '{');
	json_put_int(o, "memory_bytes", (int64_t)l->memory);
	json_put_int(o, "processes", l->processes);
	json_put_int(o, "cpu_weight", l->cpu_weight);
	json_put_int(o, "disk_bytes", (int64_t)l->disk);
	for (unsigned i = 0; i < BEANS; i++) {
		if (!bean_is_set(&l->beans, i))
			continue;
		json_open(o, bean_name(i), '{');
		json_put_int(o, "barrier", (int64_t)l->beans.of[i].barrier);
		json_put_int(o, "limit", (int64_t)l->beans.of[i].limit);
		json_close(o, '}');
	}
	json_close(o, '}');
	json_open(o, "cpu", '{');
	json_put_int(o, "weight", l->cpu_weight);
	json_put_int(o, "cap_percent", l->cpu_cap);
	json_put_int(o, "cpus", l->cpus);
	json_close(o, '}');
	if (l->io_weight)
		json_put_int(o, "io_weight", l->io_weight);
}

static void show_rate(const struct rate *r, const char *way, struct json_out *o)
{
	json_open(o, way, '{');
	json_put_int(o, "rate", (int64_t)r->rate);
	json_put_int(o, "ceil", (int64_t)r->ceil);
	json_close(o, '}');
}

static void show_network(const struct limits *l, struct json_out *o)
{
	json_open(o, "bandwidth", '{');
	show_rate(&l->up, "up", o);
	show_rate(&l->down, "down", o);
	json_close(o, '}');
	json_open(o, "flows", '{');
	json_put_int(o, "rate", l->flow_rate);
	json_put_int(o, "burst", l->flow_burst);
	json_close(o, '}');
	json_put_bool(o, "egress", l->egress);
}

void spec_show(const struct ve *v, struct json_out *o)
{
	json_open(o, "spec", '{');
	json_put_string(o, "template", v->template);
	json_put_string(o, "hostname", v->hostname);
	json_put_string(o, "desired", v->want_running ? "running" : "stopped");
	json_put_int(o, "generation", v->generation);
	show_limits(&v->limits, o);
	show_network(&v->limits, o);
	json_put_maybe(o, "ipv6", v->ipv6);
	json_put_maybe(o, "network", v->network);
	json_open(o, "idle", '{');
	json_put_int(o, "idle_after_s", v->idle.idle_after);
	json_put_int(o, "stop_after_s", v->idle.stop_after);
	json_put_int(o, "archive_after_s", v->idle.archive_after);
	json_put_int(o, "lease_max_s", v->idle.lease_max);
	json_put_int(o, "warn_s", v->idle.warn);
	json_put_int(o, "busy_permille", v->idle.busy);
	json_close(o, '}');
	json_close(o, '}');
}
