// SPDX-License-Identifier: Apache-2.0
#include "agent/vectl.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/libve/clean.h"
#include "agent/libve/json.h"
#include "agent/libve/log.h"

#define RESERVED 999 /* veids 1..999 are this command's, not the portal's */
#define WAIT_S 60

int vectl_fail(const char *fmt, ...)
{
	va_list ap;

	fputs("vectl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/* What a person can do about a problem. */
static const char *remedy(const char *problem)
{
	static const struct {
		const char *problem, *text;
	} all[] = {
		{ "ve-not-found", "'vectl list' shows what there is" },
		{ "ve-busy", "wait for it, or look with 'vectl list'" },
		{ "template-unknown", "'vectl node' lists the templates" },
		{ "suspended", "lift the suspension first: 'vectl unsuspend'" },
		{ "capacity-exhausted", "free disk, memory or VEs" },
		{ "kernel-abi-mismatch", "boot the patched kernel" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i].problem, problem))
			return all[i].text;
	return NULL;
}

static int explain(const char *problem, const char *detail)
{
	const char *help = remedy(problem);

	return vectl_fail("%s%s%s", *detail ? detail : problem,
			  help ? "\n  " : "", help ? help : "");
}

/* Call; 0 and a reply below 400, or 1 with the words said. */
int vectl_call(struct vectl *v, const struct call *c, struct reply *r)
{
	struct err e = { 0 };

	if (client_call(v->client, c, r, &e) < 0)
		return vectl_fail("%s\n  is ve-agentd running, and are you"
				  " root? (socket %s)",
				  e.text, v->socket);
	if (r->status >= 400)
		return explain(r->problem, r->detail);
	return 0;
}

int vectl_get(struct vectl *v, const char *path, struct reply *r)
{
	return vectl_call(v,
		    &(struct call){ .method = "GET",
				    .path = path,
				    .timeout_ms = 90000 },
		    r);
}

bool vectl_veid(const char *s, uint32_t *veid)
{
	char *end;
	long v = strtol(s, &end, 10);

	*veid = (uint32_t)v;
	return *s >= '1' && *s <= '9' && !*end && v <= INT32_MAX;
}

int vectl_bad_veid(const char *s)
{
	vectl_fail("'%s' is no veid: a number from 1 to 2147483647", s);
	return 2;
}

/* ---- operations ------------------------------------------------------------ */

struct problem {
	char type[96], detail[240];
};

static const struct json_field problem_fields[] = {
	JSON_ROW_STRING("type", struct problem, type, 0, 0, 95),
	JSON_ROW_STRING("detail", struct problem, detail, 0, 0, 239),
	JSON_ROW_END,
};

struct operation {
	char state[16];
	struct json_object *error;
};

static const struct json_field operation_fields[] = {
	JSON_ROW_STRING("state", struct operation, state, JSON_REQUIRED, 1, 15),
	JSON_ROW_TREE("error", struct operation, error, JSON_NULLABLE),
	JSON_ROW_END,
};

/* Wait for the operation that the reply @r names; 0 when it succeeded. */
int vectl_finish(struct vectl *v, struct reply *r)
{
	char *path _free_ = xasprintf("%s?wait=%d", r->location, WAIT_S);
	struct json_object *tree _json_ = NULL;
	struct operation op = { 0 };
	struct problem p = { 0 };
	const char *name;

	if (r->status != 202)
		return 0;
	do {
		json_free(&tree);
		if (vectl_get(v, path, r))
			return 1;
		if (json_parse(&tree, r->body.data, r->body.len,
			       CLIENT_BODY_MAX, NULL) < 0 ||
		    json_read(tree, operation_fields, &op, false, NULL) < 0)
			return vectl_fail("the agent's answer is not readable");
	} while (strcmp(op.state, "succeeded") && strcmp(op.state, "failed"));
	if (!strcmp(op.state, "succeeded"))
		return 0;
	json_read(op.error, problem_fields, &p, false, NULL);
	name = strrchr(p.type, ':');
	return explain(name ? name + 1 : "", p.detail);
}

static int act(struct vectl *v, const char *action, const char *veid_text)
{
	char *path _free_ = NULL, *body _free_ = NULL, *key _free_ = NULL;
	struct reply r _reply_ = { 0 };
	struct timespec now;
	const char *headers[2] = { NULL, NULL };
	uint32_t veid;

	if (!vectl_veid(veid_text, &veid))
		return vectl_bad_veid(veid_text);
	clock_gettime(CLOCK_REALTIME, &now);
	path = xasprintf("/v1/ves/%" PRIu32 "/actions", veid);
	body = xasprintf("{\"action\":\"%s\"}", action);
	key = xasprintf("Idempotency-Key: vectl-%d-%lld-%ld", (int)getpid(),
			(long long)now.tv_sec, now.tv_nsec);
	headers[0] = key;
	if (vectl_call(v,
		 &(struct call){ .method = "POST",
				 .path = path,
				 .headers = headers,
				 .body = body,
				 .len = strlen(body) },
		 &r))
		return 1;
	return vectl_finish(v, &r);
}

/* ---- list ------------------------------------------------------------------ */

struct row_spec {
	char template[33], hostname[65];
};

struct row_status {
	char state[16], ipv4[46];
	bool suspended;
};

struct row {
	int64_t veid;
	struct row_spec spec;
	struct row_status status;
};

static const struct json_field row_spec[] = {
	JSON_ROW_STRING("template", struct row_spec, template, 0, 0, 32),
	JSON_ROW_STRING("hostname", struct row_spec, hostname, 0, 0, 64),
	JSON_ROW_END,
};

static const struct json_field row_status[] = {
	JSON_ROW_STRING("state", struct row_status, state, 0, 0, 15),
	JSON_ROW_STRING("ipv4", struct row_status, ipv4, JSON_NULLABLE, 0, 45),
	JSON_ROW_BOOL("suspended", struct row_status, suspended, 0),
	JSON_ROW_END,
};

static const struct json_field row_fields[] = {
	JSON_ROW_INT("veid", struct row, veid, JSON_REQUIRED, 1, INT32_MAX),
	JSON_ROW_OBJECT("spec", struct row, spec, 0, row_spec),
	JSON_ROW_OBJECT("status", struct row, status, 0, row_status),
	JSON_ROW_END,
};

struct page {
	struct json_object *items;
	int64_t next;
};

static const struct json_field page_fields[] = {
	JSON_ROW_TREE("items", struct page, items, JSON_REQUIRED),
	JSON_ROW_INT("next", struct page, next, 0, 0, INT32_MAX),
	JSON_ROW_END,
};

static void print_rows(const struct json_object *items)
{
	for (size_t i = 0; i < json_length(items); i++) {
		struct row row = { 0 };

		if (json_read(json_at(items, i), row_fields, &row, false,
			      NULL) < 0)
			continue;
		printf("%-10" PRId64 " %-10s %-15s %-10s %s\n", row.veid,
		       row.status.suspended ? "suspended" : row.status.state,
		       row.status.ipv4[0] ? row.status.ipv4 : "-",
		       row.spec.template, row.spec.hostname);
	}
}

static int cmd_list(struct vectl *v, int argc, char **argv)
{
	struct page page = { 0 };
	bool first = true;

	do {
		char *path _free_ = xasprintf(
			"/v1/ves?limit=500&after=%" PRId64, page.next);
		struct json_object *tree _json_ = NULL;
		struct reply r _reply_ = { 0 };

		if (vectl_get(v, path, &r))
			return 1;
		page = (struct page){ 0 };
		if (json_parse(&tree, r.body.data, r.body.len, CLIENT_BODY_MAX,
			       NULL) < 0 ||
		    json_read(tree, page_fields, &page, false, NULL) < 0)
			return vectl_fail("the agent's answer is not readable");
		if (first && !v->json)
			printf("%-10s %-10s %-15s %-10s %s\n", "VEID", "STATE",
			       "IPV4", "TEMPLATE", "HOSTNAME");
		if (v->json)
			printf("%s\n", r.body.data);
		else
			print_rows(page.items);
		first = false;
	} while (page.next);
	return 0;
}

static int cmd_show(struct vectl *v, int argc, char **argv)
{
	char *path _free_ = NULL;
	struct reply r _reply_ = { 0 };
	uint32_t veid;

	if (argc > 1 && !vectl_veid(argv[1], &veid))
		return vectl_bad_veid(argv[1]);
	path = argc > 1 ? xasprintf("/v1/ves/%" PRIu32, veid)
			: xstrdup("/v1/node");
	if (vectl_get(v, path, &r))
		return 1;
	printf("%s\n", r.body.data);
	return 0;
}

/* ---- create ---------------------------------------------------------------- */

struct wanted {
	const char *template, *hostname;
	bool start;
};

static int put_ve(struct vectl *v, uint32_t veid, const struct wanted *w,
		  struct reply *r, struct err *e)
{
	static const char *const headers[] = { "If-None-Match: *", NULL };
	char *path _free_ = xasprintf("/v1/ves/%" PRIu32, veid);
	struct buf body _buf_ = { 0 };
	struct json_out o = { .b = &body };

	json_open(&o, NULL, '{');
	json_put_string(&o, "template", w->template);
	if (w->hostname)
		json_put_string(&o, "hostname", w->hostname);
	json_put_string(&o, "desired", w->start ? "running" : "stopped");
	json_put_int(&o, "generation", 1);
	json_close(&o, '}');
	return client_call(v->client,
			   &(struct call){ .method = "PUT",
					   .path = path,
					   .headers = headers,
					   .body = body.data,
					   .len = body.len },
			   r, e);
}

static int create(struct vectl *v, uint32_t veid, const struct wanted *w)
{
	uint32_t first = veid ? veid : 1, last = veid ? veid : RESERVED;
	struct reply r _reply_ = { 0 };
	struct err e = { 0 };

	for (veid = first; veid <= last; veid++) {
		if (put_ve(v, veid, w, &r, &e) < 0)
			return vectl_fail("%s\n  is ve-agentd running, and are"
					  " you root?",
					  e.text);
		if (r.status != 412 || first == last)
			break;
	}
	if (veid > last)
		return vectl_fail("the reserved numbers 1 to %d are all taken\n"
				  "  destroy one, or name another number",
				  RESERVED);
	if (r.status >= 400)
		return explain(r.problem, r.detail);
	if (v->json)
		printf("%s\n", r.body.data);
	if (vectl_finish(v, &r))
		return 1;
	if (!v->json)
		printf("%" PRIu32 "\n", veid);
	return 0;
}

static int cmd_create(struct vectl *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "template", required_argument, NULL, 't' },
		{ "hostname", required_argument, NULL, 'h' },
		{ "start", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct wanted w = { .template = "tiny" };
	uint32_t veid = 0;
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 't')
			w.template = optarg;
		else if (opt == 'h')
			w.hostname = optarg;
		else if (opt == 's')
			w.start = true;
		else
			return 2;
	}
	if (optind < argc && !vectl_veid(argv[optind], &veid))
		return vectl_bad_veid(argv[optind]);
	return create(v, veid, &w);
}

