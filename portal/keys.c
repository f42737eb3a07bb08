// SPDX-License-Identifier: Apache-2.0
/*
 * ve-keys: sshd's AuthorizedKeysCommand.  Given a key's type and blob it prints
 * the one authorized_keys line that lets this key into its own VE, or nothing.
 * What sshd may do for the key is "restrict,pty" and our forced command.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "agent/libve/log.h"
#include "portal/conf.h"
#include "portal/db_account.h"
#include "portal/sshkey.h"

static void read_conf(struct conf *c, const char *file)
{
	static const char *const needed[] = { "db", "shell", NULL };
	struct err e = { 0 };

	if (conf_read(c, file, &e) || conf_need(c, file, needed, &e))
		fatal("%s", e.text);
	/* they stand in a quoted command line */
	if (strpbrk(c->shell, "\"\\ '$`") || strpbrk(file, "\"\\ '$`"))
		fatal("%s, %s: paths with such characters are not taken",
		      c->shell, file);
}

static int print_line(const struct conf *c, const char *file,
		      const struct sshkey *k, struct json_object *found)
{
	struct json_object *veid;

	if (!json_object_object_get_ex(found, "veid", &veid))
		return 1;
	printf("restrict,pty,command=\"%s -c %s %s %d\" %s %s\n", c->shell,
	       file, k->fingerprint, json_object_get_int(veid), k->kind,
	       k->blob);
	return 0;
}

int main(int argc, char **argv)
{
	const char *file = "/etc/ve-gateway.conf";
	struct json_object *found = NULL;
	struct sshkey k = { 0 };
	_conf_ struct conf c = { 0 };
	struct err e = { 0 };
	struct db *db;
	int opt, rc;

	log_init("ve-keys");
	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c')
			return 2;
		file = optarg;
	}
	if (argc - optind != 2)
		return fputs("usage: ve-keys [-c FILE] TYPE KEY\n", stderr), 2;
	read_conf(&c, file);
	/* a key of another kind than ours is nobody's */
	if (sshkey_from_parts(&k, argv[optind], argv[optind + 1], &e))
		return 0;
	db = db_create(c.db, "ve-keys");
	rc = db_key_lookup(db, k.fingerprint, &found, &e);
	if (rc)
		log_err("%s", e.text);
	else if (found)
		rc = print_line(&c, file, &k, found);
	json_object_put(found);
	db_destroy(db);
	return rc ? 1 : 0;
}
