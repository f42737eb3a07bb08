// SPDX-License-Identifier: Apache-2.0
/*
 * ve-signer: signs the certificates of nodes that come with an operator's token.
 * The only program that has the CA's key.  It listens to nobody: what is to be
 * signed, and for which name, it reads from the database.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/cert.h"
#include "portal/conf.h"
#include "portal/db_admin.h"
#include "portal/sandbox.h"

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : "";
}

/* One request; 1 when there is none. */
static int sign_one(struct db *db, const struct authority *a, struct err *e)
{
	_buf_ struct buf pem = { 0 };
	struct json_object *o = NULL, *id;
	struct err why = { 0 };
	int rc = db_sign_claim(db, &o, e);

	if (rc || !o)
		return rc ? rc : 1;
	json_object_object_get_ex(o, "id", &id);
	rc = authority_sign(a, text_of(o, "node"), text_of(o, "csr"), &pem,
			    &why);
	log_info("node %s: %s", text_of(o, "node"), rc ? why.text : "signed");
	rc = db_sign_finish(db, json_object_get_int64(id),
			    rc ? NULL : pem.data, rc ? why.text : NULL, e);
	json_object_put(o);
	return rc;
}

static void nothing(void *arg, const char *payload)
{
}

static void sign_for_ever(struct db *db, const struct authority *a)
{
	for (;;) {
		struct err e = { 0 };
		int rc = db_listen(db, "ve_sign", &e);

		while (!rc) {
			rc = sign_one(db, a, &e);
			if (rc == 1)
				rc = db_wait(db, 5000, nothing, NULL, &e);
		}
		log_warn("%s", e.text);
		sleep(1);
	}
}

int main(int argc, char **argv)
{
	static const char *const needed[] = { "db", "node_ca", "node_ca_key",
					      NULL };
	const char *file = "/etc/ve-signer.conf";
	struct authority *a = NULL;
	_conf_ struct conf c = { 0 };
	struct err e = { 0 };
	int opt;

	log_init("ve-signer");
	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c')
			return fputs("usage: ve-signer [-c FILE]\n", stderr), 2;
		file = optarg;
	}
	signal(SIGPIPE, SIG_IGN);
	if (conf_read(&c, file, &e) || conf_need(&c, file, needed, &e) ||
	    authority_open(&a, c.node_ca, c.node_ca_key, &e) ||
	    sandbox_drop(c.user, &e) || sandbox_enter(SANDBOX_WEB, &e))
		fatal("%s", e.text);
	sign_for_ever(db_create(c.db, "ve-signer"), a);
	return 0;
}
