// SPDX-License-Identifier: Apache-2.0
#include "portal/route.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "portal/fault.h"
#include "portal/page.h"

#define FORM 8192

/* What is missing stays as it is; a form sends all of it. */
#define PLAN                                                                                            \
	"title? memory? processes? disk? cpu_weight? cpu_cap? cpus? io_weight? "                        \
	"up_rate? up_ceil? down_rate? down_ceil? flow_rate? flow_burst? life? "                         \
	"grace? idle_after? stop_after? archive_after? lease_max? warn? busy? egress? "                 \
	"kmemsize? lockedpages? privvmpages? shmpages? numproc? physpages? vmguarpages? oomguarpages? " \
	"numtcpsock? numflock? numpty? numsiginfo? tcpsndbuf? tcprcvbuf? "                              \
	"othersockbuf? dgramrcvbuf? numothersock? dcachesize? numfile? "                                \
	"numiptent? swappages?"

/* clang-format off */
static const struct route routes[] = {
 /* method       path                                  who           lane        flags  bound fields            handler             page, again */
 { METHOD_GET,    "/healthz",                          WHO_ANYBODY,  LANE_NONE,  0,     0,    "",               page_healthz, NULL, NULL },
 { METHOD_GET,    "/readyz",                           WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               page_readyz, NULL, NULL },
 { METHOD_GET,    "/static/{name}",                    WHO_ANYBODY,  LANE_NONE,  0,     0,    "",               page_static, NULL, NULL },
 { METHOD_GET,    "/vendor/{name}/{name}",             WHO_ANYBODY,  LANE_NONE,  0,     0,    "",               page_static, NULL, NULL },
 { METHOD_GET,    "/favicon.ico",                      WHO_ANYBODY,  LANE_NONE,  0,     0,    "",               page_static, NULL, NULL },

 { METHOD_GET,    "/",                                 WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               page_landing, "landing", NULL },
 { METHOD_GET,    "/signup",                           WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               page_signup, "signup", NULL },
 { METHOD_POST,   "/signup",                           WHO_ANYBODY,  LANE_HEAVY, CSRF,  FORM, "email password template", do_signup, NULL, again_signup },
 { METHOD_GET,    "/login",                            WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               page_login, "login", NULL },
 { METHOD_POST,   "/login",                            WHO_ANYBODY,  LANE_HEAVY, CSRF,  FORM, "email password", do_login, NULL, again_login },
 { METHOD_POST,   "/logout",                           WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "",               do_logout, NULL, NULL },
 /* the link is the proof: who opens it need not be logged in, and mail programs lose the cookies on the way */
 { METHOD_GET,    "/confirm/{link}",                   WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               page_link, "link", NULL },
 { METHOD_POST,   "/confirm",                          WHO_ANYBODY,  LANE_LIGHT, 0,     FORM, "link",           do_confirm, NULL, NULL },
 { METHOD_GET,    "/keep/{link}",                      WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               page_link, "keep", NULL },
 { METHOD_POST,   "/keep",                             WHO_ANYBODY,  LANE_LIGHT, 0,     FORM, "link",           do_keep, NULL, NULL },
 { METHOD_POST,   "/confirm/again",                    WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "",               do_confirm_ask, NULL, NULL },
 { METHOD_GET,    "/home/events",                      WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               page_home_events, NULL, NULL },
 { METHOD_POST,   "/queue/leave",                      WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "",               do_queue_leave, NULL, NULL },
 { METHOD_GET,    "/home",                             WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               page_home, "home", NULL },

 { METHOD_GET,    "/ves/{veid}",                       WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               page_ve, "ve", NULL },
 { METHOD_GET,    "/ves/{veid}/terminal",              WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               page_ve, "terminal", NULL },
 { METHOD_GET,    "/ves/{veid}/confirm/{name}",        WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               page_confirm, "confirm", NULL },
 { METHOD_POST,   "/ves",                              WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "template",       do_ve_create, NULL, NULL },
 { METHOD_POST,   "/ves/{veid}/actions",               WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "action",         do_ve_act, NULL, NULL },
 { METHOD_POST,   "/ves/{veid}/name",                  WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "name port?",     do_ve_rename, NULL, again_ve },
 { METHOD_GET,    "/ves/{veid}/terminals/{name}/ws",   WHO_SESSION,  LANE_LIGHT, SOCKET, 0,   "",               do_terminal, NULL, NULL },
 { METHOD_POST,   "/keys",                             WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "key comment?",   do_key_add, NULL, again_ve },
 { METHOD_POST,   "/keys/{id}/remove",                 WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "",               do_key_remove, NULL, NULL },

 { METHOD_GET,    "/admin",                            WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_nodes, "admin_nodes", NULL },
 { METHOD_GET,    "/admin/ves",                        WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_ves, "admin_ves", NULL },
 { METHOD_GET,    "/admin/subscribers",                WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_subscribers, "admin_subscribers", NULL },
 { METHOD_GET,    "/admin/pools",                      WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_pools, "admin_pools", NULL },
 { METHOD_GET,    "/admin/audit",                      WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_audit, "admin_audit", NULL },
 { METHOD_GET,    "/admin/plans",                      WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_plans, "admin_plans", NULL },
 { METHOD_GET,    "/admin/plans/{name}",               WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_plan, "admin_plan", NULL },
 { METHOD_POST,   "/admin/plans",                      WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "plan " PLAN,     do_plan_make, NULL, again_plans },
 { METHOD_POST,   "/admin/plans/{name}",               WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, PLAN,             do_plan_change, NULL, again_plan },
 { METHOD_POST,   "/admin/ves/{veid}/plan",            WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "plan",           do_ve_plan, NULL, NULL },
 { METHOD_POST,   "/admin/nodes",                      WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "node url capacity", do_node_invite, NULL, again_nodes },
 { METHOD_GET,    "/admin/nodes/{name}/revoke",        WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_node_revoke, NULL, NULL },
 { METHOD_POST,   "/admin/nodes/{name}/actions",       WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "action",         do_node_act, NULL, NULL },
 { METHOD_POST,   "/admin/pools",                      WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "range block_len? exclude?", do_pool_add, NULL, again_pools },
 { METHOD_POST,   "/admin/subscribers/{id}/actions",   WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "action why?",    do_subscriber_act, NULL, NULL },
 { METHOD_POST,   "/admin/ves/{veid}/actions",         WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "action",         do_ve_act, NULL, NULL },

 { METHOD_GET,    "/api/v1/session",                   WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               api_session, NULL, NULL },
 { METHOD_POST,   "/api/v1/session",                   WHO_ANYBODY,  LANE_HEAVY, CSRF,  FORM, "email password", do_login, NULL, again_login },
 { METHOD_DELETE, "/api/v1/session",                   WHO_SESSION,  LANE_LIGHT, CSRF,  0,    "",               do_logout, NULL, NULL },
 { METHOD_POST,   "/api/v1/accounts",                  WHO_ANYBODY,  LANE_HEAVY, CSRF,  FORM, "email password template", do_signup, NULL, again_signup },
 { METHOD_POST,   "/api/v1/confirmations",             WHO_ANYBODY,  LANE_LIGHT, 0,     FORM, "link",           do_confirm, NULL, NULL },
 { METHOD_POST,   "/api/v1/confirmations/again",       WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "",               do_confirm_ask, NULL, NULL },
 { METHOD_POST,   "/api/v1/keeps",                     WHO_ANYBODY,  LANE_LIGHT, 0,     FORM, "link",           do_keep, NULL, NULL },
 { METHOD_POST,   "/api/v1/enrolments",                WHO_ANYBODY,  LANE_LIGHT, 0,     FORM, "link csr",       api_enrol, NULL, NULL },
 { METHOD_POST,   "/api/v1/enrolments/certificate",    WHO_ANYBODY,  LANE_LIGHT, 0,     FORM, "link",           api_enrolled, NULL, NULL },
 { METHOD_GET,    "/api/v1/capacity",                  WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               api_capacity, NULL, NULL },
 { METHOD_GET,    "/api/v1/templates",                 WHO_ANYBODY,  LANE_LIGHT, 0,     0,    "",               api_templates, NULL, NULL },
 { METHOD_GET,    "/api/v1/home",                      WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               api_home, NULL, NULL },
 { METHOD_POST,   "/api/v1/ves",                       WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "template",       do_ve_create, NULL, NULL },
 { METHOD_GET,    "/api/v1/ves/{veid}",                WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               api_ve, NULL, NULL },
 { METHOD_GET,    "/api/v1/ves/{veid}/usage",          WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               api_usage, NULL, NULL },
 { METHOD_POST,   "/api/v1/ves/{veid}/actions",        WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "action",         do_ve_act, NULL, NULL },
 { METHOD_POST,   "/api/v1/ves/{veid}/name",           WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "name port?",     do_ve_rename, NULL, again_ve },
 { METHOD_DELETE, "/api/v1/queue",                     WHO_SESSION,  LANE_LIGHT, CSRF,  0,    "",               do_queue_leave, NULL, NULL },
 { METHOD_POST,   "/api/v1/ves/{veid}/tickets",        WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "",               api_ticket, NULL, NULL },
 { METHOD_GET,    "/api/v1/jobs/{id}",                 WHO_SESSION,  LANE_LIGHT, 0,     0,    "",               api_job, NULL, NULL },
 { METHOD_POST,   "/api/v1/keys",                      WHO_SESSION,  LANE_LIGHT, CSRF,  FORM, "key comment?",   do_key_add, NULL, again_ve },
 { METHOD_DELETE, "/api/v1/keys/{id}",                 WHO_SESSION,  LANE_LIGHT, CSRF,  0,    "",               do_key_remove, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/nodes",               WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_nodes, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/ves",                 WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_ves, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/subscribers",         WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_subscribers, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/pools",               WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_pools, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/audit",               WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_audit, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/plans",               WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_plans, NULL, NULL },
 { METHOD_GET,    "/api/v1/admin/plans/{name}",        WHO_OPERATOR, LANE_LIGHT, 0,     0,    "",               page_admin_plan, NULL, NULL },
 { METHOD_POST,   "/api/v1/admin/plans",               WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "plan " PLAN,     do_plan_make, NULL, again_plans },
 { METHOD_POST,   "/api/v1/admin/plans/{name}",        WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, PLAN,             do_plan_change, NULL, again_plan },
 { METHOD_POST,   "/api/v1/admin/ves/{veid}/plan",     WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "plan",           do_ve_plan, NULL, NULL },
 { METHOD_POST,   "/api/v1/admin/nodes",               WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "node url capacity", do_node_invite, NULL, again_nodes },
 { METHOD_POST,   "/api/v1/admin/nodes/{name}/actions", WHO_OPERATOR, LANE_LIGHT, CSRF, FORM, "action",        do_node_act, NULL, NULL },
 { METHOD_POST,   "/api/v1/admin/pools",               WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "range block_len? exclude?", do_pool_add, NULL, again_pools },
 { METHOD_POST,   "/api/v1/admin/subscribers/{id}/actions", WHO_OPERATOR, LANE_LIGHT, CSRF, FORM, "action why?", do_subscriber_act, NULL, NULL },
 { METHOD_POST,   "/api/v1/admin/ves/{veid}/actions",  WHO_OPERATOR, LANE_LIGHT, CSRF,  FORM, "action",         do_ve_act, NULL, NULL },
};
/* clang-format on */

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

