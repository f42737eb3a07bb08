/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_HANDLERS_H
#define VE_AGENT_HANDLERS_H

/* [api] One function a route of route.c. */
#include "agent/http.h"

/* api_node.c */
enum MHD_Result on_healthz(struct request *q);
enum MHD_Result on_readyz(struct request *q);
enum MHD_Result on_openapi(struct request *q);
enum MHD_Result on_metrics(struct request *q);
enum MHD_Result on_node(struct request *q);

/* api_ve.c */
enum MHD_Result on_ve_list(struct request *q);
enum MHD_Result on_ve_get(struct request *q);
enum MHD_Result on_ve_put(struct request *q);
enum MHD_Result on_ve_delete(struct request *q);

/* api_act.c */
enum MHD_Result on_ve_action(struct request *q);
enum MHD_Result on_operation(struct request *q);

/* 202 with Location, Retry-After and the operation.  With the lock held, which
 * is released. */
enum MHD_Result accepted(struct request *q, int64_t op);
/* 409 that names the operation under way.  Releases the lock. */
enum MHD_Result busy(struct request *q, uint32_t veid, int64_t other);

/* api_term.c */
/* Whether the request's grant is for this, and not used yet. */
int check_grant(struct request *q, uint8_t kind, uint16_t port, struct err *e);
/* 0, or the status and problem for a VE that cannot be used. */
int check_ve(uint32_t veid, const char **problem);
bool has_token(const char *header, const char *token); /* of a list */
enum MHD_Result on_terminal_open(struct request *q);
enum MHD_Result on_terminal_ws(struct request *q);

/* api_port.c */
enum MHD_Result on_port(struct request *q);

/* api_block.c */
enum MHD_Result on_block_put(struct request *q);
enum MHD_Result on_block_delete(struct request *q);

/* sse.c */
enum MHD_Result on_events(struct request *q);

#endif
