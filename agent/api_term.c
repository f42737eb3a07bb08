// SPDX-License-Identifier: Apache-2.0
/* Terminals at the HTTP edge: the grant, the upgrade, the handover. */
#include "agent/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"
#include "agent/name.h"

struct wish {
	int64_t cols, rows;
	char name[MSG_NAME];
};

static const struct json_field wish_fields[] = {
	JSON_ROW_INT("cols", struct wish, cols, JSON_REQUIRED, 1,
		     TERM_SIZE_MAX),
	JSON_ROW_INT("rows", struct wish, rows, JSON_REQUIRED, 1,
		     TERM_SIZE_MAX),
	JSON_ROW_STRING("name", struct wish, name, 0, 1, 32),
	JSON_ROW_END,
};

int check_ve(uint32_t veid, const char **problem)
{
	struct ve v;
	bool there;

	state_lock();
	there = ve_load(api.db, veid, &v);
	state_unlock();
	*problem = there ? "suspended" : "ve-not-found";
	return !there ? 404 : v.suspended ? 403 : 0;
}

enum MHD_Result on_terminal_open(struct request *q)
{
	struct wish w = { .name = "main" };
	struct msg_terminal need = { .head.type = MSG_NEED, .veid = q->veid };
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	const char *problem;
	struct err e = { 0 };
	int status;

	if (json_decode(q->body.data ? q->body.data : "", q->body.len, BODY_MAX,
			wish_fields, &w, true, &e) < 0)
		return http_problem(q, 400, "malformed", "%s", e.text);
	if (!is_name(w.name))
		return http_problem(q, 400, "malformed",
				    "'%s' is no terminal's name", w.name);
	status = check_ve(q->veid, &problem);
	if (status)
		return http_problem(q, status, problem, "VE %" PRIu32, q->veid);
	need.cols = (uint16_t)w.cols;
	need.rows = (uint16_t)w.rows;
	strcpy(need.name, w.name);
	open_wanted(&need);
	json_open(&o, NULL, '{');
	json_put_string(&o, "terminal", w.name);
	json_close(&o, '}');
	return http_json(q, 201, &b);
}

/* Each nonce opens once, whatever restarts in between: 0, or why not. */
static int use_nonce(const struct grant *g, struct err *e)
{
	int r;

	state_lock();
	r = db_do(api.db, "INSERT INTO nonce VALUES (?, ?)", "ti", g->nonce,
		  g->exp);
	state_unlock();
	if (r == -EEXIST)
		return err_set(e, -EACCES, "the grant was used before");
	return r < 0 ? err_set(e, r, "the node cannot write its state") : 0;
}

int check_grant(struct request *q, uint8_t kind, uint16_t port, struct err *e)
{
	const char *text = http_header(q, "Ve-Grant");
	struct grant g;

	if (q->roles & ROLE_LOCAL)
		return 0; /* root here needs nobody's leave */
	if (!text)
		return err_set(e, -EACCES, "no grant");
	if (grant_verify(&g, text, api.grant_key, clock_wall() / 1000, e) < 0)
		return -EACCES;
	if (strcmp(g.node, api.conf->node) || g.veid != q->veid ||
	    g.kind != kind || g.port != port)
		return err_set(e, -EACCES, "the grant is for something else");
	if (use_nonce(&g, e) < 0)
		return -EACCES;
	log_info("%s %s of VE %" PRIu32 " for %s", port ? "port" : "terminal",
		 port ? q->id : q->name, q->veid, g.sub);
	return 0;
}

static int read_command(struct request *q, struct opening *o, struct err *e)
{
	const char *text = http_header(q, "Ve-Command");
	int n;

	if (!text)
		return 0;
	n = base64_decode(o->command, sizeof(o->command) - 1, text,
			  strlen(text), 1);
	if (n <= 0)
		return err_set(e, -EINVAL,
			       "Ve-Command is not base64 of 1..%d"
			       " bytes",
			       MSG_COMMAND - 1);
	o->command[n] = '\0';
	if (strlen(o->command) != (size_t)n)
		return err_set(e, -EINVAL, "Ve-Command holds a NUL");
	return 0;
}

