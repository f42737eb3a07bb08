/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_FAULT_H
#define VE_PORTAL_FAULT_H

/*
 * What can be wrong with a request, once: the database's SQLSTATE (class VE) or
 * our own reason, and what a visitor is told about it.  The number of a row
 * travels in struct err's code, so that one value leads from the place that
 * knows to the status line.
 */
struct fault {
	const char *state; /* SQLSTATE, or "" for what the portal finds itself */
	int status; /* HTTP */
	const char *name; /* of urn:vestibule:problem:<name> */
	const char *title; /* a few words, also the page's heading */
	int retry_after; /* seconds, 0 for none */
};

enum fault_id {
	FAULT_INTERNAL,
	FAULT_MALFORMED,
	FAULT_TOO_LARGE,
	FAULT_NOT_FOUND,
	FAULT_METHOD,
	FAULT_CSRF,
	FAULT_ORIGIN,
	FAULT_FIELD,
	FAULT_BUSY,
	FAULT_AWAY,
	FAULT_LENGTH,
	FAULT_HOST,
	FAULT_MEDIA,
	FAULT_SOCKET,
	FAULT_BAD_LOGIN,
	FAULT_LIMITED,
	FAULT_FULL,
	FAULT_TAKEN,
	FAULT_NO_SESSION,
};

/* The err code of a row, and of an SQLSTATE (unknown ones are INTERNAL). */
int fault_code(enum fault_id id);
int fault_code_of_state(const char *state);

/* The row of an err code; any code that is not a fault's is INTERNAL. */
const struct fault *fault_of(int code);

#endif
