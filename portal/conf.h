/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_CONF_H
#define VE_PORTAL_CONF_H

#include "agent/libve/err.h"

/*
 * Configuration of the portal's programs: lines of "key value", # begins a
 * comment line.  All programs know all keys, so that one file may serve them
 * all; which ones a program needs, conf_need() says.  Strings live until
 * conf_fini().
 */
struct conf {
	char *listen, *tls_cert, *tls_key; /* ve-portald */
	char *public_url, *www, *user;
	char *db; /* libpq's conninfo */
	char *node_ca; /* PEM, of the agents */
	char *node_ca_key; /* ve-signer */
	char *terminal_cert, *terminal_key; /* role terminal */
	char *control_cert, *control_key; /* role control, ve-jobd */
	char *smtp_url, *mail_from;
	char *dns_server, *dns_zone, *dns_key; /* names by RFC 2136, ve-jobd */
	char *ssh_host, *ssh_port; /* as visitors see the gateway */
	char *domain; /* under which VEs have names, ve-portald */
	char *shell; /* path of ve-shell, ve-keys */
};

/* 0, or -errno with file, line and reason. */
int conf_read(struct conf *c, const char *path, struct err *e);
void conf_fini(struct conf *c);
#define _conf_ __attribute__((cleanup(conf_fini)))

/* 0 when each of the keys in @names (NULL at the end) is set; else -EINVAL, and
 * which of them is missing in @path. */
int conf_need(const struct conf *c, const char *path, const char *const *names,
	      struct err *e);

#endif