const struct route *route_table(size_t *count)
{
	*count = ROUTES;
	return routes;
}

/* A decimal number of 1..@max without leading zeros; 0 when it is none. */
static int64_t number(const char *s, size_t n, int64_t max)
{
	int64_t v = 0;

	if (!n || n > 18 || *s == '0')
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return 0;
		v = v * 10 + (s[i] - '0');
	}
	return v <= max ? v : 0;
}

static bool take_name(struct request *r, const char *s, size_t n)
{
	if (!n || n >= sizeof(r->name))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) &&
		    !isdigit((unsigned char)s[i]) &&
		    (i == 0 || !memchr("-._", s[i], 3)))
			return false;
	snprintf(r->name, sizeof(r->name), "%.*s", (int)n, s);
	return true;
}

static bool take_param(struct request *r, const char *param, const char *s,
		       size_t n)
{
	if (!strncmp(param, "{veid}", 6))
		return (r->veid = (uint32_t)number(s, n, INT32_MAX)) != 0;
	if (!strncmp(param, "{id}", 4))
		return (r->id = number(s, n, INT64_MAX)) != 0;
	if (!strncmp(param, "{link}", 6)) {
		snprintf(r->link, sizeof(r->link), "%.*s", (int)n, s);
		return n < sizeof(r->link) && token_is_valid(r->link);
	}
	return take_name(r, s, n);
}