/* ---- the rest -------------------------------------------------------------- */

static int cmd_act(struct vectl *v, int argc, char **argv)
{
	return act(v, argv[0], argv[1]);
}

static int cmd_destroy(struct vectl *v, int argc, char **argv)
{
	char *path _free_ = NULL;
	struct reply r _reply_ = { 0 };
	uint32_t veid;

	if (!vectl_veid(argv[1], &veid))
		return vectl_bad_veid(argv[1]);
	path = xasprintf("/v1/ves/%" PRIu32, veid);
	if (vectl_call(v, &(struct call){ .method = "DELETE", .path = path }, &r))
		return 1;
	return vectl_finish(v, &r);
}

static int cmd_enter(struct vectl *v, int argc, char **argv)
{
	uint32_t veid;

	return vectl_veid(argv[1], &veid) ? vectl_enter(v, veid)
					  : vectl_bad_veid(argv[1]);
}

static int cmd_exec(struct vectl *v, int argc, char **argv)
{
	int at = argc > 2 && !strcmp(argv[2], "--") ? 3 : 2;
	uint32_t veid;

	if (!vectl_veid(argv[1], &veid))
		return vectl_bad_veid(argv[1]);
	if (at >= argc) {
		vectl_fail("exec: a command is missing");
		return 2;
	}
	return vectl_exec(v, veid, argv + at);
}

