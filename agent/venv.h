/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_VENV_H
#define VE_AGENT_VENV_H

/*
 * [priv] The kernel's Virtual Environment interface, and nothing but it: one
 * function a call.  A change of the kernel's ABI ends in venv.c; tests link
 * another implementation of this header that runs processes on the host.
 * Every function returns 0 or a descriptor (the caller's), or -errno.
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/addr.h"
#include "agent/msg.h"

struct venv_run {
	const char *path;
	char *const *argv, *const *envp; /* end in NULL */
	const char *cwd;
	const int *fds; /* numbers 0, 1, .. of the new process, nfds of them */
	unsigned nfds;
	bool ctty;	/* descriptor 0 becomes the controlling terminal */
};

struct venv_spec {
	uint32_t veid;
	int root_fd, init_cgroup_fd, cgroup_fd;
	const char *hostname;
	struct venv_run init;
};

/* Version of the interface that the kernel has; -ENOSYS without one. */
int venv_abi(void);

/* A VE without identity and process; it goes with its last descriptor.  That is
 * readable at a change of state. */
int venv_hold(uint32_t id_first, uint32_t id_count);
/* Its user namespace, as mapping of ids. */
int venv_ids(int fd);
int venv_start(int fd, const struct venv_spec *spec);

int venv_open(uint32_t veid);

/* State of the VE behind @fd into @e. */
int venv_query(int fd, struct msg_entry *e);

/* Up to @room VEs above @after, ascending; the number of them. */
int venv_list(uint32_t after, uint32_t *veids, uint32_t room);

int venv_signal(int fd, int sig);
int venv_kill(int fd);

/* Between RUNNING and FROZEN; -EBUSY when it is neither. */
int venv_freeze(int fd, bool freeze);
/* Its last packet that a socket took; cpu_ms and disk_ms are not touched. */
int venv_activity(int fd, struct msg_activity *a);

/* Master and slave of a pty of the VE's own. */
int venv_pty(int fd, uint16_t cols, uint16_t rows, int *master, int *slave);

/* A process descriptor: readable at a change of state. */
int venv_enter(int fd, int cgroup_fd, const struct venv_run *run);

/* Before priv is confined. */
void venv_net_open(void);
/* A non-blocking socket inside the VE's network that connects to its @port, as
 * if from a neighbour: not from its localhost. */
int venv_connect(int fd, uint16_t port);

struct venv_proc {
	bool exited;
	uint32_t exec_error;  /* errno when the program could not be run */
	uint32_t exit_status; /* as wait(2) has it */
};

int venv_proc_query(int fd, struct venv_proc *p);

/* The kernel takes it back by itself at @until (ms of CLOCK_BOOTTIME, 0: never;
 * -ETIME: it has passed).  Of an address that the VE has, @epoch and @until are
 * set anew.  -EADDRINUSE when another VE has it. */
int venv_addr_add(int fd, const struct addr *a, uint32_t epoch, int64_t until);
int venv_addr_del(int fd, const struct addr *a);

/* Bounds of the rows of @b that are set, all of them or none; a held VE too. */
int venv_beans_set(int fd, const struct beans *b);
int venv_beans_stat(int fd, struct bean_stat out[static BEANS]);

/* @cap: ns of CPU time a second, 0 none; @cpus that it sees, 0 all. */
int venv_cpu(int fd, uint32_t weight, uint64_t cap, uint32_t cpus);

/* @mark of its packets on the node; @packets that it may send a second; new
 * flows a second, 0 no bound. */
int venv_net_limit(int fd, uint32_t mark, uint32_t packets, uint32_t flow_rate,
		   uint32_t flow_burst);
int venv_net_stat(int fd, struct traffic *t);

/* A descriptor that is readable when VEs were refused something; the number of
 * refusals that were read. */
int venv_refusals_open(void);
int venv_refusals_read(int fd, struct msg_refusal *r, uint32_t room);

#endif
