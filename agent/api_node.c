// SPDX-License-Identifier: Apache-2.0
#include "agent/handlers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/clock.h"
#include "agent/db.h"
#include "agent/lease.h"
#include "agent/openapi.h"
#include "agent/usage.h"

#ifndef VE_VERSION
#define VE_VERSION "0.1"
#endif

enum MHD_Result on_healthz(struct request *q)
{
	struct buf b = { 0 };

	buf_puts(&b, "ok\n");
	return http_send(q, 200, "text/plain", &b);
}

enum MHD_Result on_readyz(struct request *q)
{
	struct buf b = { 0 };

	if (!api.ready)
		return http_problem(q, 503, "not-ready",
				    "the node's VEs are not adopted yet");
	buf_puts(&b, "ready\n");
	return http_send(q, 200, "text/plain", &b);
}

enum MHD_Result on_openapi(struct request *q)
{
	struct buf b = { 0 };

	buf_put(&b, openapi_json, openapi_json_len);
	return http_json(q, 200, &b);
}

/* "MemAvailable:   1234 kB" in bytes. */
static int64_t memory_line(const char *name)
{
	char text[2048];
	ssize_t n = pread(api.meminfo_fd, text, sizeof(text) - 1, 0);
	const char *at;

	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, name);
	return at ? strtoll(at + strlen(name), NULL, 10) * 1024 : 0;
}

static void put_templates(struct json_out *o)
{
	json_open(o, "templates", '[');
	for (uint32_t i = 0; i < api.templates.nr; i++) {
		const struct msg_template *t = &api.templates.templates[i];

		json_open(o, NULL, '{');
		json_put_string(o, "name", t->name);
		json_put_maybe(o, "digest", t->digest);
		json_put_int(o, "bytes", (int64_t)t->bytes);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static int64_t count(const char *sql)
{
	return db_int(api.db, 0, sql, "");
}

static int64_t count_state(enum ve_state s)
{
	return db_int(api.db, 0, "SELECT count(*) FROM ve WHERE state = ?", "i",
		      (int64_t)s);
}

static void put_counts(struct json_out *o)
{
	int64_t total = count("SELECT count(*) FROM ve");
	int64_t running = count_state(VE_RUNNING);
	int64_t frozen = count_state(VE_FROZEN);
	int64_t archived = count_state(VE_ARCHIVED);

	json_open(o, "ves", '{');
	json_put_int(o, "running", running);
	json_put_int(o, "frozen", frozen);
	json_put_int(o, "stopped", total - running - frozen);
	json_put_int(o, "archived", archived);
	json_put_int(o, "total", total);
	json_close(o, '}');
	json_put_int(o, "held", (int64_t)api.held);
}

static void put_blocks(struct json_out *o)
{
	sqlite3_stmt *st _stmt_ = db_query(
		api.db, "SELECT id, range, valid_until FROM block ORDER BY id",
		"");
	int64_t now = clock_boot();
	char text[BLOCK_ID];

	json_open(o, "blocks", '[');
	while (db_step(st)) {
		int64_t left = sqlite3_column_int64(st, 2) - now;

		json_open(o, NULL, '{');
		db_text(st, 0, text, sizeof(text));
		json_put_string(o, "id", text);
		db_text(st, 1, text, sizeof(text));
		json_put_string(o, "range", text);
		json_put_int(o, "remaining_ms", left > 0 ? left : 0);
		json_close(o, '}');
	}
	json_close(o, ']');
	json_put_int(o, "leases", count("SELECT count(*) FROM lease"));
}

enum MHD_Result on_node(struct request *q)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	char when[TIME_TEXT];
	struct utsname u;

	uname(&u);
	json_open(&o, NULL, '{');
	json_put_string(&o, "node", api.conf->node);
	json_put_string(&o, "boot_id", api.boot_id);
	json_put_string(&o, "version", VE_VERSION);
	json_put_string(&o, "kernel", u.release);
	json_put_int(&o, "ve_abi", api.abi);
	json_put_string(&o, "arch", u.machine);
	json_put_string(&o, "now", time_text(when, clock_wall()));
	json_put_int(&o, "boottime_ms", clock_boot());
	json_put_int(&o, "cpus", api.cpus);
	json_put_int(&o, "memory_bytes", memory_line("MemTotal:"));
	json_put_int(&o, "memory_free_bytes", memory_line("MemAvailable:"));
	state_lock();
	put_templates(&o);
	put_counts(&o);
	put_blocks(&o);
	state_unlock();
	json_close(&o, '}');
	return http_json(q, 200, &b);
}

static void metric(struct buf *b, const char *name, const char *help,
		   const char *type, int64_t value)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name,
		   help, name, type, name, value);
}

enum MHD_Result on_metrics(struct request *q)
{
	struct buf b = { 0 };

	state_lock();
	metric(&b, "ve_node_ves", "Virtual Environments on this node", "gauge",
	       count("SELECT count(*) FROM ve"));
	metric(&b, "ve_node_ves_running", "VEs that run", "gauge",
	       count_state(VE_RUNNING));
	metric(&b, "ve_node_ves_frozen", "VEs that sleep", "gauge",
	       count_state(VE_FROZEN));
	metric(&b, "ve_node_ves_suspended", "VEs that are suspended", "gauge",
	       count("SELECT count(*) FROM ve WHERE suspended"));
	metric(&b, "ve_node_ves_held", "VEs made ahead of their start",
	       "gauge", (int64_t)api.held);
	metric(&b, "ve_node_leases", "addresses lent to VEs", "gauge",
	       count("SELECT count(*) FROM lease"));
	metric(&b, "ve_node_waiting", "running VEs without an address", "gauge",
	       db_int(api.db, 0,
		      "SELECT count(*) FROM ve WHERE state = ? AND"
		      " veid NOT IN (SELECT veid FROM lease)",
		      "i", (int64_t)VE_RUNNING));
	metric(&b, "ve_node_terminals", "open terminals", "gauge",
	       count("SELECT total(terminals) FROM ve"));
	metric(&b, "ve_node_operations_failed", "failed operations of a day",
	       "gauge", count("SELECT count(*) FROM op WHERE state = 3"));
	metric(&b, "ve_node_operations_live", "operations under way", "gauge",
	       count("SELECT count(*) FROM op WHERE state < 2"));
	usage_metrics(&b);
	clock_metrics(&b);
	state_unlock();
	metric(&b, "ve_node_memory_available_bytes", "memory left", "gauge",
	       memory_line("MemAvailable:"));
	return http_send(q, 200, "text/plain; version=0.0.4", &b);
}
