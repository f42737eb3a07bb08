/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_CGROUP_H
#define VE_AGENT_CGROUP_H

/*
 * [priv] Control groups of VEs: <root>/<id_first> carries the limits, init and
 * enter below it hold the processes.  Limits are written to the outer one only.
 * A group is made ahead, when its VE has no number yet: it is named by the first
 * of the VE's ids, as /proc/ve lists them.
 */
#include "agent/libve/err.h"
#include "agent/msg.h"

struct cgroup_fds {
	int ve, init, enter; /* directories; -1 when not open */
};

void cgroup_close(struct cgroup_fds *g);
#define _cgroup_ __attribute__((cleanup(cgroup_close)))

/* Make (or take over) the groups of a VE and open them. */
int cgroup_make(const char *root, uint32_t id_first, struct cgroup_fds *g,
		struct err *e);

/* Open the groups of a VE that runs. */
int cgroup_open(const char *root, uint32_t id_first, struct cgroup_fds *g,
		struct err *e);

int cgroup_limit(const struct cgroup_fds *g, const struct limits *l,
		 struct err *e);

/* Have the time of the disk that @path lies on shared by weight; a VE's weight
 * of it.  0 or -errno. */
int cgroup_io_on(const char *root, const char *path);
int cgroup_io(const struct cgroup_fds *g, uint32_t weight);

/* A file for the CPU time that a VE has used, -1; and what it says now, in ms, 0
 * when it is not to be had. */
int cgroup_cpu_open(const char *root, uint32_t id_first);
int64_t cgroup_cpu_ms(int fd);

/* The same of the time that some process of it has waited for a disk. */
int cgroup_disk_open(const char *root, uint32_t id_first);
int64_t cgroup_disk_ms(int fd);

/* Push the memory of a VE that is frozen into swap (zram): a process of ours does
 * it for one after the other, and this does not wait.  cgroup_hot() forbids the VE
 * to swap more than @swap bytes again. */
void cgroup_cold(const char *root, uint32_t id_first);
void cgroup_hot(const char *root, uint32_t id_first, uint64_t swap);

/* Remove the groups of a VE that ended; 0 also when there are none. */
int cgroup_remove(const char *root, uint32_t id_first);

/* Remove the groups that @is_used says no of: of VEs that ended, or were made
 * ahead, in a life of the agent before this. */
void cgroup_sweep(const char *root,
		  bool (*is_used)(const void *arg, uint32_t id_first),
		  const void *arg);

#endif