static int read_arguments(struct request *q, struct opening *o, struct err *e)
{
	const char *kind = http_text(q, "kind");
	uint64_t cols = 80, rows = 24;

	o->veid = q->veid;
	o->fd = -1;
	o->from = UINT64_MAX;
	strcpy(o->name, q->name);
	if (kind && strcmp(kind, "tty") && strcmp(kind, "exec"))
		return err_set(e, -EINVAL, "kind is tty or exec");
	o->kind = kind && !strcmp(kind, "exec") ? TERM_EXEC : TERM_TTY;
	if (http_argument(q, "cols", TERM_SIZE_MAX, &cols) < 0 || !cols ||
	    http_argument(q, "rows", TERM_SIZE_MAX, &rows) < 0 || !rows ||
	    http_argument(q, "from", UINT64_MAX, &o->from) < 0)
		return err_set(e, -EINVAL,
			       "cols and rows are 1..%d, from is a"
			       " number",
			       TERM_SIZE_MAX);
	o->cols = (uint16_t)cols;
	o->rows = (uint16_t)rows;
	return read_command(q, o, e);
}

static void on_upgraded(void *arg, struct MHD_Connection *c, void *con_cls,
			const char *extra, size_t nextra, MHD_socket sock,
			struct MHD_UpgradeResponseHandle *urh)
{
	struct opening *o = arg;
	struct request *q = con_cls;

	q->upgrade = NULL;
	if (nextra <= sizeof(o->extra)) {
		memcpy(o->extra, extra, nextra);
		o->nextra = (uint32_t)nextra;
		o->fd = fcntl(sock, F_DUPFD_CLOEXEC, 3);
	}
	/* libmicrohttpd lets go of its descriptor; ours stays */
	MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
	if (o->fd >= 0)
		open_queue(o);
	else
		free(o);
}

bool has_token(const char *header, const char *token)
{
	size_t n = strlen(token);

	for (const char *p = header; p && *p;) {
		p += strspn(p, " \t,");
		if (!strncasecmp(p, token, n) &&
		    (!p[n] || strchr(" \t,", p[n])))
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

static bool is_handshake(const struct request *q)
{
	const char *key = http_header(q, "Sec-WebSocket-Key");
	const char *version = http_header(q, "Sec-WebSocket-Version");

	return has_token(http_header(q, "Upgrade"), "websocket") &&
	       has_token(http_header(q, "Connection"), "upgrade") && version &&
	       !strcmp(version, "13") && key && strlen(key) == 24 &&
	       has_token(http_header(q, "Sec-WebSocket-Protocol"),
			 TERM_PROTOCOL);
}

static enum MHD_Result upgrade(struct request *q, struct opening *o)
{
	struct MHD_Response *r =
		MHD_create_response_for_upgrade(on_upgraded, o);
	char accept[WS_ACCEPT_LEN];
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	ws_accept(accept, http_header(q, "Sec-WebSocket-Key"));
	MHD_add_response_header(r, "Upgrade", "websocket");
	MHD_add_response_header(r, "Sec-WebSocket-Accept", accept);
	MHD_add_response_header(r, "Sec-WebSocket-Protocol", TERM_PROTOCOL);
	ok = MHD_queue_response(q->conn, 101, r);
	MHD_destroy_response(r);
	return ok;
}

enum MHD_Result on_terminal_ws(struct request *q)
{
	struct opening *o _free_ = xcalloc(1, sizeof(*o));
	const char *problem;
	struct err e = { 0 };
	enum MHD_Result ok;
	int status;

	if (!is_handshake(q)) {
		http_add(q, "Sec-WebSocket-Version", "13");
		return http_problem(q, 426, "malformed",
				    "a WebSocket handshake for " TERM_PROTOCOL
				    " is expected");
	}
	if (read_arguments(q, o, &e) < 0)
		return http_problem(q, 400, "malformed", "%s", e.text);
	if (check_grant(q, o->kind, 0, &e) < 0)
		return http_problem(q, 403, "grant-refused", "%s", e.text);
	status = check_ve(q->veid, &problem);
	if (status)
		return http_problem(q, status, problem, "VE %" PRIu32, q->veid);
	ok = upgrade(q, o);
	if (ok == MHD_YES)
		q->upgrade = take_ptr(&o); /* until on_upgraded has it */
	return ok;
}
