/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_EAR_H
#define VE_PORTAL_EAR_H

/*
 * One thread with a database connection of its own that listens for ended
 * sessions and suspended VEs, whichever portal or daemon they come from, and
 * closes the terminals here.  While it cannot listen, no terminal is opened;
 * when it can again, every open one is checked.
 */
struct relays;

void ear_start(const char *conninfo, struct relays *relays);

/* What one notification ("session 17", "ve 1000 suspended") asks for. */
struct ear_word {
	long long session;
	unsigned veid;
	unsigned short code;
};

/* Take a payload apart.  0 or -EINVAL. */
int ear_parse(struct ear_word *w, const char *payload);

#endif
