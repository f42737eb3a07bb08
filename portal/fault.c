// SPDX-License-Identifier: Apache-2.0
#include "portal/fault.h"

#include <stddef.h>
#include <string.h>

#define FAULT_BASE 10000

/* clang-format off */
static const struct fault faults[] = {
	[FAULT_INTERNAL]   = { "",      500, "internal",        "Something went wrong on our side", 0 },
	[FAULT_MALFORMED]  = { "",      400, "malformed",       "The request makes no sense", 0 },
	[FAULT_TOO_LARGE]  = { "",      413, "too-large",       "That is too much at once", 0 },
	[FAULT_NOT_FOUND]  = { "",      404, "not-found",       "There is nothing here", 0 },
	[FAULT_METHOD]     = { "",      405, "method",          "This cannot be done here", 0 },
	[FAULT_CSRF]       = { "",      403, "csrf",            "This form is too old", 0 },
	[FAULT_ORIGIN]     = { "",      403, "origin",          "The request came from another site", 0 },
	[FAULT_FIELD]      = { "",      422, "field",           "A field is not valid", 0 },
	[FAULT_BUSY]       = { "",      503, "busy",            "Too much is going on", 2 },
	[FAULT_AWAY]       = { "",      503, "database-away",   "We cannot reach our records", 5 },
	[FAULT_LENGTH]     = { "",      411, "length",          "The request has no length", 0 },
	[FAULT_HOST]       = { "",      421, "host",            "This is another site", 0 },
	[FAULT_MEDIA]      = { "",      415, "media-type",      "The body is of the wrong type", 0 },
	[FAULT_SOCKET]     = { "",      426, "socket",          "This address speaks WebSocket", 0 },
	[FAULT_BAD_LOGIN]  = { "VE019", 401, "bad-login",       "You are not logged in", 0 },
	[FAULT_LIMITED]    = { "VE003", 429, "limited",         "Too many attempts", 300 },
	[FAULT_FULL]       = { "VE002", 503, "capacity-exhausted", "Every place is taken", 60 },
	[FAULT_TAKEN]      = { "VE001", 409, "email-taken",     "This address has an account", 0 },
	[FAULT_NO_SESSION] = { "VE010", 401, "no-session",      "Please log in", 0 },
	{ "VE004", 422, "template-unknown",  "There is no such template", 0 },
	{ "VE005", 404, "ve-not-found",      "There is no such environment", 0 },
	{ "VE006", 409, "ve-busy",           "The environment is busy", 2 },
	{ "VE007", 403, "suspended",         "Suspended", 0 },
	{ "VE008", 409, "expired",           "The trial is over", 0 },
	{ "VE009", 409, "one-a-person",      "One environment a person", 0 },
	{ "VE011", 403, "operators-only",    "This is for operators", 0 },
	{ "VE012", 409, "key-taken",         "This ssh key is in use", 0 },
	{ "VE013", 409, "keys-full",         "Too many ssh keys", 0 },
	{ "VE014", 404, "not-found",         "There is nothing here", 0 },
	{ "VE016", 409, "pool-overlaps",     "These addresses are in a pool", 0 },
	{ "VE017", 422, "field",             "A field is not valid", 0 },
	{ "VE018", 409, "node-taken",        "There is such a node", 0 },
	{ "VE020", 409, "stopped",           "The environment is stopped", 0 },
	{ "VE021", 410, "link-gone",         "This link is no longer good", 0 },
	{ "VE022", 409, "confirmed",         "The address is confirmed", 0 },
	{ "VE023", 410, "node-lost",         "The node is lost", 0 },
	{ "VE024", 422, "name-reserved",     "This name is reserved", 0 },
	{ "VE025", 409, "name-taken",        "This name is taken", 0 },
	{ "VE026", 502, "port-closed",       "Nobody is at home", 0 },
	{ "VE027", 504, "unreachable",       "The environment does not answer", 5 },
	{ "VE028", 409, "plan-taken",        "There is such a plan", 0 },
	{ "23514", 422, "field",             "A field is not valid", 0 },
};
/* clang-format on */

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

int fault_code(enum fault_id id)
{
	return -(FAULT_BASE + (int)id);
}

int fault_code_of_state(const char *state)
{
	for (size_t i = 0; state && i < FAULTS; i++)
		if (faults[i].state[0] && !strcmp(faults[i].state, state))
			return -(FAULT_BASE + (int)i);
	return fault_code(FAULT_INTERNAL);
}

const struct fault *fault_of(int code)
{
	int i = -code - FAULT_BASE;

	return &faults[i >= 0 && i < (int)FAULTS ? i : FAULT_INTERNAL];
}
