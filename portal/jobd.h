/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_JOBD_H
#define VE_PORTAL_JOBD_H

/*
 * ve-jobd inside.  For each node: a driver (the one of all daemons that holds
 * the node's lock: facts, states, address blocks), a listener for the node's
 * events that wakes the driver, one that claims jobs, and workers.  Each has its
 * own connection to the agent; workers, who mostly wait for the node, share one to
 * the database.  All that matters is there, so that any of them may die anywhere.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "portal/conf.h"

struct client;
struct db;
struct json_object;

#define CHANGES_MAX 1024 /* more than so many VEs at once are all */

struct node {
	struct node *next;
	char *id, *url;
	const struct conf *conf;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct changes {
		bool all; /* events were missed: anything may have changed */
		size_t count;
		uint32_t veid[CHANGES_MAX];
	} changes;
	bool gone; /* revoked: its threads end; set once, by the house */
	pthread_cond_t handed; /* changes of the next two, and of gone */
	struct json_object *job; /* claimed, for the next worker */
	unsigned idle_workers;
	struct desk {
		pthread_mutex_t lock; /* of what follows */
		struct db *db;
		unsigned workers; /* whose it is */
	} desk;
};

/* Whether the node's threads should end. */
bool node_is_gone(struct node *n);

/* Start a node's threads. */
void node_start(struct node *n);

/* A thread's connection to the node's agent. */
struct link {
	struct client *client;
	unsigned certs; /* since which SIGHUP */
};

/* Open it, or anew when there are new certificates since. */
void link_renew(struct link *l, const struct node *n);
bool link_is_old(const struct link *l);
void link_close(struct link *l);

/* Note that something happened to VE @veid, 0 to anything, on the node. */
void node_stir(struct node *n, uint32_t veid);

/* Wait until something happened there, @ms at most, and take it. */
void node_await(struct node *n, int ms, struct changes *out);

/* The threads' bodies; @arg is the node. */
void *drive_run(void *arg); /* jobd_drive.c */
void *claim_run(void *arg); /* jobd_work.c: jobs, for the workers */
void *work_run(void *arg);
void *urgent_run(void *arg); /* suspensions: claims and works */

/* The same for letters; @arg is the configuration. */
void *mail_run(void *arg); /* jobd_mail.c */
/* And for names in a DNS server. */
void *dns_run(void *arg); /* jobd_dns.c */

/* Trials, what is old, new nodes: for ever, in the calling thread. */
void house_run(const struct conf *c); /* jobd_house.c */

/* Sleep. */
void pause_ms(int ms);

#endif
