// SPDX-License-Identifier: Apache-2.0
/* Isolation of processes: tasks of the node and of another VE are neither found nor reached. */
#include "iso.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int steal_from_cousin(void)
{
	return iso_errno(syscall(SYS_pidfd_getfd, FD_COUSIN, 0, 0));
}

static int steal_from_victim(void)
{
	return iso_errno(syscall(SYS_pidfd_getfd, FD_VICTIM, 0, 0));
}

static int steal_from_self(void)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0), own = open("/proc/version", O_RDONLY);

	return iso_errno(syscall(SYS_pidfd_getfd, self, own, 0));
}

static int signal_victim(void)
{
	return iso_errno(syscall(SYS_pidfd_send_signal, FD_VICTIM, 0, NULL, 0));
}

/* The node's helper answers on a socket that the node opened: does its SIGIO come? */
static int await_sigio(void)
{
	struct pollfd p = { .fd = FD_HELPER, .events = POLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (fcntl(FD_HELPER, F_SETOWN, getpid()) || fcntl(FD_HELPER, F_SETFL, O_ASYNC) ||
	    write(FD_HELPER, "g", 1) != 1 || poll(&p, 1, 10000) != 1 || read(FD_HELPER, &(char){ 0 }, 1) != 1)
		return BROKEN;
	fcntl(FD_HELPER, F_SETFL, 0);
	sigpending(&set);
	return sigismember(&set, SIGIO) ? 0 : EPERM;
}

static int enter_namespace(void)
{
	return iso_errno(setns(FD_NS, CLONE_NEWNS));
}

/* How many processes show in all numbers that there are: more than the VE's own? */
static int find_many(void)
{
	int found = 0;

	for (int pid = 1; pid <= 4096; pid++)
		found += kill(pid, 0) == 0 || errno == EPERM;
	return found > 20 ? 0 : ESRCH;
}

static int reach(const char *hook)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%s 1", hook); /* PID 1 of the node */

	return iso_errno(write(FD_REACH, line, (size_t)n));
}

#define REACH(hook)                 \
	static int reach_##hook(void) \
	{                           \
		return reach(#hook); \
	}
REACH(kill)
REACH(setnice)
REACH(setpgid)
REACH(getpgid)
REACH(getsid)
REACH(setioprio)
REACH(getioprio)
REACH(setscheduler)
REACH(getscheduler)
REACH(movememory)

static int change_priority_of_init(void)
{
	return iso_errno(setpriority(PRIO_PROCESS, 1, 1));
}

static const struct iso_row rows[] = {
	{ "descriptor of a process with the same credentials outside", "ptrace", steal_from_cousin, { 0, EPERM, EPERM, EPERM } },
	{ "descriptor of a process of the node", NULL, steal_from_victim, { 0, EPERM, EPERM, EPERM } },
	{ "descriptor of its own process", NULL, steal_from_self, { 0, 0, 0, 0 } },
	{ "signal by a process descriptor of the node", NULL, signal_victim, { 0, EINVAL, EINVAL, EINVAL } },
	{ "SIGIO of a descriptor that the node opened", "sigio", await_sigio, { 0, EPERM, EPERM, EPERM } },
	{ "entering a namespace of the node by its descriptor", NULL, enter_namespace, { 0, EPERM, EPERM, EPERM } },
	{ "entering a namespace of the node", "capable", enter_namespace, { NA, EPERM, NA, EPERM }, .rooted = true },
	{ "processes by guessing numbers", NULL, find_many, { 0, ESRCH, ESRCH, ESRCH } },
	{ "priority of its own init", NULL, change_priority_of_init, { NA, 0, EPERM, 0 } },
#define REACHED(hook, guard) \
	{ #hook " of the node's init, once found,", guard, reach_##hook, { 0, EPERM, NA, EPERM }, .rooted = true }
	REACHED(kill, "kill"),		REACHED(setnice, "task"),
	REACHED(setpgid, "task"),	REACHED(getpgid, "task"),
	REACHED(getsid, "task"),	REACHED(setioprio, "task"),
	REACHED(getioprio, "task"),	REACHED(setscheduler, "task"),
	REACHED(getscheduler, "task"),	REACHED(movememory, "task"),
};

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), NULL);
}