static int print_event(void *arg, const struct sse *ev)
{
	if (ev) {
		printf("%s %s %s\n", ev->id, ev->event, ev->data);
		fflush(stdout);
	}
	return 0;
}

static int cmd_events(struct vectl *v, int argc, char **argv)
{
	struct err e = { 0 };

	if (client_follow(v->client, "/v1/events", argc > 1 ? argv[1] : NULL,
			  print_event, NULL, &e) < 0)
		return vectl_fail("%s", e.text);
	return 0;
}

static const struct command {
	const char *name, *arguments;
	int min, max; /* arguments behind the name; max < 0: any */
	int (*run)(struct vectl *v, int argc, char **argv);
} commands[] = {
	{ "list", "", 0, 0, cmd_list },
	{ "node", "", 0, 0, cmd_show },
	{ "show", "VEID", 1, 1, cmd_show },
	{ "create", "[--template T] [--hostname H] [--start] [VEID]", 0, 7,
	  cmd_create },
	{ "start", "VEID", 1, 1, cmd_act },
	{ "stop", "VEID", 1, 1, cmd_act },
	{ "restart", "VEID", 1, 1, cmd_act },
	{ "reinstall", "VEID", 1, 1, cmd_act },
	{ "suspend", "VEID", 1, 1, cmd_act },
	{ "unsuspend", "VEID", 1, 1, cmd_act },
	{ "idle", "VEID", 1, 1, cmd_act },
	{ "wake", "VEID", 1, 1, cmd_act },
	{ "extend", "VEID", 1, 1, cmd_act },
	{ "limits", "VEID", 1, 1, vectl_limits },
	{ "set", "VEID NAME=BARRIER[:LIMIT]...", 2, -1, vectl_set },
	{ "exec", "VEID [--] COMMAND [ARGUMENT...]", 2, -1, cmd_exec },
	{ "enter", "VEID", 1, 1, cmd_enter },
	{ "destroy", "VEID", 1, 1, cmd_destroy },
	{ "events", "[LAST-ID]", 0, 1, cmd_events },
};

