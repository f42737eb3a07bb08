/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_BEAN_H
#define VE_AGENT_BEAN_H

/*
 * User Beancounters by name: the rows of /proc/user_beancounters, as the
 * kernel's header numbers them (enum ub_resource).  Each has a barrier and a
 * limit that is not below it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

#define BEANS 25		/* UB_RESOURCES */
#define BEAN_MAX INT64_MAX	/* UB_MAXVALUE: no bound */

#define BEAN_NUMPROC 5
/* Processes that the node may bring into a VE that has all of its own: the
 * terminal of who comes to end a fork bomb. */
#define BEAN_NUMPROC_HELP 8
#define BEAN_PHYSPAGES 6
#define BEAN_VMGUARPAGES 7
#define BEAN_OOMGUARPAGES 8
#define BEAN_SWAPPAGES 24

/* X(number, name) of each; what is not here nothing charges. */
#define BEAN_ROWS(X)                                                     \
	X(0, "kmemsize") X(1, "lockedpages") X(2, "privvmpages")         \
	X(3, "shmpages") X(5, "numproc") X(6, "physpages")               \
	X(7, "vmguarpages") X(8, "oomguarpages") X(9, "numtcpsock")      \
	X(10, "numflock") X(11, "numpty") X(12, "numsiginfo")            \
	X(13, "tcpsndbuf") X(14, "tcprcvbuf") X(15, "othersockbuf")      \
	X(16, "dgramrcvbuf") X(17, "numothersock") X(18, "dcachesize")   \
	X(19, "numfile") X(23, "numiptent") X(24, "swappages")

struct bean {
	uint64_t barrier, limit;
};

/* Bounds of the rows whose bits are in @set. */
struct beans {
	uint32_t set, pad;
	struct bean of[BEANS];
};

struct bean_stat {
	uint64_t held, maxheld, barrier, limit, failcnt;
};

/* NULL: there is no such row. */
const char *bean_name(unsigned resource);
/* -ENOENT: no row is called so. */
int bean_find(const char *name);

static inline bool bean_is_set(const struct beans *b, unsigned resource)
{
	return b->set >> resource & 1;
}

void bean_set(struct beans *b, unsigned resource, uint64_t barrier,
	      uint64_t limit);

/* Whether each row that is set is one, with bounds in their order. */
int beans_check(const struct beans *b, struct err *e);

/*
 * "name=barrier[:limit]", numbers or "unlimited"; without a limit it is the
 * barrier.  0, or -EINVAL and -ENOENT with words.
 */
int beans_assign(struct beans *b, const char *text, struct err *e);

/* All that are set as such assignments, with spaces between; and back. */
void beans_print(const struct beans *b, struct buf *out);
int beans_parse(struct beans *b, const char *text, struct err *e);

#endif
