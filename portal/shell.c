// SPDX-License-Identifier: Apache-2.0
/*
 * ve-shell: sshd's forced command.  Asks the database for a grant in the name of
 * the key that was shown, opens the stream to the node's agent, and is then the
 * pipe between ssh's descriptors and the VE: a terminal of its own when ssh has
 * one, with a shell or the command in it, else the command with its exit status.
 */
#include "portal/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/grant.h"
#include "agent/libve/log.h"
#include "agent/libve/stream.h"
#include "portal/conf.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/token.h"
#include "portal/url.h"

#define OPEN_MS 60000 /* a VE that sleeps is woken first */

/* sshd's subsystem, run by the VE's own server. */
static const char sftp[] =
	"for s in /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server "
	"/usr/libexec/sftp-server; do [ -x $s ] && exec $s; done; "
	"echo 'this environment has no sftp-server: use ssh and cat, "
	"or scp -O' >&2; exit 127";

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : "";
}

/* With a forced command sshd names its subsystem by the line that configures it:
 * "ve-shell ... -s sftp".  Whoever types that gets the same. */
static const char *wanted_command(void)
{
	const char *c = getenv("SSH_ORIGINAL_COMMAND");
	size_t n = c ? strlen(c) : 0;

	return n > 8 && !strcmp(c + n - 8, " -s sftp") ? sftp : c;
}

static void make_path(char out[static 200], uint32_t veid, bool tty)
{
	unsigned cols = 80, rows = 24;
	char name[TOKEN_TEXT];

	shell_size(&cols, &rows);
	token_make(name);
	for (char *s = name; *s; s++)
		if (*s < '0' || *s > '9')
			*s = (char)('a' + (*s & 15));
	snprintf(out, 200,
		 "/v1/ves/%u/terminals/ssh-%.12s/ws?cols=%u&rows=%u&kind=%s",
		 veid, name, cols, rows, tty ? "tty" : "exec");
}

static int open_stream(struct stream **out, const struct conf *conf,
		       struct json_object *grant, const char *path,
		       const char *command, struct err *e)
{
	struct tls_files files = { .cert = conf->terminal_cert,
				   .key = conf->terminal_key,
				   .ca = conf->node_ca };
	struct url url;
	struct stream_conf c = { .host = url.host,
				 .port = url.port,
				 .ctx = tls_client(&files, e),
				 .node = text_of(grant, "node"),
				 .path = path,
				 .grant = text_of(grant, "grant"),
				 .command = command,
				 .timeout_ms = OPEN_MS };
	int rc = e->code;

	if (!rc)
		rc = url_parse(&url, text_of(grant, "url"), e);
	if (!rc)
		rc = stream_open(out, &c, e);
	SSL_CTX_free(c.ctx); /* the stream has its own reference */
	if (rc && *out && !strcmp(stream_problem(*out), "suspended"))
		snprintf(e->text, sizeof(e->text),
			 "this environment is suspended");
	return rc;
}

/* As ssh has it: a program tells it from the command's own failure. */
static _Noreturn void no_connection(const struct err *e)
{
	log_err("%s", e->text);
	exit(255);
}

static void read_conf(struct conf *c, const char *file)
{
	static const char *const needed[] = { "db", "node_ca", "terminal_cert",
					      "terminal_key", NULL };
	struct err e = { 0 };

	if (conf_read(c, file, &e) || conf_need(c, file, needed, &e))
		no_connection(&e);
}

int main(int argc, char **argv)
{
	const char *file = "/etc/ve-gateway.conf", *command;
	struct json_object *grant = NULL;
	struct stream *stream = NULL;
	_conf_ struct conf c = { 0 };
	struct err e = { 0 };
	char path[200];
	uint32_t veid;
	struct db *db;
	bool tty;
	int opt;

	log_init("vestibule");
	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c')
			return 2;
		file = optarg;
	}
	if (argc - optind != 2)
		return fputs("usage: ve-shell [-c FILE] FINGERPRINT VEID\n",
			     stderr),
		       2;
	read_conf(&c, file);
	veid = (uint32_t)strtoul(argv[optind + 1], NULL, 10);
	command = wanted_command();
	tty = command != sftp && isatty(0);
	db = db_create(c.db, "ve-shell");
	if (db_gateway_grant(db, argv[optind], veid, tty ? "tty" : "exec",
			     &grant, &e))
		no_connection(&e);
	db_destroy(db);
	make_path(path, veid, tty);
	if (open_stream(&stream, &c, grant, path, command, &e))
		no_connection(&e);
	json_object_put(grant);
	return shell_run(stream, tty);
}