/* On standard error for who did not ask. */
static int usage(FILE *to)
{
	fputs("usage: vectl [--json] [--socket PATH] COMMAND\n", to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %s%s%s\n", commands[i].name,
			*commands[i].arguments ? " " : "",
			commands[i].arguments);
	return to == stdout ? 0 : 2;
}

static int run(struct vectl *v, int argc, char **argv)
{
	struct client_conf conf = { .base = "http://localhost",
				    .unix_path = v->socket };
	struct err e = { 0 };
	int r;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, argv[0]))
			continue;
		if (argc - 1 < c->min || (c->max >= 0 && argc - 1 > c->max)) {
			fprintf(stderr, "usage: vectl %s %s\n", c->name,
				c->arguments);
			return 2;
		}
		if (client_open(&v->client, &conf, &e) < 0)
			return vectl_fail("%s", e.text);
		r = c->run(v, argc, argv);
		client_close(v->client);
		return r;
	}
	vectl_fail("there is no command '%s'", argv[0]);
	return usage(stderr);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct vectl v = { .socket = "/run/ve-agentd/ctl.sock" };
	int opt;

	log_init("vectl");
	while ((opt = getopt_long(argc, argv, "+hjs:", options, NULL)) != -1) {
		if (opt == 'h')
			return usage(stdout);
		if (opt == 'j')
			v.json = true;
		else if (opt == 's')
			v.socket = optarg;
		else
			return usage(stderr);
	}
	return optind < argc ? run(&v, argc - optind, argv + optind) : usage(stderr);
}
