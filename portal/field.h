/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_FIELD_H
#define VE_PORTAL_FIELD_H

/*
 * The fields of a form or of a JSON object: one list of names with what each may
 * hold, so that no handler ever sees a control byte, a foreign name or a value
 * that is too long.
 */
#include <stddef.h>

#include "agent/libve/err.h"

#define FIELDS_MAX 48 /* a plan has most */

struct field {
	char *name, *value;
};

struct fields {
	struct field list[FIELDS_MAX];
	size_t count;
};

/* Take an application/x-www-form-urlencoded body apart.  0 or FAULT_MALFORMED. */
int fields_from_form(struct fields *f, const char *body, size_t n,
		     struct err *e);

/* The same of a JSON object of strings, integers and booleans. */
int fields_from_json(struct fields *f, const char *body, size_t n,
		     struct err *e);

/*
 * Check every field against the list and @wanted, names separated by spaces, a
 * name that may be missing followed by '?'.  0, FAULT_FIELD or FAULT_MALFORMED.
 */
int fields_check(const struct fields *f, const char *wanted, struct err *e);

/* Value of a field; "" when it is not there. */
const char *fields_get(const struct fields *f, const char *name);

void fields_fini(struct fields *f);

#endif
