// SPDX-License-Identifier: Apache-2.0
/* A port of a VE: the grant, the way there, the upgrade to raw bytes. */
#include "agent/handlers.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/libve/clean.h"
#include "agent/libve/wire.h"
#include "agent/porting.h"
#include "agent/pump.h"

static uint16_t parse_port(const char *s)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	return *s < '1' || *s > '9' || *end || v > 65535 ? 0 : (uint16_t)v;
}

static void on_upgraded(void *arg, struct MHD_Connection *c, void *con_cls,
			const char *extra, size_t nextra, MHD_socket sock,
			struct MHD_UpgradeResponseHandle *urh)
{
	struct porting *p = arg;
	int fd = -1;

	if (nextra <= PUMP_CHUNK)
		fd = fcntl(sock, F_DUPFD_CLOEXEC, 3);
	/* libmicrohttpd lets go of its descriptor; ours stays */
	MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
	if (fd >= 0)
		pump_add(p->veid, fd, take_fd(&p->fd), extra, nextra);
}

static enum MHD_Result upgrade(struct request *q)
{
	struct MHD_Response *r =
		MHD_create_response_for_upgrade(on_upgraded, q->porting);
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Upgrade", PORT_PROTOCOL);
	ok = MHD_queue_response(q->conn, 101, r);
	MHD_destroy_response(r);
	return ok;
}

/* Check and begin; the reply when that is refused. */
static enum MHD_Result begin(struct request *q, bool *refused)
{
	uint16_t port = parse_port(q->id);
	const char *problem;
	struct err e = { 0 };
	int status;
	struct ve v;
	bool awake;

	*refused = true;
	if (!port || !has_token(http_header(q, "Upgrade"), PORT_PROTOCOL) ||
	    !has_token(http_header(q, "Connection"), "upgrade"))
		return http_problem(q, port ? 426 : 400, "malformed",
				    "a port of 1..65535 and an upgrade to"
				    " " PORT_PROTOCOL " are expected");
	if (check_grant(q, GRANT_PORT, port, &e) < 0)
		return http_problem(q, 403, "grant-refused", "%s", e.text);
	status = check_ve(q->veid, &problem);
	if (status)
		return http_problem(q, status, problem, "VE %" PRIu32, q->veid);
	state_lock();
	awake = ve_load(api.db, q->veid, &v) && v.state == VE_RUNNING;
	state_unlock();
	q->porting = porting_begin(q->veid, port, awake);
	if (!q->porting)
		return http_problem(q, 503, "capacity-exhausted",
				    "too many are waiting for a VE to wake");
	*refused = false;
	return MHD_YES;
}

enum MHD_Result on_port(struct request *q)
{
	struct porting *p;
	enum MHD_Result r;
	bool refused;

	if (!q->porting) {
		r = begin(q, &refused);
		if (refused)
			return r;
	}
	p = q->porting;
	if (!p->done)
		return http_wait(q, TOPIC_VE | q->veid);
	if (p->problem)
		return http_problem(q, p->status, p->problem, "%s", p->detail);
	return upgrade(q);
}