static bool fits(struct request *r, const char *pattern)
{
	const char *s = r->path;

	while (*pattern && *s) {
		size_t n = strcspn(s + 1, "/"), p = strcspn(pattern + 1, "/");

		if (*s != '/' || *pattern != '/')
			return false;
		s++;
		pattern++;
		if (*pattern == '{') {
			if (!take_param(r, pattern, s, n))
				return false;
		} else if (n != p || strncmp(s, pattern, n) != 0) {
			return false;
		}
		s += n;
		pattern += p;
	}
	return !*pattern && !*s;
}

static void allow(struct answer *a, enum method m)
{
	static const char *const names[] = { "GET, HEAD", "POST", "DELETE" };
	size_t n = strlen(a->allow);

	snprintf(a->allow + n, sizeof(a->allow) - n, "%s%s", n ? ", " : "",
		 names[m]);
}

int route_find(struct request *r, struct err *e)
{
	for (size_t i = 0; i < ROUTES; i++) {
		if (!fits(r, routes[i].path))
			continue;
		if (routes[i].method == r->method) {
			r->route = &routes[i];
			return 0;
		}
		allow(&r->answer, routes[i].method);
	}
	if (*r->answer.allow)
		return err_set(e, fault_code(FAULT_METHOD),
			       "this address takes other methods: %s",
			       r->answer.allow);
	return err_set(e, fault_code(FAULT_NOT_FOUND),
		       "there is no such address here");
}
