// SPDX-License-Identifier: Apache-2.0
#include "portal/operator.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/db_account.h"
#include "portal/passwd.h"
#include "portal/token.h"

/* Twenty characters that nobody mistakes for others: 99 bits. */
static void make_password(char out[static 25])
{
	static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
	uint8_t hash[TOKEN_HASH];
	char token[TOKEN_TEXT];
	size_t n = 0;

	token_make(token);
	token_hash(hash, token);
	for (int i = 0; i < 20; i++) {
		if (i && i % 5 == 0)
			out[n++] = '-';
		out[n++] = alphabet[hash[i] % 31];
	}
	out[n] = '\0';
}

int operator_create(const char *email, const char *conninfo)
{
	struct json_object *made = NULL;
	char password[25], hash[PASSWD_HASH];
	struct err e = { 0 };
	struct db *db;

	if (!conninfo)
		return log_err("-d CONNINFO is missing"), 2;
	passwd_init();
	make_password(password);
	db = db_create(conninfo, "ve-portald -o");
	if (passwd_hash(hash, password, &e) ||
	    db_operator_create(db, email, hash, &made, &e)) {
		log_err("%s", e.text);
		db_destroy(db);
		return 1;
	}
	if (json_object_get_boolean(made))
		printf("%s\n", password);
	else
		log_info("%s has an account already", email);
	json_object_put(made);
	db_destroy(db);
	return 0;
}
