// SPDX-License-Identifier: Apache-2.0
/*
 * ve-agentd: reads the configuration and becomes the supervisor, or, with -P,
 * one of its parts.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/conf.h"
#include "agent/libve/log.h"
#include "agent/part.h"

static const struct part_entry {
	const char *name, *log;
	void (*main)(const struct conf *c);
} parts[] = {
	{ "priv", "ve-agentd priv", priv_main },
	{ "api", "ve-agentd api", api_main },
	{ "term", "ve-agentd term", term_main },
};

static void usage(void)
{
	fprintf(stderr, "usage: ve-agentd [-n] [-c file]\n"
			"  -c file  configuration (/etc/ve-agentd.conf)\n"
			"  -n       check the configuration and exit\n");
	exit(2);
}

static void run_part(const char *name, const struct conf *c)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(parts[i].name, name))
			continue;
		log_init(parts[i].log);
		prctl(PR_SET_NAME, parts[i].log + 3, 0, 0,
		      0); /* "agentd api" */
		parts[i].main(c);
	}
	fatal("there is no part '%s'", name);
}

int main(int argc, char **argv)
{
	const char *file = "/etc/ve-agentd.conf", *part = NULL;
	struct err e = { 0 };
	struct conf c;
	int opt, check = 0;

	log_init("ve-agentd");
	while ((opt = getopt(argc, argv, "c:nP:")) != -1) {
		if (opt == 'c')
			file = optarg;
		else if (opt == 'n')
			check = 1;
		else if (opt == 'P')
			part = optarg;
		else
			usage();
	}
	if (optind != argc)
		usage();
	if (conf_load(&c, file, &e) < 0)
		fatal("%s", e.text);
	if (check)
		return 0;
	if (part)
		run_part(part, &c);
	return supervise(&c);
}
