/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_CONF_H
#define VE_AGENT_CONF_H

/*
 * ve-agentd.conf: "key value" lines, # begins a comment.  An unknown key, a
 * second one and a bad value are errors that name the line.
 */
#include <stdint.h>

#include "agent/libve/err.h"

#define CONF_TEXT 256

struct conf {
	char node[64];
	char listen[CONF_TEXT];	      /* "" : only the control socket */
	char ca[CONF_TEXT], cert[CONF_TEXT], key[CONF_TEXT];
	char grant_key[CONF_TEXT];    /* file with 64 hex digits */
	char state_dir[CONF_TEXT];
	char run_dir[CONF_TEXT];
	char template_dir[CONF_TEXT];
	char private_dir[CONF_TEXT];
	char cgroup[CONF_TEXT];
	char user_api[64], user_term[64];
	int64_t quarantine_ms;	      /* before an address is lent again */
	int64_t stop_ms;	      /* grace between asking init and killing it */
	int64_t max_ves;
	int64_t held;		      /* VEs made ahead, for quick starts */
	int64_t max_streams;	      /* terminal streams in all */
	char uplink[16];	      /* "": no bandwidth is shared */
	int64_t uplink_rate;	      /* bytes a second to be shared */
	char resolver[46];	      /* told to VEs' init; "": none */
	char file[CONF_TEXT];	      /* where all this came from */
};

/* Defaults, then the file.  0, or -errno with "file:line: what" in @e. */
int conf_load(struct conf *c, const char *file, struct err *e);

/* conf_load() of a text in memory; @file is for the messages. */
int conf_parse(struct conf *c, const char *text, const char *file,
	       struct err *e);

#endif
