/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_VE_H
#define VE_AGENT_VE_H

/* A Virtual Environment as the node knows it: what is wanted and what is.
 * Call with the state lock held. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/json.h"
#include "agent/msg.h"

enum ve_state {
	VE_STOPPED,
	VE_STARTING,
	VE_RUNNING,
	VE_STOPPING,
	VE_FROZEN,
	VE_FAILED,
	VE_ARCHIVED, /* stopped, its private tree packed */
};

/* When it may sleep; times in seconds. */
struct idle_rule {
	int64_t idle_after; /* without activity; 0: never */
	int64_t stop_after; /* frozen; 0: never */
	int64_t warn;	    /* ahead of sleep */
	int64_t archive_after; /* stopped; 0: never */
	int64_t lease_max; /* an address, while others wait; 0: no bound */
	int64_t busy; /* thousandths of a CPU or of a wait that are work */
};

#define VE_NETWORK 65

struct ve {
	uint32_t veid;
	/* spec */
	char template[MSG_NAME];
	char hostname[MSG_HOST];
	bool want_running;
	int64_t generation;
	struct limits limits;
	struct idle_rule idle;
	char ipv6[ADDR_TEXT]; /* "": none */
	char network[VE_NETWORK]; /* its subscriber's; "": one by itself */
	/* status */
	uint32_t slot;	      /* of ids, for life */
	bool suspended;
	bool halted;	      /* from inside: not started again by itself */
	enum ve_state state;
	int64_t rev;	      /* grows with each change of the status */
	int64_t observed;     /* generation that was carried out */
	int64_t since;	      /* wall ms of the last change of state */
	int64_t exit_status;  /* of the last init, as a shell has it; -1: none */
	char error[200];
	int64_t active;	      /* wall ms of the last input, 0: never */
	int64_t terminals;
};

static inline bool ve_is_down(const struct ve *v)
{
	return v->state == VE_STOPPED || v->state == VE_FAILED ||
	       v->state == VE_ARCHIVED;
}

#define VE_ETAG 48

const char *ve_state_name(enum ve_state s);

bool ve_load(sqlite3 *db, uint32_t veid, struct ve *v);

/* Load the first VE above @after; false at the end. */
bool ve_load_after(sqlite3 *db, uint32_t after, struct ve *v);

/* Write it whole; rev grows, an event "ve" is journaled.  -errno of db_do(). */
int ve_save(sqlite3 *db, struct ve *v);
/* The same of what is no spec; the row is there. */
int ve_save_status(sqlite3 *db, struct ve *v);
/* Something that its status shows has changed elsewhere. */
void ve_touch(sqlite3 *db, uint32_t veid);
int ve_delete(sqlite3 *db, const struct ve *v);

/* Lowest free slot of ids, -ENOSPC. */
int ve_free_slot(sqlite3 *db);

/* The members {veid, spec, status} with brackets, as element or document; what
 * it uses with them unless @u is NULL. */
void ve_show(sqlite3 *db, const struct ve *v, const struct msg_usage *u,
	     struct json_out *o);
/* {veid, status}, for who looks at many. */
void ve_show_state(sqlite3 *db, const struct ve *v, struct json_out *o);
void ve_etag(const struct ve *v, char out[static VE_ETAG]);

#endif
