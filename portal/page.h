/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_PAGE_H
#define VE_PORTAL_PAGE_H

/*
 * The handlers of the route table.  page_* show something, do_* change something
 * (for a form and for /api/v1 alike), api_* exist in JSON only, again_* show a
 * form once more with what is wrong.  Each fills the answer, whatever happens.
 */
struct err;
struct request;

/* page_public.c */
int page_healthz(struct request *r);
int page_readyz(struct request *r);
int page_static(struct request *r);
int page_landing(struct request *r);
int api_capacity(struct request *r);
int api_templates(struct request *r);

/* page_account.c */
int page_signup(struct request *r);
int do_signup(struct request *r);
int again_signup(struct request *r, const struct err *e);
int page_login(struct request *r);
int do_login(struct request *r);
int again_login(struct request *r, const struct err *e);
int do_logout(struct request *r);
int api_session(struct request *r);

/* page_confirm.c */
int page_link(struct request *r);
int do_confirm(struct request *r);
int do_keep(struct request *r);
int do_confirm_ask(struct request *r);

/* page_ve.c */
int page_home(struct request *r);
int page_ve(struct request *r);
int page_confirm(struct request *r);
int page_home_events(struct request *r);
int do_queue_leave(struct request *r);
int do_ve_rename(struct request *r);
int again_ve(struct request *r, const struct err *e);
int do_ve_create(struct request *r);
int do_ve_act(struct request *r);
int do_key_add(struct request *r);
int do_key_remove(struct request *r);
int api_home(struct request *r);
int api_ve(struct request *r);
int api_usage(struct request *r);
int api_job(struct request *r);

/* page_terminal.c */
int api_ticket(struct request *r);
int do_terminal(struct request *r);

/* page_admin.c */
int page_admin_nodes(struct request *r);
int page_admin_ves(struct request *r);
int page_admin_subscribers(struct request *r);
int page_admin_pools(struct request *r);
int page_admin_audit(struct request *r);
int do_node_invite(struct request *r);
int page_node_revoke(struct request *r);
int do_node_act(struct request *r);
int api_enrol(struct request *r);
int api_enrolled(struct request *r);
int again_nodes(struct request *r, const struct err *e);
int do_pool_add(struct request *r);
int again_pools(struct request *r, const struct err *e);
int do_subscriber_act(struct request *r);

/* page_plan.c */
int page_admin_plans(struct request *r);
int page_admin_plan(struct request *r);
int do_plan_make(struct request *r);
int again_plans(struct request *r, const struct err *e);
int do_plan_change(struct request *r);
int again_plan(struct request *r, const struct err *e);
int do_ve_plan(struct request *r);

#endif
